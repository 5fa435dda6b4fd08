"""GoogleTest's console output, the tricky parts, written by hand. Real logs: `test_corpus.py`."""

from __future__ import annotations

from velora.grading.parsers.native.gtest import FRAMEWORK
from velora.grading.protocol import Parsed

HEAD = "[==========] Running {0} tests from 1 test suite.\n[----------] {0} tests from A"
TAIL = "[----------] {0} tests from A (0 ms total)\n\n[==========] {0} tests from 1 test suite ran."


def read(*lines: str) -> Parsed:
    return FRAMEWORK.parse("\n".join(lines) + "\n")


def shown(parsed: Parsed) -> dict[str, str]:
    return {name: str(result.status) for name, result in parsed.results.items()}


def run(*lines: str, count: int = 1) -> Parsed:
    return read(HEAD.format(count), *lines, TAIL.format(count))


def test_only_the_running_test_gets_a_verdict() -> None:
    parsed = run("[ RUN      ] A.b", "[       OK ] A.c (0 ms)", "[       OK ] A.b (12 ms)")
    assert shown(parsed) == {"A.b": "PASSED"}
    assert parsed.results["A.b"].duration == 0.012
    assert parsed.complete


def test_a_verdict_behind_output_without_a_newline() -> None:
    parsed = run("[ RUN      ] A.b", "[x] y[       OK ] A.b (0 ms)")
    assert shown(parsed) == {"A.b": "PASSED"}
    parsed = run("[ RUN      ] A.b", "x [       OK ] A.c [  FAILED  ] A.b (0 ms)")
    assert shown(parsed) == {"A.b": "FAILED"}


def test_a_longer_name_is_another_test() -> None:
    assert shown(run("[ RUN      ] A.b", "[       OK ] A.bc (0 ms)")) == {"A.b": "ERROR"}


def test_a_printed_pass_does_not_outlive_a_crash() -> None:
    parsed = read(HEAD.format(2), "[ RUN      ] A.b", "[       OK ] A.b (0 ms)", "Aborted")
    assert shown(parsed) == {"A.b": "ERROR"}
    assert not parsed.complete


def test_the_list_of_failures_outweighs_a_printed_pass() -> None:
    parsed = read(
        HEAD.format(1),
        "[ RUN      ] A.b",
        "[       OK ] A.b (0 ms)",
        TAIL.format(1),
        "[  PASSED  ] 0 tests.",
        "[  FAILED  ] 1 test, listed below:",
        "[  FAILED  ] A.b",
    )
    assert shown(parsed) == {"A.b": "FAILED"}
    assert "0 passes counted, 1 seen" in parsed.warnings[0]


def test_more_passes_than_are_counted() -> None:
    parsed = read(
        HEAD.format(2),
        *("[ RUN      ] A.b", "[       OK ] A.b (0 ms)"),  # printed by the next
        *("[ RUN      ] A.c", "[       OK ] A.c (0 ms)"),
        TAIL.format(2),
        "[  PASSED  ] 1 test.",
    )
    assert shown(parsed) == {}


def test_two_programs_the_first_of_which_crashes() -> None:
    parsed = read(HEAD.format(1), "[ RUN      ] A.b", HEAD.format(1), "[ RUN      ] A.c")
    assert shown(parsed) == {"A.b": "ERROR", "A.c": "ERROR"}
    assert not parsed.complete


def test_the_output_of_ctest_v_is_told_apart_by_its_numbers() -> None:
    lines = HEAD.format(1).split("\n"), TAIL.format(1).split("\n")
    parsed = read(
        *(f"1: {line}" for line in lines[0]),
        *(f"2: {line}" for line in lines[0]),
        "1: [ RUN      ] A.b",
        "2: [ RUN      ] A.c",
        "1: [       OK ] A.b (0 ms)",
        "2: [  FAILED  ] A.c (0 ms)",
        *(f"2: {line}" for line in lines[1]),
        *(f"1: {line}" for line in lines[1]),
    )
    assert shown(parsed) == {"A.b": "PASSED", "A.c": "FAILED"}
    assert parsed.complete
