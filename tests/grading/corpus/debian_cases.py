"""The runs of `debian.py`, and how the truth about each is read."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.grading.corpus.debian import Case, Results, make, worst


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def prove() -> None:
    """TAP::Harness: files by a subclass of it, subtests by Test2's events."""
    version = output("perl", "-MTest::Harness", "-MTest::More", "-e", _VERSIONS)
    source = "a subclass of TAP::Harness, and Test2's events for subtests"
    env = {"PERL5LIB": "REPO/lib", "PERL5OPT": "-MTruthEvents"}
    quiet = "tests are shown with -v only"
    sequence = "its number is that of another test"

    def case(name: str, *args: str, **more: object) -> Case:
        command = ("prove", "--harness", "TruthHarness", *args)
        return Case(name, command, _prove, source, env, **more)  # type: ignore[arg-type]

    def forged(name: str, _: str) -> str:
        return sequence if name.endswith("forged.t > forged") else ""

    doubts = ("out of sequence", "31 tests ran, 32 are listed")
    make("prove", version, case("verbose", "-v", "t", hidden=forged, warnings=doubts))
    make("prove", version, case("files", "t", hidden=lambda n, _: quiet if " > " in n else ""))
    parallel = ("--merge", "-v", "--timer", "-j", "3", "t")
    make("prove", version, case("jobs", *parallel, hidden=forged, warnings=doubts))
    color = ("--color", "-v", "t/nested.t", "t/good.t", "t/skipped.t")
    make("prove", version, case("color", *color))
    make("prove", version, case("bail", "-v", "bail", warnings=("stopped the whole run",)))
    good = "passes are not shown with -Q"

    def silent(name: str, status: str) -> str:
        return quiet if " > " in name else good if status in ("PASSED", "SKIPPED") else ""

    make("prove", version, case("silent", "-Q", "t", hidden=silent))
    terminal = ("script", "-qec", "prove --harness TruthHarness t/good.t hang", "/dev/null")

    def files_only(name: str, _: str) -> str:
        return quiet if " > " in name else ""

    killed = Case("killed", terminal, _prove, source, env, hidden=files_only, limit=4)
    flight = {"hang/slow.t": "ERROR"}
    make("prove", version, replace(killed, complete=False, more=flight, warnings=("no end",)))
    terminal = (*terminal[:2], terminal[2].replace("hang", "t/nested.t t/skipped.t"), terminal[3])
    make("prove", version, replace(killed, name="terminal", command=terminal))


_VERSIONS = 'print "$Test::Harness::VERSION (Test::More $Test::More::VERSION, perl $^V)"'


def _prove(report: Path) -> Results:
    pairs: list[tuple[str, str]] = []
    for line in report.read_text().splitlines():
        row = json.loads(line)
        if row["kind"] == "file":
            pairs.append((row["file"], row["status"]))
        elif row["kind"] == "test":
            pairs.append((f"{row['file']} > {row['name']}", row["status"]))
        elif row["kind"] == "inner":
            pairs.append((" > ".join([row["file"], *row["path"]]), row["status"]))
    return worst(pairs)


ALL: dict[str, Callable[[], None]] = {"prove": prove}
