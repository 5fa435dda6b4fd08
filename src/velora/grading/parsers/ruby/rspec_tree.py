"""The tree of groups and examples that RSpec's documentation format prints by indentation.

A group and an example look the same; a group has deeper lines below it. What examples print stands
before their own line and may look like either, so the order that RSpec keeps helps: within a group
the examples come first, then its groups. A line with lines below it and an example after it is an
example, and the lines below it were printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.protocol import Status

_FAILED = re.compile(r" \(FAILED - \d+\)$")
_DEEPEST = 128
_PENDING = " (PENDING: "
_CONSTANT = re.compile(r"[A-Z]\w*(?:::[A-Z]\w*)*$")
_OTHER = re.compile(r"[.*]|F+(?:[.*]|$)|Top \d+ slowest ")  # the progress format, the profile


@dataclass(slots=True)
class Node:
    """A group or an example."""

    indent: int
    text: str
    number: int
    parent: Node | None
    status: Status
    children: list[Node] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The full description. RSpec puts no blank before a method's name below a class; the log
        does not tell a class from text, so what looks like a constant is taken for a class."""
        if self.parent is None:
            return self.text
        outer = self.parent
        tight = self.text.startswith(("#", ".", "::")) and _CONSTANT.match(outer.text)
        return f"{outer.name}{'' if tight else ' '}{self.text}"


class Tree:
    """All groups of a run."""

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self.path: list[Node] = []
        self.last: Node | None = None

    def add(self, number: int, line: str, *, after_blank: bool) -> None:
        """A line that may be of the tree."""
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if indent > _DEEPEST or (indent == 0 and not after_blank):
            return
        while self.path and self.path[-1].indent >= indent:
            self.path.pop()
        parent = self.path[-1] if self.path else None
        if indent != (parent.indent + 2 if parent is not None else 0):
            return
        status = Status.PASSED
        if (failed := _FAILED.search(text, max(0, len(text) - 24))) is not None:
            text, status = text[: failed.start()], Status.FAILED
        elif text.endswith(")") and _PENDING in text:
            text, status = text[: text.find(_PENDING)], Status.SKIPPED
        node = Node(indent, text, number, parent, status)
        (parent.children if parent is not None else self.roots).append(node)
        if status is Status.PASSED:
            self.path.append(node)
        self.last = node

    def examples(self, *, ordered: bool) -> list[Node]:
        """The examples. `ordered`: by the order of examples and groups as well."""
        found: list[Node] = []
        open_nodes = [root for root in self.roots if not _OTHER.match(root.text)]
        while open_nodes:
            node = open_nodes.pop()
            children = node.children
            leaves = [at for at, child in enumerate(children) if not child.children]
            last = leaves[-1] if leaves and ordered else -1
            for at, child in enumerate(children):
                if not child.children or at < last:
                    found.append(child)
                else:
                    open_nodes.append(child)
        return found
