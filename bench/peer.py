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
class Harness:
    """Seconds an instance: all of it, and what of it was the container's stop."""

    whole: float
    stop: float


def side_by_side(bench: Bench) -> list[Row]:
    """Velora, the floor and the harness of each version, in one run.

    Raises:
        Skipped: no version of the package can be installed.
    """
    count = max(2, bench.instances // 4)
    pythons = {version: _installed(bench.work, version) for version in VERSIONS}
    with testbed.files(bench.work, count) as (dataset, predictions):
        floors = [one for _ in range(bench.runs) for one in _floor(bench.work, count)]
        tests = measured.median(own for _, own in floors)
        floor = measured.median(whole for whole, _ in floors)
        start = measured.median(_start() for _ in range(bench.runs))
        ours = measured.median(
            (_velora(bench.work, dataset, predictions, number) - start) / count
            for number in range(bench.runs)
        )
        beyond = ours - tests
        rows = [
            Row("an instance graded, s", ours, floor, "", None),
            Row(f"  beyond the tests' {tests:.2f} s", beyond, floor - tests, "", None),
        ]
        for version, python in pythons.items():
            harness = _harness(bench.work, version, python, dataset, predictions, count)
            name = f"swebench {version}"
            for what, seconds in (
                (f"  beyond the tests, {name}, s", harness.whole - tests),
                (
                    f"  the same without its stop of {harness.stop:.1f} s",
                    harness.whole - harness.stop - tests,
                ),
            ):
                times = f"{seconds / beyond:.1f} x Velora"
                rows.append(Row(what, seconds, floor - tests, times, None))
    return rows


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


def _start() -> float:
    return measured.run([VELORA, "evaluate", "--help"]).wall


def _floor(work: Path, count: int) -> list[list[float]]:
    task = {
        "patches": [testbed.PATCH, testbed.TEST_PATCH],
        "command": f"{testbed.TEST_COMMAND} {testbed.TEST_FILE}",
        "workdir": "/testbed",
    }
    file = work / "floor-grading.json"
    file.write_text(json.dumps(task))
    argv = [PYTHON, "-m", "bench.floor_grading", "--image", testbed.image(), "--task", str(file)]
    found: list[list[float]] = _last_line([*argv, "--instances", str(count)], ROOT)
    return found


def _velora(work: Path, dataset: Path, predictions: Path, number: int) -> float:
    out = work / f"graded-{number}"
    argv = [VELORA, "evaluate", "--predictions", str(predictions), "--dataset", str(dataset)]
    argv += ["--eval-num-workers", "1", "--output-dir", str(out)]
    wall = measured.run(argv, cwd=work).wall
    _all_resolved(out)
    return wall


def _harness(
    work: Path, version: str, python: str, dataset: Path, predictions: Path, count: int
) -> Harness:
    argv = [python, "-P", str(ROOT / "bench" / "harness.py"), "--run-id", version]
    argv += ["--dataset", str(dataset), "--predictions", str(predictions)]
    argv += ["--namespace", testbed.NAMESPACE, "--test-command", testbed.TEST_COMMAND]
    said = _last_line(argv, work)
    logs = work / "logs" / "run_evaluation" / version
    _all_resolved(logs)
    stops = [_stop(log.read_text()) for log in logs.rglob("run_instance.log")]
    return Harness(said["seconds"] / count, measured.median(stops))


def _stop(log: str) -> float:
    """Seconds from the harness's line before a container's stop to the one before its removal."""
    began, ended = (
        datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f")
        for word in ("stop", "remove")
        if (found := re.search(_TIME % word, log, re.MULTILINE))
    )
    return (ended - began).total_seconds()


def _all_resolved(directory: Path) -> None:
    reports = [json.loads(path.read_text()) for path in directory.rglob("*__*/report.json")]
    verdicts = [one["resolved"] for report in reports for one in report.values()]
    if not verdicts or not all(verdicts):
        raise RuntimeError(f"{directory}: not every instance was resolved: {verdicts}")


def _last_line(argv: list[str], cwd: Path) -> Any:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])
