"""Grading beside SWE-bench's own harness: the same image, patches, tests and predictions.

The harness runs as it comes from PyPI, each version in an environment of its own, on local images
alone. Left out of all figures: starting the programs. Not in them, because the image has none of
it: a real conda environment, an installation step, a build.
"""

from __future__ import annotations

import json
import re
import subprocess
import venv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import measured, testbed
from bench.rows import PYTHON, ROOT, VELORA, Bench, Row, Skipped

VERSIONS = ("4.1.0", "5.0.2")
"""The last with tables of test commands, and the newest."""

_TIME = r"^(\S+ \S+) - INFO - Attempting to %s container"


@dataclass(frozen=True, slots=True)
class Graded:
    """Seconds an instance: all of it, what of it was the test command, and the container's stop."""

    whole: float
    tests: float
    stop: float = 0.0

    @property
    def beyond(self) -> float:
        """All but the tests."""
        return self.whole - self.tests


def side_by_side(bench: Bench) -> list[Row]:
    """Velora, the floor and the harness of each version, in one run.

    Raises:
        Skipped: a version of the package cannot be installed.
    """
    count = max(2, bench.instances // 4)
    pythons = {version: _installed(bench.work, version) for version in VERSIONS}
    with testbed.files(bench.work, count) as (dataset, predictions):
        floors, gradings = [], []
        for number in range(bench.runs):
            floors.append(_floor(bench.work, count))
            gradings.append(_velora(bench.work, dataset, predictions, number, count))
        harnesses = {
            version: _harness(bench.work, version, python, dataset, predictions, count)
            for version, python in pythons.items()
        }
    whole, floor_whole = (measured.median(g.whole for g in all_) for all_ in (gradings, floors))
    ours, floor = (measured.median(g.beyond for g in all_) for all_ in (gradings, floors))
    rows = [
        Row("an instance of real tests graded, s", whole, floor_whole, "", None),
        Row("  beyond the tests, s", ours, floor, "<= 0.9 s", ours <= 0.9),
    ]
    for version, harness in harnesses.items():
        without = harness.beyond - harness.stop
        rows += [
            _beside(f"  swebench {version}, s", harness.beyond, floor, ours),
            _beside("    without its `docker stop`, s", without, floor, ours),
        ]
    return rows


def _beside(what: str, value: float, floor: float, ours: float) -> Row:
    return Row(what, value, floor, f"{value / ours:.1f} x Velora", None)


def _installed(work: Path, version: str) -> str:
    """The Python of a new environment with the package."""
    directory = work / f"swebench-{version}"
    venv.create(directory, with_pip=True)
    pip = [str(directory / "bin" / "pip"), "install", "--quiet", f"swebench=={version}"]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Skipped(f"swebench {version} cannot be installed: {said[-1] if said else ''}")
    return str(directory / "bin" / "python")


def _floor(work: Path, count: int) -> Graded:
    task = {
        "patches": [testbed.PATCH, testbed.TEST_PATCH],
        "command": f"{testbed.TEST_COMMAND} {testbed.TEST_FILE}",
        "workdir": "/testbed",
    }
    file = work / "floor-grading.json"
    file.write_text(json.dumps(task))
    argv = [PYTHON, "-m", "bench.floor_grading", "--image", testbed.image(), "--task", str(file)]
    found = _last_line([*argv, "--instances", str(count)], ROOT)
    return Graded(
        sum(seconds for seconds, _ in found) / count,
        sum(testbed.seconds(log) for _, log in found) / count,
    )


def _velora(work: Path, dataset: Path, predictions: Path, number: int, count: int) -> Graded:
    out = work / f"graded-{number}"
    argv = [VELORA, "evaluate", "--predictions", str(predictions), "--dataset", str(dataset)]
    argv += ["--eval-num-workers", "1", "--output-dir", str(out)]
    wall = measured.run(argv, cwd=work).wall
    start = measured.run(argv, cwd=work).wall  # nothing is left to grade
    return Graded((wall - start) / count, _tests(out, count))


def _harness(
    work: Path, version: str, python: str, dataset: Path, predictions: Path, count: int
) -> Graded:
    argv = [python, "-P", str(ROOT / "bench" / "harness.py"), "--run-id", version]
    argv += ["--dataset", str(dataset), "--predictions", str(predictions)]
    argv += ["--namespace", testbed.NAMESPACE, "--test-command", testbed.TEST_COMMAND]
    said = _last_line(argv, work)
    logs = work / "logs" / "run_evaluation" / version
    stops = [_stop(log.read_text()) for log in logs.rglob("run_instance.log")]
    return Graded(said["seconds"] / count, _tests(logs, count), sum(stops) / count)


def _stop(log: str) -> float:
    """Seconds from the harness's line before a container's stop to the one before its removal."""
    began, ended = (
        datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f")
        for word in ("stop", "remove")
        if (found := re.search(_TIME % word, log, re.MULTILINE))
    )
    return (ended - began).total_seconds()


def _tests(directory: Path, count: int) -> float:
    """Seconds of the test command an instance; all must have been resolved."""
    reports = [json.loads(path.read_text()) for path in directory.rglob("*__*/report.json")]
    verdicts = [one["resolved"] for report in reports for one in report.values()]
    if verdicts != [True] * count:
        raise RuntimeError(f"{directory}: not every instance was resolved: {verdicts}")
    logs = [path.read_text() for path in directory.rglob("*__*/test_output.txt")]
    return sum(map(testbed.seconds, logs)) / count


def _last_line(argv: list[str], cwd: Path) -> Any:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])
