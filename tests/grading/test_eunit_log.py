"""Tricky places in EUnit's output; the logs here are hand-written."""

from __future__ import annotations

from velora.grading.parsers import registry

HEADER = "======================== EUnit ========================\n"
RULE = "=======================================================\n"


def read(text: str) -> tuple[dict[str, str], bool]:
    (framework,) = registry.get("eunit")
    parsed = framework.parse(text)
    return {name: str(each.status) for name, each in parsed.results.items()}, parsed.complete


def test_a_pass_behind_what_a_test_printed_needs_the_totals() -> None:
    log = f"{HEADER}  a: x_test...hello\nworld ok\n  a: y_test...ok\n{RULE}"
    assert read(f"{log}  All 2 tests passed.\n") == (
        {"a: x_test": "PASSED", "a: y_test": "PASSED"},
        True,
    )
    results, _ = read(f"{log}  Failed: 1.  Skipped: 0.  Passed: 1.\n")
    assert results == {"a: y_test": "PASSED"}


def test_a_printed_line_of_another_test_is_one_too_many() -> None:
    log = f"{HEADER}  a: x_test...ok\n  a: z_test...ok\n{RULE}  Test passed.\n"
    assert read(log) == ({}, True)


def test_totals_need_the_rule_above_them() -> None:
    log = f"{HEADER}  a: x_test...\n  All 3 tests passed.\n*failed*\n"
    assert read(log) == ({"a: x_test": "FAILED"}, False)


def test_titles_keep_brackets_dots_and_quotes() -> None:
    log = f'{HEADER}  a:3: -x_test_/0-fun-1- (is (very) ... "odd")...[0.010 s] ok\n{RULE}'
    (framework,) = registry.get("eunit")
    parsed = framework.parse(f"{log}  Test passed.\n")
    ((name, result),) = parsed.results.items()
    assert name == 'a:3: -x_test_/0-fun-1- (is (very) ... "odd")'
    assert result.duration == 0.01
