"""Reads the terminal output of Vitest: the reporters default, verbose, tree and dot.

A test's verdict is believed on a line one blank deep that names its file (`verbose`), or in the
lines under a file's line, which says how many passed and failed. Output of tests stands under a
heading, `stdout | file > test`, up to a blank line; what else a test writes may look like a
verdict, so the totals decide (see `settle`), which are the lines `Test Files` to `Duration`
together. A failure is named a second time, `FAIL  file > suite > test`, behind the rule that
begins the failures.

The default reporter names no passing test of a passing file, and that of Vitest 4 leaves out
the suites' titles, so only tests outside of suites have names there. A file or suite that fails
outside of its tests is an ERROR under its own name.
"""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.javascript import vitest_lines as grammar
from velora.grading.parsers.javascript.settle import RAW, Group, settle
from velora.grading.parsers.javascript.titles import JOIN, Stack
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, Status, TestResult

_TOTALS = ("Test Files  ", "Tests  ", "Type Errors  ", "Errors  ", "Start at  ", "Duration  ")
_AT_MOST = "passed at most"


class VitestReader:
    """All runs of a log; `complete` if the last one has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.groups: list[Group] = []
        self.flat: dict[str, Group] = {}
        self.failures: list[tuple[str, TestResult]] = []
        self.stack = Stack()
        self.header: grammar.File | None = None
        self.output = False
        self.failing = ""
        self.before = ""
        self.totals: dict[str, str] = {}
        self.closed = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.output:
            self.output = bool(line)
            return
        first = line[:1]
        if first == " ":
            self._indented(number, line)
        elif first == "⎯" and grammar.is_rule(line):
            words = line.strip("⎯ ").split(" ")
            if words[0] in ("Failed", "Unhandled"):
                self.failing = words[1]
        elif "stdout | " in line or "stderr | " in line:  # glued to dots
            self.output = True
        elif self.totals:
            self.totals = {}
        self.before = line

    def finish(self) -> Parsed:
        """The end of the log."""
        cut = bool(self.groups)
        if cut:
            self.warnings.append("the last run has no totals: it was cut off")
            self._check_files(self.groups)
            self._merge(self.groups)
        return Parsed(self.results, bool(self.closed) and not cut, tuple(self.warnings))

    def _indented(self, number: int, line: str) -> None:
        if line[1:2] in grammar.STATUSES:
            if not self.failing:
                self._line(number, line)
        elif line.startswith("   "):
            text = line.lstrip(" ")
            if text[:1] in grammar.STATUSES:
                if self.header is not None and not self.failing and text[1:2] == " ":
                    self._leaf(number, line, text)
            elif text.startswith(_TOTALS):
                self._total(number, text)
        elif line.startswith(" FAIL "):
            if self.failing and self._begins():
                self._failure(number, line)
        elif line.startswith(" Test Files  "):
            self.totals = {"Test Files": line}

    def _begins(self) -> bool:
        """A failure's heading stands behind a blank line, a rule or another heading."""
        return self.before in ("", " ") or self.before.startswith(("⎯", " FAIL "))

    def _line(self, number: int, line: str) -> None:
        """One blank deep: a file or, with its file, a test."""
        symbol, text = line[1], line[3:]
        header = grammar.file(text)
        if header is not None:
            self.header = header
            self.stack = Stack()
            group = Group(header.path)
            group.counts[_AT_MOST] = header.passed
            word = {"✓": "passed", "√": "passed", "❯": "failed", "×": "failed"}.get(symbol)
            if word:
                group.counts["files " + word] = 1
            self.groups.append(group)
            return
        self.header = None
        path, joined, _ = (name := grammar.unlabelled(text)).partition(JOIN)
        if not joined or "." not in path or symbol == "❯":
            return
        if path not in self.flat:
            self.flat[path] = Group(path)
            self.groups.append(self.flat[path])
        self._note(number, line, name, grammar.STATUSES[symbol], self.flat[path])

    def _leaf(self, number: int, line: str, text: str) -> None:
        """In the tree under a file: a suite or a test."""
        assert self.header is not None
        depth = (len(line) - len(text) - 3) // 2
        shown = text[2:]
        suite = grammar.suite(shown)
        if suite and text[0] in "✓❯↓√×":
            self.stack.enter(depth, suite)
            return
        if text[0] == "❯":  # Vitest 1: only failures, with their file
            if shown.startswith(self.header.path + JOIN):
                self._note(number, line, shown, Status.FAILED, self.groups[-1])
        elif depth <= len(self.stack.titles):
            path = self.header.path
            if not shown.startswith(path + JOIN):
                shown = self.stack.name(depth, shown, first=path)
            self._note(number, line, shown, grammar.STATUSES[text[0]], self.groups[-1])

    def _note(self, number: int, line: str, name: str, status: Status, group: Group) -> None:
        title = grammar.title(name)
        flaky = title.again and status is Status.PASSED
        result = TestResult(status, number, line[:RAW], title.duration, flaky)
        group.tests.append((title.text, result))
        if status is not Status.SKIPPED:
            group.counts["failed" if status is Status.FAILED else "passed"] += 1

    def _failure(self, number: int, line: str) -> None:
        """The heading of a failure."""
        name = grammar.unlabelled(line.removeprefix(" FAIL ").removeprefix(" "))
        path, listed, _ = name.partition(" [ ")
        if listed and name.endswith(" ]"):
            name = path
        status = Status.FAILED if self.failing == "Tests" else Status.ERROR
        self.failures.append((name, TestResult(status, number, line[:RAW])))

    def _total(self, number: int, text: str) -> None:
        word, _, rest = text.partition("  ")
        if word == "Test Files":
            self.totals = {word: rest}
        elif self.totals:
            self.totals[word] = rest
            if word == "Duration" and "Tests" in self.totals:
                self._close(number)

    def _close(self, number: int) -> None:
        files = grammar.counts(self.totals["Test Files"])
        tests = grammar.counts(self.totals["Tests"])
        failed = tests.get("failed", 0)
        totals = {
            "files failed": files.get("failed", 0),
            "files passed": files.get("passed", 0),
            "failed": failed,
            "passed": tests.get("passed", 0) + tests.get("expected fail", 0),
        }
        self._check_files(self.groups)
        self._check_flat(number, totals["passed"])
        groups, warning = settle(self.groups, totals)
        if warning:
            self.warnings.append(f"line {number}: {warning}")
        named = {n for n, each in self.failures if each.status is Status.FAILED}
        if len(named) > failed:
            self.warnings.append(f"line {number}: {len(named)} failures named, {failed} counted")
        self._merge(groups)
        self.closed += 1
        self.groups, self.flat, self.failures, self.totals = [], {}, [], {}
        self.header, self.failing = None, ""

    def _check_files(self, groups: list[Group]) -> None:
        """No pass of a file is believed that lists more of them than its own line counts."""
        for group in groups:
            if _AT_MOST in group.counts and group.counts["passed"] > group.counts[_AT_MOST]:
                self.warnings.append(f"{group.title} lists more passes than its line counts")
                group.drop_passes()

    def _check_flat(self, number: int, passed: int) -> None:
        """Lines that name their file come for every test or, printed, within another reporter's
        output."""
        listed = sum(group.counts["passed"] for group in self.flat.values())
        if 0 < 2 * listed <= passed:
            self.warnings.append(
                f"line {number}: {passed} tests passed, only {listed} are listed with their file"
            )
            for group in self.flat.values():
                group.drop_passes()

    def _merge(self, groups: list[Group]) -> None:
        for group in groups:
            for name, result in group.tests:
                note(self.results, name, result)
        for name, result in self.failures:
            note(self.results, name, result)


FRAMEWORK = Framework(
    name="vitest",
    reader=VitestReader,
    names="`src/a.test.js > outer > title`; a file or suite that fails by itself: its own name",
    signs=r" ?(?:RUN|DEV)  v\d+\.\d+\.\d+.* /| Test Files  .*\(\d+\)$",
    begins=" RDT",
    languages=("typescript", "javascript"),
    hosts=("tap",),
)
