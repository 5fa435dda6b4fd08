"""Reads what `cargo test` prints: a test binary after the other, then doc tests.

cargo says before each (on stderr) which binary it runs; the binary's crate stands in front of its
tests' names. In a log without those lines the names stand alone. `libtest_binary` reads a binary.
A binary that ends without totals was killed or ended by a test: the test that was running, where
the log shows it, is an error.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.rust.libtest_binary import Binary
from velora.grading.parsers.tally import merge
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, TestResult

_HEADER = re.compile(r"running (\d+) tests?$")
_BINARY = re.compile(
    r" *Running (?:unittests )?(?:[^()]* \()?(?:[^()]*[/\\])?([\w-]+?)-[0-9a-f]{16}(?:\.exe)?\)?$"
)
_DOC = re.compile(r" *Doc-tests (\S+)$")
_FAILED = ("error: test failed, to rerun pass", "error: doctest failed, to rerun pass")


class CargoReader:
    """All binaries of a log; `complete` if the last one ended and cargo built them all."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.crate = ""
        self.binary: Binary | None = None
        self.closed = self.broken = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        binary = self.binary
        if binary is None:
            self._between(line, line[:1])
        elif not binary.section and self._cut(number, line):
            return
        elif binary.feed(number, line):
            results, odd = binary.end(line)
            merge(self.results, results)
            if odd:
                self.warnings.append(f"line {number}: {odd}")
            self.binary, self.closed = None, True

    def finish(self) -> Parsed:
        """The end of the log."""
        complete = self.closed and self.binary is None and not self.broken
        if self.binary is not None:
            self.warnings.append("the last test binary has no totals: it was cut off")
            merge(self.results, self.binary.cut())
        return Parsed(self.results, complete, tuple(self.warnings))

    def _between(self, line: str, first: str) -> None:
        """A line outside of binaries."""
        if first == "r":
            header = _HEADER.match(line)
            if header is not None:
                self.binary = Binary(self.crate, integer(header[1]))
                self.crate = ""
        elif first == " ":
            self._name(line)
        elif first == "e" and line.startswith("error: could not compile"):
            self.broken = True
            self.warnings.append(line[:200])

    def _name(self, line: str) -> bool:
        found = _BINARY.match(line) or _DOC.match(line)
        if found is not None:
            self.crate = found[1]
        return found is not None

    def _cut(self, number: int, line: str) -> bool:
        """cargo itself speaks although the binary has no totals."""
        if "error: " in line and any(each in line for each in _FAILED):
            crate = ""
        elif line.startswith((" ", "R", "D")) and self._name(line):
            crate = self.crate
        else:
            return False
        assert self.binary is not None
        named = self.binary.crate or "a test binary"
        self.warnings.append(f"line {number}: {named} ended without totals")
        begun = line.partition("error: ")[0]
        if begun.startswith("test "):
            self.binary.feed(number, begun)
        merge(self.results, self.binary.cut())
        self.binary, self.crate, self.closed = None, crate, True
        return True


FRAMEWORK = Framework(
    name="cargo",
    reader=CargoReader,
    names="`crate::path::to::test`; doc tests `crate::src/lib.rs - item (line 3)`",
    signs=(
        r"running \d+ tests?$|test result: (?:ok|FAILED)\. \d+ passed;| *Doc-tests \S+$"
        r"| *Running (?:unittests )?\S+ \(\S+-[0-9a-f]{16}\)$"
    ),
    begins=" rtDR",
    languages=("rust",),
)
