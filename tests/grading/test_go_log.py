"""Go's lines that the corpus does not show."""

from __future__ import annotations

from velora.grading.parsers import registry
from velora.grading.protocol import Parsed


def read(parser: str, text: str) -> Parsed:
    return registry.get(parser)[0].parse(text)


def statuses(parsed: Parsed) -> dict[str, str]:
    return {name: str(each.status) for name, each in parsed.results.items()}


def test_a_test_run_twice_keeps_its_worst_end() -> None:
    once = "=== RUN   TestA\n--- {}: TestA (0.01s)\n"
    text = once.format("FAIL") + once.format("PASS") + "FAIL\nFAIL\tex/a\t0.1s\nFAIL\n"
    assert statuses(read("gotest", text)) == {"ex/a/TestA": "FAILED"}


def test_a_binary_that_fails_after_its_last_test_passes_none_of_it() -> None:
    text = "=== RUN   TestA\n--- PASS: TestA (0.01s)\nexit status 2\nFAIL\tex/a\t0.1s\n"
    assert statuses(read("gotest", text)) == {"ex/a/TestA": "ERROR"}


def test_a_main_that_fails_a_package_of_passes_is_told() -> None:
    text = "=== RUN   TestA\n--- PASS: TestA (0.01s)\nPASS\nleak\nFAIL\tex/a\t0.1s\n"
    parsed = read("gotest", text)
    assert statuses(parsed) == {"ex/a/TestA": "PASSED"}
    assert "no test did" in parsed.warnings[0]


def test_a_program_that_a_test_runs_may_be_a_test_binary() -> None:
    text = (
        "=== RUN   TestOuter\n=== RUN   TestInner\n--- PASS: TestInner (0.00s)\nPASS\n"
        "--- FAIL: TestOuter (0.10s)\nFAIL\nFAIL\tex/a\t0.1s\nFAIL\n"
    )
    assert statuses(read("gotest", text)) == {"ex/a/TestOuter": "FAILED"}


def test_a_log_that_ends_in_a_test() -> None:
    parsed = read("gotest", "=== RUN   TestA\n--- PASS: TestA (0.01s)\n=== RUN   TestB\n")
    assert statuses(parsed) == {"TestA": "PASSED", "TestB": "ERROR"}
    assert not parsed.complete


def test_a_package_that_cannot_be_set_up() -> None:
    parsed = read("gotest", "FAIL\tex/a [setup failed]\nok  \tex/b\t0.01s\nFAIL\n")
    assert parsed.warnings == ("line 1: ex/a: setup failed",)
    assert not parsed.results


def test_events_without_their_announcement_are_not_believed() -> None:
    begin = '{"Action":"start","Package":"p"}\n'
    end = '{"Action":"pass","Package":"p","Elapsed":0.1}\n'
    event = '{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1}\n'
    assert not read("gotest-json", begin + event + end).results
    announced = '{"Action":"run","Package":"p","Test":"TestA"}\n'
    parsed = read("gotest-json", begin + announced + event + end)
    assert parsed.results["p/TestA"].duration == 1
    assert parsed.complete


def test_events_alone_of_an_old_go() -> None:
    text = (
        '{"Action":"run","Package":"p","Test":"TestA"}\n'
        '{"Action":"fail","Package":"p","Test":"TestA","Elapsed":0}\n'
        '{"Action":"fail","Package":"p","Elapsed":0.1}\n'
    )
    assert statuses(read("gotest-json", text)) == {"p/TestA": "FAILED"}


def test_gotestsum_runs_failed_tests_again() -> None:
    text = (
        "PASS a.TestGood (0.00s)\n=== RUN   TestFlaky\n--- FAIL: TestFlaky (0.00s)\n"
        "FAIL a.TestFlaky (0.00s)\nFAIL a\n\nDONE 2 tests, 1 failure in 0.1s\n\n"
        "PASS a.TestFlaky (re-run 1) (0.20s)\nPASS a\n\n=== Failed\n"
        "=== FAIL: a TestFlaky (0.00s)\n\nDONE 2 runs, 3 tests, 1 failure in 0.3s\n"
    )
    parsed = read("gotestsum", text)
    assert statuses(parsed) == {"a/TestGood": "PASSED", "a/TestFlaky": "PASSED"}
    assert parsed.results["a/TestFlaky"].flaky
    assert parsed.complete
    assert not parsed.warnings


def test_gotestsum_rows_within_a_failed_tests_output_are_not_its() -> None:
    text = (
        "=== RUN   TestBad\nPASS a.TestOther (0.00s)\n--- FAIL: TestBad (0.00s)\n"
        "FAIL a.TestBad (0.00s)\nFAIL a\n\nDONE 1 tests, 1 failure in 0.1s\n"
    )
    assert statuses(read("gotestsum", text)) == {"a/TestBad": "FAILED"}
