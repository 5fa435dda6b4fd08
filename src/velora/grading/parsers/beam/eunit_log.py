"""EUnit's terminal output (Erlang/OTP): with `verbose` a line for every test, else for failures.

A test's line begins with its name and `...`, and its verdict follows on the same line unless the
test printed something in between, which reaches the terminal a little later or earlier than that.
A verdict is certain right behind the name; a pass behind what was printed, or of a test that
appears while another has no verdict, stands only if the totals count exactly so many passes. Where
they count fewer than are certain, no pass of that run is believed.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 200
_FAR = 2000  # characters of a line within which a test's name ends
_HEADER = re.compile(r"=+ EUnit =+\Z")
_NAME = re.compile(r" *((?:[a-z][\w@]*|'[^']{1,200}'):(?:\d+:)? [^\s.(]+)(?= \(|\.\.\.)")
_VERDICT = re.compile(r"(?:\[(\d+\.\d+) s\] )?ok\Z|(\*failed\*|\*skipped\*|\*[a-z ]+\*)\Z")
_GLUED = re.compile(r"\*(?:failed|timed out|skipped)\*\Z")
_GENERATOR = re.compile(r" *\*\*\* test generator (\S+) failed \*\*\*\Z")
_PASSED = re.compile(r"  (?:(?:All )?(\d+) tests|(Test)) passed\.\Z")
_COUNTS = re.compile(r"  Failed: (\d+)\.  Skipped: (\d+)\.  Passed: (\d+)\.\Z")
_NONE = "  There were no tests to run."
_CANCELLED = "One or more tests were cancelled."
_WORDS = {"*failed*": Status.FAILED, "*skipped*": Status.SKIPPED}


def test(line: str) -> tuple[str, str] | None:
    """A test's name, as printed, and what follows behind its dots."""
    found = _NAME.match(line)
    if found is None:
        return None
    end = found.end()
    if line.startswith(" (", end):
        closing = line.find(")...", end, end + _FAR)
        if closing < 0:
            return None
        end = closing + 1
    return line[found.start(1) : end], line[end + 3 :]


class _Run:
    """What is shown of one run until its totals."""

    def __init__(self) -> None:
        self.verbose = False
        self.certain: dict[str, TestResult] = {}
        self.passes = 0
        self.doubtful: list[tuple[str, TestResult]] = []
        self.begun: tuple[str, int] | None = None
        self.maybe: TestResult | None = None


class EunitReader:
    """All runs of a log; `complete` if each came to its end."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run = _Run()
        self.ruled = 0
        self.closed = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line[:4] == "====":
            if _HEADER.match(line):
                self._begin()
            else:
                self.ruled = number
        elif line.startswith("  ") and line[-1:] == "." and (count := _passes(line)) is not None:
            if not self.run.verbose or self.ruled == number - 1:
                self._close(number, count)
        elif "..." in line and (found := test(line)) is not None:
            self._test(number, line, *found)
        elif self.run.begun is not None and line.endswith(("ok", "*")):
            self._glued(number, line, *self.run.begun)
        elif line == _CANCELLED:
            self.warnings.append(f"line {number}: {_CANCELLED[:-1].lower()}")
        elif "*** test gen" in line and (generator := _GENERATOR.match(line)) is not None:
            known = TestResult(Status.ERROR, number, line.strip()[:_RAW])
            note(self.run.certain, generator[1], known)

    def finish(self) -> Parsed:
        """The end of the log."""
        cut = self.run.verbose or bool(self.run.certain or self.run.begun)
        if cut:
            self._abandon()
        return Parsed(self.results, self.closed > 0 and not cut, tuple(self.warnings))

    def _begin(self) -> None:
        if self.run.verbose:
            self._abandon()
        self.run.verbose = True

    def _abandon(self) -> None:
        self.warnings.append("the last run has no totals")
        if self.run.begun is not None:
            name, line = self.run.begun
            raw = f"{name}: it began and has no verdict"[:_RAW]
            note(self.run.certain, name, TestResult(Status.ERROR, line, raw))
        self._merge(passes=True)

    def _test(self, number: int, line: str, name: str, rest: str) -> None:
        run = self.run
        if run.begun is not None and run.maybe is not None:
            run.doubtful.append((run.begun[0], run.maybe))
            run.begun = run.maybe = None
        found = _VERDICT.match(rest)
        if found is None:
            # Where nothing follows, the verdict of the test before was not recognised.
            if run.begun is None or (run.verbose and not rest):
                run.begun, run.maybe = (name, number), None
                if rest.endswith(("ok", "*")):
                    self._glued(number, line, name, number)
            return
        status = _WORDS.get(found[2], Status.ERROR) if found[2] else Status.PASSED
        seconds = decimal(found[1]) if found[1] else None
        known = TestResult(status, number, line.strip()[:_RAW], duration=seconds)
        if status is not Status.PASSED:
            note(run.certain, name, known)
        elif run.begun is not None:
            run.doubtful.append((name, known))
        elif run.verbose:
            run.passes += 1
            note(run.certain, name, known)
        if run.begun is not None and run.begun[0] == name:
            run.begun = None

    def _glued(self, number: int, line: str, name: str, _: int) -> None:
        bad = _GLUED.search(line[-20:])
        if bad is not None:
            status = _WORDS.get(bad[0], Status.ERROR)
            note(self.run.certain, name, TestResult(status, number, line[-_RAW:]))
            self.run.begun = self.run.maybe = None
        elif self.run.verbose and line.endswith("ok"):
            self.run.maybe = TestResult(Status.PASSED, number, line[-_RAW:])

    def _close(self, number: int, count: int) -> None:
        """The totals of a run."""
        run = self.run
        if run.begun is not None and run.maybe is not None:
            run.doubtful.append((run.begun[0], run.maybe))
            run.begun = None
        if run.verbose and run.passes + len(run.doubtful) == count:
            for name, result in run.doubtful:
                note(run.certain, name, result)
        elif run.verbose and run.passes != count:
            seen = f"{run.passes} are shown, {len(run.doubtful)} more behind other output"
            self.warnings.append(f"line {number}: {count} tests passed, {seen}")
        if run.begun is not None:
            name, line = run.begun
            raw = f"{name}: it began and has no verdict"[:_RAW]
            note(run.certain, name, TestResult(Status.ERROR, line, raw))
        self._merge(passes=run.passes <= count)
        self.closed += 1

    def _merge(self, *, passes: bool) -> None:
        run, self.run = self.run, _Run()
        good = Status.PASSED
        merge(
            self.results,
            {name: each for name, each in run.certain.items() if passes or each.status is not good},
        )


def _passes(line: str) -> int | None:
    """How many tests passed, in the totals of a run."""
    if line == _NONE:
        return 0
    if (counts := _COUNTS.match(line)) is not None:
        return integer(counts[3])
    if (passed := _PASSED.match(line)) is not None:
        return integer(passed[1]) if passed[1] else 1
    return None


FRAMEWORK = Framework(
    name="eunit",
    reader=EunitReader,
    names="as printed: `module: adds_test`, `module:16: -a_test_/0-fun-1- (title)`",
    signs=r"=+ EUnit =+$"
    r"| *[a-z][\w@]*:(?:\d+:)? [^\s.(]+(?: \(.*\))?\.\.\.\*(?:failed|timed out)\*$"
    r"|  Failed: \d+\.  Skipped: \d+\.  Passed: \d+\.$",
    begins=" a-z=F",
    languages=("erlang",),
)
