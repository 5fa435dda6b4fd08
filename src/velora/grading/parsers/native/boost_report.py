"""The detailed report that Boost.Test prints after a run (`--report_level=detailed`).

It begins with the test module's own line at the margin; suites and cases follow, indented, each
with its counts below it. The last such report of a run is believed.
"""

from __future__ import annotations

import re

from velora.grading.protocol import Status, TestResult

_MODULE = re.compile(r"Test module \".{0,500}\" (?:has|was) (?:passed|failed|aborted|skipped)")
_LINE = re.compile(
    r"( +)Test (case|suite) \"(.{1,1000})\" (has passed|has failed|was aborted|was skipped|"
    r"has timed out|passed|failed|aborted|skipped)(?: with:)?\Z"
)
_COUNT = re.compile(r" +(\d{1,9}) (assertion|expected failure|failure)")
_WORDS = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "aborted": Status.FAILED,
    "skipped": Status.SKIPPED,
    "out": Status.ERROR,
}


class Report:
    """What the report says.

    Attributes:
        results: each case's result, and whether it had assertions.
        aborted: some case was.
    """

    def __init__(self) -> None:
        self.results: dict[str, tuple[TestResult, bool]] = {}
        self.aborted = False
        self._open = False
        self._suites: list[tuple[int, str]] = []
        self._case = ""

    def feed(self, number: int, line: str) -> bool:
        """Take the next line; False if it is no part of a report."""
        if line[0] == "T":
            if _MODULE.match(line) is None:
                return False
            self.results = {}
            self._open, self.aborted, self._suites, self._case = True, False, [], ""
            return True
        if not self._open or line[0] != " ":
            return False
        if found := _LINE.match(line):
            self._line(number, line, len(found[1]), found[2] == "suite", found[3], found[4])
            return True
        if found := _COUNT.match(line):
            self._count(found[2])
            return True
        return False

    def _line(
        self, number: int, line: str, indent: int, suite: bool, name: str, words: str
    ) -> None:
        while self._suites and self._suites[-1][0] >= indent:
            self._suites.pop()
        if self._suites and not name.startswith(self._suites[-1][1] + "/"):
            name = f"{self._suites[-1][1]}/{name}"  # old versions print the last part alone
        if suite:
            self._suites.append((indent, name))
            self._case = ""
            return
        word = words.rpartition(" ")[2]
        status = _WORDS.get(word)
        self._case = name if status is not None else ""
        if status is None:
            return
        self.aborted = self.aborted or word == "aborted"
        self.results[name] = (TestResult(status, number, line.strip()[:500]), False)

    def _count(self, what: str) -> None:
        if not self._case:
            return
        result, _ = self.results[self._case]
        if what == "expected failure" and result.status is Status.PASSED:
            result = TestResult(Status.XFAIL, result.line, result.raw)
        self.results[self._case] = (result, True)
