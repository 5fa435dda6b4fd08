"""How the logs of JavaScript's frameworks are made: install, run, keep the log and the truth."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

GRADING = Path(__file__).parent.parent
LOGS = GRADING / "logs"
SAMPLES = GRADING.parent / "fixtures/grading"

Results = dict[str, str]
WORST = ("PASSED", "XFAIL", "SKIPPED", "XPASS", "FAILED", "ERROR")


@dataclass(frozen=True, slots=True)
class Tool:
    """A framework at a version, and what npm installs for it; `package` is the one that has the
    version."""

    name: str
    version: str
    packages: tuple[str, ...]
    package: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One run.

    Attributes:
        command: `REPORT` in it stands for the path of the report.
        truth: reads the report; takes its path and the project's directory.
        source: what the report is, in words.
        hidden: chooses the results that the log does not show, each with the reason.
        more: results that the report cannot hold, such as the test that killed the process.
        parser: the directory of the log, where it is not the tool's name.
    """

    name: str
    command: tuple[str, ...]
    truth: Callable[[Path, Path], Results]
    source: str
    complete: bool = True
    env: dict[str, str] = field(default_factory=dict)
    hidden: Callable[[Results], dict[str, str]] = lambda _: {}
    more: Results = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    parser: str = ""
    auto: str = ""


def worst(results: Results, name: str, status: str) -> None:
    """Keep the worst status of a name."""
    if name not in results or WORST.index(status) > WORST.index(results[name]):
        results[name] = status


def hide(status: str, reason: str) -> Callable[[Results], dict[str, str]]:
    """The tests with one of the statuses (joined by `|`) are not shown."""
    return lambda results: {n: reason for n, s in results.items() if s in status.split("|")}


def make(tool: Tool, cases: list[Case], work: Path) -> None:
    """Run each case of a tool in a fresh copy of its sample project."""
    place = (work / f"{tool.name}-{tool.version}").resolve()
    sample = SAMPLES / tool.name
    if not (place / "node_modules").exists():
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text('{"name": "sample", "version": "1.0.0"}')
        _npm(place, tool.packages)
    for path in place.iterdir():
        if path.name != "node_modules":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(sample, place, dirs_exist_ok=True)
    for case in cases:
        _run(tool, case, place, work)


def _npm(place: Path, packages: tuple[str, ...]) -> None:
    options = ["--no-audit", "--no-fund", "--silent"]
    subprocess.run(["npm", "install", *options, *packages], cwd=place, check=True)


def _run(tool: Tool, case: Case, place: Path, work: Path) -> None:
    report = work.resolve() / f"report-{tool.name}-{tool.version}-{case.name}"
    report.unlink(missing_ok=True)
    keep = ("HOME", "LANG")
    env = {key: os.environ[key] for key in keep if key in os.environ} | case.env
    env["PATH"] = f"{place}/node_modules/.bin:{os.environ['PATH']}"
    env["REPORT"] = str(report)
    done = subprocess.run(
        [part.replace("REPORT", str(report)) for part in case.command],
        cwd=place,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    log = done.stdout
    for path, shown in ((report, "/tmp/report"), (place, "/repo"), (work.resolve(), "/work")):
        log = log.replace(str(path).encode(), shown.encode())
    told = case.truth(report, place) | case.more
    results = {name.replace(str(place), "/repo"): status for name, status in told.items()}
    directory = LOGS / (case.parser or tool.name)
    directory.mkdir(parents=True, exist_ok=True)
    prefix = f"{tool.name}-" if case.parser else ""
    name = f"{prefix}{_version(place, tool)}-{case.name}"
    truth: dict[str, object] = {
        "version": f"{tool.name} {_version(place, tool)}, Node.js {_node(env)}",
        "command": " ".join(case.command),
        "truth": case.source,
        "complete": case.complete,
        "results": results,
    }
    hidden = case.hidden(results)
    optional = {"hidden": hidden, "warnings": case.warnings, "auto": case.auto}
    truth |= {key: value for key, value in optional.items() if value}
    (directory / f"{name}.txt").write_bytes(log)
    text = json.dumps(truth, indent=1, sort_keys=True, ensure_ascii=False)
    (directory / f"{name}.json").write_text(text + "\n")
    print(f"{directory.name}/{name}: {len(results)} tests, {len(log)} bytes", flush=True)


def _version(place: Path, tool: Tool) -> str:
    package = place / "node_modules" / (tool.package or tool.name) / "package.json"
    return json.loads(package.read_text())["version"] if package.exists() else tool.version


def _node(env: dict[str, str]) -> str:
    done = subprocess.run(["node", "--version"], env=env, capture_output=True, check=True)
    return done.stdout.decode().strip().removeprefix("v")
