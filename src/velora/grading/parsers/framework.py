"""What a parser is: a `Framework`, one for each test framework's output.

A framework's reader takes a log line by line, so a log of any length is read in the memory of its
results. It is pure, takes linear time, never raises, and believes a line only where the
framework's own grammar has a place for it: what a program under test prints may look like a
verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from velora.grading.parsers.text import lines
from velora.grading.protocol import Parsed


class Reader(Protocol):
    """Reads one log. It is used once."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line, without its end; several pieces of a line that carriage returns
        overwrite come one after another under one number."""
        ...

    def finish(self) -> Parsed:
        """The end of the log: what was read."""
        ...


@dataclass(frozen=True, slots=True)
class Framework:
    """A test framework's output and how to read it.

    Attributes:
        name: what `--parser` and `test_output_parser` call it.
        reader: makes a reader for one log.
        names: how its tests are named in the results, with an example, for people.
        signs: a regular expression without capturing groups that matches at the beginning of some
            line of every log of this framework, and hardly of any other: by it `auto` chooses.
            "" is never chosen.
        begins: the characters at which a sign can begin, blanks before it apart, and a blank if
            any can come before it, as they stand within the brackets of a regular expression's
            set; "" for all. It spares `auto` the trial of all others.
        languages: canonical names of the languages whose projects use it.
        hosts: frameworks whose output may stand within this one's, as CTest shows GoogleTest's.
            Where both fit, `auto` takes this one.
        raw: the reader takes lines as they are, escape sequences and carriage returns included.
        fallback: `auto` takes it only where no other framework fits.
        strict: for a parser that reproduces somebody else's rules: the strict parsers that read
            the same logs.
        derived: what it reads are not lines of the test framework but lines that the row's command
            makes from a report, so that a strict parser of the framework's own lines may know
            nothing of the tests.
    """

    name: str
    reader: Callable[[], Reader]
    names: str
    signs: str = ""
    begins: str = ""
    languages: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    raw: bool = False
    strict: tuple[str, ...] = ()
    derived: bool = False
    fallback: bool = False

    def parse(self, text: str) -> Parsed:
        """Read a whole log."""
        reader = self.reader()
        for number, line in lines(text, raw=self.raw):
            reader.feed(number, line)
        return reader.finish()
