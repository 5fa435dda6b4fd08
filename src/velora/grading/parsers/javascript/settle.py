"""What to believe where a log shows more than the runner's own totals count.

A program under test may print what looks like a verdict. What was read comes in groups (a file's
block, a single line), each with what it adds to the totals. If the sum goes beyond the totals by
what exactly one group adds (of several such, one that bears another's title), that group was
printed by a test. Otherwise nobody can say which it is, and no pass of the run is believed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from velora.grading.protocol import Status, TestResult

RAW = 500
"""Characters of a line kept as evidence."""


@dataclass(slots=True)
class Group:
    """Results that are true or printed together, and what they add to the totals.

    Attributes:
        title: a file's or a test's name.
        tests: each verdict; a name may come twice.
        counts: by the totals' words.
    """

    title: str
    tests: list[tuple[str, TestResult]] = field(default_factory=list)
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def drop_passes(self) -> None:
        """Believe none of its passes."""
        self.tests = [each for each in self.tests if each[1].status is not Status.PASSED]
        self.counts["passed"] = 0


def settle(groups: list[Group], totals: dict[str, int]) -> tuple[list[Group], str]:
    """The groups to believe, and a warning or "".

    Args:
        totals: what the runner counts; words that are not in it are not compared.
    """
    seen: defaultdict[str, int] = defaultdict(int)
    for group in groups:
        for word, count in group.counts.items():
            seen[word] += count
    excess = {word: max(0, seen[word] - count) for word, count in totals.items()}
    if not any(excess.values()):
        return groups, ""
    shown = ", ".join(f"{seen[word]} {word}" for word in totals if excess[word])
    counted = ", ".join(f"{totals[word]}" for word in totals if excess[word])
    printed = [at for at, group in enumerate(groups) if _adds(group, excess)]
    if len(printed) > 1:
        titles = Counter(group.title for group in groups)
        printed = [at for at in printed if titles[groups[at].title] > 1]
    if len(printed) == 1:
        (at,) = printed
        return (
            groups[:at] + groups[at + 1 :],
            f"shown are {shown}, counted {counted}: a test printed '{groups[at].title}'",
        )
    for group in groups:
        group.drop_passes()
    return groups, f"shown are {shown}, counted {counted}: no pass is believed"


def _adds(group: Group, excess: dict[str, int]) -> bool:
    return all(group.counts[word] == count for word, count in excess.items())
