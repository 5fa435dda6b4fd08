"""What totals do to passes: where more tests passed by a log's lines than the runner itself
counts, some of those lines were printed by tests, and nothing tells which."""

from __future__ import annotations

from velora.grading.protocol import Status, TestResult


def passes(results: dict[str, TestResult]) -> int:
    """How many are passed."""
    return sum(each.status is Status.PASSED for each in results.values())


def without_passes(results: dict[str, TestResult]) -> dict[str, TestResult]:
    """What is left to believe."""
    return {name: each for name, each in results.items() if each.status is not Status.PASSED}


def exceeded(line: int, counted: int, seen: int) -> str:
    """The warning that goes with it."""
    return f"line {line}: {counted} passes counted, {seen} seen: none of them is believed"
