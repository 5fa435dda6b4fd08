"""The evidence of a grading on disk: `report.json`, `patch.diff` and the readable
`run_instance.log`, each written whole or not at all.

The report's first keys are those of SWE-bench and VeloraHarness; Velora's own follow under
`velora`.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from velora.grading.protocol import NameVerdict, Verdict

REPORT = "report.json"
PATCH = "patch.diff"
OUTPUT = "test_output.txt"
LOG = "run_instance.log"
SCRIPT = "eval.sh"
FALSIFIED_TESTS = "falsified.diff"


@dataclass(frozen=True, slots=True)
class Kept:
    """Under which names a run of the tests is kept: its output and its script."""

    output: str
    script: str


FIRST = Kept(OUTPUT, SCRIPT)
SECOND = Kept(f"second_{OUTPUT}", f"second_{SCRIPT}")
FALSIFIED = Kept("falsified_output.txt", f"falsified_{SCRIPT}")
FALSIFIED_GOLD = Kept("falsified_gold_output.txt", f"falsified_gold_{SCRIPT}")


def report(instance_id: str, verdict: Verdict) -> dict[str, Any]:
    """`{instance_id: {...}}` as evaluators of SWE-bench expect it, and Velora's evidence."""
    return {
        instance_id: {
            "patch_is_None": False,
            "patch_exists": verdict.patch_exists,
            "patch_successfully_applied": bool(verdict.patch_applied),
            "resolved": verdict.resolved,
            "tests_status": {
                "FAIL_TO_PASS": _sorted_out(verdict.fail_to_pass),
                "PASS_TO_PASS": _sorted_out(verdict.pass_to_pass),
                "FAIL_TO_FAIL": {"success": [], "failure": []},
                "PASS_TO_FAIL": {"success": [], "failure": []},
            },
            "velora": {
                "reason": verdict.reason,
                "quarantine": verdict.quarantine,
                "parser": verdict.parser,
                "exit_code": verdict.exit_code,
                "timed_out": verdict.timed_out,
                "duration": round(verdict.duration, 3),
                "missing": [
                    each.name
                    for each in verdict.fail_to_pass + verdict.pass_to_pass
                    if each.status is None and not each.passed
                ],
                "names": {
                    "FAIL_TO_PASS": [_evidence(each) for each in verdict.fail_to_pass],
                    "PASS_TO_PASS": [_evidence(each) for each in verdict.pass_to_pass],
                },
                "apply_log": list(verdict.apply_log),
                "warnings": list(verdict.warnings),
                "flags": [asdict(flag) for flag in verdict.flags],
                "falsified": asdict(verdict.falsified) if verdict.falsified else None,
                "compat": dict(verdict.compat),
            },
        }
    }


def write_report(out_dir: Path, instance_id: str, verdict: Verdict) -> None:
    """Write `report.json`; any lone surrogate in a name becomes a question mark."""
    data = _encodable(report(instance_id, verdict))
    write(out_dir / REPORT, orjson.dumps(data, option=orjson.OPT_INDENT_2) + b"\n")


def write(path: Path, data: bytes) -> None:
    """Replace `path` by a file with `data`, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(data)
    partial.replace(path)


def clear(out_dir: Path) -> None:
    """Make the directory and take away what a grading before this one left in it."""
    out_dir.mkdir(parents=True, exist_ok=True)
    runs = (FIRST, SECOND, FALSIFIED, FALSIFIED_GOLD)
    ran = [name for each in runs for name in (each.output, each.script)]
    for name in (REPORT, PATCH, LOG, FALSIFIED_TESTS, *ran):
        (out_dir / name).unlink(missing_ok=True)


@dataclass(slots=True)
class Diary:
    """The lines of `run_instance.log`, each with the seconds since the grading began."""

    lines: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def note(self, text: str) -> None:
        """Add a line."""
        self.lines.append(f"{time.monotonic() - self.began:8.3f} s  {text}")

    def verdict(self, verdict: Verdict) -> None:
        """Add the verdict and, name by name, what stands in its way."""
        self.note("resolved" if verdict.resolved else f"not resolved: {verdict.reason}")
        for title, names in (
            ("FAIL_TO_PASS", verdict.fail_to_pass),
            ("PASS_TO_PASS", verdict.pass_to_pass),
        ):
            passed = sum(each.passed for each in names)
            self.note(f"{title}: {passed} of {len(names)} passed")
            for each in names:
                if not each.passed:
                    why = f": {each.note}" if each.note else ""
                    self.note(f"  {each.status or each.rule}  {each.name}{why}")
        for warning in verdict.warnings:
            self.note(f"warning: {warning}")
        rigged = bool(verdict.falsified and verdict.falsified.proof)
        for flag in verdict.flags:
            note = f" ({flag.note})" if flag.note else ""
            self.note(f"look at: {flag.kind}: {flag.path} {flag.why}{note}")
            for line in flag.hunk.splitlines() if rigged and flag.note else ():
                self.note(f"  {line}")

    def write(self, out_dir: Path) -> None:
        """Write `run_instance.log`."""
        text = "\n".join(self.lines) + "\n"
        write(out_dir / LOG, text.encode("utf-8", "backslashreplace"))


def _sorted_out(names: tuple[NameVerdict, ...]) -> dict[str, list[str]]:
    return {
        "success": [each.name for each in names if each.passed],
        "failure": [each.name for each in names if not each.passed],
    }


def _evidence(each: NameVerdict) -> dict[str, Any]:
    return {
        "name": each.name,
        "passed": each.passed,
        "status": each.status,
        "rule": each.rule,
        "matched": each.raw,
        "line": each.line,
        "source": each.source,
        "tests": each.matched,
        "duration": each.duration,
        "note": each.note,
    }


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_encodable(each) for each in value]
    return value
