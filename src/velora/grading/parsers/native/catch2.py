"""Reads the console reporter of Catch (1 to 3), best with `-s`.

What an assertion says stands in a block: a rule, the test case's name with its sections indented
below it, a rule, the place, a line of dots; then `file:line: FAILED:` and the like. Without `-s`
only failures are reported, so passes have no names and none is made up; with it a test case is
passed if all its assertions are and the run came to its totals. The totals are a checksum. A test
case that was to fail looks like any other that fails: only where the totals say that all failures
were expected are they XFAIL. The compact reporter shows no names at all.

Names are the test cases'. A name of more than 79 characters is broken into lines and is put
together again with blanks.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native.blocks import Blocks
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Status, TestResult

_RULE = "-" * 79
_DOTS = "." * 79
_END = "=" * 79
_VERDICTS = (
    (": FAILED:", Status.FAILED),
    (": PASSED:", Status.PASSED),
    (": FAILED - but was ok:", Status.PASSED),
    (": SKIPPED:", Status.SKIPPED),
)
_BANNER = re.compile(r"\S+ is a Catch2? v\d")
_PLACE = re.compile(r".{1,1000}(?::\d+|\(\d+\))\Z")
_GOOD = re.compile(r"All tests passed \(\d+ assertions? in (\d{1,9}) test cases?\)")
_COUNTS = re.compile(r"test cases: *\d+(?: *\| *\d+ [a-z ]+){1,5}\Z")
_COUNT = re.compile(r"(\d{1,9}) (passed|failed as expected|failed|skipped)")
_COMPACT = re.compile(
    r"(?:Passed (?:all|both)? ?\d* ?test cases?|Failed (?:all|both)? ?\d* ?test cases?,) "
)
_DURATION = re.compile(r"(\d{1,9}\.\d{1,9}) s: (.*)\Z")
_FATAL = "due to a fatal error condition:"
_NAME_LINES = 40
_RAW = 500


class Catch2Reader(Blocks):
    """All runs of a log."""

    def __init__(self) -> None:
        super().__init__()
        self.durations: dict[str, float] = {}
        self.head: list[str] = []  # the lines of a block's head so far
        self.step = 0  # 1: names, 2: the place, 3: the dots
        self.previous = ""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.step:
            self._head(number, line)
        end = line[-1:]
        if end == "-":
            if self.step == 0 and line.endswith(_RULE):
                self.step, self.head = 1, []
        elif end == ":":
            self._verdict(number, line)
        elif " is a Catch" in line and _BANNER.match(line):
            self.end_run()
        elif line[:1] in ("A", "t"):
            if self.previous == _END:
                self._totals(number, line)
            elif not self.name and _COUNTS.match(line):
                self.closed = True  # of the compact reporter
        elif line[:1] in ("P", "F"):
            if _COMPACT.match(line):
                self.closed = True
        elif line[:1].isdigit():
            found = _DURATION.match(line)
            if found and found[2] == self.name:
                spent = self.durations.get(self.name, 0.0)
                self.durations[self.name] = spent + decimal(found[1])
        self.previous = line

    def _head(self, number: int, line: str) -> None:
        """The next line of a block's head; another than it needs ends it."""
        head = self.head
        if self.step == 1 and line != _RULE:
            head.append(line)
            if len(head) > _NAME_LINES or not line:
                self.step = 0
        elif self.step == 1:
            self.step = 2 if head and not head[0].startswith(" ") else 0
        elif self.step == 2:
            self.step = 3 if _PLACE.match(line) else 0
        else:
            self.step = 0
            if line == _DOTS:
                self.begin(number, _join(head))

    def _verdict(self, number: int, line: str) -> None:
        name = self.name
        if not name:
            return
        if line == _FATAL:
            note(self.tests, name, TestResult(Status.ERROR, number, line))
            return
        if line == "PASSED:":  # Catch 1 puts the place on the line before
            line = f"{self.previous.rstrip()} {line}"
        for words, status in _VERDICTS:
            if line.endswith(words) and _PLACE.match(line[: -len(words)]):
                note(self.tests, name, TestResult(status, number, line[-_RAW:]))

    def _totals(self, number: int, line: str) -> None:
        """The closing line, which counts the test cases."""
        if found := _GOOD.match(line):
            counts = {"passed": integer(found[1])}
        elif _COUNTS.match(line):
            counts = {word: integer(count) for count, word in _COUNT.findall(line)}
        else:
            return
        self.closed = True
        failed, expected = counts.get("failed", 0), counts.get("failed as expected", 0)
        bad = self.failing
        if expected and not failed and len(bad) == expected:
            for name in bad:
                self.tests[name] = self.tests[name]._replace(status=Status.XFAIL)
        elif self.check(number, failed + expected) and expected:
            self.warnings.append(
                f"line {number}: {expected} failures were expected; the log does not show which"
            )
        self.limit(number, counts.get("passed", 0), {Status.PASSED})

    def end_run(self) -> None:
        """With what the test cases took."""
        for name, spent in self.durations.items():
            if known := self.tests.get(name):
                self.tests[name] = known._replace(duration=spent)
        self.durations = {}
        super().end_run()


def _join(head: list[str]) -> str:
    """The test case's name of a head: the lines above those of the sections."""
    name: list[str] = []
    for line in head:
        if line.startswith("  "):
            break
        name.append(line)
    return " ".join(name)


FRAMEWORK = Framework(
    name="catch2",
    reader=Catch2Reader,
    names="the test case's name, without its sections: adds numbers",
    signs=(
        r"\S+ is a Catch2? v\d"
        r"|All tests passed \(\d+ assertions? in \d+ test cases?"
        r"|(?:Passed|Failed) (?:all |both )?(?:\d+ )?test cases?,? (?:with|failed) "
        r"|test cases: *\d+ \|"
    ),
    begins=r"\S",
    languages=("cpp",),
)
