"""Which files a patch touches, read from its headers alone (git's format, or plain `diff -u`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from velora.patch.quoting import c_unquote

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_NOWHERE = b"/dev/null"
_MOVES = (b"rename from ", b"rename to ", b"copy from ", b"copy to ")


def blank(patch: bytes) -> bool:
    """There is nothing to apply."""
    return not patch.strip()


def finished(patch: bytes) -> bytes:
    """`patch` with a newline at its end: git calls one without it corrupt."""
    return patch if patch.endswith(b"\n") else patch + b"\n"


def paths(patch: bytes) -> tuple[bytes, ...]:
    """The files that `patch` changes, adds, deletes or renames, each once, in its order.

    One leading component (`a/`, `b/`) is taken off, as `-p1` does. Paths that are absolute or
    climb with `..` are left out: nothing applies them.
    """
    found: dict[bytes, None] = {}
    for path in _paths(patch.split(b"\n")):
        parts = path.split(b"/")
        if path and not path.startswith(b"/") and b".." not in parts and b"" not in parts:
            found[path] = None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Hunk:
    """One hunk of a patch: of which file, and its lines from `@@` on."""

    path: bytes
    lines: tuple[bytes, ...]

    @property
    def added(self) -> tuple[bytes, ...]:
        """The lines it adds, without the plus sign."""
        return tuple(line[1:] for line in self.lines if line.startswith(b"+"))

    @property
    def changed(self) -> tuple[bytes, ...]:
        """The lines it adds or removes, without their signs."""
        return tuple(line[1:] for line in self.lines if line.startswith((b"+", b"-")))


def hunks(patch: bytes) -> Iterator[Hunk]:
    """The hunks of a patch, in its order; a deleted file's have its old path."""
    lines = patch.split(b"\n")
    at = 0
    path = b""
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith((b"--- ", b"+++ ")):
            name = _name(line[4:])
            path = path if name == _NOWHERE else _stripped(name)
        elif (hunk := _HUNK.match(line)) is not None:
            end = _skip_hunk(lines, at, _count(hunk[1]), _count(hunk[2]))
            yield Hunk(path, tuple(lines[at - 1 : end]))
            at = end


def _paths(lines: list[bytes]) -> Iterator[bytes]:
    at = 0
    header = b""  # a `diff --git` line whose file no other header has named yet
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith(b"diff --git "):
            yield from _from_header(header)
            header = line[len(b"diff --git ") :]
        elif line.startswith((b"--- ", b"+++ ")):
            header = b""
            name = _name(line[4:])
            if name != _NOWHERE:
                yield _stripped(name)
        elif line.startswith(_MOVES):
            header = b""
            yield c_unquote(line.split(b" ", 2)[2].rstrip(b"\r"))
        elif (hunk := _HUNK.match(line)) is not None:
            at = _skip_hunk(lines, at, _count(hunk[1]), _count(hunk[2]))
    yield from _from_header(header)


def _count(number: bytes | None) -> int:
    return 1 if number is None else int(number)


def _skip_hunk(lines: list[bytes], at: int, old: int, new: int) -> int:
    """The index behind a hunk's lines; they may look like headers themselves."""
    while at < len(lines) and (old > 0 or new > 0):
        kind = lines[at][:1]
        if kind == b"-":
            old -= 1
        elif kind == b"+":
            new -= 1
        elif kind in (b" ", b"", b"\r"):
            old -= 1
            new -= 1
        elif kind != b"\\":
            break
        at += 1
    return at


def _name(text: bytes) -> bytes:
    text = text.rstrip(b"\r")
    if text.startswith(b'"'):
        return c_unquote(text[: text.rfind(b'"') + 1])
    return text.split(b"\t", 1)[0]  # plain diffs put a time stamp behind a tab


def _stripped(path: bytes) -> bytes:
    return path.split(b"/", 1)[1] if b"/" in path else path


def _from_header(text: bytes) -> Iterator[bytes]:
    """The one file of `a/NAME b/NAME`: empty files, binary ones and mode changes have no other
    header. Renames do, so both names are the same here, which tells where the first one ends."""
    text = text.rstrip(b"\r")
    if not text:
        return
    if text.startswith(b'"'):
        yield _stripped(c_unquote(text[: text.find(b'" ') + 1]))
        return
    middle = len(text) // 2
    if text[middle : middle + 1] == b" ":
        old, new = _stripped(text[:middle]), _stripped(text[middle + 1 :])
        if old == new:
            yield old
