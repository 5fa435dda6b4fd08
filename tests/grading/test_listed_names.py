"""Names as R2E-Gym, SWE-bench (SymPy) and Multi-SWE-bench list them, looked up in the logs of real
runs: such a name passes if everything that it can stand for passed, and never otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.grading.test_corpus import LOGS
from velora.grading.log import FileLog
from velora.grading.parsers import registry
from velora.grading.protocol import Evidence, Source, Status
from velora.grading.verdict import judge


def r2e(name: str) -> str:
    """What R2E-Gym's parser makes of a pytest id, cut as its grader cuts it."""
    parts = name.split("::")
    return ".".join(parts[1:]).split(" - ")[0] if parts[0].endswith(".py") else ""


def sympy(name: str) -> str:
    """The first word of a line of SymPy's verbose output."""
    function = name.rpartition(":")[2]
    return function if function.startswith("test_") else ""


def jest(name: str) -> str:
    """The suite's path and a test's own title."""
    parts = name.split(" > ")
    return f"{parts[0]}:{parts[-1]}" if len(parts) > 1 else ""


def java_class(name: str) -> str:
    """What Surefire prints behind ` in `."""
    head = name.partition("(")[0].rpartition(".")[0]
    return head if "." in head and head.replace(".", "").replace("$", "").isalnum() else ""


def suite_file(name: str) -> str:
    """What Jest prints behind `PASS`."""
    return name.split(" > ", maxsplit=1)[0] if " > " in name else ""


Lists = dict[str, tuple[Callable[[str], str], tuple[str, ...]]]

LISTS: Lists = {
    "pytest": (r2e, ("pytest",)),
    "sympy": (sympy, ("sympy",)),
    "jest": (jest, ("jest", "vitest")),
}
SUITES: Lists = {
    "class": (java_class, ("surefire", "gradle")),
    "file": (suite_file, ("jest", "vitest")),
}


def cases(lists: Lists) -> list[tuple[str, Path]]:
    return [
        (style, log)
        for style, (_, frameworks) in lists.items()
        for framework in frameworks
        for log in sorted((LOGS / framework).glob("*.txt"))
    ]


def groups(log: Path, listed: Callable[[str], str]) -> tuple[dict[str, list[Status]], Evidence]:
    """The statuses of all tests that a listed name may mean."""
    parsed = registry.parse(log.parent.name, FileLog(log)).parsed
    found: dict[str, list[Status]] = defaultdict(list)
    for name, result in parsed.results.items():
        if (text := listed(name)) and text not in parsed.results:
            found[text].append(result.status)
    return found, Evidence(Source.LOG, parsed)


def _id(value: object) -> str:
    return value.stem if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("style", "log"), cases(LISTS), ids=_id)
def test_a_name_without_its_place(style: str, log: Path) -> None:
    found, evidence = groups(log, LISTS[style][0])
    names, _ = judge(found, [], [evidence])
    for name in names:
        statuses = found[name.name]
        assert not name.passed or set(statuses) == {Status.PASSED}, name
        if name.matched == len(statuses):
            assert name.passed == (set(statuses) == {Status.PASSED}), name
        else:  # titles that hold the separator themselves may mean more
            assert style == "jest", name
            assert name.matched > len(statuses) or not name.passed, name


@pytest.mark.parametrize(("style", "log"), cases(SUITES), ids=_id)
def test_a_suite(style: str, log: Path) -> None:
    found, evidence = groups(log, SUITES[style][0])
    names, _ = judge(found, [], [evidence])
    for name in names:
        statuses = set(found[name.name])
        passed = Status.PASSED in statuses and statuses <= {Status.PASSED, Status.SKIPPED}
        assert not name.passed or (passed and evidence.parsed.complete), name


def test_that_these_lists_are_found_at_all() -> None:
    """Of each style names pass, most of those that may."""
    for style, (listed, _) in (LISTS | SUITES).items():
        passed = possible = 0
        for _, log in [each for each in cases(LISTS | SUITES) if each[0] == style]:
            found, evidence = groups(log, listed)
            good = [name for name, each in found.items() if set(each) == {Status.PASSED}]
            passed += sum(name.passed for name in judge(good, [], [evidence])[0])
            possible += len(good)
        assert passed > 10, style
        assert passed >= 0.9 * possible, style
