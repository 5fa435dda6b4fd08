"""Logs of PHPUnit, of Debian 12 (9.6) and 13 (11.5).

    python -m tests.grading.corpus.php

Needs root and Debian's package debootstrap: each release is laid into a directory of its own.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.grading.corpus.making import Results, worst
from tests.grading.corpus.ruby import Release, debian

RELEASES = {"bookworm": "9.6", "trixie": "11.5"}
PACKAGES = "phpunit,php-cli,php-xml"
DOTS = "the dots name only what is told after them"
KINDS = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}


def junit(place: Path) -> Results:
    """Statuses by class and name. PHPUnit 9 reports a risky test as an error of its own type."""
    results: Results = {}
    for case in ElementTree.parse(place / "junit.xml").getroot().iter("testcase"):
        status = "PASSED"
        for child in case:
            if child.tag in KINDS and "Risky" not in child.get("type", ""):
                status = KINDS[child.tag]
        worst(results, f"{case.get('class')}::{case.get('name')}", status)
    return results


def testdox(place: Path) -> Results:
    """The same by testdox's names, which do not tell errors from failures."""
    results: Results = {}
    for name, status in junit(place).items():
        test, _, data = name.partition(" with data set ")
        owner, method = test.split("::")
        text = re.sub(r"([A-Z]|\d+)", r" \1", method.removeprefix("test")).replace("_", " ").strip()
        text = text[:1].upper() + text[1:].lower()
        text += f" with data set {data}" if data else ""
        shown = "FAILED" if status == "ERROR" else status
        results[f"{owner.removesuffix('Test')} > {text}"] = shown
    return results


def coloured(place: Path) -> Results:
    """The same as testdox shows them in colours: blanks of labels as dots."""
    results: Results = {}
    for name, status in testdox(place).items():
        test, _, data = name.partition(" with data set ")
        label = data[1:-1].replace(" ", "·") if data[:1] == '"' else f"data set {data[1:]}"
        results[f"{test} with {label}" if data else test] = status
    return results


def untold(place: Path) -> Results:
    """As TeamCity's messages of PHPUnit 9 have them: errors and risky tests failed."""
    results = {n: s.replace("ERROR", "FAILED") for n, s in junit(place).items()}
    return results | {"Acme\\CalcTest::testRisky": "FAILED"}


def messages(place: Path) -> Results:
    """TeamCity's messages, which are written at once."""
    results: Results = {}
    log = (place / "teamcity.txt").read_text()
    for event, name, owner in re.findall(r"\[(test\w+) name='(\w+)'(?:.*::\\(\S+)::)?", log):
        if event == "testStarted":
            last = f"{owner}::{name}"
            results[last] = "ERROR"
        elif event == "testFinished":
            results[last] = "PASSED"
    return results


def phpunit(release: Release, version: str) -> None:
    """All forms of one version."""
    new = version != "9.6"

    def case(name: str, *args: str, suite: str = "unit", **more: Any) -> None:
        command = ["phpunit", f"--testsuite={suite}", *args, "--log-junit=junit.xml"]
        options = {"truth": "--log-junit of the same run", "results": junit, **more}
        release.case("phpunit", name, version, command, **options)

    def named(*statuses: str) -> Callable[[str, str], str]:
        return lambda name, status: "" if status in statuses else DOTS

    case("dots", hidden=named("FAILED", "ERROR"))
    more = ["--display-skipped", "--display-incomplete"] if new else ["--verbose"]
    case("verbose", *more, hidden=named("FAILED", "ERROR", "SKIPPED"))
    dox: dict[str, Any] = {
        "results": testdox,
        "truth": "--log-junit of the same run, its names made testdox's",
    }
    case(
        "testdox",
        "--testdox",
        **dox,
        hidden=lambda name, status: (
            "not in this version's list" if new and name.endswith("> Depends") else ""
        ),
    )
    teamcity = "--log-junit of the same run; TeamCity's messages call each defect a failure"
    told: dict[str, Any] = {} if new else {"results": untold, "truth": teamcity}
    case("teamcity", "--teamcity", **told)
    crash: dict[str, Any] = {"complete": False, "warnings": ("cut off",), "results": messages}
    crash |= {"truth": "--log-teamcity of the same run"}
    written = "--log-teamcity=teamcity.txt"
    if new:
        case("debug", "--debug")
        case("crash", "--debug", written, suite="crash", **crash)
    else:
        unsure = "--debug does not tell skipped tests from passed ones"
        case(
            "debug",
            "--debug",
            warnings=("not named",),
            hidden=lambda name, status: unsure if status in ("PASSED", "SKIPPED") else "",
        )
        case("debug-verbose", "--debug", "--verbose")
        case("colour", "--colors=always", "--testdox", **{**dox, "results": coloured})
        case(
            "crash",
            "--debug",
            written,
            suite="crash",
            **crash,
            hidden=lambda name, status: (
                "--debug does not say how a test ended" if status == "PASSED" else ""
            ),
        )
        case("crash-teamcity", "--teamcity", written, suite="crash", **crash)
    surplus = "more tests are shown than counted, so no pass is believed"
    case(
        "forged-testdox",
        "--testdox",
        suite="forge",
        **dox,
        warnings=() if new else ("2 tests counted, 3 shown",),
        hidden=lambda name, status: surplus if status == "PASSED" and not new else "",
    )
    case("forged-teamcity", "--teamcity", suite="forge")
    case("forged-debug", "--debug", suite="forge")


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(name)
        for release, version in RELEASES.items():
            phpunit(Release(debian(release, PACKAGES, tmp)), version)


if __name__ == "__main__":
    main()
