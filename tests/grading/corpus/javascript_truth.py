"""What each JavaScript framework says of its tests in a report for machines."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
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


_POINT = re.compile(r"(not )?ok \d+ - (.*?)(?: # (SKIP|TODO).*)?$")
_EXITED = re.compile(r"(\S+) exited with|Exiting due to process.exit\(\) when running (\S+)")


def ava(*args: str) -> Callable[[Path, Path], Results]:
    """`ava --tap`, in a second run."""

    def read(_: Path, place: Path) -> Results:
        command = [str(place / "node_modules/.bin/ava"), "--tap", *args]
        done = subprocess.run(command, cwd=place, capture_output=True, check=False)
        results: Results = {}
        for line in done.stdout.decode().splitlines():
            found = _POINT.match(line)
            if found is None or found[2].startswith("Error"):
                continue
            if (exited := _EXITED.match(found[2])) is not None:
                worst(results, exited[1] or exited[2], "ERROR")
                continue
            status = "SKIPPED" if found[3] else "FAILED" if found[1] else "PASSED"
            worst(results, found[2], status)
        return results

    return read
