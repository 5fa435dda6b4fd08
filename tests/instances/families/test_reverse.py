"""Reversed diffs, against git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from velora.instances.families.reverse import reversed_diff

LINES = st.lists(st.sampled_from(["a", "b", "- c", "+ d", "@@ -1 +1 @@", "", "x\r", "\x0c"]))
ENDS = st.sampled_from(["", "\n"])
FILE = st.none() | st.builds(lambda lines, end: "\n".join(lines) + end, LINES, ENDS)
TREE = st.fixed_dictionaries({"a.txt": FILE, "b c.txt": FILE, "d/e.txt": FILE})


def git(root: Path, *args: str, data: bytes = b"") -> bytes:
    environment = {"GIT_CONFIG_GLOBAL": "/dev/null", "PATH": "/usr/bin:/bin", "HOME": "/nowhere"}
    done = subprocess.run(
        ["git", *args], cwd=root, input=data, capture_output=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def put(root: Path, tree: dict[str, str | None]) -> None:
    for name, content in tree.items():
        path = root / name
        path.unlink(missing_ok=True)
        if content is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content.encode())


def held(root: Path, tree: dict[str, str | None]) -> dict[str, str | None]:
    return {
        name: (root / name).read_bytes().decode() if (root / name).exists() else None
        for name in tree
    }


@settings(max_examples=40, deadline=None)
@given(TREE, TREE)
def test_the_reverse_of_gits_diff_undoes_it(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, str | None],
    after: dict[str, str | None],
) -> None:
    root = tmp_path_factory.mktemp("tree")
    git(root, "init", "-q")
    put(root, before)
    git(root, "add", "-A")
    tree = git(root, "write-tree").decode().strip()
    put(root, after)
    git(root, "add", "-A")
    diff = git(root, "diff", "--cached", "--no-renames", tree).decode()
    backwards = reversed_diff(diff)
    assert reversed_diff(backwards) == diff
    if diff:
        git(root, "apply", "-", data=backwards.encode())
    assert held(root, before) == before


def test_renames_modes_and_binary_files(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "old name").write_text("a\nb\nc\nd\n")
    (tmp_path / "tool").write_text("x\n")
    (tmp_path / "image").write_bytes(bytes(range(256)))
    git(tmp_path, "add", "-A")
    tree = git(tmp_path, "write-tree").decode().strip()
    (tmp_path / "old name").rename(tmp_path / "new name")
    (tmp_path / "new name").write_text("a\nb\nc\nD\n")
    (tmp_path / "tool").chmod(0o755)
    (tmp_path / "image").write_bytes(bytes(reversed(range(256))))
    git(tmp_path, "add", "-A")
    diff = git(tmp_path, "diff", "--cached", "--binary", "-M", tree).decode()
    assert "rename from old name" in diff
    assert "old mode" in diff
    assert "GIT binary patch" in diff
    backwards = reversed_diff(diff)
    assert reversed_diff(backwards) == diff
    git(tmp_path, "apply", "--index", "-", data=backwards.encode())
    assert git(tmp_path, "write-tree").decode().strip() == tree


def test_what_has_no_reverse_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        reversed_diff("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n")
    with pytest.raises(ValueError, match="copies"):
        reversed_diff("diff --git a/x b/y\ncopy from x\ncopy to y\n")
