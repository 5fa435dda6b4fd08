"""Is a task itself sound? A pure function of runs with no patch and with the gold patch.

FAIL_TO_PASS must fail before the fix and pass after it, PASS_TO_PASS pass both times, and every
run with the gold patch must end alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from velora.grading.protocol import Verdict


class Soundness(StrEnum):
    """What a task is; the first that fits, in this order."""

    NOT_RUNNABLE = "not_runnable"
    """Its image, repository, test patch or command does not work, or no test is read."""
    BROKEN_GOLD = "broken_gold"
    """A listed test does not pass with the gold patch in any run, or that does not apply."""
    ALREADY_PASSING = "already_passing"
    """A FAIL_TO_PASS test passes without any patch."""
    FAILING_BEFORE = "failing_before"
    """A PASS_TO_PASS test does not pass without a patch."""
    FLAKY = "flaky"
    """A listed test passes in some of the runs with the gold patch."""
    SLOW = "slow"
    """A run took more than half of the time limit."""
    SOUND = "sound"
    """None of these."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What one run of the tests showed of the listed names.

    Attributes:
        passed: names that passed.
        reason: the verdict's.
        seconds: for the test command.
        error: why there was no run, or "".
    """

    passed: frozenset[str]
    reason: str
    seconds: float
    error: str = ""

    @staticmethod
    def of(verdict: Verdict) -> Observed:
        """What a verdict shows."""
        names = verdict.fail_to_pass + verdict.pass_to_pass
        passed = frozenset(each.name for each in names if each.passed)
        return Observed(passed, verdict.reason, verdict.duration)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a task is, and by what. `tests` are the names that it is about."""

    soundness: Soundness
    why: str
    tests: tuple[str, ...] = ()


def findings(
    fail_to_pass: Sequence[str],
    pass_to_pass: Sequence[str],
    before: Observed,
    after: Sequence[Observed],
    *,
    limit: float,
) -> tuple[Finding, ...]:
    """Everything that is wrong with a task, the gravest first; `sound` alone if nothing is.

    Args:
        before: the run without a patch.
        after: the runs with the gold patch, at least one.
        limit: seconds that the test command may take.
    """
    if found := _not_runnable([before, *after]):
        return (found,)
    if not fail_to_pass:
        return (Finding(Soundness.BROKEN_GOLD, "FAIL_TO_PASS is empty: nothing shows a fix"),)
    if any(run.reason == "patch_apply_failed" for run in after):
        return (Finding(Soundness.BROKEN_GOLD, "the gold patch does not apply"),)
    listed = (*fail_to_pass, *pass_to_pass)
    never = [name for name in listed if not any(name in run.passed for run in after)]
    always = [name for name in listed if all(name in run.passed for run in after)]
    flaky = [name for name in listed if name not in {*never, *always}]
    found_all = []
    for soundness, tests, what in (
        (Soundness.BROKEN_GOLD, never, "tests that do not pass with the gold patch"),
        (
            Soundness.ALREADY_PASSING,
            [name for name in fail_to_pass if name in before.passed],
            "FAIL_TO_PASS tests that pass without a patch",
        ),
        (
            Soundness.FAILING_BEFORE,
            [name for name in pass_to_pass if name not in before.passed and name not in never],
            "PASS_TO_PASS tests that do not pass without a patch",
        ),
        (
            Soundness.FLAKY,
            flaky,
            f"tests that pass in some of {len(after)} runs with the gold patch",
        ),
    ):
        if tests:
            found_all.append(Finding(soundness, f"{what}: {len(tests)}", tuple(tests)))
    slowest = max(run.seconds for run in after)
    if slowest > limit / 2:
        found_all.append(Finding(Soundness.SLOW, f"{slowest:.0f} s of the limit of {limit:g} s"))
    return tuple(found_all) or (Finding(Soundness.SOUND, ""),)


def _not_runnable(runs: Sequence[Observed]) -> Finding | None:
    for run in runs:
        if run.error:
            return Finding(Soundness.NOT_RUNNABLE, run.error)
    after = runs[1:]
    if all(run.reason == "tests_timed_out" for run in after):
        return Finding(Soundness.NOT_RUNNABLE, "the tests do not end within the time limit")
    if all(run.reason == "no_tests_parsed" for run in after):
        return Finding(Soundness.NOT_RUNNABLE, "no test is read with the gold patch")
    return None
