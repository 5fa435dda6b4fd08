"""Files out of the tar archives that a container engine makes. Nothing is unpacked to disk."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, field

from velora.patch.entries import EXECUTABLE, REGULAR, SYMLINK


@dataclass(frozen=True, slots=True)
class File:
    """A file's mode as git has it and its bytes; of a link the target."""

    mode: int
    data: bytes


@dataclass(slots=True)
class Contents:
    """What an archive holds: files by path, and the paths of what no patch can hold."""

    files: dict[bytes, File] = field(default_factory=dict)
    special: list[bytes] = field(default_factory=list)


def read(archive: bytes, root: bytes) -> Contents:
    """The contents of an archive of one path.

    Args:
        archive: its first member is the path itself, the others lie below it.
        root: the name to give to that path; the others keep theirs below it.

    Raises:
        tarfile.TarError: it is no sound archive.
    """
    contents = Contents()
    with tarfile.open(
        fileobj=io.BytesIO(archive), mode="r:", encoding="utf-8", errors="surrogateescape"
    ) as tar:
        for member in tar:
            path = _below(root, member.name)
            if b".git" in path.removeprefix(root).split(b"/") or member.isdir():
                continue
            if member.issym():
                target = member.linkname.encode("utf-8", "surrogateescape")
                contents.files[path] = File(SYMLINK, target)
            elif member.isreg():
                stream = tar.extractfile(member)
                data = stream.read() if stream else b""
                contents.files[path] = File(_mode(member), data)
            elif member.islnk() and _below(root, member.linkname) in contents.files:
                contents.files[path] = contents.files[_below(root, member.linkname)]
            else:
                contents.special.append(path)
    return contents


def _below(root: bytes, name: str) -> bytes:
    rest = name.strip("/").encode("utf-8", "surrogateescape").partition(b"/")[2]
    return (root + b"/" + rest).lstrip(b"/") if rest else root


def _mode(member: tarfile.TarInfo) -> int:
    return EXECUTABLE if member.mode & 0o100 else REGULAR
