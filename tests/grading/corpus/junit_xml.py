"""Makes the logs of `junit-xml`: reports that frameworks wrote, printed after the run.

    python -m tests.grading.corpus.junit_xml

It takes CMake 3.21 or newer, node 20 with npm, pytest and Maven with Surefire. The truth is what
the framework says by other means than its report.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.grading.corpus import jvm

HERE = Path(__file__).parent
LOGS = HERE.parent / "logs/junit-xml"
SAMPLES = HERE.parent.parent / "fixtures/grading"
NPM = ["jest@29.7.0", "jest-junit@16.0.0", "mocha@10.8.2", "mocha-junit-reporter@2.2.1"]

Results = dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One report to make: `command` prints it, and leaves the truth for `read`."""

    name: str
    version: str
    project: str
    command: str
    truth: str
    read: Callable[[Path], Results]


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as name:
        for case in (pytest(), jest(), mocha(), node(), ctest(), surefire()):
            make(case, Path(name) / case.name / "repo")


def make(case: Case, cwd: Path) -> None:
    """Write a report and its truth."""
    subprocess.run(["mkdir", "-p", cwd.parent], check=True)
    subprocess.run(["cp", "-r", SAMPLES / case.project, cwd], check=True)
    if "javascript" in case.project:
        quiet = ["npm", "install", "--silent", "--no-audit", "--no-fund", *NPM]
        subprocess.run(quiet, cwd=cwd, check=True, capture_output=True)
    keep = ("PATH", "HOME", "npm_config_registry")
    environment = {key: os.environ[key] for key in keep if key in os.environ}
    environment |= {"LANG": "C.UTF-8", "PYTHON": sys.executable, "PLUGINS": str(SAMPLES / "pytest")}
    environment |= {"TRUTH": "truth.json", "PYTHONDONTWRITEBYTECODE": "1"}
    log = subprocess.run(
        ["sh", "-c", case.command], cwd=cwd, env=environment, check=False, capture_output=True
    ).stdout.replace(str(cwd).encode(), b"/repo")
    truth = {
        "version": case.version,
        "command": f"{case.command}  # in {case.project}",
        "truth": case.truth,
        "complete": True,
        "results": case.read(cwd),
    }
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / f"{case.name}.txt").write_bytes(log)
    text = json.dumps(truth, indent=1, sort_keys=True, ensure_ascii=False)
    (LOGS / f"{case.name}.json").write_text(text + "\n", encoding="utf-8")
    print(f"junit-xml/{case.name}: {len(case.read(cwd))} results, {len(log)} bytes", flush=True)


def pytest() -> Case:
    """pytest, whose reports have no word for an unexpected pass."""
    version = subprocess.run(
        [sys.executable, "-m", "pytest", "--version"], check=True, capture_output=True, text=True
    ).stdout.split()[1]

    def read(cwd: Path) -> Results:
        seen = json.loads((cwd / "truth.json").read_text(encoding="utf-8"))
        return {
            node.replace(".py::", ".").replace("::", "."): "PASSED" if status == "XPASS" else status
            for node, status in seen.items()
        }

    command = (
        "PYTHONPATH=$PLUGINS $PYTHON -m pytest -q -p truth_plugin -p no:cacheprovider "
        "-c /dev/null --rootdir=. --junit-xml=report.xml >/dev/null 2>&1; cat report.xml"
    )
    return Case(
        f"pytest-{version}",
        version,
        "junit-xml/pytest",
        command,
        "a plug-in; XPASS is PASSED",
        read,
    )


def jest() -> Case:
    """jest-junit with its defaults: the full title is the class and the name."""

    def read(cwd: Path) -> Results:
        words = {"passed": "PASSED", "failed": "FAILED", "pending": "SKIPPED"}
        report = json.loads((cwd / "truth.json").read_text(encoding="utf-8"))
        tests = report["testResults"][0]["assertionResults"]
        return {test["fullName"]: words[test["status"]] for test in tests}

    command = (
        "npx jest --testMatch '**/*.spec.js' --reporters=jest-junit --json "
        "--outputFile=truth.json >/dev/null 2>&1; cat junit.xml"
    )
    version = "jest 29.7.0, jest-junit 16.0.0"
    return Case("jest-junit-16.0.0", version, "junit-xml/javascript", command, "jest --json", read)


def mocha() -> Case:
    """mocha-junit-reporter as it is: the title is the class; pending tests are left out."""

    def read(cwd: Path) -> Results:
        report = json.loads((cwd / "truth.json").read_text(encoding="utf-8"))
        results = {test["fullTitle"]: "PASSED" for test in report["passes"]}
        return results | {test["fullTitle"]: "FAILED" for test in report["failures"]}

    command = (
        "npx mocha -R json -O output=truth.json calc.spec.js >/dev/null 2>&1; "
        "npx mocha -R mocha-junit-reporter calc.spec.js >/dev/null 2>&1; cat test-results.xml"
    )
    version = "mocha 10.8.2, mocha-junit-reporter 2.2.1"
    truth = "mocha -R json, without pending tests, which the report leaves out"
    return Case("mocha-junit-2.2.1", version, "junit-xml/javascript", command, truth, read)


def node() -> Case:
    """node:test, whose classes are all called "test"."""
    version = subprocess.run(["node", "-v"], check=True, capture_output=True, text=True).stdout[
        1:-1
    ]

    def read(cwd: Path) -> Results:
        results: Results = {}
        inner: dict[int, list[tuple[list[str], str]]] = {}  # ended tests, by nesting
        for line in (cwd / "truth.json").read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            level, name = event["nesting"], event["name"]
            if event["suite"]:
                found = [([name, *path], status) for path, status in inner.pop(level + 1, [])]
            else:
                status = "PASSED" if event["type"] == "test:pass" else "FAILED"
                found = [([name], "SKIPPED" if event.get("skip") else status)]
            inner.setdefault(level, []).extend(found)
        for path, status in inner[0]:
            results[" > ".join(path)] = status
        return results

    command = (
        "node --test --test-reporter=junit --test-reporter-destination=stdout "
        "--test-reporter=./truth_reporter.mjs --test-reporter-destination=truth.json calc.spec.js"
    )
    return Case(f"node-{version}", version, "junit-xml/javascript", command, "its events", read)


def ctest() -> Case:
    """CTest: a test that could not be started is "notrun" there, as a skipped one is."""
    first = subprocess.run(
        ["ctest", "--version"], check=True, capture_output=True, text=True
    ).stdout
    version = first.split()[2]

    def read(cwd: Path) -> Results:
        listed = json.loads((cwd / "truth.json").read_text(encoding="utf-8"))
        failed = (cwd / "build/Testing/Temporary/LastTestsFailed.log").read_text(encoding="utf-8")
        results = {test["name"]: "PASSED" for test in listed["tests"]}
        results |= {line.partition(":")[2]: "FAILED" for line in failed.splitlines()}
        return results | {"missing": "ERROR", "skipped": "SKIPPED", "off": "SKIPPED"}

    command = (
        "cmake -B build >/dev/null; cd build; ctest --show-only=json-v1 >../truth.json; "
        "ctest --output-junit report.xml >/dev/null 2>&1; cat report.xml"
    )
    truth = "LastTestsFailed.log, and CMakeLists.txt for missing, skipped and disabled tests"
    return Case(f"ctest-{version}", version, "junit-xml/ctest", command, truth, read)


def surefire() -> Case:
    """Surefire with reruns, one document a class without line ends between them."""

    def read(cwd: Path) -> Results:
        return jvm.read_reports(cwd.glob("**/TEST-*.xml"), jvm.full_name)

    command = (
        "mvn -q -B -o -s /etc/maven/settings-debian.xml -Dsurefire.rerunFailingTestsCount=2 test "
        ">/dev/null 2>&1; cat target/surefire-reports/TEST-*.xml | grep -v '<property name'"
    )
    return Case(
        "surefire-2.22.3", "2.22.3", "jvm/flaky", command, "TEST-*.xml, by ElementTree", read
    )


if __name__ == "__main__":
    main()
