"""Makes the logs of the frameworks that come as Debian packages: prove, bats, busted, ExUnit, EUnit
and testthat. `python -m tests.grading.corpus.debian [FRAMEWORK ...]`; bats' other versions are
installed by npm.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GRADING = Path(__file__).parent.parent
LOGS = GRADING / "logs"
SAMPLES = GRADING.parent / "fixtures" / "grading"
SEVERITY = ("PASSED", "XFAIL", "SKIPPED", "XPASS", "FAILED", "ERROR")

Results = dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One run.

    Attributes:
        command: `TRUTH` in it stands for the report's path.
        truth: reads the report.
        source: what the report is, in words.
        hidden: the reason why the log does not show a result; "" where it does.
        more: results that the report cannot hold, such as the test that was in flight.
        limit: seconds after which the run is killed.
    """

    name: str
    command: tuple[str, ...]
    truth: Callable[[Path], Results]
    source: str
    env: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True
    hidden: Callable[[str, str], str] = lambda _name, _status: ""
    more: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    auto: str = ""
    limit: float = 120


def worst(pairs: Iterable[tuple[str, str]]) -> Results:
    """Of several statuses of one name the worst stays."""
    found: Results = {}
    for name, status in pairs:
        if name not in found or SEVERITY.index(status) > SEVERITY.index(found[name]):
            found[name] = status
    return found


def make(framework: str, version: str, case: Case, tools: Path | None = None) -> None:
    """Run a case in a fresh copy of its framework's sample project; keep the log and the truth."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve() / "repo"
        shutil.copytree(SAMPLES / framework, place)
        report = place.parent / "truth"
        log = _run(case, place, report, tools)
        for path, shown in ((report, "/tmp/truth"), (place, "/repo"), (place.parent, "/tmp")):
            log = log.replace(str(path).encode(), shown.encode())
        if tools is not None:
            log = log.replace(str(tools.resolve()).encode(), b"/tools")
        results = case.truth(report) | dict(case.more)
    hidden = {n: why for n, s in results.items() if (why := case.hidden(n, s))}
    facts: dict[str, object] = {
        "version": version,
        "command": " ".join(case.command),
        "truth": case.source,
        "complete": case.complete,
        "results": results,
    }
    more: dict[str, object] = {"hidden": hidden, "warnings": case.warnings, "auto": case.auto}
    facts |= {key: value for key, value in more.items() if value}
    directory = LOGS / framework
    directory.mkdir(parents=True, exist_ok=True)
    stem = f"{version.partition(' ')[0]}-{case.name}"
    (directory / f"{stem}.txt").write_bytes(log)
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    (directory / f"{stem}.json").write_text(text + "\n")
    print(f"{framework}/{stem}: {len(log)} bytes, {len(results)} tests")


def _run(case: Case, place: Path, report: Path, tools: Path | None) -> bytes:
    env = {"PATH": os.environ["PATH"], "HOME": str(place.parent), "LANG": "C.UTF-8"}
    env |= {key: value.replace("REPO", str(place)) for key, value in case.env.items()}
    env["TRUTH"] = str(report)
    if tools is not None:
        env["PATH"] = f"{tools}:{env['PATH']}"
    out = place.parent / "out"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [word.replace("TRUTH", str(report)) for word in case.command],
            cwd=place,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(case.limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return out.read_bytes()


def main() -> None:
    """Make them all, or those of the frameworks that are named."""
    from tests.grading.corpus import debian_cases

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("frameworks", nargs="*", metavar="FRAMEWORK")
    for framework in options.parse_args().frameworks or debian_cases.ALL:
        debian_cases.ALL[framework]()


if __name__ == "__main__":
    main()
