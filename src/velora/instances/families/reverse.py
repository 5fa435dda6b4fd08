"""A diff that undoes another: a real diff, not the same one with a flag.

SWE-smith's rows hold the patch that brings the bug in; the gold patch is its reverse.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

_HUNK = re.compile(r"@@ -(\d+(?:,\d+)?) \+(\d+(?:,\d+)?) @@(.*)", re.DOTALL)
_GIT = re.compile(r"diff --git (\"?a/.*?) (\"?b/.*)", re.DOTALL)
_INDEX = re.compile(r"index ([0-9a-f]+)\.\.([0-9a-f]+)(.*)", re.DOTALL)
_SIZE = re.compile(r"(?:literal|delta) \d+\s*\Z")

_SWAPPED = {
    "new file mode ": "deleted file mode ",
    "deleted file mode ": "new file mode ",
    "old mode ": "new mode ",
    "new mode ": "old mode ",
    "rename from ": "rename to ",
    "rename to ": "rename from ",
}


def reversed_diff(diff: str) -> str:
    """The diff that takes what `diff` makes back to what it was made from.

    A copy is undone by deleting nothing: git has no notation for it, so such a diff is refused.

    Raises:
        ValueError: a hunk is cut off, or the diff copies files.
    """
    return "".join(_reversed(_lines(diff)))


def _lines(text: str) -> list[str]:
    """Lines end at line feeds only: carriage returns and form feeds belong to the content."""
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _reversed(lines: list[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if hunk := _HUNK.match(line):
            old, new, rest = hunk.groups()
            yield f"@@ -{new} +{old} @@{rest}"
            end = _end(lines, at + 1, _count(old), _count(new))
            yield from _hunk(lines[at + 1 : end])
            at = end
        elif line.startswith("GIT binary patch"):
            yield line
            at = yield from _binary(lines, at + 1)
        elif line.startswith("--- ") and following.startswith("+++ "):
            yield f"--- {_renamed(following[4:], 'b/', 'a/')}"
            yield f"+++ {_renamed(line[4:], 'a/', 'b/')}"
            at += 2
        elif line.startswith(("old mode ", "rename from ")):
            yield _swapped(following)
            yield _swapped(line)
            at += 2
        elif line.startswith(("copy from ", "copy to ")):
            raise ValueError("a diff that copies a file has no reverse")
        else:
            yield _header(line)
            at += 1


def _header(line: str) -> str:
    if git := _GIT.match(line):
        old, new = git[1], git[2].rstrip("\r\n")
        end = git[2][len(new) :]
        return f"diff --git {_renamed(new, 'b/', 'a/')} {_renamed(old, 'a/', 'b/')}{end}"
    if index := _INDEX.match(line):
        return f"index {index[2]}..{index[1]}{index[3]}"
    return _swapped(line)


def _swapped(line: str) -> str:
    for word, other in _SWAPPED.items():
        if line.startswith(word):
            return other + line[len(word) :]
    return line


def _renamed(name: str, old: str, new: str) -> str:
    for quote in ("", '"'):
        if name.startswith(quote + old):
            return quote + new + name[len(quote + old) :]
    return name


def _count(numbers: str) -> int:
    _, comma, count = numbers.partition(",")
    return int(count) if comma else 1


def _end(lines: list[str], at: int, old: int, new: int) -> int:
    """The index behind a hunk's lines."""
    while old or new:
        if at >= len(lines):
            raise ValueError("a hunk is shorter than its header says")
        sign = lines[at][:1]
        old -= sign not in {"+", "\\"}
        new -= sign not in {"-", "\\"}
        at += 1
    while at < len(lines) and lines[at].startswith("\\"):
        at += 1
    return at


def _hunk(lines: list[str]) -> Iterator[str]:
    """In each block of changes the lines that go away stand first."""
    removed: list[str] = []
    added: list[str] = []
    last = added
    for line in lines:
        if line.startswith("-"):
            last = added
            last.append("+" + line[1:])
        elif line.startswith("+"):
            last = removed
            last.append("-" + line[1:])
        elif line.startswith("\\") and (removed or added):
            last.append(line)
        else:
            yield from removed
            yield from added
            removed.clear()
            added.clear()
            yield line
    yield from removed
    yield from added


def _binary(lines: list[str], at: int) -> Generator[str, None, int]:
    """Two blocks, each with a blank line behind it: forwards and backwards."""
    blocks: list[list[str]] = []
    while at < len(lines) and _SIZE.match(lines[at]):
        end = at + 1
        while end < len(lines) and lines[end].strip():
            end += 1
        blocks.append(lines[at : end + 1])
        at = end + 1
    for block in reversed(blocks):
        yield from block
    return at
