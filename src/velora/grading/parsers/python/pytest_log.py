"""Reads the terminal output of pytest.

A log is one session after another. In each, a test's status is believed in two places only: in
the progress lines of `-v` (between the session's first line and its first report section) and in
the short summary of `-r` (between its heading and the session's last line). What a program under
test prints, captured or not, may look like either; so a summary counts only if the totals in the
line that closes it cover all the tests that the session had run by then. Worse statuses overrule
better ones: an error in teardown a pass, a failed sub-test its parent's pass.

`-q` prints no first line; its dots open a session instead. `-qq` prints no summary heading and
gives no evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.python import pytest_lines as grammar
from velora.grading.parsers.tally import merge, note
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence


@dataclass(slots=True)
class _Summary:
    """A short summary that is being read, true or printed by a test."""

    line: int
    results: dict[str, TestResult] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    group: str = ""
    ended: set[str] = field(default_factory=set)
    stopped: bool = False


@dataclass(slots=True)
class _Session:
    """A session that is open."""

    line: int
    announced: bool
    collected: int = 0
    ran: int = 0
    reporting: bool = False
    results: dict[str, TestResult] = field(default_factory=dict)
    passed: int = 0
    failed: int = 0
    pending: str = ""
    pending_line: int = 0
    last: str = ""
    doubtful: set[str] = field(default_factory=set)

    @property
    def expected(self) -> int:
        """How many tests its last line must speak of, at least."""
        if self.collected and self.ran:
            return min(self.collected, self.ran)
        return self.collected or self.ran

    def drop_doubtful(self) -> None:
        """Forget passes that a failed sub-test out of sight may belie."""
        for name in self.doubtful:
            if not _bad(self.results[name]):
                del self.results[name]
        self.doubtful.clear()


def _bad(result: TestResult) -> bool:
    return result.status in (Status.FAILED, Status.ERROR)


class PytestReader:
    """All sessions of a log; `complete` if the last one came to its end."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.closed = 0
        self.cut = False
        self.session: _Session | None = None
        self.summary: _Summary | None = None

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if grammar.is_session(line):
            if self.session is None or not self.session.reporting:
                self._abandon()
                self.session = _Session(number, announced=True)
            return
        if grammar.is_summary(line):
            if self.session is None:
                self.session = _Session(number, announced=False)
                self.warnings.append(f"line {number}: a summary without the session before it")
            self.summary = _Summary(number)
            return
        session = self.session
        if session is None:
            if ran := grammar.dots(line):
                self.session = _Session(number, announced=False, ran=ran)
            return
        if grammar.is_section(line):
            session.reporting = True
            self.summary = None
        elif (counts := grammar.totals(line)) is not None:
            self._close(number, counts)
        elif self.summary is not None:
            self._summary_line(number, line, self.summary)
        elif not session.reporting:
            _progress_line(session, number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        self._abandon()
        return Parsed(self.results, bool(self.closed) and not self.cut, tuple(self.warnings))

    def _summary_line(self, number: int, line: str, summary: _Summary) -> None:
        if grammar.is_bang(line):
            summary.stopped = True
            return
        known = self.session.results if self.session else {}
        found = grammar.summary(line, known)
        if found is None:
            return
        group = "FAILED" if found.word in ("SUB", grammar.SUBTEST_FAILED) else found.word
        if group in summary.ended:
            # pytest lists each status in one block; this is part of a failure's long message.
            return
        if summary.group and group != summary.group:
            summary.ended.add(summary.group)
        summary.group = group
        if found.word == "SUB":
            return
        summary.counts[group] = summary.counts.get(group, 0) + found.count
        status = grammar.STATUSES.get(group)
        if status is not None and found.name:
            note(summary.results, found.name, TestResult(status, number, line[:_RAW]))
        elif found.word == grammar.SUBTEST_FAILED:
            self.warnings.append(f"line {number}: a failed sub-test whose test is not named")

    def _close(self, number: int, counts: dict[str, int]) -> None:
        session, summary = self.session, self.summary
        assert session is not None
        total = sum(counts.values())
        if total < session.expected and not (summary and summary.stopped):
            # Printed by a test, or the end of a session that a test ran.
            self.summary = None
            return
        if summary is not None:
            self._check(number, counts, summary.counts, "the summary lists")
            merge(self.results, summary.results)
        failed = summary.counts.get("FAILED", 0) if summary else session.failed
        if failed < counts.get("FAILED", 0):
            session.drop_doubtful()
        if session.passed:
            self._check(number, counts, {"PASSED": session.passed}, "the progress lines show")
        merge(self.results, session.results)
        self.closed += 1
        self.cut = False
        self.session = self.summary = None

    def _check(self, number: int, counts: dict[str, int], seen: dict[str, int], where: str) -> None:
        for word, count in seen.items():
            if word in grammar.STATUSES and count != counts.get(word, 0):
                self.warnings.append(
                    f"line {number}: pytest counts {counts.get(word, 0)} {word}, {where} {count}"
                )

    def _abandon(self) -> None:
        """The open session ends here without its last line: what is certain is kept."""
        session, summary = self.session, self.summary
        self.session = self.summary = None
        if session is None:
            return
        self.cut = True
        self.warnings.append(f"the session that begins at line {session.line} has no end")
        if summary is not None:
            # Errors and failures come last, so better ends prove nothing in a cut summary.
            merge(session.results, {n: r for n, r in summary.results.items() if _bad(r)})
        session.drop_doubtful()
        in_flight = session.pending or ("" if session.reporting else session.last)
        if in_flight:
            what = "no status" if session.pending else "its teardown did not finish"
            line = session.pending_line if session.pending else session.results[in_flight].line
            note(
                session.results,
                in_flight,
                TestResult(Status.ERROR, line, f"{what}: the session was cut off"),
            )
        merge(self.results, session.results)


def _progress_line(session: _Session, number: int, line: str) -> None:
    """Between a session's first line and its reports: `-v` lines, dots, the number collected."""
    count = grammar.collected(line)
    if count is not None:
        session.collected = session.collected or count
        return
    word = grammar.lone_status(line)
    name = session.pending or session.last
    if not word:
        found = grammar.progress(line)
        if found is None:
            session.ran += grammar.dots(line)
            return
        word, name = found.word, found.name
        if word == "":
            session.pending, session.pending_line = name, number
            return
    if not name or not session.announced:
        return
    if name == session.pending:
        if not line.startswith("[gw") and line.startswith(name):
            session.doubtful.add(name)  # sub-tests were reported in between, perhaps out of sight
        session.pending = ""
    if word == grammar.RERUN:
        return
    status = Status.FAILED if word == grammar.SUBTEST_FAILED else grammar.STATUSES[word]
    session.failed += status is Status.FAILED
    if word != grammar.SUBTEST_FAILED:
        session.ran += 1
        session.passed += status is Status.PASSED
        session.last = name if status is Status.PASSED else ""
    note(session.results, name, TestResult(status, number, line[:_RAW]))


FRAMEWORK = Framework(
    name="pytest",
    reader=PytestReader,
    names="node ids: `tests/test_a.py::TestA::test_b[param]`",
    signs=r"=+ (?:test session starts|short test summary info) =+$"
    r"|(?:\d+ [a-z]+, )*\d+ (?:passed|failed|skipped|errors?)(?:, \d+ [a-z]+)* in [\d.]+s",
    languages=("python",),
)
