"""Tests that a runner announces as they begin, and what is sure of their ends.

Failures, errors and skips are told once more in blocks that name them, and the totals count them
all. So where the names are as many as the totals and the blocks are whole, each other test passed,
whatever its output did to its verdict. Where there are more names, those that came up while another
test ran were printed; if that does not make it fit, no pass is believed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from velora.grading.parsers.tally import note
from velora.grading.protocol import Status, TestResult

RAW = 500  # characters of a line kept as evidence


@dataclass(slots=True)
class Announced:
    """The tests of one run.

    Attributes:
        tests: each announced test; None while its own end is not known.
        lines: of the announcements.
        doubtful: announced while another test ran.
        running: announced and not ended.
        faults: the tests that blocks name, with the worst that they say.
        blocks: how many blocks there are of each status.
    """

    tests: dict[str, TestResult | None] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    running: list[str] = field(default_factory=list)
    faults: dict[str, TestResult] = field(default_factory=dict)
    blocks: Counter[Status] = field(default_factory=Counter)

    @property
    def empty(self) -> bool:
        """Nothing was told."""
        return not (self.tests or self.faults)

    def begin(self, name: str, number: int) -> None:
        """A test begins."""
        if name not in self.tests:
            if self.running:
                self.doubtful.add(name)
            self.tests[name] = None
            self.lines[name] = number
        if name not in self.running[-64:]:
            self.running.append(name)

    def end(self, status: Status, number: int, raw: str, seconds: float) -> None:
        """The test that runs alone ended."""
        name = self.running.pop()
        known = self.tests.get(name)
        result = TestResult(status, number, raw[:RAW], seconds)
        if known is None or known.status is Status.PASSED:
            self.tests[name] = result

    def fault(self, name: str, status: Status, number: int, raw: str) -> None:
        """A block names a test."""
        self.blocks[status] += 1
        note(self.faults, name, TestResult(status, number, raw[:RAW]))

    def close(self, total: int, counts: dict[Status, int]) -> tuple[dict[str, TestResult], str]:
        """The totals came: the results, and what is odd."""
        odd = ""
        whole = all(self.blocks[status] == count for status, count in counts.items())
        if not whole and (self.tests or any(counts[s] != self.blocks[s] for s in _BAD)):
            odd = f"{_told(counts)} counted, {_told(self.blocks)} described"
        names = self.tests.keys() | self.faults.keys()
        if len(names) > total:
            for name in self.doubtful - self.faults.keys():
                del self.tests[name]
            names = self.tests.keys() | self.faults.keys()
        results = dict(self.faults)
        if self.tests and len(names) != total:
            odd = f"{total} tests counted, {len(names)} named"
        if len(names) > total:
            return results, odd
        for name, result in self.tests.items():
            if name in results:
                continue
            if len(names) == total and whole:
                seconds = result.duration if result is not None else None
                raw = result.raw if result is not None else name
                results[name] = TestResult(Status.PASSED, self.lines[name], raw, seconds)
            elif result is not None:
                results[name] = result
        return results, odd

    def cut(self) -> dict[str, TestResult]:
        """The log ends before the totals: what is sure."""
        results = dict(self.faults)
        for name, result in self.tests.items():
            if name in self.running:
                note(results, name, TestResult(Status.ERROR, self.lines[name], "no end"))
            elif result is not None and name not in self.doubtful:
                note(results, name, result)
        return results


_BAD = (Status.FAILED, Status.ERROR)


def _told(counts: dict[Status, int] | Counter[Status]) -> str:
    return ", ".join(f"{counts[s]} {s}" for s in (Status.FAILED, Status.ERROR, Status.SKIPPED))
