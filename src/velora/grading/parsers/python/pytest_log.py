"""Reads the terminal output of pytest.

A log is one session after another. In each, a test's status is believed in two places only: in
the progress lines of `-v` (between the session's first line and its first report section) and in
the short summary of `-r` (between its heading and the session's last line). What a program under
test prints, captured or not, may look like either; so the totals in the line that closes a session
must cover all tests that it had run by then, and passes that exceed them are not believed. Worse
statuses overrule better ones: an error in teardown a pass, a failed sub-test its parent's pass;
of a test that pytest-rerunfailures runs again the last attempt counts.

A session that begins within another is a test's own output (`-s`) if the other one comes to its
end, and the next command after a crash if not.

`-q` prints no first line; its dots open a session instead. `-qq` prints no summary heading and
gives no evidence.
"""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.python import pytest_lines as grammar
from velora.grading.parsers.python.pytest_session import LONGEST, Gathered, Session, Summary
from velora.grading.protocol import Parsed

_DOTS_END = frozenset("].FEsxXRfpuy,-")
_STATUS_BEGIN = frozenset("PFESXR")
_STATUS_END = frozenset("DRLSN]sm")
_DIGITS = frozenset("0123456789")
_ROW = _STATUS_BEGIN | {"[", "("}
_DEEPEST = 20  # sessions within one another


class PytestReader:
    """All sessions of a log; `complete` if each one came to its end."""

    def __init__(self) -> None:
        self.top = Gathered()
        self.outer: list[Session] = []
        self.session: Session | None = None

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        session = self.session
        if len(line) > LONGEST:
            line = line[: LONGEST - 100] + line[-100:]
        if first == "=":
            self._ruled(number, line)
        elif session is None:
            if line[-1:] in _DOTS_END and (ran := grammar.dots(line)):
                self.session = Session(number, announced=False, ran=ran)
        elif session.summary is not None:
            self._summary(number, line, session, session.summary)
        elif session.reporting:
            if first in _DIGITS or first == "n":
                if not session.spent(line):
                    self._totals(number, line)
            elif first in ("_", "!"):
                session.report(number, line)
        elif session.wrapped:
            session.unwrap(line)
        elif "::" in line and session.progress(number, line):
            if line.endswith("=") and grammar.SESSION in line[-100:]:
                self._begin(number)  # with -s on the line of the test that runs it
        elif (session.pending and line[-1:] in _STATUS_END) or first in _STATUS_BEGIN:
            session.lone(number, line)
            session.ran += grammar.dots(line)
        elif line[-1:] in _DOTS_END and (ran := grammar.dots(line)):
            session.ran += ran
        elif first in _DIGITS or first in ("c", "g", "n"):
            if (count := grammar.collected(line)) is not None:
                session.collected = session.collected or count
                session.workers = session.workers or first != "c"
            else:
                self._totals(number, line)
        elif first == "!":
            session.stopped = session.stopped or grammar.is_bang(line)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.session is not None and self.session.provisional:
            self._close()
        while self.session is not None:
            self._abandon()
        top = self.top
        return Parsed(top.results, bool(top.closed) and not top.cut, tuple(top.warnings))

    def _summary(self, number: int, line: str, session: Session, summary: Summary) -> None:
        """A line below the heading of the short summary."""
        first = line[:1]
        if first in _ROW:
            session.row(number, line)
        elif first in _DIGITS or first == "n":
            self._totals(number, line)
        elif first == "!":
            session.stopped = session.stopped or grammar.is_bang(line)
        elif session.provisional:
            if line[-1:] == "]" and (ran := grammar.dots(line)):
                self._close()
                self.session = Session(number, announced=False, ran=ran)
        elif summary.printed and "::" in line:
            session.progress(number, line)

    def _ruled(self, number: int, line: str) -> None:
        """A line that begins with `=`."""
        title = grammar.title(line)
        session = self.session
        if title == grammar.SESSION:
            self._begin(number)
        elif title == grammar.SUMMARY:
            if session is None:
                session = self.session = Session(number, announced=False)
                session.warnings.append(f"line {number}: a summary without the session before it")
            session.summary = Summary(printed=bool(session.pending))
            session.provisional = None
        elif session is None:
            return
        elif title:
            if not session.reporting:
                session.reporting, session.printed = True, bool(session.pending)
            session.section = title
            session.summary = None
        else:
            self._totals(number, line)

    def _begin(self, number: int) -> None:
        """The first line of a session."""
        session = self.session
        if session is not None and session.provisional:
            self._close()
        elif session is not None and session.reporting:
            return  # in the captured output of a test
        elif session is not None and (session.announced or session.summary is not None):
            if len(self.outer) < _DEEPEST:
                self.outer.append(session)
            else:
                self._cut_off(session)
        self.session = Session(number, announced=True)

    def _totals(self, number: int, line: str) -> None:
        session = self.session
        counts = grammar.totals(line)
        if session is None or counts is None:
            return
        if not session.plausible(counts):
            # Printed by a test, or the end of a session that a test ran.
            session.summary = None
            session.reporting = session.reporting and not session.printed
            return
        session.provisional = (number, counts)
        if session.summary is not None:
            session.summary.absorb()
        if session.exact(counts):
            self._close()
        elif session.summary is not None:
            session.summary.hold()

    def _close(self) -> None:
        """The open session came to its end. What it shows goes to the one around it, if any."""
        session = self.session
        assert session is not None
        self.session = self.outer.pop() if self.outer else None
        outcome = Gathered()
        session.close(outcome)
        (self.session.guests if self.session else self.top).add(outcome)

    def _abandon(self) -> None:
        """The open session did not come to its end."""
        session = self.session
        assert session is not None
        self._cut_off(session)
        self.session = self.outer.pop() if self.outer else None

    def _cut_off(self, session: Session) -> None:
        outcome = session.guests
        session.abandon(outcome)
        (self.outer[-1].guests if self.outer else self.top).add(outcome)


FRAMEWORK = Framework(
    name="pytest",
    reader=PytestReader,
    names="node ids: `tests/test_a.py::TestA::test_b[param]`",
    signs=r"=+ (?:test session starts|short test summary info) =+$"
    r"|(?:\d+ [a-z]+, )*\d+ (?:passed|failed|skipped|errors?)(?:, \d+ [a-z]+)* in [\d.]+s",
    begins=r"\d=",
    languages=("python",),
)
