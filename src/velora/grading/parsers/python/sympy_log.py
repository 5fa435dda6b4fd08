"""Reads the output of SymPy's own runner (`bin/test`, `sympy.test()` up to 1.12), best with
`verbose=True`.

Each file opens a block, `path.py[12] ` with the number of its tests, and closes it with `[OK]` or
`[FAIL]` at the right edge. In verbose output each test of a block has a line, `test_name `, then
what it prints, then its verdict: `ok`, `F`, `E`, `f` (expected failure), `X` (unexpected success),
or a reason and `s`, `w` or `K` (skipped). Behind the blocks come sections for tests that fail or
pass unexpectedly, and the totals. Sections and totals are believed outside of blocks alone; where
a block names more tests than it has, those that may be a test's own output are not believed to
have passed. New versions of SymPy run pytest, whose parser reads them.

Names are `path.py:test_name`, as the sections have them. Without verbose output only these are
named.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import merge, note
from velora.grading.protocol import Parsed, Status, TestResult

_LONGEST = 4096
_RAW = 500
_RECENT = 4  # tests that may be behind a verdict too many
_VERDICTS = {
    "ok": Status.PASSED,
    "F": Status.FAILED,
    "E": Status.ERROR,
    "T": Status.ERROR,
    "f": Status.XFAIL,
    "X": Status.XPASS,
}
_SKIPS = (" s", " w", " K", " T")
_FILE = re.compile(r"(\S+\.py)\[(\d+|\?)\] ?(.*)\Z")
_START = re.compile(r"(test\w*|<lambda>) (.*)\Z")
_COUNT = re.compile(
    r"(\d+) (passed|failed|skipped|expected to fail but passed|expected to fail|exceptions)"
)


@dataclass(slots=True)
class _Block:
    """A file's tests. `unsure` ones may be printed by a test; of those `guessed` the verdict was
    glued to output; each `surplus` has the tests before a verdict that belongs to none."""

    path: str
    line: int
    size: int
    tests: dict[str, TestResult] = field(default_factory=dict)
    pending: str = ""
    pending_line: int = 0
    glued: TestResult | None = None
    last: str = ""
    unsure: set[str] = field(default_factory=set)
    guessed: set[str] = field(default_factory=set)
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))
    surplus: list[tuple[str, ...]] = field(default_factory=list)

    def feed(self, number: int, line: str) -> None:
        """Take a line, without the mark at the right edge."""
        started = _START.match(line) if line.startswith(("test", "<lambda> ")) else None
        if started is None:
            self._output(number, line)
            return
        name, rest = started[1], started[2].rstrip(" ")
        if self.pending and name != self.pending:
            if self.glued is None:
                self.unsure.add(name)
                if rest:
                    self._end(name, _verdict(rest), number, line)
                    return
            self._settle()
        status = _verdict(rest)
        if status is None:
            self.pending, self.pending_line, self.glued = name, number, None
            self._output(number, rest)
        else:
            self._end(name, status, number, line)

    def close(self) -> None:
        """No more lines; passes of a block with too many names are checked."""
        self._settle()
        excess = len(self.tests) - self.size
        if excess > 0:
            for names in self.surplus:
                self.unsure.update(names[-excess:])
            self._drop(self.unsure)
        if len(self.tests) > self.size:
            self._drop(self.guessed)

    def _drop(self, names: set[str]) -> None:
        for name in names:
            if name in self.tests and self.tests[name].status is Status.PASSED:
                del self.tests[name]

    def crash(self) -> None:
        """The log ends within the block."""
        name = self.pending or self.last
        line = self.pending_line if self.pending else self.line
        self.pending = ""
        self.close()
        if name:
            note(self.tests, name, TestResult(Status.ERROR, line, "the run was cut off"))

    def _output(self, number: int, line: str) -> None:
        status = _VERDICTS.get(line) or (Status.SKIPPED if line in ("s", "w", "K") else None)
        if status is not None and self.pending:
            self._end(self.pending, status, number, line)
            self.pending, self.glued = "", None
        elif status is not None:
            names = tuple(self.recent)
            if not self.surplus or self.surplus[-1] != names:
                self.surplus.append(names)
        elif self.pending and line.endswith("ok"):
            self.glued = TestResult(Status.PASSED, number, line[-_RAW:])

    def _end(self, name: str, status: Status | None, number: int, line: str) -> None:
        if status is None or name == "<lambda>":
            return
        note(self.tests, name, TestResult(status, number, line[:_RAW]))
        self.last = name
        self.recent.append(name)

    def _settle(self) -> None:
        if self.pending and self.glued is not None:
            self.guessed.add(self.pending)
            note(self.tests, self.pending, self.glued)
        self.pending, self.glued = "", None


class SympyReader:
    """All runs of a log; `complete` if each one came to its end."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.closed = 0
        self.cut = False
        self.running = 0
        self.quiet = False
        self.block: _Block | None = None
        self.run: dict[str, TestResult] = {}
        self.headings: list[tuple[str, TestResult]] = []
        self.ruled = False
        self.unexpected = False
        self.totals = ""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if len(line) > _LONGEST:
            line = line[: _LONGEST - 100] + line[-100:]
        if first == "=" and "test process starts" in line:
            self._abandon()
            self.running = number
        elif not self.running:
            return
        elif self.block is not None:
            shown = line.rstrip(" ")
            closed = shown.endswith(("[OK]", "[FAIL]"))
            if closed:
                shown = shown.removesuffix("[OK]").removesuffix("[FAIL]").rstrip(" ")
            self.block.feed(number, shown if closed else line)
            if closed:
                self._close_block()
        elif self.totals:
            self._total(number, f"{self.totals} {line}")
        elif ".py[" in line and (found := _FILE.match(line)):
            self._open(number, found[1], found[2], found[3].rstrip(" "))
        elif first == "_":
            self._section(number, line)
        elif self.unexpected and ": " in line:
            path, _, name = line.partition(": ")
            note(self.run, f"{path}:{name}", TestResult(Status.XPASS, number, line[:_RAW]))
        elif line.strip("= ").startswith("tests finished: "):
            self._total(number, line.strip("= "))

    def finish(self) -> Parsed:
        """The end of the log."""
        self._abandon()
        return Parsed(self.results, bool(self.closed) and not self.cut, tuple(self.warnings))

    def _open(self, number: int, path: str, size: str, rest: str) -> None:
        """A file's first line, which without verbose output is its last one too."""
        if size == "?":
            note(self.run, path, TestResult(Status.ERROR, number, f"{path}[?] {rest}"[:_RAW]))
            return
        self.quiet = self.quiet or bool(rest)
        if not rest.endswith(("[OK]", "[FAIL]")):
            self.block = _Block(path, number, int(size[:9]))

    def _close_block(self) -> None:
        block, self.block = self.block, None
        if block is not None and not self.quiet:
            block.close()
            merge(self.run, {f"{block.path}:{name}": each for name, each in block.tests.items()})

    def _section(self, number: int, line: str) -> None:
        """A rule, or the heading of a section or of a failure below a rule."""
        title = line.strip("_").strip(" ")
        ruled, self.ruled = self.ruled, not title
        self.unexpected = title == "xpassed tests"
        if ruled and title:
            path, _, name = title.partition(":")
            name = f"{path}:{name.removeprefix(':')}" if name else ""
            self.headings.append((name, TestResult(Status.FAILED, number, line[:_RAW])))

    def _total(self, number: int, text: str) -> None:
        """The totals, on one line or two."""
        if "second" not in text:
            self.totals = text if not self.totals else ""
            return
        counts: Counter[str] = Counter()
        for count, word in _COUNT.findall(text):
            counts[word] += int(count[:9])
        for at, (name, result) in enumerate(self.headings):
            if name:
                error = at < counts["exceptions"]
                status = Status.ERROR if error else Status.FAILED
                note(self.run, name, TestResult(status, result.line, result.raw))
        passed = sum(each.status is Status.PASSED for each in self.run.values())
        if passed > counts["passed"]:
            self.warnings.append(
                f"line {number}: SymPy counts {counts['passed']} passed, {passed} are listed"
            )
        if 2 * passed <= counts["passed"]:
            # Without verbose output there is no list: these lines were printed by tests.
            self.run = {n: r for n, r in self.run.items() if r.status is not Status.PASSED}
        self.closed += 1
        self._reset()

    def _abandon(self) -> None:
        """The open run has no totals."""
        if not self.running:
            return
        self.cut = True
        self.warnings.append(f"the run that begins at line {self.running} has no end")
        if self.block is not None:
            self.block.crash()
            self._close_block()
        merge(self.run, {name: result for name, result in self.headings if name})
        self._reset()

    def _reset(self) -> None:
        merge(self.results, self.run)
        self.run = {}
        self.headings = []
        self.running = 0
        self.ruled = self.unexpected = self.quiet = False
        self.totals = ""


def _verdict(text: str) -> Status | None:
    """What the rest of a test's line says, if it ends the test."""
    if text in _VERDICTS:
        return _VERDICTS[text]
    return Status.SKIPPED if text.endswith(_SKIPS) else None


FRAMEWORK = Framework(
    name="sympy",
    reader=SympyReader,
    names="`sympy/core/tests/test_basic.py:test_name`",
    signs=r"=+ (?:doc)?test process starts =+$",
    begins="=",
    languages=("python",),
)
