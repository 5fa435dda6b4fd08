"""A tree of suites and tests by indentation, as jasmine-spec-reporter, karma-spec-reporter and
karma-mocha-reporter write it: two blanks deeper a level, a symbol before each test's title.

A verdict is believed right below the suites that are open. Tests print into the tree, so the
caller compares it with the runner's totals.
"""

from __future__ import annotations

from velora.grading.parsers.javascript.settle import RAW, Group
from velora.grading.parsers.javascript.titles import JOIN, Stack, timed_tight
from velora.grading.protocol import Status, TestResult

_STATUSES = {
    "✓": Status.PASSED,
    "✔": Status.PASSED,
    "√": Status.PASSED,
    "✗": Status.FAILED,
    "✖": Status.FAILED,
    "×": Status.FAILED,
    "ℹ": Status.SKIPPED,
}
_ROOT = "Top level suite"


class Tree:
    """Takes the lines of a tree; `groups` has one verdict each.

    Args:
        skipped: the symbol of a test that did not run.
    """

    def __init__(self, skipped: str) -> None:
        self.statuses = {**_STATUSES, skipped: Status.SKIPPED}
        self.groups: list[Group] = []
        self.stack = Stack()

    def feed(self, number: int, line: str) -> None:
        """Take a line that begins with two blanks."""
        text = line.lstrip(" ")
        depth, odd = divmod(len(line) - len(text) - 2, 2)
        if odd or not text or depth > len(self.stack.titles) or text[0] == "\t":
            return
        status = self.statuses.get(text[0]) if text[1:2] == " " else None
        if status is None:
            self.stack.enter(depth, text)
            return
        del self.stack.titles[depth:]
        title, duration = timed_tight(text[2:])
        if title.endswith(" (skipped)"):
            status, title = Status.SKIPPED, title.removesuffix(" (skipped)")
        suites = [each for each in self.stack.titles if each != _ROOT]
        if status is Status.FAILED and suites and title == suites[-1]:
            # Not a test: the suite itself failed outside of its tests.
            status = Status.ERROR
            suites.pop()
        name = JOIN.join([*suites, title])
        group = Group(title, [(name, TestResult(status, number, line[:RAW], duration))])
        if status is Status.PASSED:
            group.counts["passed"] = 1
        self.groups.append(group)
