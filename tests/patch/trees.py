"""Trees of files as plain data: making them, reading them back, patching copies of them."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

Tree = dict[bytes, tuple[str, bytes]]
"""By path: `("file" | "exec" | "link", content or target)`."""

ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "LC_ALL": "C",
}


def git(where: Path, *args: str, stdin: bytes = b"", check: bool = True) -> str:
    """Run git in a directory; what it printed."""
    done = subprocess.run(
        ["git", *args], cwd=where, env=ENV, input=stdin, capture_output=True, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"git {args}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="replace").strip()


def commit(where: Path, message: str = "work") -> str:
    """Commit everything there; the commit's id."""
    git(where, "add", "-A", "-f")
    git(where, "commit", "-q", "--allow-empty", "-m", message)
    return git(where, "rev-parse", "HEAD")


def make(root: Path, tree: Mapping[bytes, tuple[str, bytes]]) -> None:
    """Lay out a tree."""
    root.mkdir(parents=True, exist_ok=True)
    for path, (kind, data) in tree.items():
        full = root / os.fsdecode(path)
        full.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            full.symlink_to(os.fsdecode(data))
        else:
            full.write_bytes(data)
            full.chmod(0o755 if kind == "exec" else 0o644)


def clear(root: Path) -> None:
    """Remove all but `.git`."""
    for child in root.iterdir():
        if child.name == ".git":
            continue
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()


def read(root: Path) -> Tree:
    """The files below a directory, those in `.git` left out."""
    tree: Tree = {}
    for folder, folders, names in os.walk(root):
        if ".git" in folders:
            folders.remove(".git")
        for name in [*names, *folders]:
            full = Path(folder, name)
            path = os.fsencode(full.relative_to(root))
            mode = full.lstat().st_mode
            if name == ".git":
                continue
            if stat.S_ISLNK(mode):
                tree[path] = ("link", os.fsencode(full.readlink()))
            elif stat.S_ISREG(mode):
                tree[path] = ("exec" if mode & 0o100 else "file", full.read_bytes())
    return tree


def patched(start: Mapping[bytes, tuple[str, bytes]], diff: bytes, where: Path) -> Tree:
    """The tree that `git apply` makes of `start`; `where` is a directory to do it in."""
    make(where, start)
    if diff:
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"],
            cwd=where,
            env={**ENV, "GIT_CEILING_DIRECTORIES": str(where.parent)},
            input=diff,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (done.stderr.decode(errors="replace"), diff)
    return read(where)
