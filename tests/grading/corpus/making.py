"""Runs a sample project's tests and writes the log and the truth beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
LOGS = HERE.parent / "logs"
SAMPLES = HERE.parents[1] / "fixtures/grading"

Results = dict[str, str]
WORST = ("PASSED", "XFAIL", "SKIPPED", "XPASS", "FAILED", "ERROR")


def worst(results: Results, name: str, status: str) -> None:
    """Put `status` under `name` unless something worse is there."""
    if name not in results or WORST.index(status) > WORST.index(results[name]):
        results[name] = status


@dataclass(slots=True)
class Case:
    """One run.

    Attributes:
        name: the log's name, version first.
        shown: the command as the truth names it.
        command: what is run.
        results: takes the place of the run and gives the truth.
        hidden: says why the log does not show a name, "" if it does.
        replace: what stands in the log in place of paths of this machine.
    """

    framework: str
    name: str
    version: str
    shown: str
    command: Sequence[str]
    truth: str
    results: Callable[[Path], Results]
    complete: bool = True
    hidden: Callable[[str, str], str] = lambda name, status: ""
    warnings: Sequence[str] = ()
    auto: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    replace: Mapping[str, str] = field(default_factory=dict)

    def make(self, place: Path) -> None:
        """Run it in `place`, a copy of the sample, and write both files."""
        env = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        env |= {"LANG": "C.UTF-8", **self.env}
        done = subprocess.run(
            self.command,
            cwd=place,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=900,
        )
        log = done.stdout
        for path, shown in {**self.replace, str(place.resolve()): "/repo"}.items():
            log = log.replace(path.encode(), shown.encode())
        results = self.results(place)
        said = {
            "version": self.version,
            "command": self.shown,
            "truth": self.truth,
            "complete": self.complete,
            "results": results,
        }
        hidden = {n: why for n, s in results.items() if (why := self.hidden(n, s))}
        if hidden:
            said["hidden"] = hidden
        if self.warnings:
            said["warnings"] = list(self.warnings)
        if self.auto:
            said["auto"] = self.auto
        (LOGS / self.framework).mkdir(parents=True, exist_ok=True)
        (LOGS / self.framework / f"{self.name}.txt").write_bytes(log)
        (LOGS / self.framework / f"{self.name}.json").write_text(
            json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        )
        print(f"{self.framework}/{self.name}: {len(results)} tests, {len(log)} bytes")


def copy(sample: str, place: Path) -> Path:
    """A fresh copy of a sample project."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(SAMPLES / sample, place)
    return place
