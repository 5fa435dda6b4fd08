"""Lines that a Go test binary prints about its tests. Which of them are believed is the affair of
`package_tests`."""

from __future__ import annotations

import re

from velora.grading.parsers.go.package_tests import PackageTests
from velora.grading.parsers.text import decimal

_VERDICT = re.compile(r"--- (PASS|FAIL|SKIP): (\S+) \((\d+\.\d+)(?:s| seconds)\)$")
_STEP = re.compile(r"=== (RUN  |PAUSE|CONT ) (\S+)$")
_RUNNING = re.compile(r"\t\t(\S+) \([\dhms.]+\)$")
_TIMED_OUT = "panic: test timed out after"
_RAW = 500  # characters of a line kept as evidence


def verdict(line: str) -> tuple[str, str, float, str] | None:
    """The word, the name, the seconds and the text of a test's end, which may stand behind output
    that did not end its line."""
    at = line.rfind("--- ")
    found = _VERDICT.match(line, at) if at >= 0 else None
    return (found[1], found[2], decimal(found[3]), line[at : at + _RAW]) if found else None


def read(tests: PackageTests, number: int, line: str) -> None:
    """Tell `tests` what `line` says."""
    if "--- " in line:
        if (end := verdict(line)) is not None:
            word, name, seconds, raw = end
            tests.end(name, word, number, raw, seconds)
        return
    if "=== " in line:
        if (found := _STEP.match(line, line.rfind("=== "))) is not None:
            step, name = found[1], found[2]
            if step == "RUN  ":
                tests.run(name, number)
            elif step == "PAUSE":
                tests.pause(name)
            else:
                tests.resume(name)
        return
    first = line[:1]
    if first in {"P", "F"}:
        if line in {"PASS", "FAIL"}:
            tests.ended = True
    elif first == "p":
        if line.startswith("panic: "):
            tests.panic(number)
            tests.listing = number if line.startswith(_TIMED_OUT) else 0
    elif first == "\t" and tests.listing == number - 1 > 0:
        listed = _RUNNING.match(line)
        tests.listing = number if listed or line == "\trunning tests:" else 0
        if listed:
            tests.timed_out(listed[1], number)
