"""Makes the logs of Java's frameworks: `python -m tests.grading.corpus.jvm [FRAMEWORK...]`.

It takes the tools and libraries of Debian 12: maven-debian-helper, libsurefire-java, junit4,
junit5, gradle, ant-optional, testng, clojure. Names of frameworks as arguments choose among them.
The truth is the frameworks' XML reports, read here by themselves.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
LOGS = HERE.parent / "logs"
SAMPLES = HERE.parent.parent / "fixtures/grading"
JARS = Path("/usr/share/java")

SEVERITY = ["PASSED", "SKIPPED", "FAILED", "ERROR"]
Results = dict[str, str]


def full_name(suite: str, test: str) -> str:
    """The name of a test case of a report."""
    return f"{suite}.{test}" if test and suite != test else suite


@dataclass(frozen=True, slots=True)
class Case:
    """One log to make. `extra` are results that the reports lack, with the reason in `note`."""

    framework: str
    name: str
    version: str
    project: str
    command: list[str]
    truth: str = "TEST-*.xml, by ElementTree"
    complete: bool = True
    extra: Results = field(default_factory=dict)
    hidden: Callable[[str, str], str] = lambda name, status: ""
    warnings: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    reports: str = "**/TEST-*.xml"
    rename: Callable[[str, str], str] = full_name


def read_reports(paths: Iterable[Path], rename: Callable[[str, str], str]) -> Results:
    """The worst status of each test case."""
    results: Results = {}
    for path in sorted(paths):
        for case in ElementTree.parse(path).iter("testcase"):
            tags = {child.tag for child in case}
            status = "PASSED"
            for tag, meaning in (("skipped", "SKIPPED"), ("failure", "FAILED"), ("error", "ERROR")):
                status = meaning if tag in tags else status
            name = rename(case.get("classname", ""), case.get("name", ""))
            results[name] = max(status, results.get(name, status), key=SEVERITY.index)
    return results


def run(case: Case, tmp: Path) -> tuple[bytes, Path]:
    """The output of a case, and where it ran."""
    cwd = tmp / "repo"
    shutil.rmtree(cwd, ignore_errors=True)
    shutil.copytree(SAMPLES / case.project, cwd)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp / "home"), "LANG": "C.UTF-8"}
    environment |= case.environment
    done = subprocess.run(
        case.command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=900,
    )
    log = done.stdout.replace(str(cwd).encode(), b"/repo").replace(str(tmp).encode(), b"/tmp")
    return log, cwd


def make(case: Case, tmp: Path) -> None:
    """Write a case's log and truth."""
    log, cwd = run(case, tmp)
    results = read_reports(cwd.glob(case.reports), case.rename) | case.extra
    hidden = {n: why for n, s in results.items() if (why := case.hidden(n, s))}
    write(case, log, results, hidden)


def write(case: Case, log: bytes, results: Results, hidden: dict[str, str]) -> None:
    """Put a log and its truth into the corpus."""
    place = LOGS / case.framework
    place.mkdir(parents=True, exist_ok=True)
    truth: dict[str, object] = {
        "version": case.version,
        "command": " ".join(case.command) + f"  # in {case.project}",
        "truth": case.truth,
        "complete": case.complete,
        "results": results,
    }
    if hidden:
        truth["hidden"] = hidden
    if case.warnings:
        truth["warnings"] = case.warnings
    stem = f"{re.split('[ ,]', case.version)[0]}-{case.name}"
    (place / f"{stem}.txt").write_bytes(log)
    text = json.dumps(truth, indent=1, sort_keys=True, ensure_ascii=False)
    (place / f"{stem}.json").write_text(text + "\n", encoding="utf-8")
    print(f"{case.framework}/{stem}: {len(results)} results, {len(log)} bytes", flush=True)


def failures_only(name: str, status: str) -> str:
    """What a report of failures alone hides."""
    return "" if status in ("FAILED", "ERROR") else "only failures are listed"


def surefire() -> list[Case]:
    """Maven Surefire, as Debian patches it."""
    maven = ["mvn", "-B", "-o", "-s", "/etc/maven/settings-debian.xml"]
    plain = ["-Dsurefire.useFile=false", "-Dsurefire.reportFormat=plain"]
    version = "2.22.3, JUnit {}, Maven 3.8.7"

    def case(name: str, project: str, junit: str, *options: str, **more: object) -> Case:
        command = [*maven, *options, "test"]
        full = version.format(junit)
        return Case("surefire", name, full, f"jvm/{project}", command, **more)  # type: ignore[arg-type]

    def nested(name: str, status: str) -> str:
        failed = failures_only(name, status)
        return "the row has no class" if failed and ".CalcTest" in name else ""

    died = {"com.acme.CrashTest": "ERROR"}
    return [
        case("junit4", "junit4", "4.13.2", hidden=failures_only),
        case("junit4-plain", "junit4", "4.13.2", *plain),
        case(
            "junit4-long-traces",
            "junit4",
            "4.13.2",
            *plain,
            "-DtrimStackTrace=false",
            "-Dtest=ParamTest,SetUpTest",
        ),
        case("junit4-quiet", "junit4", "4.13.2", "-q", hidden=failures_only),
        case("junit4-colour", "junit4", "4.13.2", *plain, "-Dstyle.color=always"),
        case("junit5", "junit5", "5.9.2", hidden=failures_only),
        case("junit5-plain", "junit5", "5.9.2", *plain, hidden=nested),
        case("parallel-modules", "", "4.13.2 and 5.9.2", "-T", "2", "-fae", hidden=failures_only),
        case("flaky", "flaky", "4.13.2", *plain, "-Dsurefire.rerunFailingTestsCount=2"),
        case(
            "crash",
            "crash",
            "4.13.2",
            *plain,
            "-Dsurefire.runOrder=alphabetical",
            truth="TEST-*.xml, by ElementTree; com.acme.CrashTest, which died, has none",
            complete=False,
            extra=died,
            warnings=["CrashTest has no results"],
        ),
        case("broken", "broken", "4.13.2", complete=False, warnings=["compilation error"]),
    ]


FRAMEWORKS: dict[str, Callable[[], list[Case]]] = {"surefire": surefire}


def main() -> None:
    """Make the logs of the frameworks that the arguments name, or of all."""
    chosen = sys.argv[1:] or list(FRAMEWORKS)
    with tempfile.TemporaryDirectory() as name:
        for framework in chosen:
            for case in FRAMEWORKS[framework]():
                make(case, Path(name))


if __name__ == "__main__":
    main()
