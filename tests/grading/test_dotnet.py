"""`dotnet test`. There is no .NET toolchain here: all text is hand-written after the documented
formats of VSTest's console logger and of Microsoft.Testing.Platform."""

from __future__ import annotations

import pytest

from velora.grading.parsers import registry
from velora.grading.parsers.dotnet import FRAMEWORK

NORMAL = """\
  Determining projects to restore...
Test run for /repo/bin/Debug/net8.0/Calc.Tests.dll (.NETCoreApp,Version=v8.0)
Starting test execution, please wait...
A total of 1 test files matched the specified pattern.
[xUnit.net 00:00:00.52]     Calc.Tests.CalcTests.Wrong [FAIL]
  Passed Calc.Tests.CalcTests.Adds [2 ms]
  Passed Calc.Tests.CalcTests.Theory(a: 1, text: "x [y] [3 ms]") [< 1 ms]
  Skipped Calc.Tests.CalcTests.Later [1 ms]
  Failed Calc.Tests.CalcTests.Wrong [1 m 2 s]
  Error Message:
   Assert.Equal() Failure
  Stack Trace:
     at Calc.Tests.CalcTests.Wrong() in /repo/CalcTests.cs:line 12
  Standard Output Messages:
 printed

{more}
Test Run Failed.
Total tests: 4
     Passed: 2
     Failed: 1
    Skipped: 1
 Total time: 1.2345 Seconds
"""
ROWS = {
    "Calc.Tests.CalcTests.Adds": "PASSED",
    'Calc.Tests.CalcTests.Theory(a: 1, text: "x [y] [3 ms]")': "PASSED",
    "Calc.Tests.CalcTests.Later": "SKIPPED",
    "Calc.Tests.CalcTests.Wrong": "FAILED",
}


def _statuses(log: str) -> dict[str, str]:
    return {name: str(result.status) for name, result in FRAMEWORK.parse(log).results.items()}


def test_normal_verbosity() -> None:
    reading = registry.parse("auto", NORMAL.format(more=""))
    assert reading.label == "auto:dotnet"
    assert reading.parsed.complete
    assert not reading.parsed.warnings
    assert _statuses(NORMAL.format(more="")) == ROWS
    durations = [result.duration for result in reading.parsed.results.values()]
    assert sorted(each for each in durations if each is not None) == [0.001, 0.001, 0.002, 62]


def test_xunit_reports_failures_before_their_rows() -> None:
    log = NORMAL.format(more="").split("  Passed")[0]
    assert _statuses(log) == {"Calc.Tests.CalcTests.Wrong": "FAILED"}
    assert not FRAMEWORK.parse(log).complete


@pytest.mark.parametrize("row", ["  Passed Calc.Tests.CalcTests.Wrong [1 ms]", "  Passed X [1 ms]"])
def test_a_printed_row_takes_the_passes_away(row: str) -> None:
    parsed = FRAMEWORK.parse(NORMAL.format(more=row))
    assert {str(each.status) for each in parsed.results.values()} == {"FAILED", "SKIPPED"}
    assert "none is believed" in parsed.warnings[0]


def test_minimal_verbosity_names_failures_alone() -> None:
    log = (
        "Test run for /repo/A.dll (.NETCoreApp,Version=v8.0)\n"
        "  Failed Wrong [3 ms]\n  Error Message:\n   x\n\n"
        "Failed!  - Failed:     1, Passed:     2, Skipped:     0, Total:     3, Duration: 12 ms - "
        "A.dll (net8.0)\n"
    )
    assert _statuses(log) == {"Wrong": "FAILED"}
    assert FRAMEWORK.parse(log).complete
    assert not FRAMEWORK.parse(log).warnings
    assert not FRAMEWORK.parse("Test run for /repo/B.dll (x)\n" + log).complete


def test_sdk_2_1_and_3_0() -> None:
    old = (
        "Starting test execution, please wait...\nPassed   N.Adds\nFailed   N.Wrong\n"
        "Error Message:\n x\nSkipped  N.Later\n\n"
        "Total tests: 3. Passed: 1. Failed: 1. Skipped: 1.\nTest Run Failed.\n"
    )
    expected = {"N.Adds": "PASSED", "N.Wrong": "FAILED", "N.Later": "SKIPPED"}
    assert _statuses(old) == expected
    three = (
        "  √ N.Adds [2ms]\n  X N.Wrong [1s 3ms]\n  ! N.Later [1ms]\n"
        "Total tests: 3\n     Passed: 1\n     Failed: 1\n    Skipped: 1\n"
    )
    assert _statuses(three) == expected


def test_the_testing_platform() -> None:
    log = (
        "Running tests from /repo/Calc.Tests.dll (net10.0|x64)\n"
        "passed N.Adds(a: 1) (2ms)\nfailed N.Wrong (1s 234ms)\n  from /repo/Calc.Tests.dll\n"
        "  Assert failed (x)\nskipped N.Later (0ms)\npassed by value (not a row)\n"
        "\nTest run summary: Failed! - /repo/Calc.Tests.dll (net10.0|x64)\n"
        "  total: 3\n  failed: 1\n  succeeded: 1\n  skipped: 1\n  duration: 2s\n"
    )
    expected = {"N.Adds(a: 1)": "PASSED", "N.Wrong": "FAILED", "N.Later": "SKIPPED"}
    assert _statuses(log) == expected
    assert FRAMEWORK.parse(log).complete


def test_a_crash_with_blame() -> None:
    log = (
        "Test run for /repo/A.dll (x)\n  Passed N.Adds [1 ms]\n"
        "The active test run was aborted. Reason: Test host process crashed\n"
        "The test running when the crash occurred: \nN.Dies\n\nTest Run Aborted.\n"
        "Total tests: Unknown\n     Passed: 1\n"
    )
    parsed = FRAMEWORK.parse(log)
    assert _statuses(log) == {"N.Adds": "PASSED", "N.Dies": "ERROR"}
    assert not parsed.complete
