"""Applies patches with this machine's git, for images that have none.

The files that the patches touch are read into a temporary directory here, patched, and what
changed is written back: contents, the executable bit, links and deletions.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from velora.errors import GraderFailed
from velora.grading.ladder import (
    ALREADY,
    FUZZ,
    GIT_APPLY,
    GNU_PATCH,
    NO_REPOSITORY,
    THREE_WAY,
    Patch,
    Rung,
)
from velora.sandbox.protocol import Sandbox

_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class _File:
    """A file or, with `link`, a symbolic link whose target is `data`."""

    data: bytes
    executable: bool = False
    link: bool = False


_Tree = Mapping[bytes, _File]


async def apply(
    sandbox: Sandbox, patches: Sequence[Patch], restore: Iterable[bytes], *, workdir: str
) -> tuple[Rung, ...]:
    """As `inside.apply`, without git in the image.

    Raises:
        GraderFailed: this machine has no git either, or a file could not be written back.
        SandboxLost: the sandbox is gone.
    """
    git = shutil.which("git")
    if git is None:
        raise GraderFailed("neither the image nor this machine has git, which applies the patches")
    kept = tuple(restore)
    touched = dict.fromkeys((*(path for patch in patches for path in patch.paths), *kept))
    before = await _read(sandbox, workdir, touched)
    rungs, after = await asyncio.to_thread(_apply, before, patches, kept, git)
    if all(any(rung.held for rung in rungs if rung.label == each.label) for each in patches):
        await _write(sandbox, workdir, before, after)
    return rungs


async def _read(sandbox: Sandbox, workdir: str, touched: Iterable[bytes]) -> dict[bytes, _File]:
    """The files at the paths; those that are not there are left out."""
    listed = list(touched)
    source = (
        f"cd -- {quote(workdir)} || exit\n"
        + """
look() {
  if [ -L "$1" ]; then printf 'l '; readlink "$1" | tr '\\n' /; echo
  elif [ -f "$1" ]; then if [ -x "$1" ]; then echo x; else echo f; fi
  else echo -; fi
}
"""
    )
    source += "".join(f"look {_word(path)}\n" for path in listed)
    result = await sandbox.script(source)
    kinds = result.stdout.split(b"\n")[:-1]
    if result.exit_code != 0 or len(kinds) != len(listed):
        detail = result.stderr.decode("utf-8", "replace").strip()
        raise GraderFailed(f"looking at the files to patch failed: {detail}")
    files: dict[bytes, _File] = {}
    for path, kind in zip(listed, kinds, strict=True):
        if kind.startswith(b"l "):
            files[path] = _File(kind[2:].removesuffix(b"/"), link=True)
        elif kind in (b"x", b"f"):
            data = await sandbox.read_file(f"{workdir}/{os.fsdecode(path)}")
            files[path] = _File(data, executable=kind == b"x")
    return files


async def _write(sandbox: Sandbox, workdir: str, before: _Tree, after: _Tree) -> None:
    """Make the sandbox's files what `after` says. Removals come first, with directories that they
    leave empty, as git has it: a file may come where a directory was, and the other way round."""
    first = last = f"cd -- {quote(workdir)} || exit\n"
    for path, file in before.items():
        now = after.get(path)
        if now is None or (now != file and (now.link or file.link)):
            first += f"rm -f -- {_word(path)} || exit\n"
            if parent := path.rpartition(b"/")[0]:
                first += f"rmdir -p -- {_word(parent)} 2>/dev/null || :\n"
    for path, file in after.items():
        if file == before.get(path):
            continue
        if file.link:
            parent = path.rpartition(b"/")[0]
            last += f"mkdir -p -- {_word(parent)}\n" if parent else ""
            last += f"ln -sf -- {_word(file.data)} {_word(path)} || exit\n"
        elif path not in before or file.executable != before[path].executable:
            last += f"chmod {'755' if file.executable else '644'} -- {_word(path)} || exit\n"
    await _script(sandbox, first)
    for path, file in after.items():
        if not file.link and file != before.get(path):
            await sandbox.write_file(f"{workdir}/{os.fsdecode(path)}", file.data)
    await _script(sandbox, last)


async def _script(sandbox: Sandbox, source: str) -> None:
    result = await sandbox.script(source)
    if result.exit_code != 0:
        detail = result.stderr.decode("utf-8", "replace").strip()
        raise GraderFailed(f"writing the patched files back failed: {detail}")


def _word(path: bytes) -> str:
    return quote(os.fsdecode(path))


def _apply(
    before: _Tree, patches: Sequence[Patch], restore: tuple[bytes, ...], git: str
) -> tuple[tuple[Rung, ...], _Tree]:
    paths = list(dict.fromkeys((*(path for p in patches for path in p.paths), *restore)))
    rungs: list[Rung] = []
    with tempfile.TemporaryDirectory(prefix="velora-grade-") as name:
        root = Path(name) / "tree"
        root.mkdir()
        _put(root, before, before)
        pending = True
        for number, patch in enumerate(patches):
            if patch.test and pending:
                _put(root, before, restore)
                pending = False
            file = Path(name) / f"{number}.patch"
            file.write_bytes(patch.data)
            kept = _take(root, patch.paths)
            for rung in _climb(root, patch, file, git):
                rungs.append(rung)
                if not rung.held:
                    _put(root, kept, patch.paths)
            if not rungs[-1].held:
                break
        if pending:
            _put(root, before, restore)
        return tuple(rungs), _take(root, paths)


def _climb(root: Path, patch: Patch, file: Path, git: str) -> Iterable[Rung]:
    held, output = _run(root, [git, "apply", "--verbose", str(file)])
    yield Rung(patch.label, GIT_APPLY, held, "" if held else output)
    if held:
        return
    if patch.test and _run(root, [git, "apply", "--check", "--reverse", str(file)])[0]:
        yield Rung(patch.label, ALREADY, held=True)
        return
    yield Rung(patch.label, THREE_WAY, held=False, output="the image has no git")
    if shutil.which("patch") is None:
        yield Rung(patch.label, FUZZ, held=False, output="this machine has no patch program")
        return
    command = [*GNU_PATCH.split(), "-i", str(file)]
    held, output = _run(root, [*command, "--dry-run"])
    if held:
        held, output = _run(root, command)
    yield Rung(patch.label, FUZZ, held, output)


def _run(root: Path, command: list[str]) -> tuple[bool, str]:
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(root.parent),
        "LC_ALL": "C",
        "GIT_DIR": NO_REPOSITORY,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GraderFailed(f"{command[0]} took more than {_SECONDS:g} s") from error
    lines = done.stdout.decode("utf-8", "replace").splitlines()[-20:]
    return done.returncode == 0, "\n".join(lines)


def _take(root: Path, paths: Iterable[bytes]) -> dict[bytes, _File]:
    """The files at `paths` below `root`."""
    files: dict[bytes, _File] = {}
    for path in paths:
        place = root / os.fsdecode(path)
        if place.is_symlink():
            files[path] = _File(os.fsencode(place.readlink()), link=True)
        elif place.is_file() and not _behind_link(root, place):
            files[path] = _File(place.read_bytes(), executable=os.access(place, os.X_OK))
    return files


def _put(root: Path, files: _Tree, paths: Iterable[bytes]) -> None:
    """Make `paths` below `root` what `files` says; a path that it does not have is removed."""
    for path in paths:
        place = root / os.fsdecode(path)
        for parent in reversed(place.relative_to(root).parents[:-1]):
            above = root / parent
            if above.is_symlink() or (above.exists() and not above.is_dir()):
                above.unlink()
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        file = files.get(path)
        if file is None:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if file.link:
            place.symlink_to(os.fsdecode(file.data))
        else:
            place.write_bytes(file.data)
            place.chmod(0o755 if file.executable else 0o644)


def _behind_link(root: Path, place: Path) -> bool:
    return any((root / parent).is_symlink() for parent in place.relative_to(root).parents)
