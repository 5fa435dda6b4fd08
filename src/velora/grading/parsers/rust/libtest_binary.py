"""One test binary's output: from `running 3 tests` to `test result: ...`.

`test NAME ... ` is followed at once by a verdict or, where output is not captured, by what the
test prints and then the verdict, often glued to it. After the tests come sections with the output
of failed tests, each section followed by the list of its tests, and the totals. What was printed
may look like any of this, so the totals decide: they are the true ones only if they speak of as
many tests as were announced; where the names that were read are as many and the list of failures
is whole, each other test passed; where there are more, those that came up while a test's end was
not certain were printed, and if that does not make it fit, no pass is believed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.parsers.tally import note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Status, TestResult

WORDS = {"ok": Status.PASSED, "FAILED": Status.FAILED, "ignored": Status.SKIPPED}
_GAP = " ... "
_VERDICT = re.compile(r"(ok|FAILED|ignored|bench)(?:, .*|: .*)?$")
_TIMED = re.compile(r"(ok|FAILED) (?:\([a-z ]+\) )?<(\d+\.\d+)s>$")
_KINDS = (" - should panic", " - compile fail", " - compile")
_TOTALS = re.compile(
    r"test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; (\d+) measured; "
)
_SLOW = " has been running for over "
_RAW = 500  # characters of a line kept as evidence


@dataclass(slots=True)
class Binary:
    """What is known of a binary's tests so far.

    Attributes:
        crate: in whose name; "" where the log does not say.
        count: tests announced.
        tests: by name, in the order of their beginning.
        doubtful: began while another's end was not certain.
        unsure: tests whose verdict was glued or stood on a line of its own, and how many tests
            had begun by then.
        pending: the test that began last and has no verdict yet.
        tail: the last line of its output.
        section: `failures` or `successes` after their heading.
        listed: the names below the last heading of failures.
    """

    crate: str
    count: int
    tests: dict[str, TestResult] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    unsure: list[tuple[str, int]] = field(default_factory=list)
    pending: str = ""
    pending_line: int = 0
    tail: str = ""
    slow: dict[str, int] = field(default_factory=dict)
    section: str = ""
    listed: dict[str, int] = field(default_factory=dict)
    listing: bool = False

    def feed(self, number: int, line: str) -> bool:
        """Take a line; True if it was the last."""
        if self.section:
            return self._section(number, line)
        if line.startswith("test "):
            if self._begin(number, line):
                return False
            if line.startswith("test result: "):
                return self._is_end(line)
        if line in ("failures:", "successes:") and self._settle():
            self.section, self.listing = line[:-1], True
        elif self.pending:
            if line:
                self.tail = line[-_RAW:]
        elif line in WORDS and self.unsure:
            self._correct(number, line)
        elif _GAP in line and "test " in line:
            self._glued(number, line)
        return False

    def end(self, line: str) -> tuple[dict[str, TestResult], str]:
        """The binary's last line, which `feed` took: its results and what is odd."""
        self._settle()
        passed, failed, ignored, measured = _totals(line)
        tests = self.tests
        whole = len(self.listed) == failed
        if len(tests.keys() | self.listed.keys()) > self.count:
            for name in self.doubtful - self.listed.keys():
                tests.pop(name, None)
        names = tests.keys() | self.listed.keys()
        skipped = sum(each.status is Status.SKIPPED for each in tests.values())
        if len(names) == self.count and whole and skipped == ignored:
            for name, each in tests.items():
                if each.status is not Status.SKIPPED and name not in self.listed:
                    tests[name] = TestResult(Status.PASSED, each.line, each.raw, each.duration)
        for name, number in self.listed.items():
            note(tests, name, TestResult(Status.FAILED, number, f"failures: {name}"[:_RAW]))
        read = sum(each.status is Status.PASSED for each in tests.values())
        bad = sum(each.status is Status.FAILED for each in tests.values())
        odd = ""
        if (read, bad, skipped) != (passed + measured, failed, ignored) and (read or skipped):
            odd = (
                f"{passed + measured} passed, {failed} failed, {ignored} ignored counted, "
                f"{read}, {bad}, {skipped} shown"
            )
        if read > passed + measured:
            self.tests = {n: each for n, each in tests.items() if each.status is not Status.PASSED}
        return self._named(), odd

    def cut(self) -> dict[str, TestResult]:
        """The binary ended without totals: what is certain."""
        for name in self.doubtful:
            self.tests.pop(name, None)
        for name, _ in self.unsure:
            self.tests.pop(name, None)
        for name, number in self.slow.items():
            if name not in self.tests:
                self.tests[name] = TestResult(Status.ERROR, number, "it was running at the end")
        for name, number in self.listed.items():
            note(self.tests, name, TestResult(Status.FAILED, number, f"failures: {name}"[:_RAW]))
        if self.pending:
            result = TestResult(Status.ERROR, self.pending_line, "no verdict: the process ended")
            note(self.tests, self.pending, result)
        return self._named()

    def _named(self) -> dict[str, TestResult]:
        if not self.crate:
            return self.tests
        return {f"{self.crate}::{name}": each for name, each in self.tests.items()}

    def _begin(self, number: int, line: str) -> bool:
        """`test NAME ... `, with or without what follows."""
        at = line.find(_GAP, 5)
        if at < 0:
            slow = line.find(_SLOW)
            if slow > 0 and not self.pending:
                self.slow[line[5:slow]] = number
            return False
        if self.pending and not self._settle():
            return False
        name, rest = _bare(line[5:at]), line[at + len(_GAP) :]
        if self.unsure and self.unsure[-1][0] == name:
            return False
        if self.unsure:
            self.doubtful.add(name)
        result = _verdict(number, line, rest)
        if result is None:
            self.pending, self.pending_line, self.tail = name, number, rest
        else:
            note(self.tests, name, result)
        return True

    def _settle(self) -> bool:
        """The pending test ended, if its output ends like a verdict."""
        if not self.pending:
            return True
        for word in ("ok", "FAILED"):
            if self.tail.endswith(word):
                raw = f"test {self.pending} ... {self.tail}"
                note(self.tests, self.pending, TestResult(WORDS[word], self.pending_line, raw))
                self.unsure.append((self.pending, len(self.tests)))
                self.pending = ""
                return True
        return False

    def _correct(self, number: int, word: str) -> None:
        """A verdict on its own while no test runs: of the last test whose end was not certain, and
        what seemed to follow that end was printed by it."""
        name, begun = self.unsure.pop()
        while len(self.tests) > begun:
            printed, _ = self.tests.popitem()
            self.doubtful.discard(printed)
        self.tests[name] = TestResult(WORDS[word], number, f"test {name} ... {word}")

    def _glued(self, number: int, line: str) -> None:
        """A whole `test NAME ... ok` behind output without its line end."""
        at = line.rfind("test ")
        gap = line.find(_GAP, at)
        if gap < 0:
            return
        name = _bare(line[at + 5 : gap])
        result = _verdict(number, line, line[gap + len(_GAP) :])
        if result is not None and name not in self.tests:
            self.doubtful.add(name)
            self.tests[name] = result

    def _section(self, number: int, line: str) -> bool:
        if line in ("failures:", "successes:"):
            self.section, self.listing = line[:-1], True
            if line == "failures:":
                self.listed = {}
        elif self.listing and line.startswith("    "):
            if self.section == "failures":
                self.listed[line[4:]] = number
        else:
            self.listing = False
            return line.startswith("test result: ") and self._is_end(line)
        return False

    def _is_end(self, line: str) -> bool:
        return _TOTALS.match(line) is not None and sum(_totals(line)) == self.count


def _totals(line: str) -> tuple[int, int, int, int]:
    found = _TOTALS.match(line)
    if found is None:
        return 0, 0, 0, 0
    passed, failed, ignored, measured = (integer(each) for each in found.groups())
    return passed, failed, ignored, measured


def _bare(name: str) -> str:
    """A test's name without what kind of test it is."""
    for kind in _KINDS:
        if name.endswith(kind):
            return name.removesuffix(kind)
    return name


def _verdict(number: int, line: str, rest: str) -> TestResult | None:
    if rest in WORDS:
        return TestResult(WORDS[rest], number, line[:_RAW])
    if (timed := _TIMED.match(rest)) is not None:
        return TestResult(WORDS[timed[1]], number, line[:_RAW], decimal(timed[2]))
    if rest.startswith(("ignored, ", "bench: ")) and (found := _VERDICT.match(rest)) is not None:
        return TestResult(WORDS.get(found[1], Status.PASSED), number, line[:_RAW])
    return None
