"""Patches of every kind, with the image's git and without: both must leave the same files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.grading.conftest import GOLD, TEST_PATCH, commit, files, populate
from velora.errors import GraderFailed
from velora.grading.apply import ApplyResult, apply
from velora.grading.patchfile import paths
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import Sandbox, SandboxSpec

TOOLS = (
    *("cat", "chmod", "cp", "cut", "dirname", "env", "grep", "head", "kill", "ln", "ls", "mkdir"),
    *(
        "mv",
        "readlink",
        "rm",
        "rmdir",
        "sed",
        "sh",
        "sleep",
        "stat",
        "tail",
        "test",
        "touch",
        "tr",
        "wc",
    ),
)


@pytest.fixture(params=["git", "no-git"])
async def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sandbox]:
    """A host sandbox with git in its PATH, and one that has a few tools alone."""
    env = {}
    if request.param == "no-git":
        tools = tmp_path / "bin"
        tools.mkdir()
        for tool in TOOLS:
            (tools / tool).symlink_to(str(shutil.which(tool)))
        env = {"PATH": str(tools)}
    started = HostSandbox(SandboxSpec(image="", workdir=str(tmp_path), env=env))
    await started.start()
    yield started
    await started.stop()


def tree(root: Path) -> dict[str, tuple[str, bytes]]:
    """Every file and link below `root`, `.git` left out: its kind and its content."""
    found: dict[str, tuple[str, bytes]] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.relative_to(root).parts[0] == ".git":
            continue
        if path.is_symlink():
            found[name] = ("link", os.fsencode(path.readlink()))
        elif path.is_file():
            found[name] = ("x" if os.access(path, os.X_OK) else "f", path.read_bytes())
    return found


async def put(
    sandbox: Sandbox, root: Path, patch: bytes, tests: tuple[str, ...] = ()
) -> ApplyResult:
    return await apply(sandbox, patch, tests, workdir=str(root), tmp=f"{root}-tmp")


def everything(root: Path) -> None:
    """A start that the patch below changes in each way that git knows."""
    populate(root, files())
    (root / "crlf.txt").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    (root / ".gitattributes").write_text("*.txt text eol=crlf\n*.bin binary\n")
    (root / "no newline").write_bytes(b"first\nlast")
    (root / "data.bin").write_bytes(bytes(range(256)))
    (root / "run.sh").write_text("echo\n")
    (root / "gone.py").write_text("x = 1\n")
    (root / "moved.py").write_text("\n".join(f"line {n}" for n in range(40)))
    (root / "umläut é").write_text("a\n")
    (root / "was_file").write_text("file\n")
    (root / "link").symlink_to("calc.py")
    (root / "was_dir/deep").mkdir(parents=True)
    (root / "was_dir/deep/inner").write_text("inner\n")
    (root / "link_to_file").symlink_to("calc.py")


def change(root: Path) -> None:
    """What the patch does."""
    (root / "crlf.txt").write_bytes(b"one\r\n2\r\nthree\r\n")
    (root / "no newline").write_bytes(b"first\nvery last")
    (root / "data.bin").write_bytes(bytes(range(255, -1, -1)))
    (root / "new.bin").write_bytes(b"\0\xff\0")
    (root / "run.sh").chmod(0o755)
    (root / "gone.py").unlink()
    (root / "deep/er").mkdir(parents=True)
    (root / "moved.py").rename(root / "deep/er/renamed.py")
    (root / "umläut é").write_text("b\n")
    (root / "was_file").unlink()
    (root / "was_file").mkdir()
    (root / "was_file/inner").write_text("now a directory\n")
    (root / "link").unlink()
    (root / "link").symlink_to("deep")
    shutil.rmtree(root / "was_dir")
    (root / "was_dir").write_text("now a file\n")
    (root / "link_to_file").unlink()
    (root / "link_to_file").write_text("now a file\n")
    (root / "empty").touch()
    (root / 'tab\there "quoted"').write_text("odd\n")


async def test_each_kind_of_change(sandbox: Sandbox, tmp_path: Path) -> None:
    work, wanted = tmp_path / "work", tmp_path / "wanted"
    everything(work)
    commit(work, attributes="* -text\n")  # bytes as they are, as a snapshot takes them
    shutil.copytree(work, wanted, symlinks=True)
    change(wanted)
    subprocess.run(["git", "add", "-A"], cwd=wanted, check=True)
    command = ["git", "diff", "--cached", "--binary", "-M", "HEAD"]
    patch = subprocess.run(command, cwd=wanted, check=True, capture_output=True).stdout
    outcome = await put(sandbox, work, patch)
    assert outcome.log == ("model patch: git apply: ok",)
    assert tree(work) == tree(wanted)


async def test_fuzz_takes_a_patch_whose_context_moved_on(sandbox: Sandbox, tmp_path: Path) -> None:
    root = tmp_path / "work"
    populate(root, files())
    text = (root / "calc.py").read_text().replace("def same(a)", "def same(b)")
    (root / "calc.py").write_text(text)
    outcome = await put(sandbox, root, GOLD.encode())
    if shutil.which("patch", path=os.environ["PATH"]):
        assert outcome.model_applied
        assert outcome.log[-1].startswith("model patch: patch --fuzz=5: ok (")
        assert "fuzz" in outcome.log[-1]
        assert "a + b" in (root / "calc.py").read_text()
    assert {path.name for path in root.iterdir()} == {"calc.py", "tests"}


async def test_a_patch_that_fails_in_its_second_file_leaves_the_first_alone(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    root = tmp_path / "work"
    populate(root, files())
    commit(root)
    before = tree(root)
    bad = GOLD + TEST_PATCH.replace("     def test_same", "-    gone")
    outcome = await put(sandbox, root, bad.encode())
    assert not outcome.model_applied
    assert [line.split(" (")[0] for line in outcome.log] == [
        "model patch: git apply: failed",
        "model patch: git apply --3way: failed",
        "model patch: patch --fuzz=5: failed",
    ]
    assert tree(root) == before


async def test_a_link_among_the_test_files_stays(sandbox: Sandbox, tmp_path: Path) -> None:
    root = tmp_path / "work"
    populate(root, files())
    (root / "tests/link.py").symlink_to("test_calc.py")
    mine = """diff --git a/tests/link.py b/tests/link.py
deleted file mode 120000
--- a/tests/link.py
+++ /dev/null
@@ -1 +0,0 @@
-test_calc.py
\\ No newline at end of file
"""
    touch = "diff --git a/tests/link.py b/tests/link.py\nold mode 120000\nnew mode 120000\n"
    outcome = await put(sandbox, root, (GOLD + mine).encode(), (touch + TEST_PATCH,))
    assert outcome.model_applied
    assert (root / "tests/link.py").readlink() == Path("test_calc.py")


async def test_no_such_working_directory(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(GraderFailed, match=r"no such working directory|looking at the files"):
        await put(sandbox, tmp_path / "none", GOLD.encode())


async def test_test_files_are_put_back(sandbox: Sandbox, tmp_path: Path) -> None:
    root = tmp_path / "work"
    populate(root, files())
    mine = TEST_PATCH.replace("calc.add(2, 3), 5", "0, 0").encode()
    outcome = await put(sandbox, root, GOLD.encode() + mine, (TEST_PATCH,))
    assert outcome.model_applied
    assert "calc.add(2, 3), 5" in (root / "tests/test_calc.py").read_text()
    assert "a + b" in (root / "calc.py").read_text()
    assert outcome.log[-1].endswith("put back to the image's: tests/test_calc.py")


async def test_test_patches_build_on_each_other(sandbox: Sandbox, tmp_path: Path) -> None:
    root = tmp_path / "work"
    populate(root, files())
    second = TEST_PATCH.replace("test_add", "test_add_again").replace("test_sub", "test_sub_again")
    outcome = await put(sandbox, root, GOLD.encode(), (TEST_PATCH, "", second))
    assert outcome.model_applied
    text = (root / "tests/test_calc.py").read_text()
    assert text.count("test_add") == 2
    assert "test patch 2 of 2" in outcome.log[-1]


async def test_three_way_uses_the_repositorys_blobs(host: Sandbox, repo: Path) -> None:
    base = files()["calc.py"]
    (repo / "calc.py").write_text("".join(f"# {n}\n" for n in range(3)) + base)
    commit_all = ["git", "-c", "user.name=t", "-c", "user.email=t@e", "commit", "-qam", "more"]
    subprocess.run(commit_all, cwd=repo, check=True)
    (repo / "calc.py").write_text(base.replace("a - b", "a + b").replace("same(a)", "same(x)"))
    patch = subprocess.run(
        ["git", "diff", "--full-index", "HEAD~1"], cwd=repo, check=True, capture_output=True
    ).stdout
    subprocess.run(["git", "checkout", "-q", "."], cwd=repo, check=True)
    other = (repo / "calc.py").read_text().replace("return b - a", "return 0")
    (repo / "calc.py").write_text(other)
    subprocess.run(commit_all, cwd=repo, check=True)
    index = (repo / ".git/index").read_bytes()
    outcome = await put(host, repo, patch)
    assert outcome.model_applied
    assert outcome.log[-1].startswith("model patch: git apply --3way: ok")
    text = (repo / "calc.py").read_text()
    assert "a + b" in text
    assert "return 0" in text
    assert "same(x)" in text
    assert (repo / ".git/index").read_bytes() == index


async def test_three_way_conflicts_leave_no_markers(host: Sandbox, repo: Path) -> None:
    (repo / "calc.py").write_text(files()["calc.py"].replace("a - b", "a + b"))
    patch = subprocess.run(
        ["git", "diff", "--full-index"], cwd=repo, check=True, capture_output=True
    )
    (repo / "calc.py").write_text(files()["calc.py"].replace("a - b", "a / b"))
    commit_all = ["git", "-c", "user.name=t", "-c", "user.email=t@e", "commit", "-qam", "more"]
    subprocess.run(commit_all, cwd=repo, check=True)
    before = tree(repo)
    outcome = await put(host, repo, patch.stdout)
    assert not outcome.model_applied
    assert tree(repo) == before


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (b"", ()),
        (GOLD.encode(), (b"calc.py",)),
        (b"--- old/a.py\t2020-01-01\n+++ new/a.py\t2021-01-01\n@@ -1 +1 @@\n-a\n+b\n", (b"a.py",)),
        (
            b"diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n",
            (b"x", b"y"),
        ),
        (
            b"diff --git a/with blank b/with blank\nold mode 100644\nnew mode 100755\n",
            (b"with blank",),
        ),
        (
            b'diff --git "a/t\\303\\244b\\t" "b/t\\303\\244b\\t"\nnew file mode 100644\n',
            (b"t\xc3\xa4b\t",),
        ),
        (
            b"diff --git a/e b/e\nnew file mode 100644\ndiff --git a/f.bin b/f.bin\n"
            b"GIT binary patch\nliteral 3\nKcmZQz\n\nliteral 0\nHcmV?d00001\n\n",
            (b"e", b"f.bin"),
        ),
        (
            b"diff --git a/m b/m\n--- a/m\n+++ b/m\n@@ -1,2 +1,2 @@\n--- a/not\n+++ b/not\n x\n"
            b"--- a/n\n+++ b/n\n@@ -0,0 +1 @@\n+1\n",
            (b"m", b"n"),
        ),
        (b"diff --git a/../up b/../up\nnew file mode 100644\n", ()),
    ],
)
def test_paths(patch: bytes, expected: tuple[bytes, ...]) -> None:
    assert paths(patch) == expected
