"""Results gathered line by line: of several statuses for one name the worst stays."""

from __future__ import annotations

from collections.abc import Iterable

from velora.grading.protocol import Parsed, Status, TestResult

SEVERITY: dict[Status, int] = {
    Status.PASSED: 0,
    Status.XFAIL: 1,
    Status.SKIPPED: 2,
    Status.XPASS: 3,
    Status.FAILED: 4,
    Status.ERROR: 5,
}


def worse(one: Status, other: Status) -> bool:
    """`one` is a worse end than `other`."""
    return SEVERITY[one] > SEVERITY[other]


def note(results: dict[str, TestResult], name: str, result: TestResult) -> None:
    """Put `result` under `name` unless something worse is there already."""
    known = results.get(name)
    if known is None or SEVERITY[result.status] > SEVERITY[known.status]:
        results[name] = result


def merge(results: dict[str, TestResult], more: dict[str, TestResult]) -> None:
    """`note` for each of `more`."""
    if results.keys().isdisjoint(more):
        results.update(more)
        return
    for name, result in more.items():
        note(results, name, result)


def together(readings: Iterable[Parsed]) -> Parsed:
    """Several readings as one: of several results for one name the worst, complete if all are."""
    results: dict[str, TestResult] = {}
    complete = True
    warnings: list[str] = []
    counted = 0
    for parsed in readings:
        merge(results, parsed.results)
        complete = complete and parsed.complete
        warnings += parsed.warnings
        counted += parsed.counted
    return Parsed(results, complete, tuple(warnings), counted)
