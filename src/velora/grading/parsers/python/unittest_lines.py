"""What single lines of unittest's text output mean. Which of them count is `unittest_log`'s
affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from velora.grading.protocol import Status

_DOUBLE_RULE = "=" * 70
_RULE = "-" * 70
_GAP = " ... "
_CONTENT = re.compile(r"[\w.<>]+\Z")
_WORD = re.compile(r"\w+\Z")
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
_TOTALS = re.compile(r"(?:OK|FAILED|NO TESTS RAN)(?: \(([a-z]+(?: [a-z]+)?=\d+(?:, )?)+\))?\Z")
_COUNT = re.compile(r"([a-z]+(?: [a-z]+)?)=(\d+)")
_SEARCHED = 64  # places looked at in one line, and
_LONGEST = 4096  # characters of a name: they keep a hostile line's cost linear


@dataclass(frozen=True, slots=True)
class Start:
    """A test begins. `rest` is what follows ` ... `; without `described` that comes on the next
    line, after the docstring."""

    name: str
    rest: str
    described: bool


def is_double_rule(line: str) -> bool:
    """The line above each failure's block."""
    return line == _DOUBLE_RULE


def is_rule(line: str) -> bool:
    """The line below a block's heading, and above the totals."""
    return line == _RULE


def is_fixture(name: str) -> bool:
    """The name is of a class's or module's set-up or tear-down."""
    return name.startswith(_FIXTURES) and name.endswith(")")


def starts(line: str) -> list[Start]:
    """The tests that begin on this line: usually none or one. A test whose sub-tests failed ends
    without a word up to Python 3.10, and the next begins on its line."""
    found: list[Start] = []
    if not line.endswith(")") and ") ..." not in line:
        return found
    rest = line
    while len(found) < _SEARCHED:
        start = _start(rest)
        if start is None:
            break
        found.append(start)
        rest = start.rest
        if not rest:
            break
    if not found:
        glued = _glued_start(line)
        return [glued] if glued else []
    return found


def verdict(text: str) -> Status | None:
    """The status that `text` as a whole says."""
    if text in _VERDICTS:
        return _VERDICTS[text]
    return Status.SKIPPED if text.startswith("skipped ") and _SKIPPED.match(text) else None


def glued_verdict(text: str) -> Status | None:
    """The status at the end of `text`, which is a test's last output and its verdict in one."""
    for word, status in (
        ("unexpected success", Status.XPASS),
        ("expected failure", Status.XFAIL),
        ("ok", Status.PASSED),
    ):
        if text.endswith(word):
            return status
    at = max(text.rfind("skipped '"), text.rfind('skipped "'))
    return verdict(text[at:]) if at >= 0 else None


def described(line: str) -> str | None:
    """What follows ` ... ` on a docstring's line; None if it is no such line."""
    if line.endswith(_GAP.rstrip()):
        line += " "
    rest = None
    for at in _places(line, _GAP):
        rest = line[at + len(_GAP) :]
        if verdict(rest) is not None:
            return rest
    return rest


def subtest(line: str) -> tuple[str, Status] | None:
    """The parent's name and the status in an indented line of a sub-test (3.11 and later)."""
    if not line.startswith("  "):
        return None
    head, content, after = _split(line[2:])
    name = _name(head, content)
    if not name or not after.startswith(" "):
        return None
    status = verdict(described(after) or "")
    return (name, status) if status is not None else None


def block(line: str) -> tuple[str, str] | None:
    """`FAIL` or `ERROR` and the test's name from a block's heading, sub-test's values cut off."""
    kind, colon, text = line.partition(": ")
    if kind not in ("FAIL", "ERROR") or not colon or not text:
        return None
    head, content, _ = _split(text)
    return kind, _name(head, content) or text[:_LONGEST]


def ran(line: str) -> int | None:
    """The number in `Ran 3 tests in 0.001s`."""
    found = _RAN.match(line) if line.startswith("Ran ") else None
    return int(found[1]) if found else None


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
        counts[key] = int(number)
    return counts


def _start(text: str) -> Start | None:
    head, content, after = _split(text)
    name = _name(head, content)
    if not name:
        return None
    if not after:
        return Start(name, "", described=False) if "." in content else None
    if after.startswith(_GAP):
        return Start(name, after[len(_GAP) :], described=True)
    return Start(name, "", described=True) if after == _GAP.rstrip() else None


def _glued_start(line: str) -> Start | None:
    """A test that begins behind output without a newline. Its method stands in the parentheses
    too (3.11 and later), which tells where its name begins."""
    for at in _places(line, ")" + _GAP):
        before = line[max(0, at - _LONGEST) : at]
        head, gap, content = before.rpartition(" (")
        method = content.rpartition(".")[2]
        if gap and method and _CONTENT.match(content) and head.endswith(method):
            return Start(content, line[at + 1 + len(_GAP) :], described=True)
    return None


def _split(text: str) -> tuple[str, str, str]:
    """`head (content)after`; all empty if there are no such parentheses."""
    opened = text.find(" (", 0, _LONGEST)
    closed = text.find(")", opened, opened + _LONGEST) if opened > 0 else -1
    if closed < 0:
        return "", "", ""
    return text[:opened], text[opened + 2 : closed], text[closed + 1 :]


def _name(head: str, content: str) -> str:
    if not head or not _CONTENT.match(content):
        return ""
    if head in _FIXTURES:
        return f"{head} ({content})"
    if content.endswith("." + head):
        return content
    return f"{content}.{head}" if _WORD.match(head) else ""


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    for _ in range(_SEARCHED):
        if at < 0:
            return
        yield at
        at = text.find(part, at + 1)
