"""Tricky places in ExUnit's output; the logs here are hand-written."""

from __future__ import annotations

from velora.grading.parsers import registry

SEED = "\nRandomized with seed 0\n"
FINISHED = "\nFinished in 0.05 seconds (0.05s async, 0.00s sync)\n"


def read(text: str) -> tuple[dict[str, str], tuple[str, ...], bool]:
    (framework,) = registry.get("exunit")
    parsed = framework.parse(text)
    statuses = {name: str(result.status) for name, result in parsed.results.items()}
    return statuses, parsed.warnings, parsed.complete


def row(name: str, printed: str = "") -> str:
    return f"  * test {name} [L#3]{printed}\r  * test {name} (0.1ms) [L#3]\n"


def test_what_a_test_prints_stands_behind_its_beginning() -> None:
    log = f"\nATest [test/a_test.exs]\n{row('a', 'hello')}{FINISHED}1 test, 0 failures\n{SEED}"
    assert read(log) == ({"ATest > test a": "PASSED"}, (), True)


def test_a_line_without_a_beginning_was_printed() -> None:
    log = (
        f"\nATest [test/a_test.exs]\n  * test b (0.1ms) [L#4]\n{row('a')}"
        f"{FINISHED}1 test, 0 failures\n{SEED}"
    )
    assert read(log) == ({"ATest > test a": "PASSED"}, (), True)


def test_no_pass_where_more_failed_than_is_shown() -> None:
    log = f"\nATest [test/a_test.exs]\n{row('a')}{row('b')}{FINISHED}2 tests, 1 failure\n{SEED}"
    results, warnings, _ = read(log)
    assert (results, warnings) == ({}, ("line 7: 1 failures, 0 are shown",))


def test_totals_in_the_middle_were_printed() -> None:
    log = (
        f"\nATest [test/a_test.exs]\n{row('a')}{FINISHED}5 tests, 0 failures\n{row('b')}"
        "\n\n  1) test b (ATest)\n     test/a_test.exs:3\n     Expected truthy, got false\n"
        f"{FINISHED}1 property, 1 test, 1 failure\n{SEED}"
    )
    assert read(log) == ({"ATest > test a": "PASSED", "ATest > test b": "FAILED"}, (), True)


def test_two_failures_of_one_number_are_both_kept() -> None:
    block = "\n\n  1) test {} (ATest)\n     test/a_test.exs:3\n     Expected truthy, got false\n"
    log = f"{block.format('a')}{block.format('b')}{FINISHED}3 tests, 1 failure\n{SEED}"
    results, warnings, complete = read(log)
    assert results == {"ATest > test a": "FAILED", "ATest > test b": "FAILED"}
    assert (warnings, complete) == (("line 8: another failure 1",), True)


def test_two_applications_of_an_umbrella() -> None:
    one = f"==> a\n\nATest [test/a_test.exs]\n{row('a')}{FINISHED}1 test, 0 failures\n{SEED}"
    cut = "==> b\n\nBTest [test/b_test.exs]\n  * test b [L#3]"
    assert read(one + cut) == (
        {"ATest > test a": "PASSED", "BTest > test b": "ERROR"},
        ("the last run has no totals",),
        False,
    )
