"""VeloraHarness's reading of Django's test runner.

A test is what stands before ` ... `: `test_m (mod.C)`, or a docstring's first line. A line that
begins with `ok` closes whatever stood before the last ` ... `. `FAIL: test_m (mod.C)` gives the
bare method, so a failing test gets two names. Three messages that Django prints into the list are
known, with the `ok` on the line behind them; what they say overrules all else.
"""

from __future__ import annotations

import re

from velora.grading.parsers.reference.rules import Rules
from velora.grading.protocol import Parsed, Status

_PASSED = (" ... ok", " ... OK", " ...  OK")
_VERSION = "--version is equivalent to version"
_SITES = "Applying sites.0002_alter_domain_unique...test_no_migrations"
_INSTALLED = re.compile(r"\s\.\.\.\sTesting against Django installed in ")
_SERVER = re.compile(r"\s\.\.\.\sInternal Server Error: /")
_SYSTEM = re.compile(r"\s\.\.\.\sSystem check identified no issues \(0 silenced\)\Z")
_TALK = ("Testing against Django", "Internal Server Error", "System check identified")


class DjangoRules(Rules):
    """`parse_log_django`."""

    def __init__(self) -> None:
        super().__init__()
        self._before = ""
        self._lines = ("", "")
        self._waiting = ""  # for the `ok` behind a message
        self._installed = ""
        self._silenced = False
        self._late: list[tuple[str, int, str]] = []

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        self._talk(number, line)
        text = line.strip()
        if " ... " in text:
            self._before = text.partition(" ... ")[0]
        if _VERSION in text:
            self.put(_VERSION, Status.PASSED, number, text)
        if text.endswith(("ok", "OK", "FAIL", "ERROR")) or " ... skipped" in text:
            self._listed(number, text)
        for head, status in (("FAIL:", Status.FAILED), ("ERROR:", Status.ERROR)):
            if text.startswith(head):
                words = text.split(None, 2)
                if len(words) > 1:
                    self.put(words[1], status, number, text)
                else:
                    self.fault(number)
        if text.startswith("ok"):
            self.put(self._before, Status.PASSED, number, text)

    def finish(self) -> Parsed:
        """The end of the log."""
        for name, number, line in self._late:
            self.put(name, Status.PASSED, number, line)
        return super().finish()

    def _listed(self, number: int, text: str) -> None:
        for end in _PASSED:
            if text.endswith(end):
                if text.startswith(_SITES):
                    text = text.partition("...")[2].strip()
                self.put(text.rpartition(end)[0], Status.PASSED, number, text)
                break
        if " ... skipped" in text:
            self.put(text.partition(" ... skipped")[0], Status.SKIPPED, number, text)
        if text.endswith(" ... FAIL"):
            self.put(text.partition(" ... FAIL")[0], Status.FAILED, number, text)
        if text.endswith(" ... ERROR"):
            self.put(text.partition(" ... ERROR")[0], Status.ERROR, number, text)

    def _talk(self, number: int, line: str) -> None:
        """The three messages; a blank around their dots may be a line end."""
        if line == "ok":
            if self._waiting:
                self._late.append((self._waiting, number, line))
            if self._installed and self._silenced:
                self._late.append((self._installed, number, line))
                self._installed = ""
        self._waiting = ""
        self._silenced = False
        if any(part in line for part in _TALK):
            window = "\n".join((*self._lines, line))
            here = len(window) - len(line)
            if not self._installed and (found := _said(_INSTALLED, window, here)):
                self._installed = _line_before(window, found.start())
            found = _said(_SERVER, window, here)
            if found and line.endswith("/") and found.end() < len(window):
                self._waiting = _line_before(window, found.start())
            if found := _said(_SYSTEM, window, here):
                self._waiting = _line_before(window, found.start())
        if self._installed and line.endswith(" silenced)."):
            self._silenced = True
        self._lines = (self._lines[1], line)


def _said(message: re.Pattern[str], window: str, here: int) -> re.Match[str] | None:
    """The first `message` that ends in the window's last line, which begins at `here`."""
    return next((found for found in message.finditer(window) if found.end() > here), None)


def _line_before(window: str, end: int) -> str:
    return window[window.rfind("\n", 0, end) + 1 : end]
