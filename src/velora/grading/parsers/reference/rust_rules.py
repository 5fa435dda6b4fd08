"""VeloraHarness's readings of `cargo test`: `test path::to::test ... ok`.

Names have no crate, so a path that two crates share is one name. `parse_log_cargo_test` takes four
words, blanks and line ends between them alike, so it loses names with a blank in them
(documentation tests, `- should panic`) and leaves out ignored tests. `parse_log_cargo` takes whole
lines.
"""

from __future__ import annotations

from velora.grading.parsers.reference.rules import Rules
from velora.grading.protocol import Status

_ENDS = {"ok": Status.PASSED, "FAILED": Status.FAILED, "ignored": Status.SKIPPED}


class CargoTestRules(Rules):
    """`parse_log_cargo_test`."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[list[str]] = []  # words of readings that began on lines before

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        begins = line.startswith("test") and (len(line) == 4 or line[4].isspace())
        if not begins and not self._open:
            return
        words = line.split(None, 4)
        goes_on = [*self._open, []] if begins else self._open
        self._open = []
        for before in goes_on:
            self._read([*before, *words][:4], number, line)

    def _read(self, words: list[str], number: int, line: str) -> None:
        if len(words) > 2 and words[2] != "...":
            return
        if len(words) < 4:
            self._open.append(words)
        elif words[3].startswith("ok"):
            self.put(words[1], Status.PASSED, number, line)
        elif words[3].startswith("FAILED"):
            self.put(words[1], Status.FAILED, number, line)


class CargoRules(Rules):
    """`parse_log_cargo`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "test " not in line:
            return
        text = line.strip()
        name, gap, end = text[5:].rpartition(" ... ")
        if text.startswith("test ") and gap and end in _ENDS:
            self.put(name, _ENDS[end], number, text)
