"""Single files of a sandbox, read and written back with their executable bit, as links, or away."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from shlex import quote

from velora.errors import GraderFailed
from velora.sandbox.protocol import Sandbox


@dataclass(frozen=True, slots=True)
class File:
    """A file or, with `link`, a symbolic link whose target is `data`."""

    data: bytes
    executable: bool = False
    link: bool = False


Tree = Mapping[bytes, File]
"""Files by their paths, which are relative to a working directory."""


async def read(sandbox: Sandbox, workdir: str, touched: Iterable[bytes]) -> dict[bytes, File]:
    """The files at the paths; those that are not there are left out.

    Raises:
        GraderFailed: they cannot be looked at.
    """
    listed = list(touched)
    if not listed:
        return {}
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
    files: dict[bytes, File] = {}
    for path, kind in zip(listed, kinds, strict=True):
        if kind.startswith(b"l "):
            files[path] = File(kind[2:].removesuffix(b"/"), link=True)
        elif kind in (b"x", b"f"):
            data = await sandbox.read_file(f"{workdir}/{os.fsdecode(path)}")
            files[path] = File(data, executable=kind == b"x")
    return files


async def write(sandbox: Sandbox, workdir: str, before: Tree, after: Tree) -> None:
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
