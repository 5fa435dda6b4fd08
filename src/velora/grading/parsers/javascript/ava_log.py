"""Reads the terminal output of AVA (4 to 6) without `--tap`; with it, `tap_log` does.

A run is a list of verdicts two blanks deep, a rule, the failures (`title` on a line of its own,
then the details), a second rule and the totals. Without failures the totals follow the first
rule. A failing test's line goes on with the error's message, so its title is taken from the
failures behind the rule. Tests print into the list. AVA counts passes only where nothing failed, so
only then the totals tell whether one was printed (see `settle`).

A file that ends too early is an ERROR under its own name. AVA 4 does not mark expected failures,
which pass there.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.javascript.settle import RAW, Group, settle
from velora.grading.parsers.javascript.titles import timed_tight
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_TOTAL = re.compile(
    r"  (\d+) (tests? passed|tests? failed|hooks? failed|known failures?|tests? skipped"
    r"|tests? todo|uncaught exceptions?|unhandled rejections?|tests? remained pending.*)\Z"
)
_RULE = "  ─"
_FILE = re.compile(
    r"(?:Exiting due to process\.exit\(\) when running (\S.*)"
    r"|(\S.*) exited (?:with a non-zero exit code: \d+|due to \w+))\Z"
)
_NO_TEST = re.compile(
    r"\d+ tests? (?:remaining|were pending|was pending) in |No tests found in |Timed out while "
    r"|Line numbers |Couldn.t find "
)
_MARKS = {
    "[fail]: ": Status.FAILED,
    "[unexpected pass]: ": Status.FAILED,
    "[expected fail] ": Status.XFAIL,
    "[skip] ": Status.SKIPPED,
    "[todo] ": Status.SKIPPED,
}
_MESSAGES = re.compile(
    r" (?=Error thrown in test|Test failed via|Test finished without|Test was expected to fail"
    r"|Promise returned by test|Rejected promise returned|Improper usage of|$)"
)
_SYMBOLS = {
    "✔": Status.PASSED,
    "√": Status.PASSED,
    "✘": Status.FAILED,
    "✖": Status.FAILED,
    "×": Status.FAILED,
    "-": Status.SKIPPED,
}


class AvaReader:
    """All runs of a log; `complete` if the last one has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.groups: list[Group] = []
        self.failed: list[tuple[str, TestResult]] = []  # the titles with their messages
        self.listing = True
        self.ruled = False
        self.before = ""
        self.counts: dict[str, int] = {}
        self.closed = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line[:2] != "  ":
            if line:
                self.ruled = False
            self.before = line
            return
        before, self.before = self.before, line
        if line == _RULE:
            self.listing, self.ruled = False, True
        elif self.ruled and (found := _TOTAL.match(line)) is not None:
            word = found[2].replace("tests", "test")
            self.counts[word] = integer(found[1])
        elif self.listing or self.counts:
            if line[2:3] in _SYMBOLS and line[3:4] == " ":
                self._verdict(number, line)
        elif line[2:3] != " ":
            self.ruled = False
            if not before.strip(" "):
                self._title(line[2:])

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.counts:
            self._close()
        cut = bool(self.groups or self.failed)
        if cut:
            self.warnings.append("the last run has no totals: it was cut off")
            self._merge(self.groups)
        return Parsed(self.results, bool(self.closed) and not cut, tuple(self.warnings))

    def _verdict(self, number: int, line: str) -> None:
        if self.counts:
            self._close()
        status, title = _SYMBOLS[line[2]], line[4:]
        if title.startswith("["):
            for mark, marked in _MARKS.items():
                if title.startswith(mark):
                    status, title = marked, title.removeprefix(mark)
                    break
        if status is Status.FAILED:
            if (file := _FILE.match(title)) is not None:
                self._note(file[1] or file[2], TestResult(Status.ERROR, number, line[:RAW]))
            elif _NO_TEST.match(title) is None:
                self.failed.append((title, TestResult(status, number, line[:RAW])))
            return
        title, duration = timed_tight(title)
        self._note(title, TestResult(status, number, line[:RAW], duration))

    def _note(self, title: str, result: TestResult) -> None:
        group = Group(title, [(title, result)])
        group.counts["passed"] = int(result.status is Status.PASSED)
        self.groups.append(group)

    def _title(self, title: str) -> None:
        """Perhaps the title of the next failure: what its line in the list begins with."""
        for at, (text, result) in enumerate(self.failed[:50]):
            if text == title or text.startswith(title + " "):
                self._note(title, result)
                del self.failed[at]
                return

    def _close(self) -> None:
        passed = self.counts.get("test passed")
        failed = sum(self.counts.get(word, 0) for word in ("test failed", "hook failed"))
        groups = self.groups
        if passed is not None:
            groups, warning = settle(groups, {"passed": passed})
            if warning:
                self.warnings.append(warning)
        shown = [each for group in groups for each in group.tests]
        count = sum(result.status is Status.FAILED for _, result in shown) + len(self.failed)
        if count < failed:
            self.warnings.append(f"{failed} failed tests counted, {count} shown")
        self._merge(groups)
        self.closed += 1
        self.groups, self.counts, self.listing, self.ruled = [], {}, True, False

    def _merge(self, groups: list[Group]) -> None:
        for text, result in self.failed:
            groups.append(Group(text, [(_MESSAGES.split(text, maxsplit=1)[0], result)]))
        self.failed = []
        for group in groups:
            for name, result in group.tests:
                note(self.results, name, result)


FRAMEWORK = Framework(
    name="ava",
    reader=AvaReader,
    names="as printed: `title`, or with several files `file › title`; a file that ends: its path",
    signs=r"  ─$|  \d+ tests? passed$",
    begins=r" \d─",
    languages=("javascript", "typescript"),
    hosts=("tap",),
)
