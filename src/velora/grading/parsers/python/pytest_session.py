"""One session of pytest as it is read: its progress lines, its short summary, and what of both its
totals bear out.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from velora.grading.parsers.python import pytest_lines as grammar
from velora.grading.parsers.tally import merge, note
from velora.grading.protocol import Status, TestResult

LONGEST = 32_768
"""Characters of a line that are looked at."""

_RAW = 500  # characters of a line kept as evidence
_WRAPPED = 100  # lines of one reason
_RECENT = 4  # tests that may be behind an end too many
_FILE = re.compile(r"[^:]*\.\w+::")  # how an id begins


@dataclass(slots=True)
class Gathered:
    """What sessions have shown."""

    results: dict[str, TestResult] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    closed: int = 0
    cut: bool = False

    def add(self, other: Gathered) -> None:
        """Take over what `other` has."""
        merge(self.results, other.results)
        self.warnings += other.warnings
        self.closed += other.closed
        self.cut = self.cut or other.cut


@dataclass(slots=True)
class Summary:
    """A short summary that is being read, true or printed by a test.

    Attributes:
        late: passes that come after failures: lines of a failure's message may look so.
        held: what came after a line that looked like the session's last.
        printed: its heading came while a test was running.
    """

    results: dict[str, TestResult] = field(default_factory=dict)
    late: dict[str, TestResult] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    group: str = ""
    ended: set[str] = field(default_factory=set)
    held: Summary | None = None
    printed: bool = False

    def count(self, group: str, number: int) -> None:
        """Count lines of a group."""
        self.counts[group] = self.counts.get(group, 0) + number

    def hold(self) -> None:
        """Keep what comes now apart."""
        self.held = Summary(group=self.group, ended=self.ended)

    def absorb(self) -> None:
        """What was kept apart is part of it."""
        held, self.held = self.held, None
        if held is not None:
            merge(self.results, held.results)
            self.late |= held.late
            self.group = held.group
            for group, number in held.counts.items():
                self.count(group, number)


@dataclass(slots=True)
class Session:
    """A session that is open.

    Attributes:
        ran: how many tests the progress lines have shown the end of.
        pending: the test that runs.
        glued: what its output seems to say of its end, glued to other text.
        lost: tests that ran and of whose end nothing was seen.
        printed: the report began while a test was running, so a test printed it.
        current: the test that the last line of its own showed to run or to have run.
        unsure: names that a test's output may have put there.
        surplus: the tests before each end that belongs to no test.
        doubtful: names of whose sub-tests one may have failed out of sight.
        flying: with pytest-xdist the tests that run.
        subtests: failed sub-tests as printed, until their test's name is known.
        provisional: the line and counts of a last line that does not agree with all else.
        guests: sessions that began within it.
    """

    line: int
    announced: bool
    collected: int = 0
    ran: int = 0
    workers: bool = False
    edged: bool = False
    reporting: bool = False
    printed: bool = False
    section: str = ""
    stopped: bool = False
    wrapped: int = 0
    results: dict[str, TestResult] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    passed: int = 0
    failed: int = 0
    pending: str = ""
    pending_line: int = 0
    glued: str = ""
    current: str = ""
    last: str = ""
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))
    lost: int = 0
    unsure: set[str] = field(default_factory=set)
    surplus: list[tuple[str, ...]] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    flying: dict[str, int] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    subtests: list[tuple[int, str]] = field(default_factory=list)
    durations: dict[str, float] = field(default_factory=dict)
    summary: Summary | None = None
    provisional: tuple[int, dict[str, int]] | None = None
    guests: Gathered = field(default_factory=Gathered)

    def plausible(self, counts: dict[str, int]) -> bool:
        """The counts may be this session's: they cover what it ran."""
        total = sum(counts.values())
        known = self.collected and self.ran
        least = min(self.collected, self.ran) if known else self.collected or self.ran
        if self.pending or self.guests.closed:
            least = max(least, self.collected)
        return total >= (self.ran if self.stopped and total < self.collected else least)

    def exact(self, counts: dict[str, int]) -> bool:
        """The counts agree with all else that was seen."""
        listed = self.summary.counts if self.summary else {}
        known = self.passed and not self.unsure
        return (
            all(counts.get(group, 0) == listed[group] for group in listed if group in counts)
            and not (listed.keys() & grammar.STATUSES.keys()) - counts.keys()
            and not (known and self.passed != counts.get("PASSED", 0))
        )

    def progress(self, number: int, line: str) -> bool:
        """Take a line that holds `::`. True: it shows a test."""
        found = grammar.progress(line)
        if found is None or not self.announced or not found.name:
            return False
        self.edged = self.edged or found.edged
        if found.word == "":
            return self._start(number, found.name, found.after)
        if found.word == grammar.SUBTEST:
            return True
        if found.word == grammar.SUBTEST_FAILED:
            self.subtests.append((number, found.name))
            return True
        if found.worker:
            self.workers = True
            self.flying.pop(found.name, None)
        elif self.pending and found.name != self.pending:
            if self.glued:
                self._settle()
            else:
                self.unsure.add(found.name)
        elif self.pending:
            self.doubtful.add(found.name)  # sub-tests came in between, perhaps out of sight
            self.pending = self.glued = ""
        if not self.pending:
            self.current = ""
        self.wrapped = _WRAPPED if found.wrapped else 0
        self._end(number, found.name, found.word, line, found.duration)
        return True

    def lone(self, number: int, line: str) -> None:
        """Take a line that may say how the test ended that is named above."""
        word = grammar.lone_status(line)
        if word and self.pending:
            name, self.pending, self.glued = self.pending, "", ""
            self._end(number, name, word, line)
        elif word in grammar.STATUSES and self.current:
            note(self.results, self.current, TestResult(grammar.STATUSES[word], number, line))
        elif word:
            names = tuple(self.recent)  # one of these ends was printed
            if not self.surplus or self.surplus[-1] != names:
                self.surplus.append(names)
        elif self.pending:
            begun = next((word for word in grammar.STATUSES if line.startswith(word)), "")
            self.glued = begun or grammar.glued_status(line) or self.glued

    def unwrap(self, line: str) -> None:
        """Take a further line of a long reason."""
        self.wrapped = 0 if grammar.ends_reason(line, edged=self.edged) else self.wrapped - 1

    def report(self, number: int, line: str) -> None:
        """Take a line of a report section."""
        if grammar.is_bang(line):
            self.stopped = True
        elif self.section == grammar.ERRORS and (name := grammar.not_collected(line)):
            note(self.results, name, TestResult(Status.ERROR, number, line[:_RAW]))

    def spent(self, line: str) -> bool:
        """Take a line that may be one of `--durations`."""
        found = grammar.taken(line) if self.section == grammar.DURATIONS else None
        if found is not None:
            name, seconds = found
            self.durations[name] = self.durations.get(name, 0.0) + seconds
        return found is not None

    def row(self, number: int, line: str) -> None:
        """Take a line of the short summary."""
        summary = self.summary
        found = grammar.summary(line, self.results)
        if found is None or summary is None:
            return
        summary = summary.held or summary
        if found.word == grammar.RERUN:
            self.again.add(found.name)
            return
        sub = found.word in (grammar.SUBTEST, grammar.SUBTEST_FAILED)
        group = "FAILED" if sub else found.word
        if group in summary.ended:
            return  # pytest lists each status in one block; this is part of a long message
        status = grammar.STATUSES[group]
        if group == "PASSED" and summary.group not in ("", group):
            note(summary.late, found.name, TestResult(status, number, line[:_RAW]))
            return
        if summary.group and group != summary.group:
            summary.ended.add(summary.group)
        summary.group = group
        if found.word == grammar.SUBTEST:
            return
        summary.count(group, found.count)
        if found.name:
            note(summary.results, found.name, TestResult(status, number, line[:_RAW]))
        elif sub:
            self.warnings.append(f"line {number}: a failed sub-test whose test is not named")

    def close(self, outcome: Gathered) -> None:
        """The session came to its end; `provisional` holds its last line."""
        assert self.provisional is not None
        number, counts = self.provisional
        passes = counts.get("PASSED", 0)
        if self.pending:
            self._settle()
        self._name_subtests()
        excess = self.ran + self.lost - sum(counts.values())
        if self.passed > passes or excess:
            for names in self.surplus:
                self.unsure.update(names[-max(1, excess) :])
            self._drop(self.unsure)
        failed = self.summary.counts.get("FAILED", 0) if self.summary else self.failed
        if failed < counts.get("FAILED", 0):
            self._drop(self.doubtful)
        merge(outcome.results, self.results)
        if self.summary is not None:
            self._check(number, counts, self.summary.counts, "the summary lists")
            early, late = self.summary.counts.get("PASSED", 0), self.summary.late
            believed = self.summary.results
            if early > passes:
                believed = {n: r for n, r in believed.items() if r.status is not Status.PASSED}
            merge(outcome.results, believed)
            if early + len(late) == passes:
                merge(outcome.results, late)
        if self.passed:
            self._check(number, counts, {"PASSED": self.passed}, "the progress lines show")
        self._dress(outcome.results)
        outcome.warnings += self.warnings
        outcome.closed += 1

    def abandon(self, outcome: Gathered) -> None:
        """The session ends without its last line: what is certain is kept."""
        outcome.warnings += self.warnings
        if not self.announced and self.summary is None:
            return
        outcome.cut = True
        outcome.warnings.append(f"the session that begins at line {self.line} has no end")
        if self.summary is not None:
            # Errors and failures come last, so better ends prove nothing in a cut summary.
            merge(self.results, {n: r for n, r in self.summary.results.items() if _bad(r)})
        self._name_subtests()
        self._drop(self.doubtful | self.unsure)
        flying = dict(self.flying)
        if self.pending:
            flying[self.pending] = self.pending_line
        for name, line in flying.items():
            self._crash(name, line, "no status")
        if not flying and not self.reporting and self.last in self.results:
            self._crash(self.last, self.results[self.last].line, "its teardown did not finish")
        merge(outcome.results, self.results)
        self._dress(outcome.results)

    def _start(self, number: int, name: str, after: str) -> bool:
        """A test begins, or output looks so."""
        if not _FILE.match(name):
            return False
        if self.workers:
            self.flying[name] = number
            return True
        if self.pending and name != self.pending:
            if self.glued:
                self._settle()
            elif name in self.results:
                return False
            else:
                self.lost += 1
                self.unsure.add(name)
        self.pending, self.pending_line, self.glued, self.current = name, number, "", name
        if after:
            begun = next((word for word in grammar.STATUSES if after.startswith(word)), "")
            self.glued = begun or grammar.glued_status(after)
        return True

    def _end(
        self, number: int, name: str, word: str, line: str, duration: float | None = None
    ) -> None:
        self._name_subtests(name)
        if word == grammar.RERUN:
            self.again.add(name)
            return
        status, passed = grammar.STATUSES[word], word == "PASSED"
        self.failed += word == "FAILED"
        self.ran += 1
        self.passed += passed
        self.last = name if passed else ""
        self.recent.append(name)
        note(self.results, name, TestResult(status, number, line[:_RAW], duration))

    def _settle(self) -> None:
        """The running test ended as its last output seems to say, if it does."""
        name, word = self.pending, self.glued
        self.pending = self.glued = ""
        if word:
            self.unsure.add(name)
            self._end(self.pending_line, name, word, f"{name} ... {word}")
        else:
            self.lost += 1

    def _name_subtests(self, name: str = "") -> None:
        """Failed sub-tests fail their test, `name`, or another that is known."""
        for line, text in self.subtests:
            parent = name if text.startswith(name) and name else text
            status = TestResult(Status.FAILED, line, text[:_RAW])
            if parent == name or parent in self.results or self.workers:
                self.failed += 1
                note(self.results, parent, status)
        self.subtests.clear()

    def _drop(self, names: set[str]) -> None:
        for name in names:
            if name in self.results and self.results[name].status is Status.PASSED:
                del self.results[name]
        names.clear()

    def _crash(self, name: str, line: int, what: str) -> None:
        note(self.results, name, TestResult(Status.ERROR, line, f"{what}: the session was cut off"))

    def _dress(self, results: dict[str, TestResult]) -> None:
        """Add durations, and which tests passed only when they ran again."""
        for name in self.again:
            if name in results and results[name].status is Status.PASSED:
                results[name] = results[name]._replace(flaky=True)
        for name, seconds in self.durations.items():
            if name in results:
                results[name] = results[name]._replace(duration=seconds)

    def _check(self, number: int, counts: dict[str, int], seen: dict[str, int], where: str) -> None:
        for word, count in seen.items():
            if count != counts.get(word, 0):
                self.warnings.append(
                    f"line {number}: pytest counts {counts.get(word, 0)} {word}, {where} {count}"
                )


def _bad(result: TestResult) -> bool:
    return result.status in (Status.FAILED, Status.ERROR)
