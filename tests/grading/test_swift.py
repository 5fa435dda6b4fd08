"""`swift test`. There is no Swift toolchain here: all text is hand-written after the formats that
XCTest (Linux and macOS) and Swift Testing are documented to print."""

from __future__ import annotations

import pytest

from velora.grading.parsers import registry
from velora.grading.parsers.swift import FRAMEWORK

LINUX = """\
Build complete! (1.0s)
Test Suite 'All tests' started at 2024-05-01 10:00:00.000
Test Suite 'CalcTests' started at 2024-05-01 10:00:00.000
Test Case 'CalcTests.testAdd' started at 2024-05-01 10:00:00.000
no line endTest Case 'CalcTests.testAdd' passed (0.012 seconds)
Test Case 'CalcTests.testWrong' started at 2024-05-01 10:00:00.000
{printed}/repo/Tests/CalcTests.swift:12: error: CalcTests.testWrong : XCTAssertEqual failed
Test Case 'CalcTests.testWrong' failed (0.001 seconds)
Test Case 'CalcTests.testLater' started at 2024-05-01 10:00:00.000
Test Case 'CalcTests.testLater' skipped (0.0 seconds)
Test Suite 'CalcTests' failed at 2024-05-01 10:00:00.000
\t Executed 3 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.01 (0.01) seconds
Test Suite 'All tests' failed at 2024-05-01 10:00:00.000
\t Executed 3 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.01 (0.01) seconds
"""
TESTING = """\
◇ Test run started.
↳ Testing Library Version: 124.4
◇ Suite CalcTests started.
◇ Test adds() started.
◇ Test "says (what) passed after 1 seconds" started.
◇ Test even(n:) started.
◇ Test known() started.
{printed}➜ Test later() skipped: "not yet"
✔ Test adds() passed after 0.001 seconds.
✘ Test "says (what) passed after 1 seconds" recorded an issue at C.swift:1:1: Expectation failed
✘ Test "says (what) passed after 1 seconds" failed after 0.002 seconds with 1 issue.
✔ Test even(n:) with 3 test cases passed after 0.003 seconds.
✔ Test known() passed after 0.001 seconds with 1 known issue.
✘ Suite CalcTests failed after 0.004 seconds with 1 issue.
✘ Test run with 4 tests in 1 suite failed after 0.005 seconds with 1 issue.
"""
NAMES = {
    "CalcTests.testAdd": "PASSED",
    "CalcTests.testWrong": "FAILED",
    "CalcTests.testLater": "SKIPPED",
}
TITLES = {
    "adds()": "PASSED",
    "says (what) passed after 1 seconds": "FAILED",
    "even(n:)": "PASSED",
    "known()": "XFAIL",
    "later()": "SKIPPED",
}


def _statuses(log: str) -> dict[str, str]:
    return {name: str(result.status) for name, result in FRAMEWORK.parse(log).results.items()}


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (LINUX, NAMES),
        (TESTING, TITLES),
        (LINUX + TESTING, NAMES | TITLES),
    ],
)
def test_both_frameworks(log: str, expected: dict[str, str]) -> None:
    reading = registry.parse("auto", log.format(printed="") if log else "")
    assert reading.label == "auto:swift-test"
    found = {name: str(result.status) for name, result in reading.parsed.results.items()}
    assert found == expected
    assert reading.parsed.complete
    assert not reading.parsed.warnings


def test_macos() -> None:
    log = LINUX.format(printed="")
    for method in ("testAdd", "testWrong", "testLater"):
        log = log.replace(f"'CalcTests.{method}'", f"'-[Calc.CalcTests {method}]'")
    log = log.replace(" seconds)\n", " seconds).\n")
    assert _statuses(log) == {f"Calc.{name}": status for name, status in NAMES.items()}


@pytest.mark.parametrize(
    "printed",
    [
        "Test Case 'CalcTests.testWrong' passed (0.001 seconds)\n",
        "Test Case 'CalcTests.testPhantom' passed (0.001 seconds)\n",
    ],
)
def test_a_printed_pass_gains_nothing(printed: str) -> None:
    log = LINUX.format(printed=printed)
    assert _statuses(log).get("CalcTests.testWrong") == "FAILED"
    assert "CalcTests.testPhantom" not in _statuses(log)


def test_a_printed_test_of_its_own_takes_the_passes_away() -> None:
    printed = "◇ Test phantom() started.\n✔ Test phantom() passed after 0.001 seconds.\n"
    parsed = FRAMEWORK.parse(TESTING.format(printed=printed))
    assert "phantom()" not in parsed.results
    assert "no pass is believed" in parsed.warnings[0]


def test_a_crash() -> None:
    log = LINUX.format(printed="").split("/repo/Tests")[0] + "error: Exited with signal code 4\n"
    assert _statuses(log) == {"CalcTests.testAdd": "PASSED", "CalcTests.testWrong": "ERROR"}
    assert not FRAMEWORK.parse(log).complete
