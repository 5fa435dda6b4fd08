"""From results and listed names to a verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.grading.names import NameIndex
from velora.grading.protocol import Evidence, Parsed, Source, Status, TestResult
from velora.grading.verdict import cautions, judge, reason

P, F, E, S, X, XP = (
    Status.PASSED,
    Status.FAILED,
    Status.ERROR,
    Status.SKIPPED,
    Status.XFAIL,
    Status.XPASS,
)


def parsed(results: dict[str, Status], *, complete: bool = True) -> list[Evidence]:
    found = {name: TestResult(status, 1, name) for name, status in results.items()}
    return [Evidence(Source.LOG, Parsed(found, complete))]


def verdict(results: dict[str, Status], f2p: list[str], p2p: list[str]) -> str:
    found = parsed(results)
    return reason(*judge(f2p, p2p, found), found, timed_out=False)


# The decision table of the graders in use; one F2P and one P2P name each.
@pytest.mark.parametrize(
    ("f2p", "p2p", "expected"),
    [
        (P, P, "resolved"),
        (P, S, "resolved"),
        (P, X, "resolved"),
        (P, XP, "resolved"),
        (P, F, "tests_failed"),
        (P, E, "tests_failed"),
        (P, None, "tests_missing"),
        (F, P, "tests_failed"),
        (E, P, "tests_failed"),
        (S, P, "tests_failed"),
        (X, P, "tests_failed"),
        (XP, P, "tests_failed"),
        (None, P, "tests_missing"),
        (None, F, "tests_failed"),
        (None, None, "no_tests_parsed"),
    ],
)
def test_the_decision_table(f2p: Status | None, p2p: Status | None, expected: str) -> None:
    results = {name: each for name, each in (("f", f2p), ("p", p2p)) if each is not None}
    assert verdict(results, ["f"], ["p"]) == expected


def test_unlisted_tests_do_not_matter() -> None:
    assert verdict({"f": P, "other": F}, ["f"], []) == "resolved"


def test_without_fail_to_pass_nothing_is_resolved() -> None:
    assert verdict({"p": P}, [], ["p"]) == "no_fail_to_pass"


def test_a_time_limit_is_never_resolved() -> None:
    found = parsed({"f": P})
    assert reason(*judge(["f"], [], found), found, timed_out=True) == "tests_timed_out"


@pytest.mark.parametrize(
    ("expected", "in_log"),
    [
        ("t.py::test_a", "t.py::test_ab"),
        ("t.py::test_ab", "t.py::test_a"),
        ("t1.py::test_a", "t2.py::test_a"),
        ("test_a", "t.py::test_a"),
        ("t.py::test_a", "t.py::test_a[1]"),
        ("t.py::test_a[mol", "t.py::test_a[mol]"),
        ("t.py::test_a[mol", "t.py::test_a[mole x]"),
        ("[", "t.py::test_a[1]"),
        ("m.C.test", "m.C.test_more"),
        ("m.test.test", "m.test"),
        ("t.py::test_a ", "t.py::test_a"),
    ],
)
def test_names_that_are_no_match(expected: str, in_log: str) -> None:
    fixed, _ = judge([expected], [], parsed({in_log: P}))
    assert (fixed[0].passed, fixed[0].status, fixed[0].rule) == (False, None, "missing")


@pytest.mark.parametrize(
    ("expected", "in_log", "rule"),
    [
        ("m.C.test_a", "m.C.test_a", "exact"),
        ("t.py::test_a[mol", "t.py::test_a[mol per l]", "cut_at_blank"),
        ("t.py::test_a[x[y]", "t.py::test_a[x[y] z]", "cut_at_blank"),
        ("test_a (m.C)", "m.C.test_a", "unittest_spaced"),
        ("test_a (m.C.test_a)", "m.C.test_a", "unittest_spaced"),
        ("m.C.test_a.test_a", "m.C.test_a", "unittest_doubled"),
        ("m.C.test_a", "test_a (m.C)", "unittest_spaced"),
        ("m.C.test_a", "m.C.test_a.test_a", "unittest_doubled"),
    ],
)
def test_names_that_match(expected: str, in_log: str, rule: str) -> None:
    fixed, _ = judge([expected], [], parsed({in_log: P}))
    assert (fixed[0].passed, fixed[0].rule, fixed[0].raw) == (True, rule, in_log)


def test_a_cut_name_passes_only_if_all_that_it_stands_for_pass() -> None:
    names = {"t::u[mol a]": P, "t::u[mol b]": P, "t::u[mol]": F, "t::u[mole]": F}
    assert judge(["t::u[mol"], [], parsed(names))[0][0].passed
    one_failed = judge(["t::u[mol"], [], parsed({**names, "t::u[mol b]": F}))[0][0]
    assert (one_failed.passed, one_failed.status, one_failed.raw) == (False, F, "t::u[mol b]")
    one_skipped = judge(["t::u[mol"], [], parsed({**names, "t::u[mol b]": S}))[0][0]
    assert (one_skipped.passed, one_skipped.status) == (False, S)


def test_an_ambiguous_name_never_passes() -> None:
    found = parsed({"test_a (m.C)": P, "test_a (m.C.test_a)": P})
    fixed, _ = judge(["m.C.test_a"], [], found)
    assert (fixed[0].passed, fixed[0].rule) == (False, "ambiguous")
    assert reason(fixed, (), found, timed_out=False) == "tests_missing"
    assert cautions(fixed, found, 0) == ("1 listed names mean more than one test of the log",)


def test_the_exact_name_comes_before_other_readings() -> None:
    found = parsed({"m.C.test.test": F, "m.C.test": P})
    assert not judge(["m.C.test.test"], [], found)[0][0].passed


def test_cautions() -> None:
    fixed, kept = judge(["f"], ["p"], parsed({"f": P, "p": S}))
    found = parsed({"f": P, "p": S}, complete=False)
    assert cautions(fixed + kept, found, 3) == (
        "1 PASS_TO_PASS tests were skipped and count as passed",
        "the test run did not come to its end",
        "the tests ended with status 3, but no failing test was read",
    )
    assert cautions((), parsed({"f": F}), 0) == (
        "the tests ended with status 0, but failing tests were read",
    )
    assert cautions((), parsed({"f": F}), 1) == ()


NAMES = st.one_of(
    st.text("abm.C[]() :", max_size=12),
    st.sampled_from(["m.C.a", "m.C.a.a", "a (m.C)", "a (m.C.a)", "t::a[b", "t::a[b c]", "t::a[b]"]),
)
RESULTS = st.dictionaries(NAMES, st.sampled_from(Status), max_size=6)


@given(RESULTS, st.lists(NAMES, max_size=4), st.lists(NAMES, max_size=4))
def test_a_name_passes_only_by_a_result_that_it_stands_for(
    results: dict[str, Status], f2p: list[str], p2p: list[str]
) -> None:
    found = parsed(results)
    index = NameIndex(found[0].parsed.results)
    fixed, kept = judge(f2p, p2p, found)
    for each in fixed + kept:
        stands_for = index.match(each.name).names
        assert each.passed is False or stands_for
        assert all(name in results for name in stands_for)
        if each.name in results:
            assert stands_for == (each.name,)
    for each in fixed:
        wanted = index.match(each.name).names
        assert each.passed == (bool(wanted) and all(results[name] is P for name in wanted))
    if reason(fixed, kept, found, timed_out=False) == "resolved":
        assert fixed
        assert all(each.passed for each in fixed + kept)
