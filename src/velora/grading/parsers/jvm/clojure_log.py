"""Reads clojure.test's default report, also under Leiningen and `clojure -X:test`.

    Testing calc.core-test
    FAIL in (wrong-sum) (core_test.clj:9)
    ...
    Ran 5 tests containing 6 assertions.
    2 failures, 1 errors.

It names what fails and nothing else, so there are no passes here: a report with names of all tests
comes from clojure.test.junit. A test may print lines that look like failures; they count, since
nothing tells them from true ones, and the totals, which then differ, give a warning.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_BLOCK = re.compile(r"(?P<word>FAIL|ERROR) in \((?P<tests>[^()\s][^()]*)\) \([^()]*\)$")
_NAMESPACE = re.compile(r"(?:Testing|lein test) (?P<name>[\w.*+!?<>=-]+)$")
_TOTALS = re.compile(r"(?P<failures>\d{1,9}) failures?, (?P<errors>\d{1,9}) errors?\.$")
_STATUSES = {"FAIL": Status.FAILED, "ERROR": Status.ERROR}


class ClojureReader:
    """All runs of a log; `complete` if the last one has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.namespace = ""
        self.blocks = self.counted = 0
        self.ran = False
        self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first.isdigit():
            if self.ran and (totals := _TOTALS.match(line)):
                self._close(totals)
        elif first in "FETRl" and first:
            if block := _BLOCK.match(line):
                self._block(number, line, block)
            elif namespace := _NAMESPACE.match(line):
                self.namespace = namespace["name"]
                self.complete = False
            self.ran = line.startswith("Ran ") and line.endswith(" assertions.")

    def finish(self) -> Parsed:
        """The end of the log."""
        if not self.complete and (self.results or self.namespace):
            self.warnings.append("the last run has no totals")
        elif self.counted != self.blocks:
            self.warnings.append(
                f"{self.counted} failures and errors counted, {self.blocks} described"
            )
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _block(self, number: int, line: str, block: re.Match[str]) -> None:
        tests = block["tests"].split(" ")
        name = f"{self.namespace}/{tests[0]}" if self.namespace else tests[0]
        self.blocks += 1
        self.complete = False
        note(self.results, name, TestResult(_STATUSES[block["word"]], number, line[:_RAW]))

    def _close(self, totals: re.Match[str]) -> None:
        self.counted += integer(totals["failures"]) + integer(totals["errors"])
        self.ran = False
        self.complete = True


FRAMEWORK = Framework(
    name="clojure-test",
    reader=ClojureReader,
    names="`calc.core-test/wrong-sum`, failures alone",
    signs=r"Ran \d+ tests containing \d+ assertions\.$",
    begins="R",
    languages=("clojure",),
)
