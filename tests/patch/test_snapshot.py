"""One behaviour each, on a real repository, with the two ways that use git."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.patch.conftest import START
from tests.patch.trees import commit, git, make, patched, read
from velora.errors import PatchFailed
from velora.patch.protocol import PatchResult, PatchStatus, Snapshot
from velora.patch.snapshot import GitSnapshot, take
from velora.sandbox.host import HostSandbox

Take = Callable[..., Awaitable[Snapshot]]


@pytest.fixture
async def snap(sandbox: HostSandbox, repo: Path, method: str) -> AsyncIterator[Take]:
    """Take snapshots of `repo`; they are closed at the end."""
    taken = []

    async def call(**options: Any) -> Snapshot:
        taken.append(await take(sandbox, str(repo), methods=[method], **options))
        return taken[-1]

    yield call
    for snapshot in taken:
        await snapshot.close()


def note(result: PatchResult, code: str) -> str:
    found = [text for text in result.notes if text.startswith(f"{code}: ")]
    assert len(found) == 1, result.notes
    return found[0]


async def test_nothing_done_is_provably_empty(snap: Take, repo: Path) -> None:
    snapshot = await snap()
    (repo / "README.md").touch()
    result = await snapshot.diff()
    assert result == PatchResult(PatchStatus.EMPTY)
    assert snapshot.tree == git(repo, "rev-parse", "HEAD^{tree}")


async def test_every_kind_of_change_in_one_patch(snap: Take, repo: Path, tmp_path: Path) -> None:
    snapshot = await snap()
    make(
        repo,
        {
            b"src/main.py": ("file", b"print('bye')\n"),
            b'new/\xc3\xbc b"l.txt': ("file", b"new"),
            b"empty": ("file", b""),
            b"data.bin": ("file", bytes(range(255, -1, -1)) * 9),
            b"crlf.txt": ("file", b"one\r\nTWO\r\n"),
            b"no-newline": ("file", b"another last line without an end"),
            b"latin.txt": ("file", "é\n".encode("latin-1")),
        },
    )
    (repo / "run.sh").chmod(0o644)
    (repo / "src/util.py").unlink()
    (repo / "link").unlink()
    (repo / "link").symlink_to(os.fsdecode(b"latin-\xe9"))
    result = await snapshot.diff()
    assert result.status is PatchStatus.PATCH
    assert b"\0" not in result.diff.decode().encode()  # fit for JSON
    assert patched(START, result.diff, tmp_path / "fresh") == read(repo)
    assert set(result.files) == {
        *("src/main.py", 'new/ü b"l.txt', "empty", "data.bin", "crlf.txt", "no-newline"),
        *("latin.txt", "run.sh", "src/util.py", "link"),
    }
    assert await snapshot.diff() == result  # once more gives the same


async def test_a_dirty_start_is_no_part_of_the_patch(
    snap: Take, repo: Path, tmp_path: Path
) -> None:
    (repo / "README.md").write_text("changed before\n")
    (repo / "untracked.txt").write_text("there before\n")
    (repo / "run.sh").unlink()
    start = read(repo)
    snapshot = await snap()
    assert (await snapshot.diff()).status is PatchStatus.EMPTY
    (repo / "README.md").write_text("changed before\nand by the agent\n")
    result = await snapshot.diff()
    assert result.files == ("README.md",)
    assert patched(start, result.diff, tmp_path / "fresh") == read(repo)


@pytest.mark.parametrize(
    "act",
    [
        "git add -A && git commit -qm agent",
        "git checkout -qb mine && git commit -qam agent && git checkout -q main && git merge mine",
        "git add -A && git commit -qm a && git reset -q --hard && git gc -q --prune=now",
        "git commit -qa --amend -m rewritten",
        "rm -rf .git",
        "rm -rf .git && git init -q . && git add -A && git commit -qm new",
        "rm -rf .git && echo 'gitdir: /nowhere' >.git",
        "rm -rf .git/objects && echo broken >.git/HEAD",
        "mv .git elsewhere.git && rm -rf elsewhere.git",
        "git config core.autocrlf true && git config core.fileMode false && git config "
        "core.worktree /tmp && git config filter.up.clean 'tr a-z A-Z'",
        "printf '* text eol=crlf filter=up\\n' >.git/info/attributes; chmod +x .git/hooks/* 2>&-",
        "git update-index --assume-unchanged src/main.py; git rm -rq --cached .",
        "echo /nonexistent >.git/objects/info/alternates",
    ],
)
async def test_what_the_agent_does_with_git_changes_nothing(
    snap: Take, repo: Path, tmp_path: Path, act: str
) -> None:
    snapshot = await snap()
    (repo / "src/main.py").write_text("print('fixed')\n")
    (repo / "src/new.py").write_text("new = True\n")
    (repo / "run.sh").unlink()
    before = read(repo)
    subprocess.run(["sh", "-c", act], cwd=repo, env=ENV_OF_AGENT, check=True)
    assert read(repo) == before
    result = await snapshot.diff()
    assert set(result.files) == {"src/main.py", "src/new.py", "run.sh"}
    assert patched(START, result.diff, tmp_path / "fresh") == before


ENV_OF_AGENT = {
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
}


async def test_attributes_change_no_bytes(snap: Take, repo: Path, tmp_path: Path) -> None:
    attributes = (
        b"* text=auto eol=crlf ident\n*.bin filter=lfs -diff\n*.md working-tree-encoding=UTF-16\n"
    )
    (repo / ".gitattributes").write_bytes(attributes)
    (repo / "sub").mkdir()
    (repo / "id.txt").write_bytes(b"$Id$\r\n")
    start = read(repo)
    snapshot = await snap()
    assert (await snapshot.diff()).status is PatchStatus.EMPTY
    (repo / "id.txt").write_bytes(b"$Id$\nlf now\n")
    (repo / "data.bin").write_bytes(b"\0\r\n\n")
    (repo / "sub/.gitattributes").write_bytes(b"* -text\n")
    result = await snapshot.diff()
    assert patched(start, result.diff, tmp_path / "fresh") == read(repo)


async def test_a_directory_and_a_file_change_places(snap: Take, repo: Path, tmp_path: Path) -> None:
    snapshot = await snap()
    shutil.rmtree(repo / "src")
    (repo / "src").write_text("a file now\n")
    (repo / "README.md").unlink()
    (repo / "README.md").mkdir()
    (repo / "README.md/inside").write_text("x\n")
    (repo / "run.sh").unlink()
    (repo / "run.sh").symlink_to("src")
    result = await snapshot.diff()
    assert patched(START, result.diff, tmp_path / "fresh") == read(repo)


async def test_a_directory_that_becomes_a_link(snap: Take, repo: Path, tmp_path: Path) -> None:
    snapshot = await snap()
    shutil.move(repo / "src", tmp_path / "elsewhere")
    (repo / "src").symlink_to(tmp_path / "elsewhere")
    result = await snapshot.diff()
    assert patched(START, result.diff, tmp_path / "fresh") == read(repo)


async def test_same_size_and_same_mtime_is_still_seen(snap: Take, repo: Path) -> None:
    path = repo / "README.md"
    stat = path.stat()
    snapshot = await snap()
    path.write_bytes(b"# README\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (await snapshot.diff()).files == ("README.md",)


async def test_ignored_files_follow_the_rules_of_the_start(
    snap: Take, repo: Path, tmp_path: Path
) -> None:
    make(repo, {b"build/old.o": ("file", b"o"), b"kept.log": ("file", b"tracked\n")})
    git(repo, "add", "-f", "kept.log")
    snapshot = await snap()
    make(
        repo,
        {
            b"build/new.o": ("file", b"o"),
            b"sub/build/x": ("file", b"o"),
            b"run.log": ("file", b"l"),
            b"kept.log": ("file", b"tracked and edited\n"),
            b"src/hidden.py": ("file", b"by the agent's own rule\n"),
            b".gitignore": ("file", b"*.log\nbuild/\nsrc/hidden.py\n"),
        },
    )
    result = await snapshot.diff()
    assert set(result.files) == {"kept.log", "src/hidden.py", ".gitignore"}
    left_out = note(result, "ignored_left_out")
    assert "run.log" in left_out
    assert "sub/" in left_out
    assert "old" not in left_out


async def test_without_a_repository_every_file_counts(
    snap: Take, repo: Path, tmp_path: Path
) -> None:
    make(repo, {b"build/config.py": ("file", b"old\n")})
    shutil.rmtree(repo / ".git")
    start = read(repo)
    snapshot = await snap(base_commit="e604fe6d8258")
    assert snapshot.base_commit_found is False
    assert snapshot.warnings[0].startswith("base_commit_missing: e604fe6d8258 ")
    make(repo, {b"build/config.py": ("file", b"new\n"), b"build/junk": ("file", b"")})
    result = await snapshot.diff()
    assert result.files == ("build/config.py",)
    assert "build/junk" in note(result, "ignored_left_out")
    (repo / "build/junk").unlink()
    assert patched(start, result.diff, tmp_path / "fresh") == read(repo)


async def test_nested_repositories_are_in_the_patch(snap: Take, repo: Path, tmp_path: Path) -> None:
    inner = repo / "vendor/inner"
    make(inner, {b"lib.c": ("file", b"int x;\n"), b"deep/a.c": ("file", b"int a;\n")})
    git(inner, "init", "-q")
    commit(inner)
    git(repo, "add", "vendor/inner")  # a gitlink, as of a submodule
    git(repo, "commit", "-qm", "with a submodule")
    start = read(repo)
    snapshot = await snap()
    assert (await snapshot.diff()).files == ()
    (inner / "lib.c").write_text("int y;\n")
    (inner / "added.c").write_text("int z;\n")
    commit(inner)
    cloned = repo / "tools/clone/again"
    make(cloned, {b"t.c": ("file", b"int t;\n")})
    git(cloned, "init", "-q")
    git(cloned.parent, "init", "-q")
    commit(cloned)
    result = await snapshot.diff()
    assert set(result.files) == {
        *("vendor/inner/lib.c", "vendor/inner/added.c", "tools/clone/again/t.c")
    }
    assert "tools/clone" in note(result, "nested_repository")
    assert patched(start, result.diff, tmp_path / "fresh") == read(repo)


async def test_a_file_replaced_by_a_repository(snap: Take, repo: Path, tmp_path: Path) -> None:
    snapshot = await snap()
    (repo / "README.md").unlink()
    make(repo / "README.md", {b"x": ("file", b"x\n")})
    git(repo / "README.md", "init", "-q")
    commit(repo / "README.md")
    result = await snapshot.diff()
    assert set(result.files) == {"README.md", "README.md/x"}
    assert patched(START, result.diff, tmp_path / "fresh") == read(repo)


async def test_a_moved_git_directory_is_left_out(snap: Take, repo: Path) -> None:
    snapshot = await snap()
    make(repo, {b"fixture.git/HEAD": ("file", b"ref: x\n"), b"fixture.git/config": ("file", b"")})
    (repo / ".git").rename(repo / "git.backup")
    result = await snapshot.diff()
    assert result.files == ("fixture.git/HEAD", "fixture.git/config")
    assert note(result, "git_directory_moved").endswith(": git.backup/")


async def test_base_commit(snap: Take, repo: Path) -> None:
    base = git(repo, "rev-parse", "HEAD")
    assert (await snap(base_commit=base)).warnings == ()
    assert (await snap(base_commit=base[:12])).base_commit_found is True
    assert (await snap()).base_commit_found is None
    commit(repo, "on top")
    moved = await snap(base_commit=base)
    assert moved.base_commit_found is True
    assert moved.warnings[0].startswith("base_commit_not_head: ")
    missing = await snap(base_commit="0123456789" * 4)
    assert missing.base_commit_found is False
    assert missing.warnings[0].startswith("base_commit_missing: ")
    (repo / "README.md").write_text("x\n")
    assert (await missing.diff()).files == ("README.md",)
    assert (await snap(base_commit="$(touch /tmp/x) --all")).base_commit_found is False


async def test_what_no_patch_can_hold_is_noted(snap: Take, repo: Path) -> None:
    snapshot = await snap()
    (repo / "hollow/inside").mkdir(parents=True)
    os.mkfifo(repo / "pipe")
    (repo / "README.md").unlink()
    os.mkfifo(repo / "README.md")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(repo / "sock"))
        make(repo, {b"ok.txt": ("file", b"ok\n"), b"git~1": ("file", b"refused\n")})
        result = await snapshot.diff()
    assert result.files == ("ok.txt",)
    assert "hollow/" in note(result, "empty_directories")
    assert "pipe" in note(result, "special_files")
    assert "sock" in note(result, "special_files")
    left_out = [text for text in result.notes if text.startswith("left_out: ")]
    assert any("README.md" in text for text in left_out)
    assert any("git~1" in text for text in left_out)


async def test_junk_is_left_out_by_the_callers_patterns(snap: Take, repo: Path) -> None:
    snapshot = await snap(junk=["__pycache__/", "*.pyc", "*.py"])
    make(
        repo,
        {
            b"src/__pycache__/m.pyc": ("file", b"\0"),
            b"src/main.py": ("file", b"an edit of a text file stays\n"),
            b"fix.patch": ("file", b"not named, so kept\n"),
        },
    )
    result = await snapshot.diff()
    assert set(result.files) == {"src/main.py", "fix.patch"}
    assert "src/__pycache__/m.pyc" in note(result, "junk_left_out")


async def test_a_lost_store_is_a_failure_with_a_reason(snap: Take, repo: Path) -> None:
    snapshot = await snap()
    assert isinstance(snapshot, GitSnapshot)
    (repo / "README.md").write_text("x\n")
    shutil.rmtree(Path(snapshot.git.store, "objects/pack"))
    shutil.rmtree(snapshot.git.store)
    result = await snapshot.diff()
    assert result.status is PatchStatus.FAILED
    assert result.diff == b""
    assert snapshot.git.store in result.detail


async def test_missing_objects_are_a_failure(snap: Take, repo: Path) -> None:
    snapshot = await snap()
    assert isinstance(snapshot, GitSnapshot)
    (repo / "README.md").write_text("x\n")
    shutil.rmtree(Path(snapshot.git.store, "objects"))
    Path(snapshot.git.store, "objects").mkdir()
    result = await snapshot.diff()
    assert result.status is PatchStatus.FAILED
    assert result.detail


async def test_the_store_is_private_and_goes_away(snap: Take, repo: Path) -> None:
    snapshot = await snap()
    assert isinstance(snapshot, GitSnapshot)
    store = Path(snapshot.git.store)
    assert store.stat().st_mode & 0o777 == 0o700
    assert repo not in store.parents
    await snapshot.close()
    await snapshot.close()
    assert not store.exists()


async def test_a_broken_repository_is_taken_as_files(snap: Take, repo: Path) -> None:
    (repo / ".git/HEAD").write_text("rubbish\n")
    snapshot = await snap(base_commit="abc123")
    assert any(text.startswith("repository_unusable: ") for text in snapshot.warnings)
    (repo / "README.md").write_text("x\n")
    assert (await snapshot.diff()).files == ("README.md",)


async def test_a_damaged_object_does_not_matter(snap: Take, repo: Path) -> None:
    oid = git(repo, "rev-parse", "HEAD:README.md")
    path = repo / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    snapshot = await snap()
    (repo / "README.md").write_text("x\n")
    assert (await snapshot.diff()).files == ("README.md",)


async def test_no_way_at_all_says_why(sandbox: HostSandbox, repo: Path) -> None:
    with pytest.raises(PatchFailed, match="cannot tell what differs"):
        await take(sandbox, str(repo), methods=["engine"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
async def test_an_unreadable_file_is_noted(snap: Take, repo: Path) -> None:
    snapshot = await snap()
    make(repo, {b"secret": ("file", b"s"), b"ok": ("file", b"o")})
    (repo / "secret").chmod(0)
    result = await snapshot.diff()
    assert result.files == ("ok",)
    assert any("secret cannot be read" in text for text in result.notes)
