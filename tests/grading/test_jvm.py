"""The other parsers of the JVM, .NET and Swift: any text, and forms that have no log here.

Gradle 7's and TestNG 7's lines are hand-written after their documented formats.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from velora.grading.parsers import registry
from velora.grading.protocol import Status

LOGS = Path(__file__).parent / "logs"
JVM = ("surefire", "gradle", "ant-junit", "testng", "junit-console", "clojure-test", "cucumber")
NAMES = (*JVM, "junit-xml", "dotnet", "swift-test")
SEEN = sorted(
    {
        line
        for name in (*JVM, "junit-xml")
        for log in (LOGS / name).glob("*.txt")
        for line in log.read_text(encoding="utf-8", errors="replace").split("\n")
    }
)


@pytest.mark.parametrize("name", NAMES)
@given(st.lists(st.sampled_from(SEEN) | st.text(max_size=30), max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_text_is_too_odd(name: str, pieces: list[str]) -> None:
    text = "\n".join(pieces)
    for result in registry.parse(name, text).parsed.results.values():
        assert isinstance(result.status, Status)
        assert 1 <= result.line <= text.count("\n") + 1


@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_too_long(name: str) -> None:
    for line in SEEN:
        if any(character.isdigit() for character in line):
            registry.parse(name, re.sub(r"\d+", "9" * 5000, line))
            registry.parse(name, re.sub(r"\d+", "1.2.3", line))


def _statuses(name: str, log: str) -> dict[str, str]:
    parsed = registry.parse(name, log).parsed
    return {test: str(result.status) for test, result in parsed.results.items()}


GRADLE_7 = """\
> Task :lib:test FAILED

com.acme.CalcTest > testLength(String) > com.acme.CalcTest.testLength(String)[1] PASSED

CalcTest > WhenEmpty > testAdd() FAILED
    org.opentest4j.AssertionFailedError at CalcTest.java:75

com.acme.NoisyTest > testOut() STANDARD_OUT
    com.acme.NoisyTest > testPhantom() PASSED
com.acme.NoisyTest > testCarriageReturn() PASSED

com.acme.NoisyTest > testOut() PASSED

Gradle Test Run :lib:test > Gradle Test Executor 7 > com.acme.CalcTest > testAdd() PASSED

4 tests completed, 1 failed

BUILD FAILED in 3s
"""


def test_gradle_7() -> None:
    assert _statuses("gradle", GRADLE_7) == {
        "com.acme.CalcTest.testLength(String)[1]": "PASSED",
        "CalcTest > WhenEmpty > testAdd()": "FAILED",
        "com.acme.NoisyTest.testOut()": "PASSED",
        "com.acme.CalcTest.testAdd()": "PASSED",
    }
    assert registry.parse("auto", GRADLE_7).label == "auto:gradle"


def test_gradle_totals_outweigh_passes() -> None:
    log = GRADLE_7.replace("4 tests completed", "3 tests completed")
    assert set(_statuses("gradle", log).values()) == {"FAILED"}


def test_a_gradle_test_without_an_end() -> None:
    log = "> Task :test\n\ncom.acme.CalcTest > testAdd() STARTED\n\nBUILD FAILED in 1s\n"
    assert _statuses("gradle", log) == {"com.acme.CalcTest.testAdd()": "ERROR"}


TESTNG_7 = """\
PASSED: com.acme.CalcTest.testForged
PASSED: com.acme.CalcTest.testAdd
FAILED: com.acme.CalcTest.testWrong
java.lang.AssertionError: expected [4] but found [3]
PASSED: com.acme.CalcTest.testWrong

===============================================
    Command line test
    Tests run: 2, Failures: 1, Skips: 0
===============================================

===============================================
Command line suite
Total tests run: 2, Passes: 1, Failures: 1, Skips: 0
===============================================
"""


def test_testng_7() -> None:
    expected = {"com.acme.CalcTest.testAdd": "PASSED", "com.acme.CalcTest.testWrong": "FAILED"}
    assert _statuses("testng", TESTNG_7) == expected


def test_testng_totals_outweigh_reports() -> None:
    report = "PASSED: phantom\n    Tests run: 1, Failures: 0, Skips: 0\n"
    parsed = registry.parse("testng", report + TESTNG_7).parsed
    assert Status.PASSED not in {result.status for result in parsed.results.values()}
    assert "not believed" in parsed.warnings[0]
