"""Reads the output of unittest's text runner, Python 3.6 to 3.14, best with `-v`, and of the
runners that print alike: Django's, nose2 and nose.

A run first lists its tests: `method (module.Class) ... ` (from 3.11 on
`method (module.Class.method) ... `; a docstring stands on a line of its own), then whatever the
test writes, then the verdict. After the list come blocks that name every failure and error, and
the totals. The list shares the stream with the tests' own output, so a printed `ok` proves
nothing by itself: a name is passed only if no block names it; a verdict that is glued to other
output is believed only in a run whose blocks are as many as its totals say; and where the list is
longer than the run, tests that began within another's output are not believed. Failed sub-tests
leave no verdict for their parent up to 3.10 and indented lines from 3.11 on.

Names are `module.Class.method`; class and module fixtures keep their form,
`setUpClass (module.Class)`. Without `-v` only failures have names, and lines that look like a
list are not believed.

A run within a test of another is that test's output if the outer one comes to its end, and the
next command after a crash if not.
"""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.python import unittest_lines as lines
from velora.grading.parsers.python.nose_lines import NoseGrammar
from velora.grading.parsers.python.unittest_run import RAW, Run, Test
from velora.grading.parsers.tally import merge, note
from velora.grading.protocol import Parsed, Status, TestResult

_ECHO = ("Stdout:", "Stderr:")
_DURATIONS = "Slowest test durations"

_SKIPS = ("skipped", "SKIP")
_ENDS = frozenset(["", *"kLRes'\"):-="])
"""Last characters of all lines that say anything, those apart that hold ` ...`: verdicts, test
names, rules, totals, `Stdout:`."""

_BEGINS = frozenset(["", *"oFEeusSR-="])
"""First characters of the same lines where they do not end with `)`."""


class UnittestReader:
    """All runs of a log; `complete` if each one came to its end."""

    grammar: lines.Grammar = lines.Grammar()

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run = Run()
        self.listing = True
        self.echo = False
        self.timing = False
        self.before = ""
        self.heading: list[tuple[int, str]] = []
        self.ran: int | None = None
        self.complete = False
        self.test: Test | None = None
        """The test whose output every line is that says nothing; None where that is not so."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        test = self.test
        if (
            test is not None
            and ((end := line[-1:]) not in _ENDS or (end != ")" and line[:1] not in _BEGINS))
            and " ..." not in line
        ):
            self.run.last = line
            if test.open:
                test.tail = line[-RAW:]
            return
        self._take(number, line)

    def _take(self, number: int, line: str) -> None:
        """A line that may say something."""
        self._read(number, line)
        tests = self.run.tests
        quiet = self.ran is None and self.listing and not (self.heading or self.timing)
        before = self.before
        if quiet and tests and tests[-1].described and not (before and _named(before)):
            self.test = tests[-1]
        else:
            self.test = None

    def _read(self, number: int, line: str) -> None:
        first = line[:1]
        if (self.heading or first == "=") and self._block(number, line):
            return
        if first == "R" and (ran := lines.ran(line)) is not None:
            self.ran = ran
        elif (
            self.ran is not None
            and first in ("O", "F", "N")
            and (totals := lines.totals(line)) is not None
        ):
            self._close(number, self.ran, totals)
        elif first == "S" and line == _DURATIONS:
            self.timing, self.listing = True, False
        elif self.timing:
            if (taken := lines.taken(line)) is not None:
                self.run.durations[taken[0]] = taken[1]
        elif self.listing:
            self._list(number, line)
        elif line in _ECHO:
            self.echo = True
        elif self.echo and line.endswith(("ok", ")", "...", "... ")):
            self.run.echoes.update(start.name for start in self.grammar.starts(line, ""))

    def finish(self) -> Parsed:
        """The end of the log."""
        run = self.run
        tests = run.tests
        if run.failures or any(test.name not in self.results for test in tests):
            self.warnings.append("the last run has no totals: it was cut off")
            for test in tests:
                if test.result is None:
                    test.decide(Status.ERROR, test.line, "no verdict: the run was cut off")
            if tests and self.listing and tests[-1].bad is None:
                what = "what came after its verdict did not finish: the run was cut off"
                tests[-1].decide(Status.ERROR, tests[-1].line, what)
            # Behind another run's totals these lines may be what its tests printed.
            passes = Status.PASSED if self.complete and not run.resumed else None
            shown = run.results(tests).items()
            merge(self.results, {n: r for n, r in shown if r.status is not passes})
            self.complete = False
        elif tests:
            self.warnings.append("lines after the totals look like tests")
        merge(self.results, run.guests)
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _block(self, number: int, line: str) -> bool:
        """`=====`, `FAIL: name`, perhaps a docstring, `-----`: the head of a failure's block."""
        if lines.is_double_rule(line):
            self.heading = [(number, line)]
            return False
        if not self.heading:
            return False
        self.heading.append((number, line))
        texts = [text for _, text in self.heading[1:]]
        if len(texts) == 1:
            if self.grammar.block(texts) is None:
                self.heading = []
            return False
        if not lines.is_rule(line):
            if len(texts) > self.grammar.heading:
                self.heading = []
            return False
        number, head = self.heading[1]
        self.heading = []
        found = self.grammar.block(texts[:-1])
        if found is None:
            return False
        status = Status.FAILED if found.kind == "FAIL" else Status.ERROR
        self.run.blocks[found.kind] += 1
        if not found.name or lines.is_fixture(found.name):
            self.run.fixtures += 1
        if found.name:
            note(self.run.failures, found.name, TestResult(status, number, head[:RAW]))
        if found.sub:
            self.run.subs.add(found.name)
        self.listing = self.echo = False
        return True

    def _list(self, number: int, line: str) -> None:
        """A line of the list: a test's name, its output, its verdict."""
        tests = self.run.tests
        rest = line
        last = line[-1:]
        before, now = self.before, ""
        if self.grammar.numbered:
            self.before = line
            before, now = _numbered(before), _numbered(line)
        if tests and not tests[-1].described and lines.direct_start(line) is None:
            test = tests[-1]
            if test.closing and lines.GAP not in line:
                test.closing -= 1
                return
            test.described = True
            after = self.grammar.described(line)
            if after is None:
                tests.pop()  # it only looked like the first of two lines
            else:
                rest = after
        elif last == ")" or " ..." in line or before or now:
            started = self.grammar.starts(line, before)
            if started and tests and not tests[-1].described:
                tests.pop()
            for start in started:
                self._start(number, start)
            if started:
                rest = started[-1].rest
        if line and not lines.is_rule(line):
            self.run.last = line
        elif line == "" or not tests:
            return
        if line in _ECHO:
            self.echo = True
        elif tests and tests[-1].described:
            self._output(number, line, rest)

    def _start(self, number: int, start: lines.Start) -> None:
        tests = self.run.tests
        before = tests[-1] if tests else None
        test = Test(start.name, number, start.described, start.closing, start.twice)
        test.echoed = self.echo
        if before is not None:
            test.nested = before.result is None and not before.tail
            if before.stray and _owner(before.name) == _owner(start.name):
                before.keep_stray()
        tests.append(test)

    def _output(self, number: int, line: str, rest: str) -> None:
        """What the last test of the list printed, or its verdict."""
        test = self.run.tests[-1]
        sub = self.grammar.subtest(line) if line[:2] == "  " else None
        status = sub[1] if sub and sub[0] == test.name else self.grammar.verdict(rest)
        if status is Status.SKIPPED and rest is line and test.good and test.stray is None:
            # Up to 3.10 a class that skips itself has no name.
            test.stray = TestResult(status, number, line[-RAW:])
        elif status is not None:
            test.decide(status, number, line)
        elif line[0] in "-=" and (lines.is_rule(line) or lines.is_double_rule(line)):
            test.open = False
        elif rest and test.open:
            test.tail = rest[-RAW:]

    def _close(self, number: int, ran: int, totals: dict[str, int]) -> None:
        """The totals of a run."""
        run = self.run
        results, warnings, rest = run.close(number, ran, totals, self.grammar)
        self.run = Run(rest)
        if rest:
            self.run.work = run.work
            self.run.guests, self.run.resumed = run.guests, True
            merge(self.run.guests, results)
        else:
            merge(self.results, results)
        self.warnings += warnings
        self.complete = True
        self.listing = True
        self.echo = self.timing = False
        self.ran = None
        self.before = ""


def _numbered(line: str) -> str:
    """The line, if it may be a name with a number."""
    return line if ":" in line and line[-1:].isdigit() else ""


def _named(line: str) -> bool:
    """The next line may be the rest of this one's name."""
    return " " not in line and _numbered(line) != ""


def _owner(name: str) -> str:
    return name.rpartition(".")[0]


class NoseReader(UnittestReader):
    """The same for nose and nose2."""

    grammar = NoseGrammar()

    def feed(self, number: int, line: str) -> None:
        """Take the next line. Numbered names have no blanks, and those of functions' classes are
        the only other ones that need neither a `)` at the end nor ` ...`."""
        test = self.test
        if (
            test is not None
            and ((end := line[-1:]) not in _ENDS or (end != ")" and line[:1] not in _BEGINS))
            and " " in line
            and " ..." not in line
            and "<" not in line
            and (line[0] not in "sS" or not line.startswith(_SKIPS))
        ):
            self.run.last = self.before = line
            if test.open:
                test.tail = line[-RAW:]
            return
        self._take(number, line)


_SIGNS = r"Ran \d+ tests? in [\d.]+s$|\w+ \([\w.<>]+\)(?: \.\.\. .*| \.\.\.)?$"

FRAMEWORK = Framework(
    name="unittest",
    reader=UnittestReader,
    names="`module.Class.test_method`",
    signs=_SIGNS,
    begins=r"\w",
    languages=("python",),
)

DJANGO = Framework(
    name="django",
    reader=UnittestReader,
    names="`module.Class.test_method`",
    languages=("python",),
)
"""Its runner prints unittest's lines, so `auto` says unittest."""

NOSE = Framework(
    name="nose",
    reader=NoseReader,
    names="`module.Class.test_method`, `module.function`, `module.generator(1, 'a')`",
    languages=("python",),
)
"""Its lines are nose2's, so `auto` says nose2."""

NOSE2 = Framework(
    name="nose2",
    reader=NoseReader,
    names="`module.Class.test_method`, `module.function`, `module.function:2`",
    signs=r"[^\W\d]\w*(?:\.\w+)+(?::\d+)?(?:\.<locals>\.C \(\w+\))? \.\.\. "
    r"(?:ok|FAIL|ERROR|SKIP|skipped)(?:$|[ :])",
    begins=r"^\W\d",
    hosts=("unittest",),
    languages=("python",),
)
