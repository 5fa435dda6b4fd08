"""Makes the logs of pytest, unittest, Django, nose2 and SymPy anew: real runs of the projects in
`fixtures/grading`, and beside each log what the framework itself says of every test (a plug-in, a
result class, a reporter, JUnit XML).

    python -m tests.grading.corpus.python --pythons DIR [--envs DIR] [WORD ...]

`--pythons` holds one directory for each interpreter, `3.9.18/bin/python` and so on, as pyenv keeps
them. The frameworks are installed from the package index, into `--envs` if they are to be kept.
WORDs choose the cases whose names contain one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.python_cases import CASES, ENVIRONMENTS, Case

HERE = Path(__file__).parent
LOGS = HERE.parent / "logs"
SAMPLES = HERE.parent.parent / "fixtures/grading"
ORDER = ("PASSED", "XFAIL", "SKIPPED", "XPASS", "FAILED", "ERROR")


def main() -> None:
    """Make them all, or some."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pythons", type=Path, required=True)
    options.add_argument("--envs", type=Path)
    options.add_argument("words", nargs="*")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        envs = given.envs or Path(name)
        for case in CASES:
            label = f"{case.framework}/{case.name}"
            if not given.words or any(word in label for word in given.words):
                print(label)
                make(case, environment(case.env, envs, given.pythons), given.pythons)


def environment(name: str, envs: Path, pythons: Path) -> Path:
    """A virtual environment with what a case needs."""
    version, packages = ENVIRONMENTS[name]
    found = sorted(pythons.glob(f"{version}.*/bin/python"))
    if not found:
        sys.exit(f"no Python {version} in {pythons}")
    place = envs.absolute() / name
    if not place.exists():
        subprocess.run([found[-1], "-m", "venv", place], check=True)
        if packages:
            subprocess.run([place / "bin/pip", "-q", "install", *packages], check=True)
    return place


def make(case: Case, env: Path, pythons: Path) -> None:
    """One log and its truth."""
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name).resolve()
        cwd = tmp / "repo"  # outside of this project, whose conftest.py is not theirs
        shutil.copytree(SAMPLES / case.sample, cwd)
        events = tmp / "truth"
        events.touch()
        keep = {key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ}
        search = f"{env / 'bin'}:{os.environ.get('PATH', '')}"
        settled = {"PATH": search, "TRUTH": str(events), "TMPDIR": str(tmp), "COLUMNS": "80"}
        settled |= {"PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
        settled |= {"PYTHON": str(env / "bin/python")} | case.environ
        log = b""
        for command in case.commands:
            done = subprocess.run(
                command,
                cwd=cwd,
                env=keep | {key: value for key, value in settled.items() if value},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            log += done.stdout
        results, complete = truth(events)
        if case.truth == "junit":
            results, complete = junit(cwd / "junit.xml"), True
        elif not case.truth.startswith("plug-in"):
            results = {case.rename(name): status for name, status in results.items()}
        paths = ((cwd, "/repo"), (tmp, "/tmp"), (env, "/venv"), (pythons.resolve(), "/pythons"))
        for path, shown in paths:
            log = log.replace(str(path).encode(), shown.encode())
        write(case, log, results, complete)


def truth(events: Path) -> tuple[dict[str, str], bool]:
    """The worst status of each test, ERROR for those in flight when a run died; and whether all
    runs came to their end."""
    results: dict[str, str] = {}
    runs = ended = 0
    flying: dict[str, None] = {}
    attempt: dict[str, str] = {}
    for line in [*events.read_text().splitlines(), '["run"]']:
        kind, *rest = json.loads(line)
        if kind == "run":
            for name in flying:
                if attempt.get(name, "PASSED") == "PASSED":
                    attempt[name] = "ERROR"
            for name, status in attempt.items():
                results[name] = worst(results.get(name, status), status)
            flying, attempt = {}, {}
            runs += 1
        elif kind == "done":
            ended += 1
        elif kind == "start":
            flying[rest[0]] = None
        elif kind == "stop":
            flying.pop(rest[0], None)
        elif kind == "again":
            attempt.pop(rest[0], None)
        elif kind == "end":
            name, status = rest
            attempt[name] = worst(attempt.get(name, status), status)
    return results, bool(ended) and ended == runs - 1


def junit(path: Path) -> dict[str, str]:
    """The results in nose's JUnit XML; sub-tests count for the test around them."""
    results: dict[str, str] = {}
    kinds = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}
    for case in ElementTree.parse(path).iter("testcase"):
        title = re.sub(r"(?<=\w)( \[.*\])?( \(.*\))?\Z", "", case.attrib["name"])
        name = f"{case.attrib['classname']}.{title}"
        status = next((kinds[child.tag] for child in case if child.tag in kinds), "PASSED")
        results[name] = worst(results.get(name, status), status)
    return results


def worst(one: str, other: str) -> str:
    """The worse of two statuses."""
    return max(one, other, key=ORDER.index)


def write(case: Case, log: bytes, results: dict[str, str], complete: bool) -> None:
    """The two files of a case."""
    place = LOGS / case.framework
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{case.name}.txt").write_bytes(log)
    told: dict[str, object] = {
        "version": case.version,
        "command": f"{case.sample}: {'; '.join(' '.join(words) for words in case.commands)}",
        "truth": case.truth,
        "complete": complete,
        "results": dict(sorted(results.items())),
    }
    hidden = {name: why for name, end in results.items() if (why := case.hidden(name, end))}
    if hidden:
        told["hidden"] = dict(sorted(hidden.items()))
    if case.warnings:
        told["warnings"] = case.warnings
    if case.auto:
        told["auto"] = case.auto
    text = json.dumps(told, indent=1, ensure_ascii=False)
    (place / f"{case.name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
