"""The cases of unittest's output that real runs seldom show."""

from __future__ import annotations

import pytest

from velora.grading.parsers.python.unittest_log import FRAMEWORK, NOSE2
from velora.grading.protocol import Parsed


def statuses(parsed: Parsed) -> dict[str, str]:
    return {name: str(result.status) for name, result in parsed.results.items()}


def log(*lines: str) -> Parsed:
    return FRAMEWORK.parse("\n".join(lines) + "\n")


def ended(count: int, *, last: str = "OK") -> list[str]:
    return ["", "-" * 70, f"Ran {count} tests in 0.001s", "", last]


def block(kind: str, name: str) -> list[str]:
    return ["", "=" * 70, f"{kind}: {name}", "-" * 70, "Traceback (most recent call last):", ""]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("test_a (m.C) ... ok", "m.C.test_a"),
        ("test_a (m.C.test_a) ... ok", "m.C.test_a"),
        ("test with blanks (m.C.test with blanks) ... ok", None),
        ("test_ü (m.Ü) ... ok", "m.Ü.test_ü"),
        ("test_a (m.f.<locals>.C.test_a) ... ok", "m.f.<locals>.C.test_a"),
        ("runTest (__main__.C) ... ok", "__main__.C.runTest"),
        ("test (m.C.test) ... ok", "m.C.test"),
        ("output without newlinetest_a (m.C.test_a) ... ok", "m.C.test_a"),
        ("see test_a (m.C) ... ok", None),
    ],
)
def test_names(line: str, name: str | None) -> None:
    parsed = log(line, *ended(1))
    assert statuses(parsed) == ({name: "PASSED"} if name else {})


def test_a_printed_ok_is_overruled_by_the_block() -> None:
    parsed = log(
        "test_a (m.C) ... ok",
        "FAIL",
        *block("FAIL", "test_a (m.C)"),
        *ended(1, last="FAILED (failures=1)"),
    )
    assert statuses(parsed) == {"m.C.test_a": "FAILED"}
    assert parsed.warnings == ()


def test_a_printed_ok_is_overruled_by_the_later_verdict_where_there_are_no_blocks() -> None:
    parsed = log("test_a (m.C) ... ok", "ERROR", *ended(1, last="FAILED (errors=1)"))
    assert statuses(parsed) == {"m.C.test_a": "ERROR"}
    assert "described" in parsed.warnings[0]
    assert statuses(log("test_a (m.C) ... ok", "FAIL")) == {"m.C.test_a": "FAILED"}


def test_a_glued_verdict_needs_a_whole_run() -> None:
    lines = ["test_a (m.C) ... some textok", "test_b (m.C) ... ok"]
    assert statuses(log(*lines, *ended(2))) == {"m.C.test_a": "PASSED", "m.C.test_b": "PASSED"}
    assert statuses(log(*lines, "test_c (m.C) ... ")) == {
        "m.C.test_a": "ERROR",
        "m.C.test_b": "PASSED",
        "m.C.test_c": "ERROR",
    }
    failed = log(*lines, *ended(2, last="FAILED (failures=1)"))
    assert statuses(failed) == {"m.C.test_b": "PASSED"}


def test_failed_subtests_leave_the_next_name_on_their_line() -> None:
    parsed = log(
        "test_a (m.C) ... test_b (m.C) ... ok",
        *block("FAIL", "test_a (m.C) [some (text)] (i=1)"),
        *ended(2, last="FAILED (failures=1)"),
    )
    assert statuses(parsed) == {"m.C.test_a": "FAILED", "m.C.test_b": "PASSED"}


def test_several_runs_in_one_log() -> None:
    parsed = log(
        "test_a (m.C) ... ok",
        *ended(1),
        "+ python -m unittest n",
        "test_a (n.C) ... skipped 'no'",
        "test_b (n.C) ... ok",
        *ended(2, last="OK (skipped=1)"),
    )
    assert statuses(parsed) == {
        "m.C.test_a": "PASSED",
        "n.C.test_a": "SKIPPED",
        "n.C.test_b": "PASSED",
    }
    assert parsed.complete
    assert parsed.warnings == ()


def test_a_second_run_that_is_cut_off() -> None:
    parsed = log("test_a (m.C) ... ok", *ended(1), "test_b (m.C) ... ")
    assert statuses(parsed) == {"m.C.test_a": "PASSED", "m.C.test_b": "ERROR"}
    assert not parsed.complete


def test_totals_that_differ_are_a_warning() -> None:
    two = ["test_a (m.C) ... ok", "test_b (m.C) ... ok"]
    parsed = log(*two, *ended(3))
    assert set(statuses(parsed).values()) == {"PASSED"}
    assert parsed.warnings == ("line 7: 3 tests ran, 2 are listed",)


def test_lines_that_look_like_a_list_without_one() -> None:
    parsed = log("..test_a (m.C.test_a) ... ok", "..", *ended(4))
    assert statuses(parsed) == {}
    assert "no -v?" in parsed.warnings[0]


def test_a_line_that_only_looks_like_the_first_of_two() -> None:
    parsed = log("test_a (m.C) ... ", "hello (wide.world)", "ok", *ended(1))
    assert statuses(parsed) == {"m.C.test_a": "PASSED"}


def test_a_class_that_cannot_be_set_up() -> None:
    parsed = log(
        "setUpClass (m.C) ... ERROR",
        *block("ERROR", "setUpClass (m.C)"),
        *ended(0, last="FAILED (errors=1)"),
    )
    assert statuses(parsed) == {"setUpClass (m.C)": "ERROR"}
    assert parsed.warnings == ()


def test_no_tests() -> None:
    assert FRAMEWORK.parse("") == Parsed()
    assert log(*ended(0, last="NO TESTS RAN")).complete


def test_a_hostile_line_costs_little() -> None:
    for line in (
        "a (b.c) ... " * 100_000,
        ") ... " * 200_000,
        "x" * 1_000_000 + " (m.C) ... ok",
        "a" * 1_000_000,
        " ... ok" * 200_000,
        "FAIL: " + "a (" * 300_000,
        "skipped '" * 100_000,
        "OK (" + "a=1, " * 200_000,
    ):
        log("test_a (m.C)", line, "=" * 70, line, "-" * 70, line)


def test_a_line_that_another_test_printed() -> None:
    inside = [
        "test_a (m.C.test_a) ... test_x (m.C.test_x) ... ok",
        "ok",
        "test_b (m.C.test_b) ... ok",
    ]
    assert statuses(log(*inside, *ended(2))) == {"m.C.test_a": "PASSED", "m.C.test_b": "PASSED"}
    failing = ["test_a (m.C) ... ok", "test_x (m.C) ... ok", "FAIL", "test_b (m.C) ... ok"]
    parsed = log(*failing, *block("FAIL", "test_a (m.C)"), *ended(2, last="FAILED (failures=1)"))
    assert statuses(parsed) == {"m.C.test_a": "FAILED", "m.C.test_b": "PASSED"}


def test_captured_output_shown_in_the_list() -> None:
    parsed = log(
        "test_a (m.C) ... FAIL",
        "",
        "Stderr:",
        "test_x (m.C) ... ok",
        "test_b (m.C) ... ok",
        *block("FAIL", "test_a (m.C)"),
        "Stderr:",
        "test_x (m.C) ... ok",
        *ended(2, last="FAILED (failures=1)"),
    )
    assert statuses(parsed) == {"m.C.test_a": "FAILED", "m.C.test_b": "PASSED"}
    assert parsed.warnings == ()


def test_a_single_printed_line_in_a_run_of_dots() -> None:
    assert statuses(log("test_x (m.C.test_x) ... ok", ".", *ended(1))) == {}


def test_a_class_that_skips_itself_leaves_the_test_before_alone() -> None:
    lines = ["test_a (m.C) ... ok", "skipped 'no engine'"]
    following = log(*lines, "test_b (m.D) ... ok", *ended(2, last="OK (skipped=1)"))
    assert statuses(following) == {"m.C.test_a": "PASSED", "m.D.test_b": "PASSED"}
    own = log(*lines, "test_b (m.C) ... ok", *ended(2, last="OK (skipped=1)"))
    assert statuses(own) == {"m.C.test_a": "SKIPPED", "m.C.test_b": "PASSED"}


def test_a_crash_behind_a_printed_ok() -> None:
    assert statuses(log("test_a (m.C) ... ok", "Segmentation fault")) == {"m.C.test_a": "ERROR"}


def test_a_list_behind_the_totals_passes_nothing() -> None:
    parsed = log("test_a (m.C) ... ok", *ended(1), "test_x (m.C) ... ok", "test_y (m.C) ... ok")
    assert statuses(parsed) == {"m.C.test_a": "PASSED", "m.C.test_y": "ERROR"}


def test_an_inner_run_is_its_tests_output() -> None:
    inner = ["test_i (m.I) ... ok", *ended(1)]
    lines = ["test_a (m.C) ... ok", "test_b (m.C) ... ", *inner, "ok"]
    assert statuses(log(*lines, *ended(2))) == {"m.C.test_a": "PASSED", "m.C.test_b": "PASSED"}


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["m.test_f ... ok"], "m.test_f"),
        (["m.test_f:2", "1, 'x y' ... ok"], "m.test_f:2"),
        (["test_p:1", "(1, 2) (m.C.test_p:1", "(1, 2)) ... ok"], "m.C.test_p:1"),
        (["test_p:1", "1 (m.C.test_p:1", "1)", "Says. ... ok"], "m.C.test_p:1"),
        (["test_p:1", "1 (m.C) ... ok"], "m.C.test_p:1"),
        (["test_p:1", "1 (m.C)", "Says. ... ok"], "m.C.test_p:1"),
        (["m.transplant_class.<locals>.C (test_f) ... ok"], "m.test_f"),
        (
            ["test 0001: should go (m.A b.test 0001: should go) ... ok"],
            "m.A b.test 0001: should go",
        ),
        (["m.test_g(1, 'a b') ... ok"], "m.test_g(1, 'a b')"),
        (["see m.test_f ... ok"], None),
    ],
)
def test_names_of_nose(lines: list[str], name: str | None) -> None:
    parsed = NOSE2.parse("\n".join([*lines, *ended(1)]))
    assert statuses(parsed) == ({name: "PASSED"} if name else {})
