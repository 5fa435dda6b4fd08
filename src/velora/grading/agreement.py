"""Two sources for one name: the log, and the report that the framework wrote beside it.

Either alone is evidence. Where both know a name they must agree: what only one of them calls a
pass does not pass, and the disagreement is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from velora.grading.names import AMBIGUOUS
from velora.grading.protocol import NameVerdict

DISAGREEMENT = "disagreement"
LOG, REPORT = "log", "report"

Names = tuple[NameVerdict, ...]


def agree(log: Sequence[NameVerdict], report: Sequence[NameVerdict], *, vouches: bool) -> Names:
    """One verdict a name from what the log and a report say of it, in the order of both.

    Args:
        vouches: the report's passes are evidence by themselves.
    """
    return tuple(
        _agree(by_log, by_report, vouches) for by_log, by_report in zip(log, report, strict=True)
    )


def disagreements(names: Iterable[NameVerdict]) -> int:
    """How many names the sources disagree about."""
    return sum(name.rule == DISAGREEMENT for name in names)


def _agree(by_log: NameVerdict, by_report: NameVerdict, vouches: bool) -> NameVerdict:
    if by_report.status is None:
        return by_log
    if by_log.status is None:
        # The log is silent, or cannot tell which of several tests is meant.
        settled = vouches or not by_report.passed
        return replace(by_report, source=REPORT) if settled else by_log
    if by_log.passed == by_report.passed:
        return by_log if by_log.rule != AMBIGUOUS else replace(by_report, source=REPORT)
    worse = by_report if by_log.passed else by_log
    return replace(
        worse,
        passed=False,
        rule=DISAGREEMENT,
        source=REPORT if worse is by_report else LOG,
        raw=f"log: {by_log.status} {by_log.raw}; report: {by_report.status} {by_report.raw}",
    )
