"""Tricky places in the output of TAP::Harness. Where it says so, a log is hand-written."""

from __future__ import annotations

from velora.grading.parsers import registry

TAIL = "Files={files}, Tests={tests},  1 wallclock secs ( 0.01 usr  0.00 sys =  0.01 CPU)\n"


def read(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    (framework,) = registry.get("prove")
    parsed = framework.parse(text)
    return {name: str(result.status) for name, result in parsed.results.items()}, parsed.warnings


def test_more_files_than_counted_prove_nothing() -> None:
    log = f"t/a.t .. ok\nt/b.t .. ok\n{TAIL.format(files=1, tests=1)}Result: PASS\n"
    results, warnings = read(log)
    assert results == {}
    assert warnings == ("line 4: 1 files ran, 2 are shown: their passes prove nothing",)


def test_build_output_with_dots_is_no_file() -> None:
    log = (
        "checking for a compiler ... ok\nt/a.t .. ok\nt/b.t .. ok\n"
        f"{TAIL.format(files=2, tests=2)}Result: PASS\n"
    )
    assert read(log) == ({"t/a.t": "PASSED", "t/b.t": "PASSED"}, ())


def test_the_report_contradicts_a_pass() -> None:
    log = (
        "t/a.t .. \nok 1 - one\nok 2 - two\n1..2\nok\n\n"
        "Test Summary Report\n-------------------\n"
        "t/a.t (Wstat: 256 Tests: 2 Failed: 1)\n  Failed test:  2\n  Non-zero exit status: 1\n"
        f"{TAIL.format(files=1, tests=2)}Result: FAIL\n"
    )
    results, warnings = read(log)
    assert results == {"t/a.t > one": "PASSED", "t/a.t > two": "FAILED", "t/a.t": "FAILED"}
    assert warnings == ("line 3: the report says that it failed",)


def test_subtests_of_old_and_buffered_forms() -> None:
    """Hand-written: Test::More 0.98 indents the announcement; buffered subtests have braces."""
    log = (
        "t/a.t .. \n    # Subtest: old\n    ok 1 - one\n        # Subtest: inner\n"
        "        ok 1 - deep\n        1..1\n    ok 2 - inner\n    1..2\nok 1 - old\n"
        "# Subtest: buffered\nok 2 - buffered {\n    ok 1 - two\n    1..1\n}\n1..2\nok\n"
        f"All tests successful.\n{TAIL.format(files=1, tests=2)}Result: PASS\n"
    )
    results, warnings = read(log)
    assert warnings == ()
    assert results == dict.fromkeys(
        [
            "t/a.t > old",
            "t/a.t > buffered",
            "t/a.t > old > one",
            "t/a.t > old > inner",
            "t/a.t > old > inner > deep",
            "t/a.t",
        ],
        "PASSED",
    )


def test_a_subtest_that_was_not_announced_is_printed_by_a_test() -> None:
    log = (
        "t/a.t .. \n    ok 1 - made up\n    1..1\nok 1 - outer\n# Subtest: other\n"
        "    ok 1 - made up too\nok 2 - last\n1..2\nok\n"
        f"{TAIL.format(files=1, tests=2)}Result: PASS\n"
    )
    assert sorted(read(log)[0]) == ["t/a.t", "t/a.t > last", "t/a.t > outer"]


def test_two_runs_the_second_cut() -> None:
    one = f"t/a.t .. ok\nAll tests successful.\n{TAIL.format(files=1, tests=2)}Result: PASS\n"
    results, warnings = read(one + "t/a.t .. \nok 1 - one\n")
    assert results == {"t/a.t": "ERROR", "t/a.t > one": "PASSED"}
    assert warnings == ("the last run has no end",)
