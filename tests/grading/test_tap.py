"""TAP's grammar: what the logs in `logs/tap` do not show. The texts are written by hand."""

from __future__ import annotations

import pytest

from velora.grading.parsers import registry
from velora.grading.parsers.generic import tap_lines, tap_log
from velora.grading.protocol import Parsed


def parse(text: str) -> Parsed:
    return tap_log.FRAMEWORK.parse(text)


def statuses(text: str) -> dict[str, str]:
    return {name: str(result.status) for name, result in parse(text).results.items()}


@pytest.mark.parametrize(
    ("line", "title", "status"),
    [
        ("ok 1 - adds", "adds", "PASSED"),
        ("ok 1 adds - twice", "adds - twice", "PASSED"),
        ("ok - adds", "adds", "PASSED"),
        ("not ok 2 adds # TODO some day", "adds", "XFAIL"),
        ("ok 2 adds # todo", "adds", "XPASS"),
        ("ok 3 adds # Skipped: no net", "adds", "SKIPPED"),
        (r"ok 3 has \# SKIP in it", "has # SKIP in it", "PASSED"),
        ("ok 3 issue#12 and # more", "issue#12 and # more", "PASSED"),
        ("ok 3 ends with a dash -", "ends with a dash -", "PASSED"),
        ("ok 12 # skip", "", "SKIPPED"),
        ("ok 4 - slow # time=1.5s", "slow", "PASSED"),
        ("ok 5 # skip no net", "", "SKIPPED"),
        ("ok 5# skip no net", "", "SKIPPED"),
        ("ok 5- adds", "adds", "PASSED"),
        ("ok 5 - -1 is less", "-1 is less", "PASSED"),
        ("ok 5 -1 is less", "-1 is less", "PASSED"),
        ("ok 5 12 is more", "12 is more", "PASSED"),
        ("ok 5th of all", "5th of all", "PASSED"),
        ("ok\t- adds", "adds", "PASSED"),
        ("ok 6 - adds {", "adds", "PASSED"),
        ("not ok 7 - adds # skip not here", "adds", "SKIPPED"),
        (r"ok 8 - a back\\slash # TODO now", r"a back\slash", "XPASS"),
    ],
)
def test_points(line: str, title: str, status: str) -> None:
    point = tap_lines.point(line)
    assert point is not None
    assert (point.title, str(point.status)) == (title, status)


@pytest.mark.parametrize("line", ["okay", "ok!", "not okay 1", "notok 1", "oklahoma 1", "ok-a"])
def test_what_is_no_point(line: str) -> None:
    assert tap_lines.point(line) is None


def test_times() -> None:
    text = "1..2\nok 1 - a # time=1500ms\nok 2 - b\n  ---\n  duration_ms: 12.5\n  ...\n"
    results = parse(text).results
    assert (results["a"].duration, results["b"].duration) == (1.5, 0.0125)


def test_points_in_yaml_and_text_are_not_read() -> None:
    text = "1..2\nnot ok 1 - a\n  ---\n  stack: |\n    ok 2 - b\n  ...\nok 2 - b\n"
    assert statuses(text) == {"a": "FAILED", "b": "PASSED"}


def test_a_block_that_is_not_right_below_a_point_hides_nothing() -> None:
    assert statuses("1..2\nok 1 - a\nprinted\n  ---\nnot ok 2 - b\n") == {
        "a": "PASSED",
        "b": "FAILED",
    }


@pytest.mark.parametrize(
    ("printed", "lost"),
    [
        ("ok 1 - b", {"a", "b"}),  # in the first test: the same number as its own
        ("ok 2 - b", {"b"}),  # in the second
        ("ok 9 - b", set()),
        ("    ok 1 - b\n    ok 2 - c", set()),
        ("ok", set()),
    ],
)
def test_printed_points_do_not_pass(printed: str, lost: set[str]) -> None:
    text = f"ok 1 - a\n{printed}\nnot ok 2 - b\nok 3 - c\n1..3\n"
    parsed = parse(text)
    passed = {name for name, result in parsed.results.items() if result.status == "PASSED"}
    assert passed == {"a", "c"} - lost
    assert parsed.results["b"].status == "FAILED"
    assert parsed.complete


def test_missing_points_are_told() -> None:
    parsed = parse("1..4\nok 1 - a\nglued ok 2 - b\nok 3 - c\nok 4 - d\n")
    assert list(parsed.results) == ["a", "c", "d"]
    assert parsed.warnings == ("line 4: points 2 ff. are missing",)


def test_points_beyond_the_plan_do_not_pass() -> None:
    parsed = parse("TAP version 13\n1..1\nok 1 - a\nok 2 - b\n")
    assert list(parsed.results) == ["a"]
    assert any("1 points are planned, 2 came" in warning for warning in parsed.warnings)


def test_streams_after_one_another() -> None:
    text = "1..1\nok 1 - a\n1..2\nok 1 - b\nnot ok 2 - a\n"
    assert statuses(text) == {"a": "FAILED", "b": "PASSED"}
    assert parse(text).complete
    cut = parse("1..2\nok 1 - a\nTAP version 13\nok 1 - b\n1..1\n")
    assert set(cut.results) == {"a", "b"}
    assert not cut.complete


def test_an_empty_plan_is_a_complete_run() -> None:
    parsed = parse("1..0 # SKIP no database\n")
    assert (parsed.results, parsed.complete) == ({}, True)


def test_prove_shows_the_same() -> None:
    text = "t/a.t ..\nok 1 - a\n1..1\nok\nt/b.t ..\nnot ok 1 - b\n1..1\nDubious\n"
    assert statuses(text) == {"a": "PASSED", "b": "FAILED"}


def test_braces_hold_the_tests_of_the_point_before() -> None:
    text = "1..1\nok 1 - outer {\n    ok 1 - inner\n    1..1\n}\n"
    assert statuses(text) == {"outer": "PASSED", "outer > inner": "PASSED"}


def test_points_of_a_cut_sub_test_have_no_name() -> None:
    parsed = parse("TAP version 13\nok 1 - a\n    ok 1 - inner\n    1..1\n")
    assert list(parsed.results) == ["a"]
    assert not parsed.complete


def test_points_without_plan_and_version_are_output() -> None:
    assert registry.parse("auto", "ok 1 - a\nnot ok 2 - b\n").label == "auto"
    assert parse("ok 1 - a\n").results == {}
