"""VeloraHarness's readings of pytest's output: a line that begins with a status word names a test
in its second word, wherever in the log it stands.

Names end at the first blank, so an id such as `t.py::t[a b]` becomes `t.py::t[a`. `SKIPPED [1]
file:line: why` gives the name `[1]`. Version 2 and 3 remove every `[NNm`, also from ids, and all
control characters, tabs included, and read `name STATUS` at a line's end. The original raises
where the word that should be a status is none (`ERRORS`, `PASSED:`).
"""

from __future__ import annotations

import re

from velora.grading.parsers.reference.rules import STATUSES, WORDS, Rules
from velora.grading.protocol import Status

_LETTERS = frozenset("PFESX")
_ENDS = frozenset("DRLS")
_COLOUR = re.compile(r"\[\d+m")
_CONTROLS = dict.fromkeys(range(1, 32))
_STATUS = "|".join(WORDS)
_VERBOSE = re.compile(rf"(\S++)\s++({_STATUS})")
_XDIST = re.compile(rf"\[gw\d\]\s({_STATUS})\s(\S++)")
_BARE = re.compile(rf"({_STATUS})\s(\S++)")


def clean(line: str) -> str:
    """A line as versions 2 and 3 see it."""
    if "[" in line:
        line = _COLOUR.sub("", line)
    return line if line.isprintable() else line.translate(_CONTROLS)


class PytestRules(Rules):
    """`parse_log_pytest`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line[:1] in _LETTERS and line.startswith(WORDS):
            self._row(number, line)

    def _row(self, number: int, line: str) -> None:
        words = (line.replace(" - ", " ") if line.startswith("FAILED") else line).split()
        if len(words) > 1:
            self._note(self.name_in(words[1]), words[0], number, line)

    def _note(self, name: str, word: str, number: int, line: str) -> None:
        status = STATUSES.get(word)
        if status is None:
            self.fault(number)
        else:
            self.put(name, status, number, line)

    def name_in(self, word: str) -> str:
        """The test's name."""
        return word


class OptionsRules(PytestRules):
    """`parse_log_pytest_options`: of a path as parameter only its last part stays."""

    def name_in(self, word: str) -> str:
        """The test's name."""
        return shortened(word)


def shortened(name: str) -> str:
    """`t[/a/b/c]` as `t[/c]`."""
    main, bracket, rest = name.partition("[")
    option, closing, _ = rest.rpartition("]")
    if not bracket or not closing:
        return name
    if option.startswith("/") and not option.startswith("//") and "*" not in option:
        option = "/" + option.rpartition("/")[2]
    return f"{main}[{option}]"


class MatplotlibRules(PytestRules):
    """`parse_log_matplotlib`: mouse buttons become their numbers."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "MouseButton" in line:
            line = line.replace("MouseButton.LEFT", "1").replace("MouseButton.RIGHT", "3")
        super().feed(number, line)


class Pytest2Rules(PytestRules):
    """`parse_log_pytest_v2`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        line = clean(line)
        if line[:1] in _LETTERS and line.startswith(WORDS):
            self._row(number, line)
        elif line[-1:] in _ENDS and line.endswith(WORDS):
            self._old_row(number, line, line.split())

    def _old_row(self, number: int, line: str, words: list[str]) -> None:
        if len(words) > 1:
            self._note(words[0], words[1], number, line)


class Pytest3Rules(Pytest2Rules):
    """`parse_log_pytest_v3`, also under tox's name."""

    def _row(self, number: int, line: str) -> None:
        words = line.replace(" - ", " ").split()
        if words[0] in STATUSES and len(line) > len(words[0]):
            if len(words) > 1:
                self._note(words[1], words[0], number, line)
        elif line.endswith(WORDS):
            self._old_row(number, line, words)

    def _old_row(self, number: int, line: str, words: list[str]) -> None:
        super()._old_row(number, line, line.replace(" - ", " ").split())


class SwesmithRules(Rules):
    """`parse_log_pytest_swesmith`: `name STATUS` at a line's beginning."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if found := _VERBOSE.match(line):
            self.put(found[1], STATUSES[found[2]], number, line)


class AutogradRules(Rules):
    """`log_parser_hips_autograd`: pytest-xdist's lines, of the first ten workers."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line.startswith("[gw") and (found := _XDIST.match(line)):
            self.put(found[2], STATUSES[found[1]], number, line)


class ParamikoRules(Rules):
    """`log_parser_paramiko_paramiko`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line[:1] in _LETTERS and (found := _BARE.match(line)):
            self.put(found[2], STATUSES[found[1]], number, line)


class SeabornRules(Rules):
    """`parse_log_seaborn`: passes and failures alone."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line.startswith("FAILED"):
            self._word(1, Status.FAILED, number, line)
        elif " PASSED " in line:
            words = line.split()
            if len(words) < 2:
                self.fault(number)
            elif words[1] == "PASSED":
                self.put(words[0], Status.PASSED, number, line)
        elif line.startswith("PASSED"):
            self._word(1, Status.PASSED, number, line)

    def _word(self, at: int, status: Status, number: int, line: str) -> None:
        words = line.split()
        if len(words) > at:
            self.put(words[at], status, number, line)
        else:
            self.fault(number)


class MypyRules(Rules):
    """`log_parser_python_mypy`: the last word of any line with PASSED or FAILED in it."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "PASSED" in line:
            self.put(line.rsplit(maxsplit=1)[-1], Status.PASSED, number, line)
        elif "FAILED" in line:
            self.put(line.rsplit(maxsplit=1)[-1], Status.FAILED, number, line)
