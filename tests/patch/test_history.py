"""What of a repository's history an agent can still reach after sealing."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patch.trees import ENV, commit, git, read
from velora.patch.history import seal_history, without_remotes
from velora.patch.sealing import FIND, STRIP
from velora.sandbox.host import HostSandbox


@dataclass(frozen=True, slots=True)
class Past:
    """Commits of a repository that was set back by one, as task images are."""

    old: str
    head: str
    future: str
    blob: str


@pytest.fixture
def past(repo: Path) -> Past:
    git(repo, "tag", "-a", "v1.0", "-m", "release one")
    old = git(repo, "rev-parse", "HEAD")
    (repo / "README.md").write_text("# at the base\n")
    head = commit(repo, "base")
    (repo / "README.md").write_text("# the fix\n")
    future = commit(repo, "the fix")
    git(repo, "tag", "v2.0")
    git(repo, "branch", "feature")
    git(repo, "notes", "add", "-m", "a note", old)
    git(repo, "remote", "add", "origin", "https://user:token@example.org/repo.git")
    git(repo, "update-ref", "refs/remotes/origin/main", future)
    git(repo, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    git(repo, "config", "branch.main.remote", "origin")
    git(repo, "config", "branch.main.merge", "refs/heads/main")
    git(repo, "replace", head, future)
    blob = git(repo, "rev-parse", f"{future}:README.md")
    git(repo, "reset", "-q", "--hard", head)
    git(repo, "replace", "-d", head)
    git(repo, "replace", old, future)
    (repo / ".git/FETCH_HEAD").write_text(future)
    (repo / "src/main.py").write_text("stashed\n")
    git(repo, "stash")
    return Past(old, head, future, blob)


def reachable(repo: Path, oid: str) -> bool:
    return git(repo, "cat-file", "-t", oid, check=False) != ""


@pytest.mark.parametrize("packed", [True, False])
async def test_only_heads_history_is_left(
    sandbox: HostSandbox, repo: Path, past: Past, packed: bool
) -> None:
    if packed:
        git(repo, "repack", "-adq")
        git(repo, "pack-refs", "--all")
        git(repo, "commit-graph", "write", "--reachable")
    (repo / "staged.txt").write_text("staged\n")
    git(repo, "add", "staged.txt")
    (repo / "run.sh").write_text("dirty\n")
    before, status = read(repo), git(repo, "status", "--porcelain")
    index = (repo / ".git/index").read_bytes()

    notes = await seal_history(sandbox, str(repo), past.head)

    assert [text.partition(":")[0] for text in notes] == ["history_sealed"]
    assert (repo / ".git/index").read_bytes() == index
    assert read(repo) == before
    assert git(repo, "status", "--porcelain") == status
    assert git(repo, "rev-parse", "HEAD", "main").split() == [past.head, past.head]
    assert git(repo, "log", "--format=%H").split() == [past.head, past.old]
    assert past.old[:7] in git(repo, "blame", "-s", "--root", "src/main.py")
    assert "dirty" in git(repo, "diff", "HEAD")
    assert git(repo, "show", ":staged.txt") == "staged"
    assert git(repo, "describe") == "v1.0-1-g" + past.head[:7]

    assert not reachable(repo, past.future)
    assert not reachable(repo, past.blob)
    refs = git(repo, "for-each-ref", "--format=%(refname)").split()
    assert refs == ["refs/heads/main", "refs/tags/v1.0"]
    assert git(repo, "remote") == ""
    assert git(repo, "reflog") == ""
    assert git(repo, "stash", "list") == ""
    assert git(repo, "fsck", "--unreachable", "--lost-found", "--no-progress") == ""
    everything = git(repo, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    assert past.future not in everything
    grep = ["grep", "-rlE", f"{past.future}|token@example", str(repo)]
    found = subprocess.run(grep, capture_output=True, text=True, check=False)
    assert found.stdout == ""
    assert git(repo, "commit", "-q", "--allow-empty", "-m", "the agent can work") == ""


async def test_a_second_time_finds_nothing_to_do(
    sandbox: HostSandbox, repo: Path, past: Past
) -> None:
    await seal_history(sandbox, str(repo))
    packs = sorted((repo / ".git/objects/pack").iterdir())
    assert await seal_history(sandbox, str(repo)) == ()
    assert sorted((repo / ".git/objects/pack").iterdir()) == packs


async def test_an_ordinary_repository_keeps_its_loose_objects(
    sandbox: HostSandbox, repo: Path
) -> None:
    assert await seal_history(sandbox, str(repo)) == ()
    assert list((repo / ".git/objects/pack").iterdir()) == []
    assert not (repo / ".git/logs").exists()


async def test_a_detached_head(sandbox: HostSandbox, repo: Path, past: Past) -> None:
    git(repo, "checkout", "-q", "--detach", past.head)
    git(repo, "branch", "-f", "main", past.future)
    await seal_history(sandbox, str(repo))
    assert git(repo, "rev-parse", "HEAD") == past.head
    assert git(repo, "for-each-ref", "refs/heads") == ""
    assert not reachable(repo, past.future)


async def test_a_base_commit_that_is_not_in_heads_history(
    sandbox: HostSandbox, repo: Path, past: Past
) -> None:
    notes = await seal_history(sandbox, str(repo), past.future)
    assert notes[0].startswith(f"base_commit_elsewhere: {past.future} ")
    assert not reachable(repo, past.future)


async def test_objects_of_another_store(
    sandbox: HostSandbox, repo: Path, past: Past, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--shared", str(repo), str(clone))
    assert reachable(clone, past.future)
    notes = await seal_history(sandbox, str(clone))
    assert any(text.startswith("alternates_removed: ") for text in notes)
    assert not reachable(clone, past.future)
    assert git(clone, "fsck", "--no-progress") == ""


async def test_a_shallow_clone(
    sandbox: HostSandbox, repo: Path, past: Past, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo}", str(clone))
    git(clone, "fetch", "-q", "--depth=1", "origin", "refs/heads/feature")
    await seal_history(sandbox, str(clone))
    assert git(clone, "log", "--format=%H") == past.head
    assert not reachable(clone, past.future)


async def test_a_linked_worktree_keeps_the_other_one_working(
    sandbox: HostSandbox, repo: Path, past: Past, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git(repo, "worktree", "add", "-q", str(other), "feature")
    notes = await seal_history(sandbox, str(repo))
    assert any("another worktree" in text for text in notes)
    assert git(other, "rev-parse", "HEAD") == past.future
    assert git(other, "status", "--porcelain") == ""
    notes = await seal_history(sandbox, str(other))
    assert git(repo, "log", "--format=%H").split() == [past.head, past.old]


async def test_a_directory_inside_a_repository(
    sandbox: HostSandbox, repo: Path, past: Past
) -> None:
    await seal_history(sandbox, str(repo / "src"))
    assert not reachable(repo, past.future)


async def test_no_repository_and_no_commit(
    sandbox: HostSandbox, repo: Path, tmp_path: Path
) -> None:
    assert await seal_history(sandbox, str(tmp_path)) == ()
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    git(fresh, "init", "-q")
    assert await seal_history(sandbox, str(fresh)) == ()


async def test_a_broken_repository_is_said_to_be_open(sandbox: HostSandbox, repo: Path) -> None:
    blob = git(repo, "rev-parse", "HEAD:src")
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    notes = await seal_history(sandbox, str(repo))
    assert notes[-1].startswith("history_not_sealed: ")
    assert blob in notes[-1]
    assert git(repo, "rev-parse", "HEAD") != ""


async def test_hooks_of_the_image_do_not_run(sandbox: HostSandbox, repo: Path, past: Past) -> None:
    hook = repo / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repo}/ran\n")
    hook.chmod(0o755)
    await seal_history(sandbox, str(repo))
    assert not (repo / "ran").exists()


def test_names_can_be_removed_without_git(repo: Path, past: Past) -> None:
    git(repo, "pack-refs", "--all")
    script = f"W={repo}/src\n{FIND}{STRIP}"
    done = subprocess.run(["sh", "-c", script], env=ENV, capture_output=True, text=True, check=True)
    assert done.stdout == f"{repo}/.git\n"
    assert not (repo / ".git/logs").exists()
    assert not (repo / ".git/FETCH_HEAD").exists()
    assert list((repo / ".git/refs").rglob("*/*")) == []


def test_remotes_leave_the_configuration() -> None:
    config = b"""[core]
\tbare = false
[remote "origin"]
\turl = https://token@example.org
[ Branch "main"]
\tremote = origin
[user]
\tname = A
"""
    assert without_remotes(config) == b"[core]\n\tbare = false\n[user]\n\tname = A\n"
