from __future__ import annotations

import pytest

from velora.grading.soundness import Observed, findings

BOTH = ("f", "p")


def run(*passed: str, reason: str = "", seconds: float = 1.0, error: str = "") -> Observed:
    return Observed(frozenset(passed), reason, seconds, error)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (run("p"), [run(*BOTH), run(*BOTH)], ["sound"]),
        (run("p"), [run("f"), run("f")], ["broken_gold"]),
        (run("p"), [run(*BOTH, reason="patch_apply_failed")], ["broken_gold"]),
        (run(*BOTH), [run(*BOTH)], ["already_passing"]),
        (run(), [run(*BOTH)], ["failing_before"]),
        (run("p"), [run(*BOTH), run("p")], ["flaky"]),
        (run("p"), [run(*BOTH, seconds=51)], ["slow"]),
        (run("f"), [run("f"), run("f", "p", seconds=60)],
         ["already_passing", "failing_before", "flaky", "slow"]),
        (run("p", error="no image"), [run(*BOTH)], ["not_runnable"]),
        (run("p"), [run(error="lost"), run(*BOTH)], ["not_runnable"]),
        (run(), [run(reason="no_tests_parsed")], ["not_runnable"]),
        (run(), [run(reason="tests_timed_out")], ["not_runnable"]),
        # A build that fails without the fix shows no test, which is what a fix is for.
        (run(reason="no_tests_parsed"), [run("f", "p")], ["failing_before"]),
    ],
)  # fmt: skip
def test_the_gravest_finding_comes_first(
    before: Observed, after: list[Observed], expected: list[str]
) -> None:
    found = findings(["f"], ["p"], before, after, limit=100)
    assert [one.soundness for one in found] == expected
    assert all(one.why for one in found if one.soundness != "sound")


def test_findings_name_the_tests() -> None:
    (found,) = findings(["a", "b"], ["c"], run("c"), [run("a", "c"), run("a", "c")], limit=9)
    assert (found.tests, found.why) == (("b",), "tests that do not pass with the gold patch: 1")


def test_without_fail_to_pass_nothing_shows_a_fix() -> None:
    (found,) = findings([], ["c"], run("c"), [run("c")], limit=9)
    assert found.soundness == "broken_gold"
