"""What other graders would say of the same results. Reported beside the verdict, never part of it.

Each function is one grader's rule for lists and statuses, with its leniencies: names matched by
substrings, absent tests that pass, statuses that nobody counts. Gates on the log's text and on the
exit code come before these rules there and are no part of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from velora.grading.protocol import Status


class Outcome(StrEnum):
    """What a grader says. PARTIAL is for those that know it: all of PASS_TO_PASS and some of
    FAIL_TO_PASS."""

    RESOLVED = "resolved"
    PARTIAL = "partial"
    UNRESOLVED = "unresolved"


Names = Sequence[str]
Results = Mapping[str, Status]
Grader = Callable[[Names, Names, Results], Outcome]

P, F, E, S, X, XP = (
    Status.PASSED,
    Status.FAILED,
    Status.ERROR,
    Status.SKIPPED,
    Status.XFAIL,
    Status.XPASS,
)

LARGEST = 2_000_000
"""Listed names times results up to which graders that compare each with each are asked."""


def swe_bench(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """SWE-bench 5: a cut name takes the status on which all tests that begin with it agree; an
    unexpected pass counts neither way."""
    found = {name: _of_cut(name, results) for name in (*fail_to_pass, *pass_to_pass)}
    return _graded(
        _sides(fail_to_pass, found, good={P, X}, bad={F, E, S, None}),
        _sides(pass_to_pass, found, good={P, X, S}, bad={F, E, None}),
    )


def swe_bench_fail_only(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """SWE-bench 5 for repositories whose logs show failures alone: what is not FAILED passed."""
    found = {name: _of_cut(name, results) for name in (*fail_to_pass, *pass_to_pass)}
    good = {P, E, S, X, XP, None}
    return _graded(
        _sides(fail_to_pass, found, good=good, bad={F}),
        _sides(pass_to_pass, found, good=good, bad={F}),
    )


def swe_bench_4(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """SWE-bench 4: skipped tests count neither way."""
    return _graded(
        _sides(fail_to_pass, results, good={P, X}, bad={F, E, None}),
        _sides(pass_to_pass, results, good={P, X}, bad={F, E, None}),
    )


def swe_smith(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """SWE-smith of June 2025: what neither failed nor broke passed, absent tests too."""
    good = {P, S, X, XP, None}
    return _graded(
        _sides(fail_to_pass, results, good=good, bad={F, E}),
        _sides(pass_to_pass, results, good=good, bad={F, E}),
    )


def multi_swe_bench(
    fail_to_pass: Names,
    pass_to_pass: Names,
    results: Results,
    *,
    before: Results | None = None,
    tested: Results | None = None,
) -> Outcome:
    """Multi-SWE-bench: no test of the whole log may fail that passed with the test patch alone,
    something must be fixed, and each listed name must change as the dataset says.

    Args:
        before: the run without any patch; None: PASS_TO_PASS passed.
        tested: the run with the test patch alone; None: PASS_TO_PASS passed, FAIL_TO_PASS failed.
    """
    kept = dict.fromkeys(pass_to_pass, P)
    first = _simple(kept if before is None else before)
    second = _simple({**kept, **dict.fromkeys(fail_to_pass, F)} if tested is None else tested)
    third = _simple(results)
    for name, status in third.items():
        if status is F and second.get(name) is P:
            return Outcome.UNRESOLVED
        if status is F and second.get(name) in (None, S) and first.get(name) is P:
            return Outcome.UNRESOLVED
    fixed = any(status is P and second.get(name) is not P for name, status in third.items())
    listed = all(third.get(name) is P for name in (*fail_to_pass, *pass_to_pass))
    return _whether(bool(third) and fixed and listed)


def velora_harness(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """VeloraHarness: the first test in the log's order of which the name is a part, or that is a
    part of the name, or that has its class and method."""

    def passes(name: str, good: set[Status]) -> bool:
        found = next((each for each in results if _alike(name, each)), None)
        return found is not None and results[found] in good

    return _whether(
        bool(results)
        and all(passes(name, {P}) for name in fail_to_pass)
        and all(passes(name, {P, X, XP, S}) for name in pass_to_pass)
    )


def nemo(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """NeMo's grader for extended tasks: the name itself, else one that is a part of it or of which
    it is a part, else one with the same last component; absent builds pass."""

    def passes(name: str) -> bool:
        if name in results:
            return results[name] is P
        if name.endswith(("::build", "::compile")):
            return True
        last = name.rpartition("::")[2]
        found = next((each for each in results if name in each or each in name), None)
        found = found or next((each for each in results if each.rpartition("::")[2] == last), None)
        return found is not None and results[found] is P

    return _whether(all(passes(name) for name in (*fail_to_pass, *pass_to_pass)))


_TIMING = re.compile(r"\s(?:\[[\d.]+ ?m?s\]|in [\d.]+ ?m?sec|\([\d.]+ ?m?s\))\Z")


def swe_rebench(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """SWE-rebench V2: all listed names are among the passed, timings at the end taken off."""
    passed = set(_passed(results))
    return _whether(passed >= {_untimed(name) for name in (*fail_to_pass, *pass_to_pass)})


def swe_rebench_match(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """SWE-rebench V2, `passed_match`: the listed names are all that passed."""
    listed = sorted(_untimed(name) for name in (*fail_to_pass, *pass_to_pass))
    return _whether(sorted(_passed(results)) == listed)


def swe_polybench(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """SWE-PolyBench: FAIL_TO_PASS is among the passed, nothing of PASS_TO_PASS among the failed."""
    return _whether(
        bool(results)
        and all(results.get(name) is P for name in fail_to_pass)
        and not any(results.get(name) is F for name in pass_to_pass)
    )


def swe_bench_live(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """SWE-bench-Live: its three statuses, expected and unexpected ones as passes; an absent
    PASS_TO_PASS test passes."""
    return _whether(
        all(results.get(name) in (P, X, XP) for name in fail_to_pass)
        and not any(results.get(name) in (F, E) for name in pass_to_pass)
    )


def swe_bench_pro(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """SWE-bench Pro: all listed names passed, to the letter."""
    return _whether(all(results.get(name) is P for name in (*fail_to_pass, *pass_to_pass)))


def r2e_gym(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> Outcome:
    """R2E-Gym: the results are what its map says and nothing else; here, that all listed passed."""
    return _whether(dict(results) == dict.fromkeys((*fail_to_pass, *pass_to_pass), P))


GRADERS: dict[str, Grader] = {
    "swe-bench": swe_bench,
    "swe-bench-fail-only": swe_bench_fail_only,
    "swe-bench-4": swe_bench_4,
    "swe-smith": swe_smith,
    "multi-swe-bench": multi_swe_bench,
    "velora-harness": velora_harness,
    "nemo": nemo,
    "swe-rebench": swe_rebench,
    "swe-rebench-match": swe_rebench_match,
    "swe-polybench": swe_polybench,
    "swe-bench-live": swe_bench_live,
    "swe-bench-pro": swe_bench_pro,
    "r2e-gym": r2e_gym,
}

_EACH_WITH_EACH = frozenset({"velora-harness", "nemo", "swe-bench", "swe-bench-fail-only"})


def verdicts(fail_to_pass: Names, pass_to_pass: Names, results: Results) -> dict[str, Outcome]:
    """Each grader's verdict; without those that would compare too many names with each other."""
    large = (len(fail_to_pass) + len(pass_to_pass)) * len(results) > LARGEST
    return {
        name: grader(fail_to_pass, pass_to_pass, results)
        for name, grader in GRADERS.items()
        if not (large and name in _EACH_WITH_EACH)
    }


def _sides(
    names: Names,
    results: Mapping[str, Status | None],
    *,
    good: set[Status | None],
    bad: set[Status | None],
) -> tuple[int, int]:
    """How many of the names are on the good and on the bad side; None is an absent test."""
    found = [results.get(name) for name in names]
    return sum(each in good for each in found), sum(each in bad for each in found)


def _graded(fixed: tuple[int, int], kept: tuple[int, int]) -> Outcome:
    if kept[1]:
        return Outcome.UNRESOLVED
    if not fixed[1]:
        return Outcome.RESOLVED
    return Outcome.PARTIAL if fixed[0] else Outcome.UNRESOLVED


def _of_cut(name: str, results: Results) -> Status | None:
    if name in results or name.count("[") <= name.count("]"):
        return results.get(name)
    found = [status for each, status in results.items() if each.startswith(name)]
    agreed = len({status in (P, X) for status in found}) == 1
    return found[0] if agreed else None


def _simple(results: Results) -> dict[str, Status]:
    """Passed, failed and skipped alone."""
    simple = {X: P, E: F, XP: F}
    return {name: simple.get(status, status) for name, status in results.items()}


def _alike(name: str, other: str) -> bool:
    if name in other or other in name:
        return True
    cls, two, method = _class_and_method(name)
    other_cls, other_two, other_method = _class_and_method(other)
    same = bool(two and other_two) and method == other_method
    return same and (cls in other_cls or other_cls in cls)


def _class_and_method(name: str) -> tuple[str, str, str]:
    head, two, method = name.rpartition("::")
    return re.split(r"[/\\]", head)[-1].removesuffix(".php"), two, method


def _untimed(name: str) -> str:
    return _TIMING.sub("", name)


def _passed(results: Results) -> Iterable[str]:
    return (_untimed(name) for name, status in results.items() if status is P)


def _whether(resolved: bool) -> Outcome:
    return Outcome.RESOLVED if resolved else Outcome.UNRESOLVED
