"""The grammars of C and C++ frameworks, the tricky parts, written by hand. Real logs are in
`test_corpus.py`; of Unity and of plain PASS and FAIL lines there are none, so these cases, from
Unity's documentation, are all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from velora.grading.parsers import native, registry
from velora.grading.protocol import Parsed, Status

RULE = "-" * 79
DOTS = "." * 79
END = "=" * 79


def read(name: str, *lines: str) -> Parsed:
    return registry.FRAMEWORKS[name].parse("\n".join(lines) + "\n")


def shown(parsed: Parsed) -> dict[str, str]:
    return {name: str(result.status) for name, result in parsed.results.items()}


def block(name: str, *lines: str) -> list[str]:
    return [RULE, name, RULE, "a.cpp:1", DOTS, "", *lines]


def test_unity() -> None:
    parsed = read(
        "unity",
        "t.c:13:test_adds:PASS",
        "t.c:6:test_fails:FAIL: Expected 6 Was 5:the sum: wrong",
        "t.c:7:test_ignored:IGNORE: later",
        "half a linet.c:12:test_prints:PASS",
        "",
        "-----------------------",
        "4 Tests 1 Failures 1 Ignored ",
        "FAIL",
    )
    assert shown(parsed) == {
        "test_adds": "PASSED",
        "test_fails": "FAILED",
        "test_ignored": "SKIPPED",
        "test_prints": "PASSED",
    }
    assert (parsed.complete, parsed.warnings) == (True, ())


def test_unity_with_its_fixture() -> None:
    parsed = read(
        "unity",
        "TEST(calc, adds) PASS",
        "TEST(calc, fails)f.c:7::FAIL: Expected 6 Was 5",
        "IGNORE_TEST(calc, ignored)",
        "TEST(calc, prints)hello",
        " PASS",
        "4 Tests 1 Failures 1 Ignored",
        "TEST(calc, hangs)",
    )
    assert shown(parsed) == {
        "TEST(calc, adds)": "PASSED",
        "TEST(calc, fails)": "FAILED",
        "TEST(calc, ignored)": "SKIPPED",
        "TEST(calc, prints)": "PASSED",
        "TEST(calc, hangs)": "ERROR",
    }
    assert not parsed.complete


def test_unity_counts_what_tests_print() -> None:
    parsed = read(
        "unity", "t.c:1:test_a:PASS", "t.c:2:ghost:PASS", "1 Tests 0 Failures 0 Ignored", "OK"
    )
    assert shown(parsed) == {}
    assert "none of them is believed" in parsed.warnings[0]


@pytest.mark.parametrize(
    ("line", "name", "status", "duration"),
    [
        ("PASS: adds numbers", "adds numbers", "PASSED", None),
        ("FAIL:  a: b", "a: b", "FAILED", None),
        ("[ok]: SET and GET (12 ms)", "SET and GET", "PASSED", 0.012),
        ("[err]: SET in tests/a.tcl", "SET in tests/a.tcl", "FAILED", None),
        ("  [ OK ] adds (1.5 s)", "adds", "PASSED", 1.5),
        ("[FAIL] adds", "adds", "FAILED", None),
        ("SKIP: x", "x", "SKIPPED", None),
        ("XFAIL: x", "x", "XFAIL", None),
    ],
)
def test_plain_lines(line: str, name: str, status: str, duration: float | None) -> None:
    parsed = read("pass-fail", line)
    assert shown(parsed) == {name: status}
    assert parsed.results[name].duration == duration


def test_plain_lines_against_a_closing_line() -> None:
    good = read("pass-fail", "PASS: a", "FAIL: b", "Results: 1 passed, 1 failed")
    assert (shown(good), good.complete) == ({"a": "PASSED", "b": "FAILED"}, True)
    bad = read("pass-fail", "PASS: a", "PASS: ghost", "FAIL: b", "1 passed, 1 failed")
    assert shown(bad) == {"b": "FAILED"}


def test_auto_takes_plain_lines_last() -> None:
    lines = "PASS: a\nFAIL: b\n"
    assert registry.parse("auto", lines).label == "auto:pass-fail"
    summary = f"{END}\nTestsuite summary for x\n{END}\n# TOTAL: 2\n# PASS: 1\n# FAIL: 1\n# ERROR: 0"
    assert registry.parse("auto", lines + summary).label == "auto:automake"
    dejagnu = f"\t\t=== x tests ===\n{lines}\t\t=== x Summary ===\n# of expected passes\t1\n"
    assert registry.parse("auto", dejagnu).label == "auto:dejagnu"
    unittest = f"test_a (m.C) ... ok\n\n{'-' * 70}\nRan 1 test in 0.1s\n\nOK\n"
    assert registry.parse("auto", lines + unittest).label == "auto:unittest"


def test_catch2_does_not_say_which_failure_was_expected() -> None:
    parsed = read(
        "catch2",
        *block("a", "a.cpp:2: FAILED:"),
        *block("b", "a.cpp:3: FAILED:"),
        END,
        "test cases: 2 | 1 failed | 1 failed as expected",
    )
    assert shown(parsed) == {"a": "FAILED", "b": "FAILED"}
    assert "1 failures were expected; the log does not show which" in parsed.warnings[0]


def test_catch2_blocks_that_tests_print_exceed_the_totals() -> None:
    parsed = read(
        "catch2",
        *block("a", *block("ghost", "a.cpp:2: PASSED:"), "a.cpp:3: PASSED:"),
        *block("b", "a.cpp:4: PASSED:"),
        END,
        "All tests passed (2 assertions in 1 test case)",
    )
    assert shown(parsed) == {}


def test_doctest_without_its_totals() -> None:
    head = [END, "a.cpp:1:", "TEST CASE:  a", "", "a.cpp:2: SUCCESS: CHECK( x ) is correct!"]
    parsed = read("doctest", '[doctest] doctest version is "2.4.9"', *head)
    assert (shown(parsed), parsed.complete) == ({"a": "ERROR"}, False)


def test_boost_believes_the_open_case_alone() -> None:
    parsed = read(
        "boost",
        "Running 2 test cases...",
        'Entering test module "m"',
        'a.cpp(1): Entering test suite "s"',
        'a.cpp(2): Entering test case "a"',
        'Leaving test case "b"; testing time: 1us',
        'a.cpp(9): error: in "s/b": printed',
        'a.cpp(2): Leaving test case "a"; testing time: 1500us',
        'a.cpp(3): Entering test case "b"',
        'a.cpp(3): Leaving test case "b"',
        "Segmentation fault",
    )
    assert shown(parsed) == {"s/a": "PASSED", "s/b": "ERROR"}
    assert parsed.results["s/a"].duration == 0.0015
    assert not parsed.complete


def test_boost_calls_what_a_crash_kept_from_running_passed() -> None:
    parsed = read(
        "boost",
        "Running 3 test cases...",
        'unknown location(0): fatal error: in "a": memory access violation at address: 0x0',
        'Test module "m" has failed with:',
        "  2 test cases out of 3 passed",
        "",
        '  Test case "a" was aborted with:',
        "    1 assertion out of 1 failed",
        "",
        '  Test suite "s" has passed with:',
        "    1 assertion out of 1 passed",
        "",
        '    Test case "ran" has passed with:',
        "      1 assertion out of 1 passed",
        "",
        '    Test case "s/never" has passed',
    )
    assert shown(parsed) == {"a": "ERROR", "s/ran": "PASSED"}


def test_check_believes_what_follows_the_last_totals() -> None:
    parsed = read(
        "check",
        "Running suite(s): a",
        "100%: Checks: 2, Failures: 0, Errors: 0",
        "a.c:1:P:t:ghost:0: Passed",
        "half a line 50%: Checks: 2, Failures: 1, Errors: 0",
        "a.c:1:P:t:one:0: Passed",
        "a.c:2:F:t:two:0: x:y:3: no",
        "a.c:3:P:t:late:0: Passed",
    )
    assert shown(parsed) == {"t:one:0": "PASSED", "t:two:0": "FAILED"}


def test_ctest_knows_where_a_name_ends() -> None:
    parsed = read(
        "ctest",
        "Test project /x",
        "    Start 1: a ... Passed  1.0 sec",
        "1/2 Test #1: a ... Passed  1.0 sec .............***Failed    0.25 sec",
        "    Start 2: b",
        "2/2 Test #2: bc ........   Passed    0.00 sec",
        "2/2 Test #2: b .........   Passed    0.00 sec",
        "50% tests passed, 1 tests failed out of 2",
    )
    assert shown(parsed) == {"a ... Passed  1.0 sec": "FAILED", "b": "PASSED"}
    assert parsed.results["a ... Passed  1.0 sec"].duration == 0.25
    assert parsed.complete


def test_ctest_lists_failures_with_labels_and_without_verdicts() -> None:
    parsed = read(
        "ctest",
        "50% tests passed, 2 tests failed out of 4",
        "The following tests FAILED:",
        "\t  3 - b (c) (Failed)                       label other",
        "\t  4 - d (Timeout)",
    )
    assert shown(parsed) == {"b (c)": "FAILED", "d": "ERROR"}


def test_ctest_runs_a_test_again() -> None:
    lines = ["Test project /x", "  Start 1: a", "1/1 Test #1: a ...***Failed  0.1 sec"]
    again = ["  Start 1: a", "    Test #1: a ...   Passed  0.1 sec"]
    parsed = read("ctest", *lines, *again, "100% tests passed, 0 tests failed out of 1")
    assert shown(parsed) == {"a": "PASSED"}
    assert parsed.results["a"].flaky


def test_automake_passes_over_the_quoted_log() -> None:
    parsed = read(
        "automake",
        "FAIL: a.sh",
        "==========",
        "   x 1.0: ./test-suite.log",
        "==========",
        "# TOTAL: 1",
        "PASS: ghost.sh",
        END,
        "Testsuite summary for x 1.0",
        END,
        "# TOTAL: 1",
        "# PASS:  0",
        "# FAIL:  1",
        "# ERROR: 0",
    )
    assert (shown(parsed), parsed.complete, parsed.warnings) == ({"a.sh": "FAILED"}, True, ())


def test_meson_names_that_look_like_verdicts() -> None:
    parsed = read(
        "meson",
        " 1/2 OK      0.01s RUNNING",
        " 1/2 OK      0.01s FAIL            0.02s   exit status 1",
        " 2/2 a / b         FAIL 0.50s   killed by signal 11 SIGSEGV",
        "Ok:    0",
        "Fail:  2",
    )
    assert shown(parsed) == {"OK      0.01s": "FAILED", "a / b": "ERROR"}
    assert (parsed.complete, parsed.warnings) == (True, ())


def test_cmocka_without_standard_error() -> None:
    parsed = read(
        "cmocka",
        "[==========] calc: Running 2 test(s).",
        "[ RUN      ] no set-up",
        "[ RUN      ] adds",
        "[       OK ] adds",
        "[==========] calc: 2 test(s) run.",
    )
    assert shown(parsed) == {"no set-up": "ERROR", "adds": "PASSED"}


PIECES = st.sampled_from(
    [
        "[==========] Running 2 tests from 1 test suite.",
        "[==========] 2 tests from 1 test suite ran. (0 ms total)",
        "[----------] 2 tests from A",
        "[ RUN      ] A.b",
        "[       OK ] A.b (0 ms)",
        "[  FAILED  ] A.b (0 ms)",
        "[  PASSED  ] 1 test.",
        "[==========] Running 2 test(s).",
        "[==========] 2 test(s) run.",
        "[  FAILED  ] 1 test(s), listed below:",
        "Test project /x",
        "    Start 1: a",
        "1/2 Test #1: a ....   Passed    0.01 sec",
        "50% tests passed, 1 tests failed out of 2",
        "The following tests FAILED:",
        "\t  1 - a (Failed)",
        RULE,
        DOTS,
        END,
        "a.cpp:1",
        "a.cpp:1: PASSED:",
        "a.cpp:1: FAILED:",
        "a is a Catch2 v3.7.1 host application.",
        "test cases: 2 | 1 passed | 1 failed",
        "a.cpp:1:",
        "TEST CASE:  a",
        "0.01 s: a",
        "a.cpp:1: SUCCESS: x",
        "[doctest] test cases: 2 | 1 passed | 1 failed | 0 skipped",
        "Running 2 test cases...",
        'Entering test case "a"',
        'Leaving test case "a"',
        'x(1): error: in "a": no',
        "*** No errors detected",
        'Test module "m" has failed with:',
        '  Test case "a" has passed',
        "Running suite(s): a",
        "50%: Checks: 2, Failures: 1, Errors: 0",
        "a.c:1:P:t:a:0: Passed",
        "t.c:1:test_a:PASS",
        "TEST(a, b)",
        "2 Tests 1 Failures 0 Ignored",
        "PASS: a",
        "FAIL: a",
        "Testsuite summary for x",
        "# PASS:  1",
        "# ERROR: 0",
        "1 of 2 tests failed",
        " 1/2 a  OK  0.01s",
        " 1/2 a  RUNNING",
        "Ok:    1",
        "\t\t=== x tests ===",
        "\t\t=== x Summary ===",
        "# of expected passes\t1",
        "A::b : OK",
        " : error",
        "1) test: A::b (F) line: 3 x",
        "Run: 2   Failures: 1   Errors: 0",
        "OK (2 tests)",
        "1/9" + "9" * 5000,
    ]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "", "\x1b[0m\n"])
LOGS = st.lists(st.tuples(PIECES | st.text(max_size=20), ENDS)).map(
    lambda parts: "".join(piece + end for piece, end in parts)
)


@given(LOGS)
@settings(max_examples=300, deadline=None)
def test_no_text_is_too_odd(text: str) -> None:
    count = text.count("\n") + 1
    for framework in native.FRAMEWORKS:
        for name, result in framework.parse(text).results.items():
            assert isinstance(result.status, Status)
            assert 1 <= result.line <= count
            assert name
