"""Reads the terminal output of Karma (3 to 6): the reporters progress and dots, which name failures
alone (`Chrome 1.2 (Linux) outer title FAILED`), karma-spec-reporter and karma-mocha-reporter,
which write a tree.

What a page logs stands in quotes behind `LOG: `, and nothing in them is believed. A tree is
compared with the last `Executed N of M` of each browser, or with the summary (see `settle`).
Without a tree a name is suites and test joined by blanks.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.javascript.settle import RAW, settle
from velora.grading.parsers.javascript.tree import Tree
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_EXECUTED = re.compile(
    r"(.+?): Executed (\d+) of (\d+)((?: \(?[\w ]+\)?)*?)(?: \([\d.]+ (?:secs|mins?)[^()]*\))?\Z"
)
_COUNT = re.compile(r"\((?:(\d+) FAILED|skipped (\d+))\)")
_LOGGED = re.compile(r"(?:LOG )?(?:LOG|WARN|ERROR|INFO|DEBUG): '")
_CONNECTED = re.compile(r".{0,40}:INFO \[(.+)\]: Connected on socket ")
_BROWSER = re.compile(r"\S+(?: \S+)* \([^()]*\)\Z")
_SUMMARY = re.compile(r"✔ (\d+) tests? completed\Z")


class KarmaReader:
    """All runs of a log; `complete` if every test of every browser was executed or skipped."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.tree = Tree(skipped="-")
        self.failed: list[tuple[str, TestResult]] = []
        self.browsers: set[str] = set()
        self.executed: dict[str, tuple[int, int, int, int]] = {}
        self.summary: int | None = None
        self.ended = False
        self.logging = False
        self.counted = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.logging:
            self.logging = not line.endswith("'")
            return
        first = line[:1]
        if first == " ":
            if line[1:2] == " " and not self.ended:
                self.tree.feed(number, line)
        elif first in "\t.":
            return
        elif line.endswith(" FAILED"):
            self._failure(number, line)
        elif ": Executed " in line:
            self._count(line)
        elif first in "LWEID" and _LOGGED.match(line):
            self.logging = not line.endswith("'") or line.endswith(": '")
        elif ":INFO [" in line:
            self._connected(line)
        elif (found := _SUMMARY.match(line)) is not None:
            self.summary, self.ended = integer(found[1]), True
        elif line == "SUMMARY:" or line.startswith("TOTAL: "):
            self.ended = True

    def finish(self) -> Parsed:
        """The end of the log."""
        complete = self._close()
        return Parsed(self.results, complete, tuple(self.warnings), self.counted)

    def _connected(self, line: str) -> None:
        found = _CONNECTED.match(line)
        if found is not None:
            if self.ended:
                self._close()
            self.browsers.add(found[1])

    def _failure(self, number: int, line: str) -> None:
        """`BROWSER NAME FAILED`"""
        at = line.find(") ") + 1
        browser, name = line[:at], line[at + 1 :].removesuffix(" FAILED")
        if at and (browser in self.browsers or (not self.browsers and _BROWSER.match(browser))):
            self.failed.append((name, TestResult(Status.FAILED, number, line[:RAW])))

    def _count(self, line: str) -> None:
        found = _EXECUTED.match(line) if len(line) < 1000 else None
        if found is None:
            return
        failed = skipped = 0
        for bad, left in _COUNT.findall(found[4]):
            failed += integer(bad or "0")
            skipped += integer(left or "0")
        self.executed[found[1]] = (integer(found[2]), integer(found[3]), failed, skipped)

    def _close(self) -> bool:
        passed = sum(executed - failed for executed, _, failed, _ in self.executed.values())
        failures = sum(failed for _, _, failed, _ in self.executed.values())
        self.counted += sum(executed for executed, *_ in self.executed.values()) or (
            self.summary or 0
        )
        complete = self.summary is not None or bool(self.executed)
        for executed, total, _, skipped in self.executed.values():
            complete = complete and executed + skipped >= total
        groups = self.tree.groups
        if groups and (self.executed or self.summary is not None):
            groups, warning = settle(groups, {"passed": self.summary or passed})
            if warning:
                self.warnings.append(warning)
        shown = len(self.failed) + sum(
            result.status is Status.FAILED for group in groups for _, result in group.tests
        )
        if shown < failures:
            self.warnings.append(f"{failures} failures counted, {shown} shown")
        for group in groups:
            for name, result in group.tests:
                note(self.results, name, result)
        for name, result in self.failed:
            note(self.results, name, result)
        if not complete:
            self.warnings.append("not all tests were executed")
        self.tree, self.failed, self.executed = Tree(skipped="-"), [], {}
        self.summary, self.ended = None, False
        return complete


FRAMEWORK = Framework(
    name="karma",
    reader=KarmaReader,
    names="of a tree `outer > title`; without it as printed, `outer title`",
    signs=r".{0,40}:INFO \[karma-server\]: |.{1,200}: Executed \d+ of \d+ ",
    languages=("javascript", "typescript"),
    hosts=("tap",),
)
