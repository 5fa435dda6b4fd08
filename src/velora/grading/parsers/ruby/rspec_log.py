"""Reads what RSpec prints in its formats `documentation` and `progress`.

The documentation is a tree by indentation (`rspec_tree`). After it come the pending examples, the
failures, the totals and the failed examples with their full descriptions, which overrule the tree.
`progress` names only pending and failed examples. What examples print is mixed with the tree:
where it shows more examples than the totals count, no pass is believed.

An example's name comes after it ran, so one that ends the process is not seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.ruby.rspec_tree import Tree
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_TOTALS = re.compile(
    r"(\d+) examples?, (\d+) failures?(?:, (\d+) pending)?"
    r"(?:, (\d+) errors? occurred outside of examples)?$"
)
_ENTRY = re.compile(r"  (\d+)\) (.+)$")
_SECTIONS = {
    "Pending: (Failures listed here are expected and do not affect your suite's status)": "pending",
    "Failures:": "failures",
}
_RAW = 500  # characters of a line kept as evidence


@dataclass(slots=True)
class _Run:
    """What is known of a run.

    Attributes:
        section: the tree, `pending`, `failures` or `totals`, and the one before `totals`.
        error: an error outside of examples is told: its heading, then its backtrace.
        totals: examples, failures, pending; None before they came.
    """

    tree: Tree = field(default_factory=Tree)
    section: str = ""
    before: str = ""
    error: str = ""
    pending: dict[str, TestResult] = field(default_factory=dict)
    failed: dict[str, TestResult] = field(default_factory=dict)
    entries: int = 0
    line: int = 0
    totals: tuple[int, int, int] | None = None


class RspecReader:
    """All runs of a log; `complete` if the last one has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run = _Run()
        self.blank = True
        self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        blank, self.blank = self.blank, not line.strip()
        run = self.run
        if self.blank:
            run.error = "" if run.error == "backtrace" else run.error
            return
        if line.startswith("Finished in ") and run.section != "totals":
            run.before, run.section, run.error = run.section, "totals", ""
        elif run.section == "totals":
            self._totals(number, line)
        elif line in _SECTIONS:
            run.section, run.entries, run.error = _SECTIONS[line], 0, ""
        elif run.section:
            if run.section == "pending" and line.startswith("  "):
                self._pending(number, line)
        elif run.error:
            run.error = "backtrace" if line.startswith("# ") else run.error
        elif line.startswith("An error occurred "):
            run.error = "heading"
        else:
            run.tree.add(number, line, after_blank=blank)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.run.totals is not None:
            self._close()
        else:
            self._cut()
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _pending(self, number: int, line: str) -> None:
        found = _ENTRY.match(line)
        if found is not None and integer(found[1]) == self.run.entries + 1:
            self.run.entries += 1
            note(self.run.pending, found[2], TestResult(Status.SKIPPED, number, line[:_RAW]))

    def _totals(self, number: int, line: str) -> None:
        """Below `Finished in`: the totals, the failed examples, then perhaps another run."""
        run = self.run
        if run.totals is None:
            found = _TOTALS.match(line)
            if found is not None:
                examples, failures, pending, errors = (
                    integer(each or "0") for each in found.groups()
                )
                run.totals, run.line = (examples, failures, pending), number
                self.complete = True
                if errors:
                    self.warnings.append(f"line {number}: {errors} errors outside of examples")
            else:
                run.section = run.before  # an example printed the line above
                self.feed(number, line)
        elif line.startswith("rspec "):
            _, mark, name = line.partition(" # ")
            if mark:
                note(run.failed, name, TestResult(Status.FAILED, number, line[:_RAW]))
                run.entries += 1
        elif not line.startswith(("Failed examples:", "Randomized with seed ")):
            self._close()
            self.feed(number, line)

    def _close(self) -> None:
        """A run is over."""
        run, self.run, self.blank = self.run, _Run(), True
        total, failures, _ = run.totals or (0, 0, 0)
        nodes = run.tree.examples(ordered=True)
        if len(nodes) != total:
            whole = run.tree.examples(ordered=False)
            nodes = whole if len(whole) == total or len(nodes) > total else nodes
        if nodes and len(nodes) != total:
            self.warnings.append(f"line {run.line}: {total} examples counted, {len(nodes)} shown")
        failed = sum(node.status is Status.FAILED for node in nodes)
        if failures and nodes and failed != failures:
            self.warnings.append(f"line {run.line}: {failures} failures counted, {failed} shown")
        for node in nodes:
            if node.status is Status.PASSED and (len(nodes) > total or 2 * len(nodes) < total):
                continue
            raw = node.text[:_RAW]
            note(self.results, node.name, TestResult(node.status, node.number, raw))
        for told in (run.pending, run.failed):
            for name, result in told.items():
                note(self.results, name, result)

    def _cut(self) -> None:
        """The last run has no totals; its last line may be a group's."""
        nodes = self.run.tree.examples(ordered=True)
        last = self.run.tree.last
        if self.complete and all(node.status is Status.PASSED for node in nodes):
            return  # another program's output
        for node in nodes:
            if node is last and node.status is Status.PASSED:
                continue
            note(self.results, node.name, TestResult(node.status, node.number, node.text[:_RAW]))
        if nodes or self.run.section:
            self.complete = False
            self.warnings.append("the last run has no totals: it was cut off")


FRAMEWORK = Framework(
    name="rspec",
    reader=RspecReader,
    names="the full description, `Stack#push with two elements is long`",
    signs=(
        r"\d+ examples?, \d+ failures?(?:, \d+ pending|, \d+ errors? occurred|$)"
        r"|rspec '?\./\S+ # |Randomized with seed \d+$"
    ),
    begins=r"\drR",
    languages=("ruby",),
)
