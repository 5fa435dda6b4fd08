"""Meson: `meson-logs/testlog.json`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.grading.corpus.native.bench import Bench, Results

_STATUS = {
    "OK": "PASSED",
    "FAIL": "FAILED",
    "SKIP": "SKIPPED",
    "TIMEOUT": "ERROR",
    "ERROR": "ERROR",
    "INTERRUPT": "ERROR",
    "EXPECTEDFAIL": "XFAIL",
    "UNEXPECTEDPASS": "XPASS",
}
_SEVERITY = ("PASSED", "XFAIL", "SKIPPED", "XPASS", "FAILED", "ERROR")
_EVERY = ("default", "verbose", "errors")


def make(root: Path) -> None:
    """All cases."""
    bench = Bench.make("meson", root)
    version = bench.version("meson")
    bench.sh("meson setup build && meson setup build-good good", check=True)
    full: Results = {}
    for name, command in (
        ("default", "meson test -C build"),
        ("verbose", "meson test -C build -v"),
        ("one", "meson test -C build -v --num-processes 1"),
        ("errors", "meson test -C build --print-errorlogs"),
        ("ninja", "ninja -C build test"),
        ("good", "meson test -C build-good"),
        ("repeat", "meson test -C build-good --repeat 2"),
        (
            "cut",
            "meson test -C build -v --num-processes 1 passes 'times out' & sleep 2; kill -9 $!",
        ),
    ):
        if not bench.wants(name, _EVERY):
            continue
        case = bench.case(name, version, command)
        build = "build-good" if "good" in command else "build"
        results = _read(bench.truth(f"{build}/meson-logs/testlog.json"))
        full = full or results
        warnings: list[str] = []
        if version.startswith("0.") and "-v" in command:
            warnings = ["two names"]  # nothing marks what the tests print
        if name == "cut":
            if b"RUNNING" not in case.log:
                continue
            # The file is lost with the process: what the test before came to is known.
            results = {"sample / passes": full["sample / passes"], "sample / times out": "ERROR"}
            warnings = ["cut off"]
        case.write(
            results,
            truth="meson-logs/testlog.json",
            complete=name != "cut",
            warnings=warnings,
        )


def _read(log: str) -> Results:
    results: Results = {}
    for line in log.splitlines():
        said = json.loads(line)
        status = _STATUS[said["result"]]
        if status == "FAILED" and (said["returncode"] or 0) < 0:
            status = "ERROR"
        name = said["name"]
        results[name] = max(results.get(name, status), status, key=_SEVERITY.index)
    return results
