"""VeloraHarness's reading of SWE-Lancer's runs: one status for all tests that the log names.

The status comes from pytest's exit code, or else from pytest's counts; where no name is found, one
is made up.
"""

from __future__ import annotations

import re

from velora.grading.parsers.reference.rules import Rules, number_in
from velora.grading.protocol import Parsed, Status

_NAMES = (
    re.compile(r"(issues/\w+/test\.py::\w+)"),
    re.compile(r"tests/\w+/test\.py::(test_\w+)"),
    re.compile(r"(test_expensify_\d+)"),
)
_NONE = "test_expensify_0000"


class _Code:
    """Looks for a number behind a heading, which may stand on the next line."""

    def __init__(self, heading: str, gap: str) -> None:
        self._found = re.compile(rf"{heading}{gap}+(\d+)", re.IGNORECASE)
        self._open = re.compile(rf"{heading}{gap}*\Z", re.IGNORECASE)
        self._begun = ""
        self.code: int | None = None
        self.line = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line; of the numbers the first counts."""
        if self.code is not None:
            return
        text = f"{self._begun}\n{line}" if self._begun else line
        if found := self._found.search(text):
            self.code, self.line = number_in(found[1]), number
        elif found := self._open.search(text):
            self._begun = found[0]
        else:
            self._begun = ""


class ExitCodeRules(Rules):
    """`parse_log_exitcode` and `parse_log_playwright`."""

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[dict[str, int], ...] = ({}, {}, {})
        self._codes = (
            _Code("pytest_exit_code", r"[:\s=]"),
            _Code(r"exit\s+code", r"[:\s]"),
        )
        self._seen: set[str] = set()
        self._number = 1

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        self._number = number
        if "test" in line:
            for pattern, names in zip(_NAMES, self._names, strict=True):
                for name in pattern.findall(line):
                    names.setdefault(name, number)
        for code in self._codes:
            code.feed(number, line)
        if "PASSED" in line or "passed" in line.lower():
            self._seen.add("word")
        for word in ("passed", "failed", "error"):
            if word in line and re.search(rf"\d\s+{word}", line):
                self._seen.add(word)

    def finish(self) -> Parsed:
        """The end of the log."""
        status = self._status()
        names = next((names for names in self._names if names), {})
        for name, number in names.items():
            self.put(name, status, number, f"all tests: {status}")
        if not names:
            self.invent(_NONE, status, self._number, f"all tests: {status}")
        return super().finish()

    def _status(self) -> Status:
        code = next((each.code for each in self._codes if each.code is not None), None)
        if code is None and "passed" in self._seen and "failed" not in self._seen:
            code = 0
        elif code is None and self._seen & {"failed", "error"}:
            code = 1
        if code is None:
            return Status.PASSED if "word" in self._seen else Status.FAILED
        return {0: Status.PASSED, 1: Status.FAILED}.get(code, Status.ERROR)
