"""bats' output: TAP where it does not write to a terminal, its pretty form where it does.

A test may write between the verdicts (through file descriptor 3). In TAP a verdict is believed
whose number the plan has and no other verdict has. In the pretty form it is believed on the line
on which the test began, under the name with which it began.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.shell import bats_lines as grammar
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import plain
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 200
_SHORT = "# bats warning: Executed "
_FIXTURE = "setup_file failed"  # bats 1.2 to 1.4 give it the number 1
_BAD = (Status.FAILED, Status.ERROR)


@dataclass(slots=True)
class _Run:
    """One run's TAP: its plan and the verdicts by number."""

    plan: int
    line: int
    verdicts: list[tuple[grammar.Verdict, TestResult]] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    short: bool = False

    @property
    def complete(self) -> bool:
        """All planned tests have a verdict, or bats says that some have none."""
        return self.short or sum(map(self.believes, self.numbers)) >= self.plan

    def believes(self, number: int) -> bool:
        """The plan has this number, and one verdict alone has it. bats 1.1 skips a number between
        files, so that the last ones are beyond the plan."""
        if self.numbers.get(number, 0) > 1:
            return False
        if number > self.plan:
            return number - 1 in self.numbers and len(self.numbers) <= self.plan
        return number > 0


class BatsReader:
    """All runs of a log; `complete` if each came to its end."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run: _Run | None = None
        self.closed = 0
        self.cut = False
        self.begun: dict[str, TestResult] = {}
        self.pretty: list[tuple[str, TestResult]] = []
        self.bad = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line, escapes and carriage returns included."""
        if grammar.HOME in line:
            self._pretty(number, line)
            return
        first = line[:1]
        if first == "\x1b":
            line = plain(line)
            first = line[:1]
        elif first not in "on1#23456789" and "\r" not in line:
            return
        for piece in line.removesuffix("\r").split("\r") if "\r" in line else (line,):
            self._piece(number, piece)

    def _piece(self, number: int, line: str) -> None:
        first = line[:1]
        if first in ("o", "n"):
            if self.run is not None and (found := grammar.test(plain(line))) is not None:
                self.run.verdicts.append((found, TestResult(found.status, number, line[:_RAW])))
                if found.name != _FIXTURE:
                    seen = self.run.numbers.get(found.number, 0)
                    self.run.numbers[found.number] = seen + 1
        elif first == "#":
            if self.run is not None and line.startswith(_SHORT):
                self.run.short = True
        elif first == "1" and (planned := grammar.plan(line)) is not None:
            self._close()
            self.run = _Run(planned, number)
        elif self.pretty and (totals := grammar.totals(line)) is not None:
            self._totals(number, *totals)

    def finish(self) -> Parsed:
        """The end of the log."""
        self._close()
        if self.pretty or self.begun:
            self.cut = True
            self.warnings.append("the last run has no totals")
            self._merge_pretty()
        return Parsed(self.results, bool(self.closed) and not self.cut, tuple(self.warnings))

    def _close(self) -> None:
        """The run's TAP ends here."""
        run, self.run = self.run, None
        if run is None:
            return
        if run.complete:
            self.closed += 1
        else:
            self.cut = True
            self.warnings.append(f"the run that begins at line {run.line} has no end")
        believed = []
        for found, result in run.verdicts:
            alone = run.believes(found.number)
            if not alone and found.name != _FIXTURE:
                self.warnings.append(f"line {result.line}: a test out of sequence")
            if alone or found.status in _BAD:
                believed.append((found, result, grammar.timed(found.name)))
        timing = all(timed or found.name == _FIXTURE for found, _, timed in believed)
        for found, result, timed in believed:
            name, duration = timed if timing and timed else (found.name, None)
            known = TestResult(result.status, result.line, result.raw, duration=duration)
            note(self.results, name or str(found.number), known)

    def _pretty(self, number: int, line: str) -> None:
        for piece in line.split(grammar.HOME)[1:]:
            name = grammar.begun(piece)
            if name is not None:
                raw = f"{name}: it began and has no verdict"
                self.begun[name] = TestResult(Status.ERROR, number, raw[:_RAW])
                continue
            name = next(reversed(self.begun), None)
            status = grammar.ended(piece, name) if name is not None else None
            if name is not None and status is not None:
                del self.begun[name]
                self.pretty.append((name, TestResult(status, number, plain(piece)[:_RAW])))
                self.bad += status in _BAD

    def _totals(self, number: int, tests: int, failures: int) -> None:
        """Pretty: the last line of a run."""
        if len(self.pretty) > tests or self.bad > failures:
            return  # printed by a test
        if failures > self.bad:
            self.warnings.append(f"line {number}: {failures} tests failed, {self.bad} are shown")
        self.closed += 1
        self._merge_pretty()

    def _merge_pretty(self) -> None:
        for name, result in (*self.pretty, *self.begun.items()):
            note(self.results, name, result)
        self.pretty.clear()
        self.bad = 0
        self.begun.clear()


FRAMEWORK = Framework(
    name="bats",
    reader=BatsReader,
    names="the test's description, without its file, which TAP does not show",
    signs=r"(?:#| {2,3}) \((?:in test file|from function) |[\w./-]+\.bats$|# bats warning: ",
    begins=r" \w./\-#(",
    languages=("shell",),
    hosts=("tap",),
    raw=True,
)
