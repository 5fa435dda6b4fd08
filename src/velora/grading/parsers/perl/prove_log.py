"""The output of TAP::Harness (`prove`, `make test`): test files, and with `-v` their tests.

A file is shown by its name, dots up to one column, and a verdict, either behind the dots or, after
the file's own TAP or what it printed, on a line of its own. The report at the end names all files
that did not pass with the numbers of their failed tests, and counts files and tests: where it
contradicts a pass, there is none. Where more files are shown than it counts, something printed
such lines, and no pass of that run is believed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.perl import prove_lines as grammar
from velora.grading.parsers.perl.tap_block import TapBlock
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 200
_REPORT = "Test Summary Report"
_STOPPED = "FAILED--Further testing stopped"
_VERDICTS = frozenset("osDFNA")
_GOOD = (Status.PASSED, Status.SKIPPED)


@dataclass(slots=True)
class _File:
    """A test file as it is shown; `verdict` is None while it runs."""

    name: str
    column: int
    line: int
    raw: str
    verdict: grammar.FileVerdict | None = None
    tap: TapBlock = field(default_factory=TapBlock)


@dataclass(slots=True)
class _Report:
    """The report at a run's end: statuses of files and the numbers of their failed tests."""

    files: dict[str, TestResult] = field(default_factory=dict)
    failed: dict[str, set[int]] = field(default_factory=dict)
    last: str = ""


class ProveReader:
    """All runs of a log; `complete` if each came to its end."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.closed = 0
        self._begin()

    def _begin(self) -> None:
        self.files: list[_File] = []
        self.open: _File | None = None
        self.report: _Report | None = None
        self.totals: tuple[int, int] | None = None

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.open is not None:
            self._in_file(number, line, self.open)
        elif self.report is not None and line[:1] in " \tF" and self._in_report(line):
            return
        elif " .." in line and (header := grammar.header(line)) is not None:
            self._header(number, line, header)
        elif line.startswith("Failed "):
            self._failed(line)
        elif line == _REPORT:
            self.report = _Report()
        elif line.startswith("Files="):
            self.totals = grammar.totals(line)
        elif self.totals is not None and grammar.is_result(line):
            self._close(number)
        elif self.report is not None and (found := grammar.reported(line)) is not None:
            status = Status.FAILED if found.failed else Status.ERROR
            if found.failed or found.wait:
                self.report.files[found.name] = TestResult(status, number, line[:_RAW])
            self.report.last = found.name
        elif line.startswith(_STOPPED):
            self.warnings.append(f"line {number}: a test stopped the whole run")

    def finish(self) -> Parsed:
        """The end of the log."""
        cut = bool(self.files or self.open)
        if cut:
            self.warnings.append("the last run has no end")
            self._merge(None)
        return Parsed(self.results, bool(self.closed) and not cut, tuple(self.warnings))

    def _header(self, number: int, line: str, header: grammar.Header) -> None:
        file = _File(header.name, header.column, number, line.strip()[:_RAW])
        file.verdict = grammar.verdict(header.rest)
        if file.verdict is not None:
            self.files.append(file)
        elif not header.rest or grammar.is_progress(header.rest):
            self.open = file

    def _in_file(self, number: int, line: str, file: _File) -> None:
        first = line[:1]
        if (first in _VERDICTS and not line.startswith("ok ", 0, 3)) or line.startswith("ok  "):
            verdict = grammar.verdict(line)
        elif " .." in line and line.startswith((file.name, "[")):
            # On a terminal a file's line is written again and again.
            header = grammar.header(line)
            same = header and (header.name, header.column) == (file.name, file.column)
            verdict = grammar.verdict(header.rest) if header and same else None
        else:
            verdict = None
        if verdict is not None:
            file.verdict = verdict
            file.line, file.raw = number, f"{file.name}: {line.strip()[:_RAW]}"
            self.files.append(file)
            self.open = None
            return
        file.tap.feed(number, line)

    def _failed(self, line: str) -> None:
        """`Failed 1/3 subtests` after `Dubious, test returned 1`."""
        verdict = grammar.verdict(line)
        last = self.files[-1] if self.files else None
        if verdict and last and last.verdict and last.verdict.status is Status.ERROR:
            last.verdict = verdict

    def _in_report(self, line: str) -> bool:
        report = self.report
        assert report is not None
        numbers = grammar.failed_numbers(line)
        if numbers:
            report.failed.setdefault(report.last, set()).update(numbers)
        return bool(numbers)

    def _close(self, number: int) -> None:
        """The last line of a run."""
        assert self.totals is not None
        self._drop_other_columns()
        files, tests = self.totals
        shown = len(self.files)
        if shown > files:
            self.warnings.append(
                f"line {number}: {files} files ran, {shown} are shown: their passes prove nothing"
            )
        elif shown and shown < files:
            self.warnings.append(f"line {number}: {files} files ran, {shown} are shown")
        listed = sum(file.tap.count for file in self.files)
        if listed and listed != tests:
            self.warnings.append(f"line {number}: {tests} tests ran, {listed} are listed")
        self._merge(self.report or _Report(), doubtful=shown > files)
        self.closed += 1
        self._begin()

    def _drop_other_columns(self) -> None:
        columns = Counter(file.column for file in self.files)
        if len(columns) > 1:
            column = columns.most_common(1)[0][0]
            self.files = [file for file in self.files if file.column == column]

    def _merge(self, report: _Report | None, *, doubtful: bool = False) -> None:
        results: dict[str, TestResult] = {}
        for file in self.files:
            failed = report.failed.get(file.name, set()) if report else set()
            self._tests(results, file, failed)
            if file.verdict is not None:
                result = TestResult(
                    file.verdict.status, file.line, file.raw, duration=file.verdict.duration
                )
                if report is not None and result.status not in _GOOD and file.name in report.files:
                    result = report.files[file.name]
                note(results, file.name, result)
        if report is not None:
            for name, result in report.files.items():
                note(results, name, result)
        elif self.open is not None:
            self._tests(results, self.open, set())
            raw = f"{self.open.name}: the log ends while it runs"
            note(results, self.open.name, TestResult(Status.ERROR, self.open.line, raw))
        for name, result in results.items():
            if not (doubtful and result.status in _GOOD):
                note(self.results, name, result)

    def _tests(self, results: dict[str, TestResult], file: _File, failed: set[int]) -> None:
        tests, warnings = file.tap.results()
        self.warnings += warnings
        for number, name, result in tests:
            belied = number in failed and " > " not in name and result.status in _GOOD
            if belied:
                self.warnings.append(f"line {result.line}: the report says that it failed")
                result = TestResult(Status.FAILED, result.line, result.raw)  # noqa: PLW2901
            note(results, f"{file.name} > {name}", result)


FRAMEWORK = Framework(
    name="prove",
    reader=ProveReader,
    names="`t/file.t`, and with -v its tests as `t/file.t > outer > description`, or their number",
    signs=r"Files=\d+, Tests=\d+, |\S+\.t \.{2,} |Test Summary Report$",
    begins=r"\S",
    languages=("perl",),
    hosts=("tap",),
)
