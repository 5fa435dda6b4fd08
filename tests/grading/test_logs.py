"""Logs of real runs (made by `make_logs.py`) against what the frameworks themselves say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from velora.grading.parsers import registry

LOGS = sorted((Path(__file__).parent / "logs").glob("*.txt"))

# Names that a log does not show, by case.
_SKIPS_HAVE_NO_NAMES = {"rows", "captured", "quiet"}  # `SKIPPED [1] file:line: why`
_GLUED = {"nocapture": {"sample_basic.py::test_prints_lookalikes"}}
_FROM_3_11 = {"setUpClass (pkg.sample_all.SkipInSetup)"}

WARNINGS = {
    "nocapture": ["the progress lines show"],
    "buffered": ["lines after the totals look like tests"],
    "dots": ["no -v?"],
    "crash": ["no end", "cut off"],
}


def case_of(log: Path) -> tuple[str, str, str]:
    framework, version, case = log.stem.split("-")
    return framework, version, case


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_a_log_says_what_the_framework_says(log: Path) -> None:
    framework, version, case = case_of(log)
    truth = json.loads(log.with_suffix(".json").read_text())
    text = log.read_bytes().decode("utf-8", "replace")
    parsed = registry.parse(framework, text).parsed
    found = {name: str(result.status) for name, result in parsed.results.items()}
    for warning in parsed.warnings:
        assert any(part in warning for part in WARNINGS.get(case, [])), warning
    if truth is None:
        assert not parsed.complete
        return
    assert parsed.complete
    hidden = set(_GLUED.get(case, ()))
    if case in _SKIPS_HAVE_NO_NAMES:
        hidden |= {name for name, status in truth.items() if status == "SKIPPED"}
    if framework == "unittest" and version in ("3.8", "3.9", "3.10"):
        hidden |= _FROM_3_11
    if case == "dots":
        hidden |= {name for name, status in truth.items() if status not in ("FAILED", "ERROR")}
    expected = {name: status for name, status in truth.items() if name not in hidden}
    if case == "nested":
        found = {name: status for name, status in found.items() if "Inner" not in name}
    assert found == expected


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_the_line_that_decided_is_named(log: Path) -> None:
    framework, _, case = case_of(log)
    lines = log.read_bytes().decode("utf-8", "replace").split("\n")
    for name, result in registry.parse(
        framework, log.read_text(errors="replace")
    ).parsed.results.items():
        near = "\n".join(lines[max(0, result.line - 6) : result.line])
        assert name.split("::")[-1].split(".")[-1] in near or case in ("nested", "color")


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_auto_finds_the_framework(log: Path) -> None:
    reading = registry.parse("auto", log.read_text(errors="replace"))
    assert reading.label == f"auto:{case_of(log)[0]}"
    assert reading.parsed.results


@pytest.mark.parametrize(
    ("log", "name", "status"),
    [
        ("pytest-9.0.2-crash", "sample_crash.py::test_before", "PASSED"),
        ("pytest-9.0.2-crash", "sample_crash.py::test_dies", "ERROR"),
        ("unittest-3.10-crash", "sample_crash.Crash.test_a", "PASSED"),
        ("unittest-3.10-crash", "sample_crash.Crash.test_b", "ERROR"),
        ("unittest-3.13-crash", "sample_crash.Crash.test_b", "ERROR"),
    ],
)
def test_the_test_in_flight_at_a_crash_is_an_error(log: str, name: str, status: str) -> None:
    path = Path(__file__).parent / "logs" / f"{log}.txt"
    results = registry.parse(log.partition("-")[0], path.read_text()).parsed.results
    assert str(results[name].status) == status
    assert not any(name.endswith(("test_after", "test_c")) for name in results)


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_a_cut_log_passes_nothing_that_fails_in_the_whole(log: Path) -> None:
    framework, _, _ = case_of(log)
    truth = json.loads(log.with_suffix(".json").read_text()) or {}
    parser = registry.get(framework)[0].parse
    lines = log.read_bytes().decode("utf-8", "replace").split("\n")
    for cut in range(0, len(lines), 3):
        parsed = parser("\n".join(lines[:cut]))
        for name, result in parsed.results.items():
            if result.status == "PASSED" and truth.get(name) == "ERROR":
                # A later phase of the test failed behind the cut.
                assert not parsed.complete


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_line_ends_and_colours_change_nothing(log: Path) -> None:
    parser = registry.get(case_of(log)[0])[0].parse
    text = log.read_bytes().decode("utf-8", "replace")
    if "\r" in text or "\x1b" in text:
        return
    plain = {name: each.status for name, each in parser(text).results.items()}
    crlf = parser(text.replace("\n", "\r\n"))
    assert {name: each.status for name, each in crlf.results.items()} == plain
    colored = text.replace("PASSED", "\x1b[32mPASSED\x1b[0m").replace("ok\n", "\x1b[1mok\x1b[0m\n")
    assert {name: each.status for name, each in parser(colored).results.items()} == plain
