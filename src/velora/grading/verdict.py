"""Is the instance resolved? A pure function of the listed names and the log's results.

- A FAIL_TO_PASS name passes with `PASSED` alone. An expected failure is not the fix, and a
  skipped test showed nothing.
- A PASS_TO_PASS name passes with `PASSED`, and also with `XFAIL`, `SKIPPED` and `XPASS`: the
  change did not break it (SWE-bench 5 calls the first three *maintained*; VeloraHarness counts
  all four). A strict unexpected pass is a failure in pytest's own words already.
- A name that the log does not show does not pass, nor does one that may mean two tests.
- An empty FAIL_TO_PASS shows nothing, so it is never resolved.
- A run that hit the time limit is not resolved, whatever it had shown by then.
"""

from __future__ import annotations

from collections.abc import Iterable

from velora.grading.names import AMBIGUOUS, MISSING, Match, NameIndex
from velora.grading.parsers.tally import SEVERITY
from velora.grading.protocol import NameVerdict, Parsed, Status

FIXED = frozenset({Status.PASSED})
"""Statuses with which a FAIL_TO_PASS name passes."""

MAINTAINED = frozenset({Status.PASSED, Status.XFAIL, Status.SKIPPED, Status.XPASS})
"""Statuses with which a PASS_TO_PASS name passes."""

RESOLVED = "resolved"

Names = tuple[NameVerdict, ...]


def judge(
    fail_to_pass: Iterable[str], pass_to_pass: Iterable[str], parsed: Parsed
) -> tuple[Names, Names]:
    """A verdict for each listed name, in the lists' order."""
    index = NameIndex(parsed.results)
    return (
        tuple(_judge_name(name, index.match(name), parsed, FIXED) for name in fail_to_pass),
        tuple(_judge_name(name, index.match(name), parsed, MAINTAINED) for name in pass_to_pass),
    )


def reason(fail_to_pass: Names, pass_to_pass: Names, *, seen: bool, timed_out: bool) -> str:
    """`resolved`, or the first thing in the way, in this order: `no_fail_to_pass`,
    `tests_timed_out`, `no_tests_parsed`, `tests_failed`, `tests_missing`.

    Args:
        seen: some test was.
    """
    names = fail_to_pass + pass_to_pass
    if not fail_to_pass:
        return "no_fail_to_pass"
    if timed_out:
        return "tests_timed_out"
    if not seen:
        return "no_tests_parsed"
    if any(not name.passed and name.status is not None for name in names):
        return "tests_failed"
    if not all(name.passed for name in names):
        return "tests_missing"
    return RESOLVED


def cautions(names: Names, parsed: Parsed, exit_code: int | None) -> tuple[str, ...]:
    """What a reader of the verdict should know: it rests on less than it seems, or on
    contradictions."""
    found: list[str] = []
    skipped = sum(name.passed and name.status is Status.SKIPPED for name in names)
    if skipped:
        found.append(f"{skipped} PASS_TO_PASS tests were skipped and count as passed")
    ambiguous = sum(name.rule == AMBIGUOUS for name in names)
    if ambiguous:
        found.append(f"{ambiguous} listed names mean more than one test of the log")
    if parsed.results and not parsed.complete:
        found.append("the test run did not come to its end")
    seen = {result.status for result in parsed.results.values()}
    failed = seen & {Status.FAILED, Status.ERROR}
    if seen and exit_code and not failed and Status.XPASS not in seen:
        found.append(f"the tests ended with status {exit_code}, but no failing test was read")
    if failed and exit_code == 0:
        found.append("the tests ended with status 0, but failing tests were read")
    return tuple(found)


def _judge_name(name: str, match: Match, parsed: Parsed, passing: frozenset[Status]) -> NameVerdict:
    if not match.names:
        return NameVerdict(name, passed=False, status=None, rule=match.rule or MISSING)
    results = [(each, parsed.results[each]) for each in match.names]
    worst_name, worst = max(results, key=lambda each: SEVERITY[each[1].status])
    failing = [each for each in results if each[1].status not in passing]
    if failing:
        worst_name, worst = max(failing, key=lambda each: SEVERITY[each[1].status])
    return NameVerdict(
        name,
        passed=not failing,
        status=worst.status,
        rule=match.rule,
        raw=worst_name,
        line=worst.line,
    )
