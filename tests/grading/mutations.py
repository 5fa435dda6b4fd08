"""The corpus' logs, and what may befall a log: lines lost, doubled, swapped, cut, spliced from
other logs, and characters that no grammar expects. For `test_fuzz.py` and `atheris_parsers.py`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from velora.grading.parsers import registry
from velora.grading.parsers.framework import Framework
from velora.grading.parsers.text import lines as pieces
from velora.grading.protocol import Parsed, Status

LOGS = Path(__file__).parent / "logs"
PARSERS: dict[str, Framework] = registry.FRAMEWORKS | registry.REFERENCE

ODD = (
    "\x00", "\x07", "\x08\x08\x08", "\x0b", "\x0c", "\x1a", "\x7f", "\x85", "\x9b31m",
    "\r", "\r\r\n", "\n\r", "\x1b", "\x1b[", "\x1b[31m", "\x1b[0m", "\x1b[2K\r", "\x1b[1A",
    "\x1b]0;title\x07", "\x1b]8;;x", "\x1b(B",
    "\u00a0", "\u200b", "\u2028", "\u2029", "\u202e", "\ufeff", "\ufffd", "\u0301", "\u3000",
    "\u0660", "\u00b2", "\u2167", "\U0001f600", "\U0010ffff", "\u017f", "\u0130",
)  # fmt: skip
"""Controls, escapes whole and cut, blanks, marks and digits that are not ASCII's."""

HOSTILE = (
    "", " ", "\t", "0", "-1", "1" * 400, "9" * 5000, "99:99:99", "1e999", "nan ms", "(", "[[[", "]",
    "{", '{"a":', "{}", "null", "<", "<a", "</a>", "<![CDATA[", "]]>", "&", "&#0;", "&bogus;",
    '"', "'", "\\", "\\u12", "%", "%s", "{0}", "...", "---", "===", "#", "::", " > ", " - ",
)  # fmt: skip
"""Pieces on which number conversion, quoting and nesting go wrong."""


OWN: dict[str, tuple[str, ...]] = {
    "tap": ("test",),
    "tape": ("test",),
    "phpunit": ("with", "data", "set"),
}
"""Words with which a framework names what the log gives in another form, or without a name."""


@cache
def logs_of(name: str) -> tuple[str, ...]:
    """The corpus logs that a parser reads."""
    framework = PARSERS[name]
    wanted = {name, *framework.strict}
    paths = [
        path
        for path in sorted(LOGS.rglob("*.txt"))
        if (path.parent.name if path.parent != LOGS else path.name.partition("-")[0]) in wanted
    ]
    return tuple(path.read_bytes().decode("utf-8", "replace") for path in paths)


@cache
def foreign() -> tuple[str, ...]:
    """A few lines of every framework's logs."""
    found: dict[str, None] = {}
    for name in registry.FRAMEWORKS:
        for text in logs_of(name)[:2]:
            found.update(dict.fromkeys(text.split("\n")[:60]))
    return tuple(found)


def _delete(lines: list[str], at: int, other: int) -> None:
    del lines[at : at + 1 + other % 5]


def _duplicate(lines: list[str], at: int, other: int) -> None:
    lines[at:at] = lines[at : at + 1 + other % 5]


def _swap(lines: list[str], at: int, other: int) -> None:
    other %= len(lines)
    lines[at], lines[other] = lines[other], lines[at]


def _move(lines: list[str], at: int, other: int) -> None:
    lines.insert(other % len(lines), lines.pop(at))


def _splice(lines: list[str], at: int, other: int) -> None:
    known = foreign()
    other %= len(known)
    lines[at:at] = known[other : other + 1 + other % 3]


def _cut(lines: list[str], at: int, other: int) -> None:
    line = lines[at]
    where = other % (len(line) + 1)
    lines[at] = line[:where] if other % 2 else line[where:]


def _glue(lines: list[str], at: int, other: int) -> None:
    lines[at : at + 2] = [("", " ", "\t")[other % 3].join(lines[at : at + 2])]


def _odd(lines: list[str], at: int, other: int) -> None:
    line = lines[at]
    where = other % (len(line) + 1)
    piece = (*ODD, *HOSTILE)[other % (len(ODD) + len(HOSTILE))]
    lines[at] = line[:where] + piece + line[where:]


def _digits(lines: list[str], at: int, other: int) -> None:
    number = HOSTILE[other % len(HOSTILE)]
    lines[at] = re.sub(r"\d+", lambda _: number, lines[at], count=1 + other % 3)


def _indent(lines: list[str], at: int, other: int) -> None:
    blanks = other % 9 - 4
    lines[at] = " " * blanks + lines[at] if blanks >= 0 else lines[at][-blanks:]


def _end(lines: list[str], at: int, _: int) -> None:
    del lines[at:]


MUTATIONS: tuple[Callable[[list[str], int, int], None], ...] = (
    _delete, _duplicate, _swap, _move, _splice, _cut, _glue, _odd, _odd, _digits, _indent, _end,
)  # fmt: skip


def mutate(text: str, steps: Iterable[tuple[int, int, int]]) -> str:
    """`text` after each step: which mutation, at which line, and one more number that it uses."""
    lines = text.split("\n")
    for which, at, other in steps:
        if lines:
            MUTATIONS[which % len(MUTATIONS)](lines, at % len(lines), other)
    return "\n".join(lines)


def check(framework: Framework, text: str, parsed: Parsed) -> None:
    """What holds of any log that was read.

    Raises:
        AssertionError: it does not.
    """
    count = text.count("\n") + 1
    for name, result in parsed.results.items():
        assert isinstance(result.status, Status), (name, result)
        assert 1 <= result.line <= count, (name, result)
        assert result.duration is None or 0 <= result.duration < float("inf"), (name, result)
        if framework.name in registry.FRAMEWORKS:
            assert not result.invented, (name, result)
    assert all(isinstance(warning, str) for warning in parsed.warnings)
    if framework.name in registry.FRAMEWORKS:
        check_names(text, parsed, OWN.get(framework.name, ()))


_WORD = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"\\u([0-9a-fA-F]{4})")


def check_names(text: str, parsed: Parsed, own: Iterable[str] = ()) -> None:
    """Every word of a name stands in the log: as it is, with escapes removed, or as XML or JSON
    write it; or it is one of the framework's `own`.

    Raises:
        AssertionError: one does not.
    """
    plain = "\n".join(line for _, line in pieces(text))
    shown = f"{text}\n{plain}"
    decoded = ""
    for name in parsed.results:
        for word in _WORD.findall(name):
            if word in shown or word in own:
                continue
            decoded = decoded or _decoded(shown)
            assert word in decoded, (word, name)


def _decoded(text: str) -> str:
    return html.unescape(text) + _CODE.sub(lambda match: chr(int(match[1], 16)), text)
