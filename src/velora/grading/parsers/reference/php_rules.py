"""VeloraHarness's reading of PHPUnit: testdox lines turned back into methods, and failure lists.

A header `Pretty (Ns\\Class)` sets the class; `✔ Adds two numbers` becomes
`Ns\\Class::testAddsTwoNumbers`, also under other classes that the original guesses. Below
`There was 1 failure`, `N) Ns\\C::test` overrules, its data set cut off. In any line with `::test` a
word such as `ok` or `fail`, be it part of a name, gives the status.
"""

from __future__ import annotations

import re

from velora.grading.parsers.reference.rules import Rules
from velora.grading.protocol import Parsed, Status

_METHOD = re.compile(r"(?<![\w\\])[\w\\]++::\w+")
_NUMBERED = re.compile(r"\d++\)")
_WORDS = (
    (("ok", "pass"), Status.PASSED),
    (("fail",), Status.FAILED),
    (("error",), Status.ERROR),
    (("skip",), Status.SKIPPED),
)
_MARKS = (
    (re.compile(r"[✔✓]\s*"), ("✔", "✓"), Status.PASSED),
    (re.compile(r"[✘✗]\s*"), ("✘", "✗"), Status.FAILED),
)


class PhpunitRules(Rules):
    """`parse_log_phpunit`."""

    def __init__(self) -> None:
        super().__init__()
        self._class = ""
        self._section: Status | None = None
        self._described: dict[Status, dict[str, int]] = {Status.FAILED: {}, Status.ERROR: {}}

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        text = line.strip()
        if text.endswith(")") and (cls := _header(text)):
            self._class = cls
            return
        if text.startswith(("There was", "There were")) and (section := _section(text)):
            self._section = section
            self._class = ""
            return
        if self._section and (found := _NUMBERED.match(text)):
            name = text[found.end() :].strip().partition(" with data set")[0]
            self._described[self._section].setdefault(name, number)
        for pattern, marks, status in _MARKS:
            if marks[0] in text or marks[1] in text:
                self._testdox(pattern.sub("", text).strip(), status, number, text)
                break
        if "::test" in text and (found := _METHOD.search(text)):
            lower = text.lower()
            for words, status in _WORDS:
                if any(word in lower for word in words):
                    self.put(found[0], status, number, text)
                    break

    def finish(self) -> Parsed:
        """The end of the log."""
        for status, names in self._described.items():
            for name, number in names.items():
                self.put(name, status, number, f"{name}: {status}")
        return super().finish()

    def _testdox(self, title: str, status: Status, number: int, line: str) -> None:
        if not title:
            return
        if not self._class:
            self.put(title, status, number, line)
            return
        method = "test" + "".join(word.capitalize() for word in title.split())
        for cls in _classes(self._class):
            self.put(f"{cls}::{method}", status, number, line)


def _header(text: str) -> str:
    """The class in `Pretty (Ns\\Class)`."""
    opened = text.find("(", max(1, text.rfind(")", 0, -1) + 1))
    content = text[opened + 1 : -1] if opened > 0 else ""
    return content if "\\" in content else ""


def _section(text: str) -> Status | None:
    lower = text.lower()
    if "failure" in lower:
        return Status.FAILED
    return Status.ERROR if "error" in lower else None


def _classes(cls: str) -> list[str]:
    """The class that a header names and those that the original takes it for."""
    found = [cls]
    if cls.endswith("\\UnnamedTests"):
        space = cls.rpartition("\\")[0]
        found += [f"{space}\\Test", f"{space}\\Tests", f"{space}\\TestCase"]
    if not cls.endswith("Test"):
        found.append(f"{cls}Test")
    return found
