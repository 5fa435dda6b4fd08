"""Lines of PHPUnit that the corpus does not show, and Pest's, which are written by hand from its
documented format."""

from __future__ import annotations

from velora.grading.parsers import registry
from velora.grading.protocol import Parsed

PHPUNIT = "PHPUnit 9.5.0 by Sebastian Bergmann and contributors.\n\n"


def read(parser: str, text: str) -> Parsed:
    return registry.get(parser)[0].parse(text)


def statuses(parsed: Parsed) -> dict[str, str]:
    return {name: str(each.status) for name, each in parsed.results.items()}


def test_times_in_testdox_are_not_of_the_name() -> None:
    text = PHPUNIT + "A\\B\n ✔ Adds [x] [0.12 ms]\n\nTime: 00:00.1, Memory: 4.00 MB\n\n"
    parsed = read("phpunit", text + "OK (1 test, 1 assertion)\n")
    assert statuses(parsed) == {"A\\B > Adds [x]": "PASSED"}
    assert parsed.complete


def test_values_of_a_data_set_are_not_of_the_name() -> None:
    text = (
        PHPUNIT
        + "FF   2 / 2 (100%)\n\nTime: 00:00.1, Memory: 4.00 MB\n\nThere were 2 failures:\n\n"
        "1) A\\B::testX with data set \"a (b)\" (1, 'c) (d')\nno\n\n"
        "2) A\\B::testX with data set #3 (Closure Object (...))\nno\n2) A\\B::testPrinted\n\n"
        "FAILURES!\nTests: 2, Assertions: 2, Failures: 2.\n"
    )
    parsed = read("phpunit", text)
    assert statuses(parsed) == {
        'A\\B::testX with data set "a (b)"': "FAILED",
        "A\\B::testX with data set #3": "FAILED",
    }
    assert not parsed.warnings


def test_two_runs_of_phpunit() -> None:
    run = PHPUNIT + "A\n {} Adds\n\nTime: 00:00.1, Memory: 4.00 MB\n\n"
    good = run.format("✔") + "OK (1 test, 1 assertion)\n"
    bad = run.format("✘") + "FAILURES!\nTests: 1, Assertions: 1, Failures: 1.\n"
    assert statuses(read("phpunit", good + bad)) == {"A > Adds": "FAILED"}
    assert statuses(read("phpunit", bad + good)) == {"A > Adds": "FAILED"}
    assert not read("phpunit", good + PHPUNIT).complete


def test_a_failure_with_a_very_long_message() -> None:
    place = "locationHint='php_qn:///x.php::\\A\\B"
    text = (
        PHPUNIT + f"##teamcity[testSuiteStarted name='A\\B' {place}' flowId='1']\n"
        f"##teamcity[testStarted name='testX' {place}::testX' flowId='1']\n"
        f"##teamcity[testFailed name='testX' message='{'long ' * 20000}' duration='5' flowId='1']\n"
        "##teamcity[testFinished name='testX' duration='5' flowId='1']\n"
    )
    parsed = read("phpunit", text)
    assert statuses(parsed) == {"A\\B::testX": "FAILED"}
    assert not parsed.complete


PEST = """
   PASS  Tests\\Unit\\CalcTest
  ✓ it adds                                                    0.12s
  ✓ it adds with (1, 2)
  ! it is risky → This test did not perform any assertions     0.01s

   FAIL  Tests\\Feature\\PageTest
  \u2a2f it shows → the page                                        0.03s
  - `list` → it is skipped → no                                 0.01s
  ↓ it will come
  ✓ `list` → it is long                                        0.01s
  ────────────────────────────────────────────────────────────────
   FAILED  Tests\\Feature\\PageTest > it shows → the page
  Failed asserting that false is true.
  ✓ it is printed

  Tests:    1 failed, 1 risky, 1 todo, 1 skipped, {} passed (5 assertions)
  Duration: 0.40s
"""


def test_pest() -> None:
    parsed = read("pest", PEST.format(3))
    assert statuses(parsed) == {
        "Tests\\Unit\\CalcTest > it adds": "PASSED",
        "Tests\\Unit\\CalcTest > it adds with (1, 2)": "PASSED",
        "Tests\\Unit\\CalcTest > it is risky": "PASSED",
        "Tests\\Feature\\PageTest > it shows → the page": "FAILED",
        "Tests\\Feature\\PageTest > `list` → it is skipped": "SKIPPED",
        "Tests\\Feature\\PageTest > it will come": "SKIPPED",
        "Tests\\Feature\\PageTest > `list` → it is long": "PASSED",
    }
    assert parsed.results["Tests\\Unit\\CalcTest > it adds"].duration == 0.12
    assert parsed.complete
    assert not parsed.warnings
    assert registry.parse("auto", PEST).label == "auto:pest"


def test_more_pest_passes_than_counted_leave_none() -> None:
    parsed = read("pest", PEST.format(2))
    assert "PASSED" not in statuses(parsed).values()
    assert "2 passed" not in parsed.warnings[0]
    assert "counted" in parsed.warnings[0]
