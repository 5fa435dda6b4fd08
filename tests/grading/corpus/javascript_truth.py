"""What each JavaScript framework says of its tests in a report for machines."""

from __future__ import annotations

import json
from pathlib import Path

from tests.grading.corpus.javascript_runs import Results, worst

_JEST = {"passed": "PASSED", "failed": "FAILED"}


def jest(report: Path, place: Path) -> Results:
    """`jest --json --outputFile`."""
    results: Results = {}
    if not report.exists():
        return results
    for file in json.loads(report.read_text())["testResults"]:
        path = str(Path(file["name"]).relative_to(place))
        tests = file["assertionResults"]
        for test in tests:
            name = " > ".join([path, *test["ancestorTitles"], test["title"]])
            worst(results, name, _JEST.get(test["status"], "SKIPPED"))
        bad = file["status"] == "failed" and not any(t["status"] == "failed" for t in tests)
        if bad or "Test suite failed to run" in file.get("message", ""):
            worst(results, path, "ERROR")
    return results


def pairs(report: Path, _: Path) -> Results:
    """A reporter of the sample project that writes `[name, status]` for each test."""
    results: Results = {}
    if report.exists():
        for name, status in json.loads(report.read_text()):
            worst(results, name, status)
    return results
