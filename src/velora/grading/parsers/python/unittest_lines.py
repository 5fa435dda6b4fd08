"""What single lines of unittest's text output mean. Which of them count is `unittest_log`'s
affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from velora.grading.parsers.text import decimal
from velora.grading.protocol import Status

GAP = " ... "
LONGEST = 4096  # characters of a name, and
SEARCHED = 64  # places looked at in one line: they keep a hostile line's cost linear

_DOUBLE_RULE = "=" * 70
_RULE = "-" * 70
_CONTENT = re.compile(r"[\w.<>]+\Z")
_USUAL = re.compile(r"(\w+) \(([\w.<>]+)\) \.\.\. ([^()]*)\Z")
_WORD = re.compile(r"\w+\Z")
_MODULE = re.compile(r"\w+(?:\.\w+)*\Z")
_NOT_LOADED = "unittest.loader._FailedTest"
_FIXTURES = ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule")
_VERDICTS = {
    "ok": Status.PASSED,
    "FAIL": Status.FAILED,
    "ERROR": Status.ERROR,
    "expected failure": Status.XFAIL,
    "unexpected success": Status.XPASS,
}
_SKIPPED = re.compile(r"skipped (['\"]).*\1\Z")
_RAN = re.compile(r"Ran (\d+) tests? in [\d.]+s\Z")
_COUNTED = r"[A-Za-z]+(?: [a-z]+)?=\d+"
_TOTALS = re.compile(rf"(?:OK|FAILED|NO TESTS RAN)(?: \({_COUNTED}(?:, {_COUNTED})*\))?\Z")
_COUNT = re.compile(r"([A-Za-z]+(?: [a-z]+)?)=(\d+)")
_TAKEN = re.compile(r"([\d.]+)s +(\S.*)\Z")
_DOTS = re.compile(r"[.FEsxuS]+\Z")


class Start(NamedTuple):
    """A test begins. `rest` is what follows ` ... `; without `described` that comes on a later
    line, after the docstring; `closing` lines of its name may come before that. `twice`: its
    method stands in the parentheses too (3.11 and later)."""

    name: str
    rest: str
    described: bool
    closing: int = 0
    twice: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """The heading of a failure's block. `sub`: it is a sub-test's."""

    kind: str
    name: str
    sub: bool = False


class Grammar:
    """unittest's own lines; other runners have theirs."""

    heading = 2
    """Lines of a block's heading, with a docstring's."""

    numbered = False
    """Names may be `name:2`, with more on the next line."""

    def starts(self, line: str, before: str) -> list[Start]:
        """The tests that begin on a line, usually none or one. A test whose sub-tests failed ends
        without a word up to Python 3.10, and the next begins on its line. `before` is the line
        before, for names of two lines."""
        found: list[Start] = []
        if not line.endswith(")") and ") ..." not in line:
            return found
        if len(line) < LONGEST and (usual := _USUAL.match(line)):
            head, content, rest = usual.groups()
            if content.endswith("." + head) and head not in _FIXTURES:
                return [Start(content, rest, True, 0, True)]
            return [Start(qualified(head, content), rest, described=True)]
        rest = line
        while len(found) < SEARCHED and " (" in rest:
            start = direct_start(rest)
            if start is None:
                break
            found.append(start)
            rest = start.rest
        if not found:
            glued = _glued_start(line)
            return [glued] if glued else []
        return found

    def verdict(self, text: str) -> Status | None:
        """The status that `text` as a whole says."""
        if text in _VERDICTS:
            return _VERDICTS[text]
        return Status.SKIPPED if text.startswith("skipped ") and _SKIPPED.match(text) else None

    def block(self, lines: list[str]) -> Block | None:
        """What a block's heading says, sub-test's values cut off."""
        kind, colon, text = lines[0].partition(": ")
        if kind not in ("FAIL", "ERROR") or not colon or not text:
            return None
        head, content, after = split(text)
        return Block(kind, qualified(head, content) or text[:LONGEST], sub=bool(after))

    def glued_verdict(self, text: str) -> Status | None:
        """The status at the end of `text`, a test's last output and its verdict in one."""
        for word, status in (
            ("unexpected success", Status.XPASS),
            ("expected failure", Status.XFAIL),
            ("ok", Status.PASSED),
        ):
            if text.endswith(word):
                return status
        at = max(text.rfind("skipped '"), text.rfind('skipped "'))
        return self.verdict(text[at:]) if at >= 0 else None

    def described(self, line: str) -> str | None:
        """What follows ` ... ` on a docstring's line; None if it is no such line."""
        if line.endswith(GAP.rstrip()):
            line += " "
        rest = None
        for at in _places(line, GAP):
            rest = line[at + len(GAP) :]
            if self.verdict(rest) is not None:
                return rest
        return rest

    def subtest(self, line: str) -> tuple[str, Status] | None:
        """The parent's name and the status in an indented line of a sub-test (3.11 and later)."""
        if not line.startswith("  "):
            return None
        head, content, after = split(line[2:])
        name = qualified(head, content)
        if not name or not after.startswith(" "):
            return None
        status = self.verdict(self.described(after) or "")
        return (name, status) if status is not None else None


def is_double_rule(line: str) -> bool:
    """The line above each failure's block."""
    return line == _DOUBLE_RULE


def is_rule(line: str) -> bool:
    """The line below a block's heading, and above the totals."""
    return line == _RULE


def is_fixture(name: str) -> bool:
    """The name is of a class's or module's set-up or tear-down."""
    return name.startswith(_FIXTURES) and name.endswith(")")


def is_dots(line: str) -> bool:
    """Nothing but the letters that a run without `-v` shows."""
    return len(line) <= LONGEST and _DOTS.match(line) is not None


def ran(line: str) -> int | None:
    """The number in `Ran 3 tests in 0.001s`."""
    found = _RAN.match(line) if line.startswith("Ran ") else None
    return int(found[1][:9]) if found else None


def totals(line: str) -> dict[str, int] | None:
    """The counts in a run's last line, each key always there; None for another line."""
    if len(line) > 300 or not line.startswith(("OK", "FAILED", "NO TESTS RAN")):
        return None
    if _TOTALS.match(line) is None:
        return None
    counts = dict.fromkeys(
        ("failures", "errors", "skipped", "expected failures", "unexpected successes"), 0
    )
    for key, number in _COUNT.findall(line):
        counts["skipped" if key == "SKIP" else key] = int(number[:9])
    return counts


def taken(line: str) -> tuple[str, float] | None:
    """The test's name and the seconds in a line of `--durations`."""
    found = _TAKEN.match(line) if len(line) <= LONGEST else None
    if found is None or found[1].count(".") != 1 or found[1] == ".":
        return None
    head, content, _ = split(found[2])
    name = qualified(head, content)
    return (name, decimal(found[1])) if name else None


def direct_start(text: str) -> Start | None:
    """The test that begins with the line."""
    head, content, after = split(text)
    name = qualified(head, content)
    if not name:
        return None
    twice = name == content
    if not after:
        return Start(name, "", described=False, twice=twice) if "." in content else None
    if after.startswith(GAP) or after == GAP.rstrip():
        return Start(name, after[len(GAP) :], described=True, twice=twice)
    return None


def split(text: str) -> tuple[str, str, str]:
    """`head (content)after`; all empty if there are no such parentheses."""
    opened = text.find(" (", 0, LONGEST)
    closed = text.find(")", opened, opened + LONGEST) if opened > 0 else -1
    if closed < 0:
        return "", "", ""
    return text[:opened], text[opened + 2 : closed], text[closed + 1 :]


def qualified(head: str, content: str) -> str:
    """The name of `head (content)`; "" if it is none."""
    if not head or not _CONTENT.match(content):
        return ""
    if head in _FIXTURES:
        return f"{head} ({content})"
    if content.endswith("." + head):
        return content
    word = _MODULE if content == _NOT_LOADED else _WORD
    return f"{content}.{head}" if word.match(head) else ""


def _glued_start(line: str) -> Start | None:
    """A test that begins behind output without a newline. Its method stands in the parentheses
    too (3.11 and later), which tells where its name begins."""
    for at in _places(line, ")" + GAP):
        before = line[max(0, at - LONGEST) : at]
        head, gap, content = before.rpartition(" (")
        method = content.rpartition(".")[2]
        if gap and method and _CONTENT.match(content) and head.endswith(method):
            return Start(content, line[at + 1 + len(GAP) :], described=True, twice=True)
    return None


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    for _ in range(SEARCHED):
        if at < 0:
            return
        yield at
        at = text.find(part, at + 1)
