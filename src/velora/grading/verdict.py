"""Is the instance resolved? A pure function of the listed names and the evidence.

What passes:

- A FAIL_TO_PASS name passes with `PASSED` alone. An expected failure is not the fix, and a
  skipped test showed nothing.
- A PASS_TO_PASS name passes with `PASSED`, and also with `XFAIL`, `SKIPPED` and `XPASS`: the
  change did not break it (SWE-bench 5 calls the first three *maintained*; VeloraHarness counts
  all four). A strict unexpected pass is a failure in pytest's own words already.
- A name that stands for several tests passes if all of them do.
- A name of a suite passes as its framework counts it: none of its tests failed, one passed, and
  the run came to its end. Its skipped tests are noted.
- A name that nothing shows does not pass, nor does one that may mean two tests.
- An empty FAIL_TO_PASS shows nothing, so it is never resolved.
- A run that hit the time limit is not resolved, whatever it had shown by then.

Which evidence counts:

- The strict parsers of the log and the report files that the test framework wrote count. All of
  them that know a name must say that it passed; else, where they differ, it is a `disagreement`.
- Of a framework whose output stands within another's (GoogleTest's in CTest's), the results count
  for names that the outer one does not know.
- Where the row names one of VeloraHarness's parsers, its rules have read the log as well, under the
  spelling that the lists have. They can take a pass away and hardly ever give one: a status that
  does not pass, where the strict parsers say it passed, is a `disagreement`.
- A name that these rules alone show, in a log that a strict parser could read too, is no evidence
  (`reference_only`). Except where both read it from the same line, and one name is the other with
  something before or behind it: then the strict parser knows the test by a longer or a shorter
  name, and what it says counts (`same_line`).
- Where no strict parser finds anything in the log, these rules' results count. So they do where
  the lines that they read are not the test framework's own (`Framework.derived`), for of those a
  strict parser knows nothing. Names that they make up from counts (`invented`) never count.

Some tasks' output names failing tests alone (`Instance.fail_only`; SWE-bench's own grader counts
every listed test as passed there that is not shown as failed). In these a name that did not fail
passes by the rule `fail_only`, and as absence proves nothing of a run that did not take place, only
where

- every strict reading of the run has its end and tests in it, and contradicts itself nowhere;
- the command ended with status 0, or failing tests say why not;
- no failing test has the same letters and digits, or begins with them, or they with its.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from velora.grading.names import AMBIGUOUS, EXACT, MISSING, Match, NameIndex, alike
from velora.grading.parsers.tally import SEVERITY
from velora.grading.protocol import Evidence, NameVerdict, Parsed, Source, Status, TestResult

FIXED = frozenset({Status.PASSED})
"""Statuses with which a FAIL_TO_PASS name passes."""

MAINTAINED = frozenset({Status.PASSED, Status.XFAIL, Status.SKIPPED, Status.XPASS})
"""Statuses with which a PASS_TO_PASS name passes."""

FAILING = frozenset({Status.FAILED, Status.ERROR})

RESOLVED = "resolved"

DISAGREEMENT = "disagreement"
REFERENCE_ONLY = "reference_only"
INVENTED = "invented"
SAME_LINE = "same_line"
FAIL_ONLY = "fail_only"

_NO_LETTER = re.compile(r"[\W_]+")

Names = tuple[NameVerdict, ...]


def judge(
    fail_to_pass: Iterable[str],
    pass_to_pass: Iterable[str],
    evidence: Sequence[Evidence],
    *,
    fail_only: bool = False,
    exit_code: int | None = None,
) -> tuple[Names, Names]:
    """A verdict for each listed name, in the lists' order.

    Args:
        evidence: all there is; at most one of each source.
        fail_only: the task's output names failing tests alone.
        exit_code: the test command's, which matters where it does.
    """
    court = _Court(evidence, silent=fail_only and _whole(evidence, exit_code))
    return (
        tuple(court.judge(name, FIXED) for name in fail_to_pass),
        tuple(court.judge(name, MAINTAINED) for name in pass_to_pass),
    )


def reason(
    fail_to_pass: Names, pass_to_pass: Names, evidence: Sequence[Evidence], *, timed_out: bool
) -> str:
    """`resolved`, or the first thing in the way, in this order: `no_fail_to_pass`,
    `tests_timed_out`, `no_tests_parsed`, `tests_failed`, `tests_missing`."""
    names = fail_to_pass + pass_to_pass
    if not fail_to_pass:
        return "no_fail_to_pass"
    if timed_out:
        return "tests_timed_out"
    shown = any(each.parsed.results for each in evidence)
    if not shown and not any(name.rule == FAIL_ONLY for name in names):
        return "no_tests_parsed"
    if any(not name.passed and name.status is not None for name in names):
        return "tests_failed"
    if not all(name.passed for name in names):
        return "tests_missing"
    return RESOLVED


def cautions(names: Names, evidence: Sequence[Evidence], exit_code: int | None) -> tuple[str, ...]:
    """What a reader of the verdict should know: it rests on less than it seems, or on
    contradictions."""
    found: list[str] = []
    skipped = sum(name.passed and name.status is Status.SKIPPED for name in names)
    if skipped:
        found.append(f"{skipped} PASS_TO_PASS tests were skipped and count as passed")
    for rule, what in (
        (AMBIGUOUS, "mean more than one test of the log"),
        (DISAGREEMENT, "have different statuses by different readings"),
        (REFERENCE_ONLY, "are shown by VeloraHarness's rules alone, which is no evidence"),
        (INVENTED, "are made up from counts, which is no evidence"),
        (FAIL_ONLY, "are judged by not failing alone, as SWE-bench does for this repository"),
    ):
        count = sum(name.rule == rule for name in names)
        if count:
            found.append(f"{count} listed names {what}")
    strict = [each for each in evidence if each.source is not Source.REFERENCE]
    results = [r for each in strict or evidence for r in each.parsed.results.values()]
    if results and not strict:
        found.append("no strict parser fits the log: VeloraHarness's rules alone have read it")
    if any(each.parsed.results and not each.parsed.complete for each in strict):
        found.append("the test run did not come to its end")
    seen = {result.status for result in results}
    failed = seen & FAILING
    if seen and exit_code and not failed and Status.XPASS not in seen:
        found.append(f"the tests ended with status {exit_code}, but no failing test was read")
    if failed and exit_code == 0:
        found.append("the tests ended with status 0, but failing tests were read")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one source says of a listed name."""

    source: Source
    rule: str
    names: tuple[str, ...]
    worst: str  # the name that decides
    result: TestResult
    passed: bool
    note: str = ""

    def verdict(self, name: str, *, rule: str = "", passed: bool, note: str = "") -> NameVerdict:
        """The verdict on `name` by this answer."""
        return NameVerdict(
            name,
            passed=passed,
            status=self.result.status,
            rule=rule or self.rule,
            raw=self.worst,
            line=self.result.line,
            source=self.source,
            matched=len(self.names),
            duration=self.result.duration,
            note=note or self.note,
        )


@dataclass(slots=True)
class _Witness:
    """One piece of evidence, ready to be asked."""

    source: Source
    parsed: Parsed
    index: NameIndex
    _lines: dict[int, list[str]] = field(default_factory=dict)

    def on_line(self, number: int) -> list[str]:
        """The tests that this line decided about."""
        if not self._lines:
            for name, result in self.parsed.results.items():
                self._lines.setdefault(result.line, []).append(name)
        return self._lines.get(number, [])

    def answer(self, match: Match, passing: frozenset[Status]) -> _Answer:
        """What the tests of `match` say together: the worst that does not pass, or the worst."""
        names = match.names
        results = [(each, self.parsed.results[each]) for each in names]
        passed, note = True, ""
        if match.suite:
            ran = [each for each in results if each[1].status is not Status.SKIPPED]
            if ran and len(ran) < len(results):
                note = f"{len(results) - len(ran)} of the suite's tests were skipped"
            results = ran or results
            if not self.parsed.complete:
                passed, note = False, "a suite, and the test run did not come to its end"
        failing = [each for each in results if each[1].status not in passing]
        worst, result = max(failing or results, key=lambda each: SEVERITY[each[1].status])
        return _Answer(
            self.source, match.rule, names, worst, result, passed=passed and not failing, note=note
        )


class _Court:
    """All witnesses."""

    def __init__(self, evidence: Sequence[Evidence], *, silent: bool) -> None:
        witnesses = [
            _Witness(each.source, each.parsed, NameIndex(each.parsed.results)) for each in evidence
        ]
        first = (Source.LOG, Source.REPORT)
        self.strict = [each for each in witnesses if each.source in first]
        self.inner = [each for each in witnesses if each.source is Source.INNER]
        self.reference = next((w for w in witnesses if w.source is Source.REFERENCE), None)
        self.derived = any(each.derived for each in evidence)
        self.silent = silent
        self.failing: dict[str, tuple[Source, str, TestResult]] = {}
        if silent:
            self.failing = {
                _letters(name): (each.source, name, result)
                for each in evidence
                for name, result in each.parsed.results.items()
                if result.status in FAILING
            }

    def judge(self, name: str, passing: frozenset[Status]) -> NameVerdict:
        """The verdict on one listed name."""
        verdict = self._shown(name, passing)
        return self._unless_failed(verdict) if self.silent and not verdict.passed else verdict

    def _unless_failed(self, verdict: NameVerdict) -> NameVerdict:
        """The verdict where a test that did not fail passes."""
        clear = verdict.rule == MISSING or (verdict.status and verdict.rule != DISAGREEMENT)
        letters = _letters(verdict.name)
        if verdict.status in FAILING or not clear or not letters:
            return verdict
        for key, (source, name, result) in self.failing.items():
            if key.startswith(letters) or letters.startswith(key):
                found = _Answer(source, FAIL_ONLY, (name,), name, result, passed=False)
                return found.verdict(verdict.name, passed=False, note="it may be this failing test")
        return replace(verdict, rule=FAIL_ONLY, passed=True, note="nothing shows that it failed")

    def _shown(self, name: str, passing: frozenset[Status]) -> NameVerdict:
        """The verdict by what is shown."""
        answers: list[_Answer] = []
        for witnesses in (self.strict, self.inner):
            matches = [(witness, witness.index.match(name)) for witness in witnesses]
            answers = [w.answer(m, passing) for w, m in matches if m.names and not _mute(w, m)]
            answers = answers or [w.answer(m, passing) for w, m in matches if m.names]
            if answers:
                break
            if any(match.rule == AMBIGUOUS for _, match in matches):
                return _nothing(name, AMBIGUOUS)
        answers = answers or self._on_the_same_line(name, passing)
        if not answers:
            return self._by_reference(name, passing)
        failing = [each for each in answers if not each.passed]
        if failing:
            worst = max(failing, key=lambda each: SEVERITY[each.result.status])
            good = next((each for each in answers if each.passed), None)
            if good is None:
                return worst.verdict(name, passed=False)
            return worst.verdict(name, rule=DISAGREEMENT, passed=False, note=_differs(good))
        objection = self._objection(name, passing)
        if objection is not None:
            note = _differs(answers[0])
            return objection.verdict(name, rule=DISAGREEMENT, passed=False, note=note)
        return answers[0].verdict(name, passed=True)

    def _objection(self, name: str, passing: frozenset[Status]) -> _Answer | None:
        """What the reference has against a pass of `name`, under just this name."""
        results = self._reference_results()
        if self.reference is None or name not in results or results[name].invented:
            return None
        answer = self.reference.answer(Match(EXACT, (name,)), passing)
        return None if answer.passed else answer

    def _on_the_same_line(self, name: str, passing: frozenset[Status]) -> list[_Answer]:
        """What the log's strict reading says of the test whose line the reference calls `name`.

        Not where the reference read the name from several lines: it has forgotten the others. Nor
        where the names are not alike: a line may hold two tests, one of them printed by the other.
        """
        result = self._reference_results().get(name)
        if result is None or result.invented or result.times != 1:
            return []
        return [
            witness.answer(Match(SAME_LINE, tuple(names)), passing)
            for witness in (*self.strict, *self.inner)
            if witness.source is not Source.REPORT
            and len(names := witness.on_line(result.line)) == 1
            and alike(name, names[0])
        ]

    def _by_reference(self, name: str, passing: frozenset[Status]) -> NameVerdict:
        """Nothing else knows the name."""
        if self.reference is None:
            return _nothing(name, MISSING)
        match = self.reference.index.match(name)
        if not match.names:
            return _nothing(name, match.rule)
        answer = self.reference.answer(match, passing)
        shown = f"VeloraHarness's rules read {answer.result.status} in line {answer.result.line}"
        if any(self.reference.parsed.results[each].invented for each in match.names):
            return _nothing(name, INVENTED, f"{shown}, but made the name up from a count")
        if self.strict and not self.derived:
            return _nothing(name, REFERENCE_ONLY, f"{shown}; strict parsers know no such test")
        return answer.verdict(name, passed=answer.passed)

    def _reference_results(self) -> Mapping[str, TestResult]:
        return {} if self.reference is None else self.reference.parsed.results


def _whole(evidence: Sequence[Evidence], exit_code: int | None) -> bool:
    """The tests ran, to their end, and the readings say why they ended as they did."""
    strict = [each.parsed for each in evidence if each.source is not Source.REFERENCE]
    results = [result for parsed in strict for result in parsed.results.values()]
    doubts = [w for parsed in strict for w in parsed.warnings if not w.startswith("auto: ")]
    ran = bool(results) or any(parsed.counted for parsed in strict)
    explained = exit_code == 0 or any(result.status in FAILING for result in results)
    return ran and explained and not doubts and all(parsed.complete for parsed in strict)


def _letters(name: str) -> str:
    return _NO_LETTER.sub("", name).lower()


def _mute(witness: _Witness, match: Match) -> bool:
    """Of the suite only skipped tests are named, as in logs that name no passing test."""
    results = witness.parsed.results
    return match.suite and all(results[each].status is Status.SKIPPED for each in match.names)


def _differs(other: _Answer) -> str:
    return f"the {other.source} says {other.result.status} in line {other.result.line}"


def _nothing(name: str, rule: str, note: str = "") -> NameVerdict:
    return NameVerdict(name, passed=False, status=None, rule=rule, note=note)
