"""A file's bytes seen as numbered lines, and edits that leave every other byte alone.

Nothing is decoded and encoded back: an edit splices bytes, so what is not UTF-8, a byte order
mark, and a missing final newline survive. A line ends at `\\n` and nowhere else. In a file whose
every line ends in CRLF the newlines of given text become CRLF; in a mixed file text is tried as it
is first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"
LF, CRLF = b"\n", b"\r\n"
CONTEXT = 4
"""Lines shown before and after an edit."""
_LISTED = 20
_SHOWN = 10
_BLANKS = b" \t\r\n\f\v"
_VIEW_LINE = re.compile(r"\s*\d+\t")


class Refused(Exception):
    """An edit that cannot be made; `str()` says why and what to do."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit makes of a file.

    Attributes:
        data: the whole new content.
        first: number of the first line touched.
        last: number of the last line touched, in the new content.
        last_before: the same in the old content.
    """

    data: bytes
    first: int
    last: int
    last_before: int


def newline(data: bytes) -> bytes:
    """CRLF if every line that ends, ends so; LF otherwise."""
    ends = data.count(LF)
    return CRLF if ends and data.count(CRLF) == ends else LF


def line_count(data: bytes) -> int:
    """Lines, a last one without newline included."""
    body = data.removeprefix(BOM)
    return body.count(LF) + (not body.endswith(LF) and body != b"")


def numbered(data: bytes, first: int, last: int, cap: int) -> tuple[str, int]:
    """Lines `first` to `last` as `cat -n` shows them, and the number of the last line shown whole.

    What is beyond `cap` characters is left out; a single line longer than that is cut.
    """
    lines = data.removeprefix(BOM).split(LF)[first - 1 : last]
    shown: list[str] = []
    room = cap
    for number, line in enumerate(lines, first):
        text = f"{number:6}\t{_readable(line)}"
        if len(text) > room:
            if not shown:
                shown.append(text[:room])
            return "\n".join(shown), number - 1
        shown.append(text)
        room -= len(text) + 1
    return "\n".join(shown), last


def _readable(line: bytes) -> str:
    return printable(line.removesuffix(b"\r"))


def printable(data: bytes) -> str:
    """Bytes as a text without what JSON or a provider refuses: NUL, and bytes that are no UTF-8."""
    return data.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def replace(data: bytes, old: str, new: str) -> Edit:
    """Put `new` where `old` stands, which must be at exactly one place.

    Raises:
        Refused: `old` stands nowhere, or at several places.
    """
    tried = ((_places(data, form[0]), form) for form in _forms(data, old, new))
    hits, (found, replacement) = next((one for one in tried if one[0]), ([], (b"", b"")))
    if not hits:
        raise Refused(_absent(data, old))
    if len(hits) > 1:
        raise Refused(_ambiguous(data, hits))
    if found == replacement:
        raise Refused("new_str is the same as old_str, so there is nothing to change.")
    at, end = hits[0], hits[0] + len(found)
    result = data[:at] + replacement + data[end:]
    return Edit(
        data=result,
        first=_line_at(data, at),
        last=_line_at(result, at + len(replacement)),
        last_before=_line_at(data, end),
    )


def insert(data: bytes, line: int, text: str) -> Edit:
    """Put the lines of `text` after line `line`; 0 is the top.

    A newline at the end of `text` is understood, not counted; a file without a final newline has
    none afterwards either.

    Raises:
        Refused: there is no such line.
    """
    count = line_count(data)
    if not 0 <= line <= count:
        raise Refused(
            f"insert_line is {line}, but the file has {_lines(count)}: "
            f"0 (before the first line) to {count} are possible."
        )
    end = newline(data)
    added = (_crlf(text.encode()) if end == CRLF else text.encode()).removesuffix(end)
    body = data.removeprefix(BOM)
    if line == count and body and not body.endswith(LF):
        at, piece = len(data), end + added
    else:
        ahead = body.split(LF, line)[:line]
        at = len(data) - len(body) + sum(len(part) + 1 for part in ahead)
        piece = added + end
    return Edit(
        data=data[:at] + piece + data[at:],
        first=line + 1,
        last=line + 1 + added.count(LF),
        last_before=line,
    )


def _crlf(text: bytes) -> bytes:
    return text.replace(CRLF, LF).replace(LF, CRLF)


def _forms(data: bytes, old: str, new: str) -> list[tuple[bytes, bytes]]:
    plain = (old.encode(), new.encode())
    dos = (_crlf(plain[0]), _crlf(plain[1]))
    if newline(data) == CRLF:
        return [dos]
    return [plain, dos] if CRLF in data else [plain]


def _places(data: bytes, wanted: bytes) -> list[int]:
    """Where `wanted` begins, overlaps included, as far as they would be listed."""
    places: list[int] = []
    at = data.find(wanted)
    while at >= 0 and len(places) <= _LISTED:
        places.append(at)
        at = data.find(wanted, at + 1)
    return places


def _line_at(data: bytes, position: int) -> int:
    return data.count(LF, 0, position) + 1


def _ambiguous(data: bytes, hits: list[int]) -> str:
    numbers = list(dict.fromkeys(_line_at(data, at) for at in hits[:_LISTED]))
    where = f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
    times = f"{len(hits)} times" if len(hits) <= _LISTED else f"more than {_LISTED} times"
    return (
        f"old_str stands in the file {times}, beginning at {where}. "
        "Add lines around it until it fits one place only."
    )


def _absent(data: bytes, old: str) -> str:
    text = "old_str does not stand in the file."
    lines = [line for line in old.splitlines() if line]
    if lines and all(_VIEW_LINE.match(line) for line in lines):
        return f"{text} It seems to hold the line numbers of a view; leave them out."
    near = _but_for_blanks(data, old.encode())
    if near is None:
        return f"{text} View the file and copy the text exactly as it is there."
    first, last = near
    shown, _ = numbered(data, first, min(last, first + _SHOWN - 1), cap=2_000)
    return (
        f"{text} It would match at line {first} if white space (blanks, tabs, line ends) did not "
        f"count. The file has there:\n{shown}"
    )


def _but_for_blanks(data: bytes, old: bytes) -> tuple[int, int] | None:
    """First and last line of the place that equals `old` once both lose all white space."""
    wanted = old.translate(None, _BLANKS)
    start = data.translate(None, _BLANKS).find(wanted) if wanted else -1
    if start < 0:
        return None
    first, passed = 0, 0
    for number, line in enumerate(data.split(LF), 1):
        passed += len(line.translate(None, _BLANKS))
        if not first and passed > start:
            first = number
        if passed >= start + len(wanted):
            return first, number
    return None


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"
