"""Reads single reports: bytes of a file → results under the names that the log's parser gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import orjson

from velora.grading.parsers.generic.junit_case import Origin
from velora.grading.parsers.generic.junit_xml import read_report
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, Status, TestResult

_RSPEC = {"passed": Status.PASSED, "failed": Status.FAILED, "pending": Status.SKIPPED}
_MESON = {
    "OK": Status.PASSED,
    "FAIL": Status.FAILED,
    "SKIP": Status.SKIPPED,
    "TIMEOUT": Status.ERROR,
    "INTERRUPT": Status.ERROR,
    "ERROR": Status.ERROR,
    "EXPECTEDFAIL": Status.XFAIL,
    "UNEXPECTEDPASS": Status.XPASS,
}
_CTEST_NAME = re.compile(r"\d+/\d+ Test: (.+)")
_CTEST_STATUS = {"Test Passed.": Status.PASSED, "Test Failed.": Status.FAILED}


def read_pytest_report(data: bytes) -> Parsed:
    """`--junitxml` in the family `xunit1`: its file and class make the node id."""
    parsed = read_report(data)
    results: dict[str, TestResult] = {}
    for name, result in parsed.results.items():
        origin = Origin.decode(result.raw)
        note(results, _node_id(origin) if origin else name, result)
    return replace(parsed, results=results)


def _node_id(origin: Origin) -> str:
    if not origin.classname:  # a file as a whole: it could not be collected, or is skipped
        return origin.file or origin.name
    module = origin.file.removesuffix(".py").replace("/", ".")
    classes = origin.classname.removeprefix(module).strip(".")
    return "::".join([origin.file, *(classes.split(".") if classes else ()), origin.name])


def read_rspec_listing(data: bytes) -> Parsed:
    """One example a line: `[full description, status, seconds]`."""
    results: dict[str, TestResult] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            name, word, seconds = orjson.loads(line)
            status = _RSPEC[word]
        except (orjson.JSONDecodeError, ValueError, TypeError, KeyError):
            continue
        note(results, str(name), TestResult(status, number, str(word), _seconds(seconds)))
    return Parsed(results, complete=True)


def read_meson_log(data: bytes) -> Parsed:
    """`testlog.json`, a test a line; the name is the one that `meson test` prints."""
    results: dict[str, TestResult] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            test = orjson.loads(line)
            status = _MESON[test["result"]]
            name = str(test["name"])
        except (orjson.JSONDecodeError, TypeError, KeyError):
            continue
        duration = _seconds(test.get("duration"))
        note(results, name, TestResult(status, number, str(test["result"]), duration))
    return Parsed(results, complete=True)


def read_ctest_log(data: bytes) -> Parsed:
    """`LastTest.log`. It says `Test Passed.` of skipped tests and of those that did not run too,
    so only its failures are certain."""
    results: dict[str, TestResult] = {}
    for name, number, word in _ctest_results(data.decode("utf-8", "replace").split("\n")):
        note(results, name, TestResult(_CTEST_STATUS[word], number, word))
    return Parsed(results, complete=True)


def _ctest_results(lines: list[str]) -> Iterator[tuple[str, int, str]]:
    """Each test's last verdict: what the test prints stands before it, and may look like one."""
    name, verdict, at = "", "", 0
    for number, line in enumerate(lines, 1):
        if name and line.startswith(f'"{name}" end time: '):
            if verdict:
                yield name, at, verdict
            name = verdict = ""
        elif line in _CTEST_STATUS:
            verdict, at = line, number
        elif (found := _CTEST_NAME.match(line)) is not None and not name:
            name, verdict = found[1], ""


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 else None
