"""Reads TAP, the Test Anything Protocol, 12 to 14, from any producer.

A stream is believed by its numbers: points count up from 1, and the plan `1..N` says how many
there are. A point out of this order was printed by a test. Where two points bear one number in
turn, nobody can say which is printed, and neither passes. Sub-tests stand four blanks deeper,
before the point of the test that they belong to, and have a plan of their own; without one they
are output. YAML blocks (`---` right below a point to `...`) and comments give no results. Points
without a version line or a plan are no TAP.

Points without numbers are believed in streams that have no others. A stream with less points than
planned is incomplete; points beyond the plan do not pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.generic import tap_lines as grammar
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, Status, TestResult

JOIN = " > "
_RAW = 500  # characters of a line kept as evidence
_DEEPEST = 20  # levels of sub-tests
_GOOD = frozenset({Status.PASSED, Status.XPASS})


@dataclass(slots=True)
class _Entry:
    """A point, with the part of its name that is known so far."""

    name: str
    result: TestResult
    number: int | None = None
    below: list[_Entry] = field(default_factory=list)

    def doubt(self) -> None:
        """Its number is another point's, too: a pass proves nothing."""
        if self.result.status in _GOOD:
            self.name = ""
            self.below = []


@dataclass(slots=True)
class _Level:
    """The points of a stream or of one test's sub-tests."""

    entries: list[_Entry] = field(default_factory=list)
    next: int = 1
    numbered: bool = False
    held: _Entry | None = None  # its number comes too early
    plan: int | None = None
    warnings: list[str] = field(default_factory=list)
    braced: int = -1

    @property
    def ended(self) -> bool:
        """All that was planned has come."""
        return self.plan is not None and self.next > self.plan

    def add(self, entry: _Entry) -> None:
        """Take the next point."""
        number, line = entry.number, entry.result.line
        if number is None and self.numbered:
            return  # output
        if number is not None and not self.numbered:
            self.numbered, self.next = True, 1
            self.entries = []
        if number is None or number == self.next:
            if self.held is not None:
                self._reject(self.held)
            self._accept(entry)
        elif number == self.next - 1 and self.entries:
            self.warnings.append(f"line {line}: two points have the number {number}")
            self.entries[-1].doubt()
            entry.doubt()
            self.entries.append(entry)
        elif number < self.next:
            self._reject(entry)
        elif self.held is not None and self.held.number == number - 1:
            self._jump(self.held)
            self._accept(entry)
        else:
            if self.held is not None:
                self._reject(self.held)
            self.held = entry

    def close(self) -> list[_Entry]:
        """No more points come."""
        held = self.held
        if held is not None:
            if held.number == self.plan:
                self._jump(held)
            else:
                self._reject(held)
        if self.plan is not None:
            for entry in self.entries:
                if entry.number is not None and entry.number > self.plan:
                    entry.doubt()
        return [entry for entry in self.entries if entry.name]

    def _accept(self, entry: _Entry) -> None:
        self.entries.append(entry)
        self.next += 1
        self.held = None

    def _jump(self, held: _Entry) -> None:
        assert held.number is not None
        self.warnings.append(f"line {held.result.line}: points {self.next} ff. are missing")
        self.next = held.number
        self._accept(held)

    def _reject(self, entry: _Entry) -> None:
        self.warnings.append(f"line {entry.result.line}: point {entry.number} is out of order")
        self.held = None


class TapReader:
    """All streams of a log; `complete` if each has as many points as it planned.

    Args:
        titles: a comment names the test that the points after it belong to, as tape writes it.
        todo_ok: the status of a test that passes and is marked TODO.
    """

    def __init__(self, *, titles: bool = False, todo_ok: Status = Status.XPASS) -> None:
        self.titles = titles
        self.todo_ok = todo_ok
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.levels = [_Level()]
        self.title = ""
        self.versioned = False
        self.announced = 0  # the line of a `TAP version` that may begin a new stream
        self.last: _Entry | None = None
        self.depth = 0
        self.yaml = ""
        self.streams = 0
        self.cut = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.yaml:
            self._yaml_line(line)
            return
        text = line
        if line[:1] == " ":
            text = line.lstrip(" ")
            if text.startswith("---"):
                if self.last is not None and len(line) - len(text) == 4 * self.depth + 2:
                    self.yaml = line[: len(line) - len(text)]
                return
        last, self.last = self.last, None
        first = text[:1]
        if not first:
            self.last = last
        elif first in "on":
            if text.startswith(("ok", "not ok")):
                self._point(number, line, text)
        elif first == "1":
            if text.startswith("1.."):
                self._plan(line, text)
        elif first == "#":
            if self.titles and text is line:
                self._comment(line)
        elif first == "}" and text.rstrip() == "}":
            self._brace(len(line) - len(text))
        elif first == "B" and text.startswith("Bail out!"):
            self.warnings.append(f"line {number}: {line[:_RAW]}")
            self.versioned = self.cut = True
        elif first == "T" and text is line and text.startswith("TAP version "):
            self._version(number)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.levels[0].entries or self.levels[0].held or len(self.levels) > 1:
            self._end()
        elif self.levels[0].plan == 0:
            self.streams += 1
        return Parsed(self.results, bool(self.streams) and not self.cut, tuple(self.warnings))

    def _yaml_line(self, line: str) -> None:
        if line.startswith(self.yaml):
            inner = line[len(self.yaml) :].rstrip()
            if inner == "...":
                self.yaml, self.last = "", None
            elif self.last is not None and (time := grammar.yaml_time(inner)) is not None:
                self.last.result = self.last.result._replace(duration=time)

    def _point(self, number: int, line: str, text: str) -> None:
        depth, odd = divmod(len(line) - len(text), 4)
        if odd or depth > _DEEPEST:
            return
        point = grammar.point(text, self.todo_ok)
        if point is None:
            return
        if depth == 0:
            if point.number is None and not point.printed and self.levels[0].ended:
                return  # prove's own verdict
            self._begin(point.number)
        while len(self.levels) <= depth:
            self.levels.append(_Level())
        level = self.levels[depth]
        name = point.title or f"test {point.number or level.next}"
        if self.titles and depth == 0 and self.title:
            name = self.title + JOIN + name
        result = TestResult(point.status, number, line[:_RAW], point.duration)
        entry = _Entry(name, result, point.number)
        entry.below = self._sub_tests(depth)
        if level.braced < 0 and point.opens:
            level.braced = len(level.entries)
        level.add(entry)
        self.last, self.depth = entry, depth

    def _sub_tests(self, depth: int) -> list[_Entry]:
        """The points that stand deeper and belong to the one at `depth`, if they have a plan."""
        below: list[_Entry] = []
        while len(self.levels) > depth + 1:
            level = self.levels.pop()
            if level.plan is None:
                if level.entries:
                    line = level.entries[0].result.line
                    self.warnings.append(f"line {line}: points without a plan are output")
                continue
            found = level.close()
            self.warnings += level.warnings
            if below:
                line = below[0].result.line
                self.warnings.append(f"line {line}: sub-tests whose test has no point")
            below = found
        return below

    def _plan(self, line: str, text: str) -> None:
        depth, odd = divmod(len(line) - len(text), 4)
        planned = grammar.plan(text)
        if planned is None or odd or depth > _DEEPEST:
            return
        if depth == 0:
            level = self.levels[0]
            if level.ended and level.entries:
                self._end()
            self.levels[0].plan = planned
            return
        while len(self.levels) <= depth:
            self.levels.append(_Level())
        self.levels[depth].plan = planned

    def _brace(self, indent: int) -> None:
        """The end of sub-tests that follow their test's point."""
        depth = indent // 4
        if depth < len(self.levels) and self.levels[depth].braced >= 0:
            level = self.levels[depth]
            if level.entries:
                level.entries[-1].below = self._sub_tests(depth)
            level.braced = -1

    def _comment(self, line: str) -> None:
        text = line[2:]
        if text and not text.startswith(("tests ", "pass ", "fail ", "skip ")):
            self.title = text

    def _version(self, number: int) -> None:
        self.versioned = True
        level = self.levels[0]
        if level.ended:
            self._end()
        elif level.entries:
            self.announced = number

    def _begin(self, number: int | None) -> None:
        """A point of a stream comes: it may be the first of a new one."""
        level = self.levels[0]
        if number == 1 and level.next > 1 and (level.ended or self.announced):
            self._end()
        elif number == level.next:
            self.announced = 0

    def _end(self) -> None:
        """A stream has ended."""
        if self.levels[0].plan is None and not self.versioned:
            self.levels = [_Level()]  # somebody's output
            return
        below = self._sub_tests(0)
        level = self.levels[0]
        if below:
            self.warnings.append(f"line {below[0].result.line}: sub-tests whose test has no point")
        for entry in level.close():
            self._note("", entry)
        self.warnings += level.warnings
        line = level.entries[-1].result.line if level.entries else 1
        seen = level.next - 1
        if level.plan is None or seen != level.plan or below:
            planned = "nothing is" if level.plan is None else f"{level.plan} points are"
            self.warnings.append(f"line {line}: {planned} planned, {seen} came")
            self.cut = self.cut or level.plan is None or seen < level.plan
        self.streams += 1
        self.levels = [_Level()]
        self.title, self.announced = "", 0

    def _note(self, outer: str, entry: _Entry) -> None:
        name = outer + entry.name
        for below in entry.below:
            self._note(name + JOIN, below)
        note(self.results, name, entry.result)


FRAMEWORK = Framework(
    name="tap",
    reader=TapReader,
    names="the description, sub-tests after their test's: `outer > inner`",
    signs=r"TAP version \d+$|Bail out!|1\.\.\d+\s*(?:#|$)",
    begins="TB1",
)
