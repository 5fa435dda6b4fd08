"""Tasks whose output names failing tests alone: SWE-bench's `fail_only` repositories."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.grading.conftest import FIX_ADD, GOLD
from tests.grading.test_corpus import LOGS
from velora.grading.log import FileLog
from velora.grading.parsers import registry
from velora.grading.protocol import (
    Evidence,
    NameVerdict,
    Parsed,
    Source,
    Status,
    TestResult,
    Verdict,
)
from velora.grading.verdict import FAIL_ONLY, cautions, judge, reason
from velora.instances import families
from velora.instances.fields import instance_of
from velora.instances.rows import Row

KARMA = "06 11 2025 10:00:00.000:INFO [karma-server]: Karma v6.4.4 server started\n"
LISTING_FAILURES = [
    "karma/6.4.4-dots",
    "karma/6.4.4-progress",
    "mocha/10.8.2-dot",
    "mocha/11.8.0-min",
    "jasmine/5.13.0-default",
]


def graded(
    names: list[str], evidence: list[Evidence], *, exit_code: int | None = 0, fail_only: bool = True
) -> dict[str, NameVerdict]:
    found, _ = judge(names, [], evidence, fail_only=fail_only, exit_code=exit_code)
    return {name.name: name for name in found}


def read(log: str) -> list[Evidence]:
    return list(registry.parse("", log).evidence)


@pytest.mark.parametrize("log", LISTING_FAILURES)
def test_logs_of_real_runs(log: str) -> None:
    path = LOGS / f"{log}.txt"
    truth: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    evidence = list(registry.parse(path.parent.name, FileLog(path)).evidence)
    assert evidence[0].parsed.counted > len(evidence[0].parsed.results) or not truth["hidden"]
    listed = {f"{name.replace(' > ', ' ')} ": status for name, status in truth["results"].items()}
    found = graded(list(listed), evidence, exit_code=1)
    for name, status in listed.items():
        if status in ("FAILED", "ERROR"):
            assert not found[name].passed, name
    hidden = [f"{name.replace(' > ', ' ')} " for name in truth["hidden"]]
    passed = [name for name in hidden if found[name].passed]
    assert bool(passed) == (not evidence[0].parsed.warnings)
    assert {found[name].rule for name in passed} <= {FAIL_ONLY}
    usual = graded(list(listed), evidence, exit_code=1, fail_only=False)
    assert not any(usual[name].passed for name in passed)


def test_a_run_without_failures() -> None:
    evidence = read(KARMA + "Chrome 1.2 (Linux): Executed 2 of 2 SUCCESS (0.1 secs / 0.1 secs)\n")
    names, _ = judge(["Core draws "], [], evidence, fail_only=True, exit_code=0)
    assert (names[0].passed, names[0].status, names[0].rule) == (True, None, FAIL_ONLY)
    assert reason(names, (), evidence, timed_out=False) == "resolved"
    assert reason(names, (), evidence, timed_out=True) == "tests_timed_out"
    assert any("judged by not failing alone" in each for each in cautions(names, evidence, 0))


@pytest.mark.parametrize(
    ("log", "exit_code"),
    [
        ("", 0),
        ("the browser did not start\n", 0),
        (KARMA, 0),
        (KARMA + "Chrome 1.2 (Linux): Executed 0 of 0 SUCCESS (0.1 secs / 0.1 secs)\n", 0),
        (KARMA + "Chrome 1.2 (Linux): Executed 1 of 2 SUCCESS (0.1 secs / 0.1 secs)\n", 0),
        (KARMA + "Chrome 1.2 (Linux): Executed 2 of 2 SUCCESS (0.1 secs / 0.1 secs)\n", 1),
        (KARMA + "Chrome 1.2 (Linux): Executed 2 of 2 SUCCESS (0.1 secs / 0.1 secs)\n", None),
        (KARMA + "Chrome 1.2 (Linux): Executed 2 of 2 (1 FAILED) (0.1 secs / 0.1 secs)\n", 1),
        ("Started\n\n\n0 specs, 0 failures\nFinished in 0 seconds\n", 0),
        ("\n\n  0 passing (1ms)\n\n", 0),
    ],
)
def test_absence_proves_nothing_of_a_run_that_is_not_whole(log: str, exit_code: int | None) -> None:
    evidence = read(log)
    names, _ = judge(["Core draws"], [], evidence, fail_only=True, exit_code=exit_code)
    assert (names[0].passed, names[0].rule) == (False, "missing")
    assert reason(names, (), evidence, timed_out=False) != "resolved"


@pytest.mark.parametrize(
    ("listed", "passes"),
    [
        ("Core draws", False),
        ("Core  draws ", False),
        ("Core draws: Assertion", False),
        ("Core > draws", False),
        ("Core", False),
        ("Core erases", True),
        ("raws", True),
        ("", False),
        ("...", False),
    ],
)
def test_a_name_that_may_be_a_failing_test_does_not_pass(listed: str, passes: bool) -> None:
    results = {"Core > draws": TestResult(Status.FAILED, 3)}
    evidence = [Evidence(Source.LOG, Parsed(results, complete=True, counted=2))]
    assert graded([listed], evidence, exit_code=1)[listed].passed is passes


@pytest.mark.parametrize(
    ("status", "rule", "passes"),
    [
        (Status.PASSED, "exact", True),
        (Status.FAILED, "exact", False),
        (Status.ERROR, "exact", False),
        (Status.SKIPPED, FAIL_ONLY, True),
        (Status.XFAIL, FAIL_ONLY, True),
        (Status.XPASS, FAIL_ONLY, True),
    ],
)
def test_a_name_that_is_shown(status: Status, rule: str, passes: bool) -> None:
    evidence = [Evidence(Source.LOG, Parsed({"a": TestResult(status, 3)}, complete=True))]
    found = graded(["a"], evidence)["a"]
    assert (found.passed, found.rule, found.status) == (passes, rule, status)


def test_ambiguous_and_contradicted_names_do_not_pass() -> None:
    log = Parsed({"a.B#c": TestResult(Status.PASSED), "a.B > c()": TestResult(Status.PASSED)}, True)
    assert graded(['"a.B.c"'], [Evidence(Source.LOG, log)])['"a.B.c"'].rule == "ambiguous"
    one = Evidence(Source.LOG, Parsed({"a": TestResult(Status.PASSED)}, complete=True))
    other = Evidence(Source.REPORT, Parsed({"a": TestResult(Status.SKIPPED)}, complete=True))
    assert graded(["a"], [one, other])["a"].rule == "disagreement"
    assert not graded(["a"], [one, other])["a"].passed


def row(**fields: Any) -> Row:
    value = {
        "instance_id": "x__y-1",
        "problem_statement": "it does not draw",
        "repo": "chartjs/Chart.js",
        "version": "3.0",
        "environment_setup_commit": "0" * 40,
        "eval_script": "x",
    }
    return Row("t.jsonl:1", {key: v for key, v in (value | fields).items() if v is not None})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"eval_type": "fail_only"}, True),
        ({"eval_type": "pass_and_fail"}, False),
        ({"repo": "psf/requests"}, False),
        ({"repo": "psf/requests", "eval_type": "fail_only"}, False),
        ({"repo": "psf/requests", "fail_only": True}, False),
        ({"test_command": "npm test"}, False),  # Velora's own row, whatever its origin
    ],
)
def test_which_rows_are_judged_so(fields: dict[str, Any], expected: bool) -> None:
    assert instance_of(row(**fields)).fail_only is expected


@pytest.mark.parametrize("family", [name for name in families.FAMILIES if name != "swe_bench"])
def test_no_other_family(family: str) -> None:
    assert not families.get(family).fail_only(row().value)
    assert not instance_of(row(fail_only=True), family).fail_only


KARMA_RUN = """\
echo "06 11 2025 10:00:00.000:INFO [karma-server]: Karma v6.4.4 server started"
if grep -q 'a - b' calc.py; then
  echo "Chrome 1.2 (Linux): Executed 2 of 2 SUCCESS (0.1 secs / 0.1 secs)"
else
  echo "Chrome 1.2 (Linux) Calc sub FAILED"
  echo "Chrome 1.2 (Linux): Executed 2 of 2 (1 FAILED) (0.1 secs / 0.1 secs)"; exit 1
fi
"""


@pytest.mark.parametrize(
    ("patch", "fail_only", "passed", "rules"),
    [
        (GOLD, True, [True, True], [FAIL_ONLY, FAIL_ONLY]),
        (FIX_ADD, True, [False, True], [FAIL_ONLY, FAIL_ONLY]),
        (GOLD, False, [False, False], ["missing", "missing"]),
    ],
)
async def test_a_whole_grading(
    graded: Callable[..., Awaitable[Verdict]],
    tmp_path: Path,
    patch: str,
    fail_only: bool,
    passed: list[bool],
    rules: list[str],
) -> None:
    verdict = await graded(
        patch,
        fail_only=fail_only,
        fail_to_pass=("Calc sub ",),
        pass_to_pass=("Calc add ",),
        test_command=KARMA_RUN,
        test_output_parser="karma",
    )
    assert verdict.resolved is all(passed)
    report = json.loads((tmp_path / "out/report.json").read_text())["calc-1"]["velora"]
    names = [each for listed in report["names"].values() for each in listed]
    assert [each["passed"] for each in names] == passed
    assert [each["rule"] for each in names] == rules
    assert report["missing"] == [each["name"] for each in names if each["rule"] == "missing"]
