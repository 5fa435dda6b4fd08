"""Makes the logs in `logs/` anew: real runs of the projects in `fixtures/grading`, and beside
each log what the framework itself says of every test (a pytest plugin, a unittest result class).

    python tests/grading/make_logs.py --pythons DIR

DIR holds one directory for each interpreter, `3.9.18/bin/python` and so on, as pyenv keeps them.
The pytest versions are installed from the package index into a temporary directory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
LOGS = HERE / "logs"
SAMPLES = HERE.parent / "fixtures/grading"

PYTEST_PYTHON = "3.11"
PYTESTS = ("6.2.5", "7.4.4", "8.3.5", "9.0.2")
UNITTEST_PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")

MOST = ["sample_basic.py", "sample_unittest.py", "sample_collect.py", "sample_skipmodule.py"]
ROWS = ["--no-header", "-rA", "--tb=no", "--continue-on-collection-errors"]
PYTEST_CASES: dict[str, list[str]] = {
    "rows": [*ROWS, *MOST, "sub"],
    "verbose": ["-v", "--continue-on-collection-errors", "--tb=short", *MOST],
    "captured": ["-rA", "--tb=short", "sample_basic.py", "sample_nested.py"],
    "color": ["-v", "-rA", "--color=yes", "--tb=short", "sample_basic.py", "sample_unittest.py"],
    "quiet": ["-q", "-rA", "--tb=line", "sample_basic.py", "sample_unittest.py"],
    "nocapture": ["-v", "-s", "--tb=no", "sample_basic.py", "sample_unittest.py"],
    "xdist": ["-v", "-n", "2", "--tb=no", "sample_basic.py", "sample_unittest.py"],
    "worker": ["-v", "-n", "2", "--tb=no", "sample_crash.py"],
    "rerun": ["-v", "-rA", "--tb=no", "--reruns", "3", "sub"],
    "stop": ["-v", "-x", "--tb=no", "sample_basic.py"],
    "interrupted": ["-v", "--tb=no", "sample_collect.py", "sample_basic.py"],
    "crash": ["-v", "-rA", "sample_crash.py"],
}
EVERY_VERSION = ("rows", "verbose")

UNITTEST_ALL = ["pkg.sample_all", "pkg.sample_broken", "pkg.sample_module", "sample_good"]
UNITTEST_CASES: dict[str, list[str]] = {
    "verbose": ["-v", *UNITTEST_ALL],
    "dots": UNITTEST_ALL,
    "buffered": ["-v", "-b", *UNITTEST_ALL],
    "good": ["-v", "sample_good"],
    "nested": ["-v", "pkg.sample_nested"],
    "crash": ["-v", "sample_crash"],
}
UNITTEST_EXTRA = ("3.10", "3.13")


def main() -> None:
    """Make them all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pythons", type=Path, required=True)
    pythons = options.parse_args().pythons
    LOGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        for version in PYTESTS:
            python = _venv(tmp, find(pythons, PYTEST_PYTHON), version)
            for case, args in PYTEST_CASES.items():
                if version == PYTESTS[-1] or case in EVERY_VERSION:
                    command = [python, "-m", "pytest", "-p", "truth_plugin", "-c", "/dev/null"]
                    command += ["--rootdir=.", "-p", "no:cacheprovider"]
                    command += ["-o", "python_files=sample_*.py", *args]
                    _make("pytest", f"pytest-{version}-{case}", command, tmp, pythons)
    for version in UNITTEST_PYTHONS:
        python = str(find(pythons, version))
        for case, args in UNITTEST_CASES.items():
            if case == "verbose" or version in UNITTEST_EXTRA:
                with tempfile.TemporaryDirectory() as name:
                    command = [python, "truth_main.py", *args]
                    _make("unittest", f"unittest-{version}-{case}", command, Path(name), pythons)


def find(pythons: Path, version: str) -> Path:
    """The newest interpreter of a version such as 3.9."""
    found = sorted(pythons.glob(f"{version}.*/bin/python"))
    if not found:
        sys.exit(f"no Python {version} in {pythons}")
    return found[-1]


def _venv(tmp: Path, python: Path, version: str) -> str:
    place = tmp / f"pytest-{version}"
    subprocess.run([python, "-m", "venv", place], check=True)
    packages = [f"pytest=={version}", "pytest-xdist", "pytest-rerunfailures"]
    subprocess.run([place / "bin/pip", "-q", "install", *packages], check=True)
    return str(place / "bin/python")


def _make(sample: str, name: str, command: list[str], tmp: Path, pythons: Path) -> None:
    cwd = tmp / sample  # outside of this project, whose conftest.py is not theirs
    shutil.copytree(SAMPLES / sample, cwd, dirs_exist_ok=True)
    truth = tmp / f"{name}.json"
    keep = ("PATH", "HOME", "LANG")
    env = {key: os.environ[key] for key in keep if key in os.environ}
    env |= {"TRUTH": str(truth), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp)}
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    log = done.stdout
    for path, shown in ((cwd, "/repo"), (tmp, "/tmp"), (pythons, "/pythons")):
        log = log.replace(str(path.resolve()).encode(), shown.encode())
    (LOGS / f"{name}.txt").write_bytes(log)
    names = json.loads(truth.read_text()) if truth.exists() else None
    (LOGS / f"{name}.json").write_text(json.dumps(names, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
