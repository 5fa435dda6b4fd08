"""The tests of one Go package as its test binary reports them, in text or as events.

Verbosely (`-v`, `-json`) a binary announces each test, `=== RUN`, before it tells its end, and no
top-level test begins while another runs that is not paused. Announcements and ends that break this
were printed by a test. Quietly it tells failures only, and passes are never believed.

A binary that ends as it should says `PASS` or `FAIL`. One that does not was killed, panicked or
called `os.Exit`: then the tests without an end, and those that the panic ended, are errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from velora.grading.parsers.tally import note, worse
from velora.grading.protocol import Status, TestResult

STATUSES = {"PASS": Status.PASSED, "FAIL": Status.FAILED, "SKIP": Status.SKIPPED}


def _within(name: str, test: str) -> bool:
    return name == test or name.startswith(test + "/")


@dataclass(slots=True)
class PackageTests:
    """What is known of a package until its closing line.

    Attributes:
        verbose: tests are announced; set by the first announcement where it is not known before.
        ended: the binary said `PASS` or `FAIL` and nothing of tests after it.
        open: announced tests without an end, and the line of their announcement.
        running: top-level tests that are neither ended nor paused.
        results: ends of announced tests.
        failures: ends that say FAIL, announced or not.
    """

    verbose: bool = False
    ended: bool = False
    open: dict[str, int] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    results: dict[str, TestResult] = field(default_factory=dict)
    failures: dict[str, TestResult] = field(default_factory=dict)
    chain: list[str] = field(default_factory=list)  # failures on lines that follow each other
    last_line: int = 0
    suspects: dict[str, int] = field(default_factory=dict)
    listing: int = 0  # the line that a time-out's list of running tests may follow
    unannounced: bool = False

    @property
    def empty(self) -> bool:
        """Nothing was told of any test."""
        return not (self.open or self.results or self.failures)

    def run(self, name: str, number: int) -> None:
        """A test is announced."""
        if name.startswith("Benchmark"):
            return  # its result is a measurement
        parent, slash, _ = name.partition("/")
        if slash:
            if parent not in self.open or name in self.open:
                return
        elif self.running:
            return
        else:
            self.running.add(name)
        self.verbose = True
        self.ended = False
        self.open[name] = number

    def pause(self, name: str) -> None:
        """A parallel test waits."""
        if name in self.open:
            self.running.discard(name)

    def resume(self, name: str) -> None:
        """A parallel test goes on."""
        if name in self.open and "/" not in name:
            self.running.add(name)

    def end(self, name: str, word: str, number: int, raw: str, duration: float | None) -> None:
        """A test's end: `PASS`, `FAIL` or `SKIP`."""
        status = STATUSES.get(word)
        if status is None:
            return
        result = TestResult(status, number, raw, duration)
        if name.startswith("Benchmark"):
            note(self.results, name, result)
        if status is Status.FAILED:
            note(self.failures, name, result)
            inner = self.chain[-1:] if self.last_line == number - 1 else []
            self.chain = [*self.chain, name] if inner and _within(inner[0], name) else [name]
            self.last_line = number
            if not self.running and name not in self.open and name not in self.results:
                self.unannounced = True
        if name in self.open:
            del self.open[name]
            self.running.discard(name)
            self.ended = False
            note(self.results, name, result)
        elif name in self.results and worse(status, self.results[name].status):
            self.results[name] = result  # what came before was printed by the test

    def panic(self, number: int, test: str = "") -> None:
        """A panic's first line. It ends `test`, or the test that failed on the line before."""
        if not test and self.last_line != number - 1:
            return
        ended = [name for name in self.chain if not test or _within(name, test)]
        for name in [*ended, test]:
            each = name
            while each:
                self.suspects[each] = number
                each = each.rpartition("/")[0]

    def timed_out(self, name: str, number: int) -> None:
        """A test that a time-out's panic lists as running."""
        self.suspects[name] = number

    def close(self, *, passed: bool) -> tuple[dict[str, TestResult], list[str]]:
        """The package's closing line came, or the log's end: its results and what is odd."""
        quiet = not self.verbose or self.unannounced or (self.ended and bool(self.running))
        results = dict(self.failures if quiet else self.results)
        odd: list[str] = []
        if passed:
            bad = [name for name, each in results.items() if each.status is Status.FAILED]
            if bad:
                odd.append(f"passed as a whole, but {bad[0]} failed")
        elif not self.ended:
            for name, number in self.suspects.items():
                note(results, name, TestResult(Status.ERROR, number, "panic"))
            if not quiet:
                self._in_flight(results)
        elif not quiet and not any(each.status is Status.FAILED for each in results.values()):
            odd.append("failed as a whole, but no test did")
        return results, odd

    def _in_flight(self, results: dict[str, TestResult]) -> None:
        for name, number in self.open.items():
            note(results, name, TestResult(Status.ERROR, number, "no end: the process ended"))
        if self.results and not any(
            each.status in (Status.FAILED, Status.ERROR) for each in results.values()
        ):
            name, last = next(reversed(self.results.items()))
            results[name] = TestResult(Status.ERROR, last.line, "the process ended after it")
