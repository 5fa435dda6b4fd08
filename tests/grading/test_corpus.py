"""Logs of real runs, made by the programs in `corpus/`, against what the frameworks themselves say
of every test in a machine-readable report. See `corpus/README.md`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from velora.grading.log import FileLog
from velora.grading.parsers import registry

LOGS = Path(__file__).parent / "logs"
CASES = sorted(LOGS.glob("*/*.txt"))


@dataclass(frozen=True, slots=True)
class Case:
    """A log and its truth."""

    log: Path
    framework: str
    text: str
    truth: dict[str, Any]

    @property
    def expected(self) -> dict[str, str]:
        """What the log shows of the truth."""
        hidden = self.truth.get("hidden", {})
        return {n: s for n, s in self.truth["results"].items() if n not in hidden}


@cache
def load(log: Path) -> Case:
    truth = json.loads(log.with_suffix(".json").read_text())
    return Case(log, log.parent.name, log.read_bytes().decode("utf-8", "replace"), truth)


def _id(log: Path) -> str:
    return f"{log.parent.name}/{log.stem}"


@pytest.mark.parametrize("log", CASES, ids=_id)
def test_a_log_says_what_the_framework_says(log: Path) -> None:
    case = load(log)
    parsed = registry.parse(case.framework, FileLog(log)).parsed
    found = {name: str(result.status) for name, result in parsed.results.items()}
    assert found == case.expected
    assert parsed.complete == case.truth["complete"]
    expected_warnings = case.truth.get("warnings", [])
    for warning in parsed.warnings:
        assert any(part in warning for part in expected_warnings), warning


@pytest.mark.parametrize("log", CASES, ids=_id)
def test_auto_finds_the_framework(log: Path) -> None:
    case = load(log)
    reading = registry.parse("auto", FileLog(log))
    if not case.truth["results"] and not case.truth["complete"]:
        return
    assert reading.label == f"auto:{case.truth.get('auto', case.framework)}", reading.why


@pytest.mark.parametrize("log", CASES, ids=_id)
def test_every_result_names_a_line_of_the_log(log: Path) -> None:
    case = load(log)
    count = case.text.count("\n") + 1
    for result in registry.parse(case.framework, FileLog(log)).parsed.results.values():
        assert 1 <= result.line <= count
        assert result.duration is None or result.duration >= 0


@pytest.mark.parametrize("log", CASES, ids=_id)
def test_a_cut_log_passes_nothing_that_fails_in_the_whole(log: Path) -> None:
    case = load(log)
    (framework,) = registry.get(case.framework)
    bad = {n for n, s in case.truth["results"].items() if s in ("FAILED", "ERROR")}
    lines = case.text.split("\n")
    for cut in range(0, len(lines), max(1, len(lines) // 40)):
        parsed = framework.parse("\n".join(lines[:cut]))
        for name, result in parsed.results.items():
            if result.status == "PASSED" and name in bad:
                # A later phase of the test failed behind the cut.
                assert not parsed.complete


@pytest.mark.parametrize("log", CASES, ids=_id)
def test_line_ends_change_nothing(log: Path) -> None:
    case = load(log)
    if "\r" in case.text:
        return
    (framework,) = registry.get(case.framework)
    plain = {name: each.status for name, each in framework.parse(case.text).results.items()}
    crlf = framework.parse(case.text.replace("\n", "\r\n"))
    assert {name: each.status for name, each in crlf.results.items()} == plain
