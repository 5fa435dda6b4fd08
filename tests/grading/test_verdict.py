"""From results and listed names to a verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.grading.names import NameIndex
from velora.grading.parsers import registry
from velora.grading.protocol import Evidence, NameVerdict, Parsed, Source, Status, TestResult
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
        ("test_a", "t.py::T::test_a"),
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


@pytest.mark.parametrize(
    ("first", "second", "passes"),
    [(P, P, True), (P, F, False), (E, P, False), (P, S, False), (P, X, False), (P, None, True)],
)
@pytest.mark.parametrize(
    ("listed", "rule", "in_log"),
    [
        ("T.test_a", "pytest_unqualified", ("a.py::T::test_a", "b.py::T::test_a")),
        ("test_x", "sympy_unqualified", ("a/test_a.py:test_x", "b/test_b.py:test_x")),
        ("a.js:adds", "file_and_title", ("a.js > calc > adds", "a.js > adds")),
    ],
)
def test_a_name_without_its_place_passes_only_if_every_such_test_passed(
    listed: str,
    rule: str,
    in_log: tuple[str, str],
    first: Status,
    second: Status | None,
    passes: bool,
) -> None:
    shown = {name: each for name, each in zip(in_log, (first, second), strict=True) if each}
    ((name,), _) = judge([listed], [], parsed(shown))
    assert (name.passed, name.rule, name.matched) == (passes, rule, len(shown))


@pytest.mark.parametrize(
    ("statuses", "complete", "passes", "note"),
    [
        ((P, P), True, True, ""),
        ((P, F), True, False, ""),
        ((E, S), True, False, "1 of the suite's tests were skipped"),
        ((P, S), True, True, "1 of the suite's tests were skipped"),
        ((S, S), True, False, ""),
        ((P, X), True, False, ""),
        ((P, P), False, False, "a suite, and the test run did not come to its end"),
    ],
)
def test_a_suite_passes_as_its_framework_counts_it(
    statuses: tuple[Status, Status], complete: bool, passes: bool, note: str
) -> None:
    results = dict(zip(("com.acme.T.a", "com.acme.T.b"), statuses, strict=True))
    ((name,), _) = judge(["com.acme.T"], [], parsed(results, complete=complete))
    assert (name.passed, name.rule, name.matched) == (passes, "class", 2)
    assert name.note == note


def test_a_log_that_names_skipped_tests_alone_says_nothing_of_their_suite() -> None:
    log = Evidence(Source.LOG, Parsed({"com.acme.T.b": TestResult(S)}, complete=True))
    results = {"com.acme.T.a": TestResult(P), "com.acme.T.b": TestResult(S)}
    report = Evidence(Source.REPORT, Parsed(results, complete=True))
    ((name,), _) = judge(["com.acme.T"], [], [log, report])
    assert (name.passed, name.source) == (True, Source.REPORT)


def test_a_suite_that_failed_by_itself_does_not_pass() -> None:
    results = {"com.acme.T": E, "com.acme.T.a": P, "b.js": F, "b.js > x": P}
    names, _ = judge(["com.acme.T", "b.js"], [], parsed(results))
    assert not any(name.passed for name in names)


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


def reading(
    source: Source,
    results: dict[str, Status],
    *,
    lines: dict[str, int] | None = None,
    invented: bool = False,
    times: int = 1,
    complete: bool = True,
    derived: bool = False,
) -> Evidence:
    first = 101 if source is Source.REFERENCE else 1
    found = {
        name: TestResult(status, (lines or {}).get(name, n), "", invented=invented, times=times)
        for n, (name, status) in enumerate(results.items(), first)
    }
    return Evidence(source, Parsed(found, complete), derived)


def judged(name: str, *evidence: Evidence) -> NameVerdict:
    return judge([name], [], evidence)[0][0]


LOG, REPORT, REFERENCE = Source.LOG, Source.REPORT, Source.REFERENCE


def test_both_readings_agree() -> None:
    found = judged("x::t[a", reading(LOG, {"x::t[a b]": P}), reading(REFERENCE, {"x::t[a": P}))
    assert (found.passed, found.rule, found.source) == (True, "cut_at_blank", LOG)


def test_the_reference_can_take_a_pass_away() -> None:
    found = judged("f", reading(LOG, {"f": P}), reading(REFERENCE, {"f": F}))
    assert (found.passed, found.status, found.rule) == (False, F, "disagreement")
    assert found.source is REFERENCE
    assert found.note == "the log says PASSED in line 1"


def test_the_reference_gives_no_pass() -> None:
    found = judged("f", reading(LOG, {"f": F}), reading(REFERENCE, {"f": P}))
    assert (found.passed, found.status, found.rule) == (False, F, "exact")


def test_what_the_reference_alone_shows_is_no_evidence() -> None:
    strict = reading(LOG, {"g": P})
    evidence = [strict, reading(REFERENCE, {"f": P}, lines={"f": 7})]
    fixed, _ = judge(["f"], [], evidence)
    assert (fixed[0].passed, fixed[0].status, fixed[0].rule) == (False, None, "reference_only")
    assert "PASSED in line 7" in fixed[0].note
    assert reason(fixed, (), evidence, timed_out=False) == "tests_missing"
    assert "shown by VeloraHarness's rules alone" in cautions(fixed, evidence, 0)[0]
    empty = reading(LOG, {})
    assert judged("f", empty, reading(REFERENCE, {"f": P})).rule == "reference_only"


def test_where_no_strict_parser_fits_the_reference_counts() -> None:
    evidence = [reading(REFERENCE, {"f": P, "p": F})]
    fixed, kept = judge(["f"], ["p"], evidence)
    assert (fixed[0].passed, fixed[0].rule, fixed[0].source) == (True, "exact", REFERENCE)
    assert not kept[0].passed
    assert "VeloraHarness's rules alone have read it" in cautions(fixed, evidence, 1)[0]


def test_of_derived_lines_strict_parsers_know_nothing() -> None:
    strict = reading(LOG, {"other": F})
    derived = reading(REFERENCE, {'"a.B.c"': P}, derived=True)
    assert judged('"a.B.c"', strict, derived).passed
    knows = reading(LOG, {"a.B.c": F})
    assert not judged('"a.B.c"', knows, derived).passed


def test_invented_names_are_no_evidence() -> None:
    found = judged("test_1", reading(REFERENCE, {"test_1": P}, invented=True))
    assert (found.passed, found.status, found.rule) == (False, None, "invented")
    made_up = reading(REFERENCE, {"test_1": F}, invented=True)
    assert judged("test_1", reading(LOG, {"test_1": P}), made_up).passed


def test_both_read_it_from_one_line() -> None:
    strict = reading(LOG, {"a": P, "b": P}, lines={"a": 3, "b": 4})
    shown = reading(REFERENCE, {"lib.a": P}, lines={"lib.a": 3})
    found = judged("lib.a", strict, shown)
    assert (found.passed, found.rule, found.raw) == (True, "same_line", "a")
    other = reading(LOG, {"other": P}, lines={"other": 3})
    assert judged("lib.a", other, shown).rule == "reference_only"
    failed = reading(LOG, {"a": F}, lines={"a": 3})
    assert not judged("lib.a", failed, shown).passed
    twice = reading(REFERENCE, {"lib.a": P}, lines={"lib.a": 3}, times=2)
    assert judged("lib.a", strict, twice).rule == "reference_only"
    shared = reading(LOG, {"a": P, "b": P}, lines={"a": 3, "b": 3})
    assert judged("lib.a", shared, shown).rule == "reference_only"
    disagreeing = reading(REFERENCE, {"lib.a": E}, lines={"lib.a": 3})
    assert judged("lib.a", strict, disagreeing).rule == "disagreement"


def test_a_report_and_the_log_must_agree() -> None:
    log, report = reading(LOG, {"f": P}), reading(REPORT, {"f": F})
    found = judged("f", log, report)
    assert (found.passed, found.status, found.rule, found.source) == (
        False,
        F,
        "disagreement",
        REPORT,
    )
    assert judged("f", log, reading(REPORT, {"g": P})).passed
    assert judged("f", reading(LOG, {"g": P}), reading(REPORT, {"f": P})).source is REPORT
    assert judged("f", reading(LOG, {"f": E}), report).status is E


def test_inner_results_count_for_what_the_outer_framework_does_not_know() -> None:
    outer, inner = reading(LOG, {"unit": P}), reading(Source.INNER, {"S.T": P, "unit": F})
    assert judged("S.T", outer, inner).source is Source.INNER
    assert judged("unit", outer, inner).passed
    assert judged("S.U", outer, inner, reading(REFERENCE, {"S.U": P})).rule == "reference_only"


def test_what_a_verdict_records() -> None:
    results = {
        "a.js > adds": TestResult(P, 3, "", duration=0.1),
        "b.js > adds": TestResult(F, 9, "", duration=0.2),
    }
    found = judged("adds", Evidence(LOG, Parsed(results)))
    assert (found.matched, found.raw, found.line, found.duration) == (2, "b.js > adds", 9, 0.2)


STATUSES = st.sampled_from(Status)


@given(RESULTS, RESULTS, st.booleans(), st.booleans(), st.lists(NAMES, max_size=4))
def test_a_pass_needs_a_passing_status_somewhere(
    strict: dict[str, Status],
    shown: dict[str, Status],
    fits: bool,
    invented: bool,
    listed: list[str],
) -> None:
    log = [reading(LOG, strict)] if fits else []
    evidence = [*log, reading(REFERENCE, shown, invented=invented)]
    fixed, _ = judge(listed, [], evidence)
    for each in fixed:
        if each.passed:
            assert each.status is P
            assert each.matched
            assert (each.source is LOG) == fits
            assert shown.get(each.name) in (None, P) or invented
            assert fits or not invented


PYTEST_LOG = """============================= test session starts ==============================
collected 3 items
=========================== short test summary info ============================
PASSED t.py::test_a[mol per l]
PASSED t.py::test_b
FAILED t.py::test_c - assert 1 == 2
========================= 1 failed, 2 passed in 0.01s ==========================
"""


def test_a_row_that_names_the_reference_is_read_by_both() -> None:
    found = registry.parse("python/parse_log_pytest_v3", PYTEST_LOG)
    assert found.label == "python/parse_log_pytest_v3"
    assert found.candidates == ("pytest",)
    assert list(found.parsed.results) == ["t.py::test_a[mol", "t.py::test_b", "t.py::test_c"]
    assert found.beside is not None
    assert "t.py::test_a[mol per l]" in found.beside.results
    assert [each.source for each in found.evidence] == [LOG, REFERENCE]
    fixed, _ = judge(["t.py::test_a[mol", "t.py::test_b"], [], found.evidence)
    assert [each.rule for each in fixed] == ["cut_at_blank", "exact"]
    assert all(each.passed for each in fixed)


def test_a_printed_line_does_not_pass() -> None:
    """A program under test that prints what the reference believes."""
    forged = f"PASSED t.py::test_never_ran\n{PYTEST_LOG}"
    found = registry.parse("python/parse_log_pytest_v3", forged)
    assert "t.py::test_never_ran" in found.parsed.results
    assert judged("t.py::test_never_ran", *found.evidence).rule == "reference_only"


def test_a_log_that_no_strict_parser_reads() -> None:
    found = registry.parse("java/parse_log_junit", "com.acme.CalcTest,adds,PASS\n")
    assert (found.beside, found.candidates) == (None, ())
    assert [each.source for each in found.evidence] == [REFERENCE]
    assert judged('"com.acme.CalcTest.adds"', *found.evidence).passed
    assert judged("com.acme.CalcTest.adds", *found.evidence).rule == "junit_quoted"


def test_the_reference_and_a_strict_parser_named_together() -> None:
    found = registry.parse("pytest+python/parse_log_unittest", PYTEST_LOG)
    assert found.reference
    assert found.candidates == ("pytest",)
    assert registry.parse("pytest", PYTEST_LOG).evidence[0].source is LOG
