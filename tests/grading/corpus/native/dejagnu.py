"""DejaGnu: the `.sum` file."""

from __future__ import annotations

import re
from pathlib import Path

from tests.grading.corpus.native.bench import Bench, Results, hide

_LINE = re.compile(
    r"^(PASS|FAIL|XFAIL|XPASS|KFAIL|KPASS|UNRESOLVED|UNTESTED|UNSUPPORTED): (.*)$", re.MULTILINE
)
_STATUS = {
    "PASS": "PASSED",
    "FAIL": "FAILED",
    "XFAIL": "XFAIL",
    "KFAIL": "XFAIL",
    "XPASS": "XPASS",
    "KPASS": "XPASS",
    "UNRESOLVED": "ERROR",
    "UNTESTED": "SKIPPED",
    "UNSUPPORTED": "SKIPPED",
}
_SEVERITY = ("PASSED", "XFAIL", "SKIPPED", "XPASS", "FAILED", "ERROR")


def make(root: Path) -> None:
    """All cases."""
    bench = Bench.make("dejagnu", root)
    version = bench.version("dejagnu")
    for name, options in (
        ("default", "core.exp broken.exp"),
        ("all", "-a core.exp broken.exp"),
        ("forged", "-a forged.exp"),
        ("crash", "-a crash.exp"),
    ):
        case = bench.case(name, version, f"cd testsuite && runtest --tool sample {options}")
        results = _read(bench.truth("testsuite/sample.sum"), bench.inside)
        hidden: dict[str, str] = {}
        warnings: list[str] = []
        if name == "default":
            usual = ("PASSED", "XFAIL", "SKIPPED", "ERROR")
            hidden = hide(results, usual, "without -a only unexpected results are shown")
        elif name == "forged":
            hidden = hide(results, ("PASSED",), "the tests printed more passes than are counted")
            warnings = ["none of them is believed"]
        elif name == "crash":
            results = {"before": "PASSED", "wrong": "FAILED"}  # the .sum file is still empty
            warnings = ["cut off"]
        case.write(
            results,
            truth=".sum file" if name != "crash" else "crash.exp",
            complete=name != "crash",
            hidden=hidden,
            warnings=warnings,
        )


def _read(text: str, inside: str) -> Results:
    results: Results = {}
    for word, name in _LINE.findall(text.replace(inside, "/repo")):
        status = _STATUS[word]
        results[name] = max(results.get(name, status), status, key=_SEVERITY.index)
    return results
