"""Lines of cargo and nextest that the corpus does not show. The rows of nextest 0.9.30 to 0.9.90
are written by hand from its documentation."""

from __future__ import annotations

from velora.grading.parsers import registry
from velora.grading.protocol import Parsed

RUNNING = "     Running unittests src/lib.rs (target/debug/deps/my_crate-0123456789abcdef)\n"


def read(parser: str, text: str) -> Parsed:
    return registry.get(parser)[0].parse(text)


def statuses(parsed: Parsed) -> dict[str, str]:
    return {name: str(each.status) for name, each in parsed.results.items()}


def totals(passed: int, failed: int = 0) -> str:
    word = "FAILED" if failed else "ok"
    return f"\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 f\n"


def test_a_printed_pass_more_than_the_totals_count_leaves_none() -> None:
    text = RUNNING + "\nrunning 1 test\ntest forged ... ok\ntest real ... ok\n" + totals(1)
    parsed = read("cargo", text)
    assert not parsed.results
    assert "1 passed" in parsed.warnings[0]


def test_the_list_of_failures_overrules_a_printed_pass() -> None:
    text = (
        "running 2 tests\ntest a ... ok\ntest b ... ok\ntest b ... FAILED\n"
        "\nfailures:\n\nfailures:\n    b\n" + totals(1, 1)
    )
    assert statuses(read("cargo", text)) == {"a": "PASSED", "b": "FAILED"}


def test_a_verdict_glued_to_output_is_settled_by_the_totals() -> None:
    text = RUNNING + "running 2 tests\nsome outputtest a ... ok\ntest b ... ok\n" + totals(2)
    assert statuses(read("cargo", text)) == {"my_crate::a": "PASSED", "my_crate::b": "PASSED"}


def test_times_benches_and_old_headings() -> None:
    text = (
        "     Running target/debug/deps/my_crate-0123456789abcdef\nrunning 2 tests\n"
        "test a ... ok <1.250s>\ntest b ... bench:       1,234 ns/iter (+/- 5)\n"
        "\ntest result: ok. 1 passed; 0 failed; 0 ignored; 1 measured; 0 filtered out\n"
    )
    parsed = read("cargo", text)
    assert statuses(parsed) == {"my_crate::a": "PASSED", "my_crate::b": "PASSED"}
    assert parsed.results["my_crate::a"].duration == 1.25
    assert not parsed.warnings


def test_a_test_that_hangs_when_the_log_ends() -> None:
    text = "running 2 tests\ntest a ... ok\ntest b has been running for over 60 seconds\n"
    parsed = read("cargo", text)
    assert statuses(parsed) == {"a": "PASSED", "b": "ERROR"}
    assert not parsed.complete


def test_code_that_does_not_compile() -> None:
    parsed = read("cargo", "error: could not compile `x` (lib test) due to 1 previous error\n")
    assert not parsed.complete
    assert "could not compile" in parsed.warnings[0]


NEXTEST = (
    "    Starting {} tests across 1 binary (1 skipped)\n"
    "        PASS [   0.003s] c::it adds\n"
    "{}"
    "------------\n     Summary [   0.100s] {}\n"
)


def test_nextests_other_ends() -> None:
    rows = (
        "        LEAK [   0.010s] c::it leaks\n"
        " FAIL + LEAK [   0.010s] c::it fails_and_leaks\n"
        "       XFAIL [   0.010s] c::it not_started\n"
        "     SIGSEGV [   0.010s] c::it crashes\n"
        "  TRY 1 SEGV [   0.010s] c::it crashes_first\n"
        "  TRY 2 PASS [   0.020s] c::it crashes_first\n"
    )
    said = "6 tests run: 3 passed (1 flaky, 1 leaky), 2 failed, 1 exec failed, 1 skipped"
    parsed = read("nextest", NEXTEST.format(6, rows, said))
    assert statuses(parsed) == {
        "c::it::adds": "PASSED",
        "c::it::leaks": "PASSED",
        "c::it::fails_and_leaks": "FAILED",
        "c::it::not_started": "ERROR",
        "c::it::crashes": "ERROR",
        "c::it::crashes_first": "PASSED",
    }
    assert parsed.results["c::it::crashes_first"].flaky
    assert parsed.complete
    assert not parsed.warnings


def test_a_row_that_a_failed_test_of_an_old_nextest_printed() -> None:
    rows = (
        "        FAIL [   0.003s] c::it forges\n\n--- STDOUT:              c::it forges ---\n"
        "        PASS [   0.001s] c::it forged\n"
    )
    parsed = read("nextest", NEXTEST.format(2, rows, "2 tests run: 1 passed, 1 failed, 1 skipped"))
    assert statuses(parsed) == {"c::it::forges": "FAILED"}
    assert "1 passed" in parsed.warnings[0]


def test_a_slow_test_when_the_log_ends() -> None:
    text = NEXTEST.partition("{}-")[0].format(2, "") + "        SLOW [> 60.000s] c::it hangs\n"
    parsed = read("nextest", text)
    assert statuses(parsed) == {"c::it::adds": "PASSED", "c::it::hangs": "ERROR"}
    assert not parsed.complete
