"""VeloraHarness's readings of Ruby test runs: `Class#test_x = 0.05 s = .` and its kin of minitest,
and `name - passed` lines made from RSpec's JSON."""

from __future__ import annotations

import re

from velora.grading.parsers.reference.rules import Rules
from velora.grading.protocol import Status

_NAME = re.compile(r"([\w:]+#\w++)\s*+")
_VERBOSE = re.compile(r"(\w++)\s*+\(([\w:]+)\)\s*+=")
_WORD = re.compile(r"\[(\w++)\]")
_MARKS = {
    ".": Status.PASSED,
    "F": Status.FAILED,
    "E": Status.ERROR,
    "S": Status.SKIPPED,
    "N": Status.SKIPPED,
}
_WORDS = {
    **dict.fromkeys(("PASS", "OK", "PASSED"), Status.PASSED),
    **dict.fromkeys(("FAIL", "FAILED"), Status.FAILED),
    **dict.fromkeys(("ERROR", "ERR"), Status.ERROR),
    **dict.fromkeys(("SKIP", "SKIPPED"), Status.SKIPPED),
}
_OUTCOMES = {"passed": Status.PASSED, "failed": Status.FAILED, "pending": Status.SKIPPED}


class MinitestRules(Rules):
    """`parse_log_minitest`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "=" not in line and "]" not in line:
            return
        text = line.strip()
        named = _NAME.match(text)
        if named:
            if status := _ending(text, named.end()):
                self.put(named[1], status, number, text)
                return
            if word := _WORD.match(text, named.end()):
                if status := _WORDS.get(word[1].upper()):
                    self.put(named[1], status, number, text)
                return
        verbose = _VERBOSE.match(text)
        if verbose and (status := _ending(text, verbose.end() - 1)):
            self.put(f"{verbose[2]}#{verbose[1]}", status, number, text)


def _ending(text: str, at: int) -> Status | None:
    """The status in `= 0.05 s = .`, which is all of `text` from `at` on."""
    last = text.rfind("=")
    if text[at : at + 1] != "=" or last <= at:
        return None
    return _MARKS.get(text[last + 1 :].strip())


class RspecRules(Rules):
    """`parse_log_rspec`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if " - " not in line:
            return
        text = line.strip()
        found = {outcome: text.rfind(f" - {outcome}", 1) for outcome in _OUTCOMES}
        outcome = max(found, key=found.__getitem__)
        if found[outcome] > 0:
            self.put(text[: found[outcome]], _OUTCOMES[outcome], number, text)
