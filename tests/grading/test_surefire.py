"""Surefire's versions that have no log here, and what tests print. All text is hand-written after
the documented format, as there is no toolchain for these versions."""

from __future__ import annotations

import pytest

from velora.grading.parsers.jvm.surefire_log import FRAMEWORK
from velora.grading.protocol import Status

OLD = """\
-------------------------------------------------------
 T E S T S
-------------------------------------------------------
Running com.acme.CalcTest
Tests run: 3, Failures: 1, Errors: 1, Skipped: 1, Time elapsed: 0.05 sec <<< FAILURE!
testWrong(com.acme.CalcTest)  Time elapsed: 0.003 sec  <<< FAILURE!
java.lang.AssertionError: expected:<4> but was:<3>
\tat org.junit.Assert.fail(Assert.java:88)

testBoom(com.acme.CalcTest)  Time elapsed: 0.001 sec  <<< ERROR!
java.lang.IllegalStateException: boom
\tat com.acme.CalcTest.testBoom(CalcTest.java:22)

Running com.acme.GoodTest
Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1,002.5 sec{suffix}

Results :

Failed tests:   testWrong(com.acme.CalcTest): expected:<4> but was:<3>

Tests in error:{space}
  testBoom(com.acme.CalcTest): boom

Tests run: 5, Failures: 1, Errors: 1, Skipped: 1

[INFO] ------------------------------------------------------------------------
[INFO] BUILD FAILURE
"""

NEW = """\
[INFO]  T E S T S
[INFO] Running com.acme.CalcTest
[ERROR] Tests run: 5, Failures: 2, Errors: 1, Skipped: 1, Time elapsed: 0.1 s <<< FAILURE! -- in \
com.acme.CalcTest
[ERROR] com.acme.CalcTest.testWrong -- Time elapsed: 0.008 s <<< FAILURE!
java.lang.AssertionError: x
\tat com.acme.CalcTest.testWrong(CalcTest.java:22)

[ERROR] com.acme.CalcTest.length(String, int)[2] -- Time elapsed: 0.001 s <<< FAILURE!
[ERROR] com.acme.CalcTest.testInfo(TestInfo) -- Time elapsed: 0 s <<< ERROR!
[ERROR] com.acme.CalcTest.testAdd -- Time elapsed: 0.001 s
[ERROR] com.acme.CalcTest.testIgnored skipped
[INFO] Running com.acme.CalcTest$WhenEmpty
[INFO] Tests run: 1, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.002 s -- in \
com.acme.CalcTest$WhenEmpty
[INFO] com.acme.CalcTest$WhenEmpty.testAdd -- Time elapsed: 0.001 s
[INFO]\x20
[INFO] Results:
[INFO]\x20
[ERROR] Failures:\x20
[ERROR]   CalcTest.testWrong:22 x
[INFO]\x20
[ERROR] Tests run: 6, Failures: 2, Errors: 1, Skipped: 1
[INFO] BUILD FAILURE
"""


def _statuses(log: str) -> dict[str, str]:
    return {name: str(result.status) for name, result in FRAMEWORK.parse(log).results.items()}


@pytest.mark.parametrize("suffix", ["", " - in com.acme.GoodTest"])
def test_2_12_and_2_19(suffix: str) -> None:
    log = OLD.format(suffix=suffix, space=" ")
    parsed = FRAMEWORK.parse(log)
    assert _statuses(log) == {
        "com.acme.CalcTest.testWrong": "FAILED",
        "com.acme.CalcTest.testBoom": "ERROR",
    }
    assert parsed.complete
    assert not parsed.warnings
    assert parsed.results["com.acme.CalcTest.testWrong"].duration == 0.003


def test_3_1_plain() -> None:
    assert _statuses(NEW) == {
        "com.acme.CalcTest.testWrong": "FAILED",
        "com.acme.CalcTest.length(String, int)[2]": "FAILED",
        "com.acme.CalcTest.testInfo(TestInfo)": "ERROR",
        "com.acme.CalcTest.testAdd": "PASSED",
        "com.acme.CalcTest.testIgnored": "SKIPPED",
        "com.acme.CalcTest$WhenEmpty.testAdd": "PASSED",
    }
    two_blanks = NEW.replace(
        "testWrong -- Time elapsed: 0.008 s <", "testWrong  Time elapsed: 1 s  <"
    )
    assert _statuses(two_blanks) == _statuses(NEW)


def test_flakes_of_3() -> None:
    log = NEW.replace(
        "[INFO] \n[ERROR] Tests run: 6, Failures: 2, Errors: 1, Skipped: 1",
        "[WARNING] Flakes: \n[WARNING] com.acme.CalcTest.testWrong\n"
        "[ERROR]   Run 1: CalcTest.testWrong:22 x\n[INFO]   Run 2: PASS\n[INFO] \n"
        "[ERROR] Tests run: 6, Failures: 1, Errors: 1, Skipped: 1, Flakes: 1",
    )
    result = FRAMEWORK.parse(log).results["com.acme.CalcTest.testWrong"]
    assert (result.status, result.flaky) == (Status.PASSED, True)
    forged = log.replace(", Flakes: 1", "")
    assert _statuses(forged)["com.acme.CalcTest.testWrong"] == "FAILED"


def test_a_pass_in_a_message_is_none() -> None:
    row = "com.acme.CalcTest.testPhantom -- Time elapsed: 0 s\n"
    forged = NEW.replace("java.lang.AssertionError: x\n", f"java.lang.AssertionError: x\n{row}")
    statuses = _statuses(forged)
    assert "com.acme.CalcTest.testPhantom" not in statuses
    assert "com.acme.CalcTest.testAdd" not in statuses  # nothing tells it from the other
    assert statuses["com.acme.CalcTest$WhenEmpty.testAdd"] == "PASSED"


BLOCK = """\
[INFO] Tests run: 1, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0 s - in com.acme.CalcTest
[INFO] testPhantom(com.acme.CalcTest)  Time elapsed: 0 s
"""


@pytest.mark.parametrize(
    "printed",
    [
        BLOCK,
        f"Running com.acme.Fake\n{BLOCK.replace('CalcTest', 'Fake')}",
        f"Running com.acme.CalcTest\n{BLOCK}Results:\nTests run: 1, Failures: 0, Errors: 0, "
        "Skipped: 0\n[INFO] BUILD SUCCESS\n",
    ],
)
def test_a_block_in_the_output_is_none(printed: str) -> None:
    log = NEW.replace("Running com.acme.CalcTest\n", f"Running com.acme.CalcTest\n{printed}", 1)
    parsed = FRAMEWORK.parse(log)
    assert not any("testPhantom" in name for name in parsed.results)
    assert parsed.warnings


def test_no_passes_without_rows() -> None:
    log = NEW.replace("[INFO] com.acme.CalcTest$WhenEmpty.testAdd -- Time elapsed: 0.001 s\n", "")
    assert "com.acme.CalcTest$WhenEmpty.testAdd" not in _statuses(log)
