"""VeloraHarness's readings of Java test runs.

`parse_log_junit` reads no JUnit report but a table: any line with exactly two commas is
`class,test,status`, its name is `"class.test"` with the quotes, and a status that it does not know
is SKIPPED. Where the whole log is JSON, its strings are the lines.

`parse_log_maven` gives the test of the last `-Dtest=` the end of its build.
"""

from __future__ import annotations

import json

from velora.grading.parsers.reference.rules import Rules
from velora.grading.protocol import Parsed, Status

_HEADER = "Test-class-name,Test-name,status"
_STATUSES = {"PASS": Status.PASSED, "FAIL": Status.FAILED, "ERROR": Status.ERROR}
_LARGEST = 64 * 1024 * 1024  # characters of a log that may be one JSON text


class JunitRules(Rules):
    """`parse_log_junit`."""

    def __init__(self) -> None:
        super().__init__()
        self._json: list[str] | None = None
        self._size = 0
        self._begun = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if not self._begun and not line.isspace() and line:
            self._begun = True
            if _may_begin_json(line):
                self._json = []
        if self._json is not None:
            self._size += len(line) + 1
            self._json.append(line)
            if self._size > _LARGEST:
                self._json = None
        if line.count(",") == 2:
            self._row(number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self._json is not None:
            try:
                whole = json.loads("\n".join(self._json))
            except (ValueError, RecursionError):
                return super().finish()
            self.results = {}
            if not isinstance(whole, list | dict | str):
                self.fault(1)
                whole = []
            for line in whole:
                if not isinstance(line, str):
                    self.fault(1)
                elif line.count(",") == 2:
                    self._row(1, line)
        return super().finish()

    def _row(self, number: int, line: str) -> None:
        text = line.strip()
        if text.startswith('"') and text.endswith('"'):
            text = text[1:-1]
        if text.count(",") != 2 or text == _HEADER:
            return
        cls, test, word = text.split(",")
        status = _STATUSES.get(word.upper(), Status.SKIPPED)
        self.put(f'"{cls}.{test}"', status, number, text)


def _may_begin_json(line: str) -> bool:
    """Whether a JSON text may begin with this line: it is not broken before the line's end."""
    text = line.strip(" \t\r")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text)
    except (ValueError, RecursionError):
        return False
    return True


class MavenRules(Rules):
    """`parse_log_maven`."""

    def __init__(self) -> None:
        super().__init__()
        self._test = ""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "-Dtest=" in line:
            text = line.strip()
            for part in reversed(text.split("-Dtest=")[1:]):
                if part and not part[0].isspace():
                    self._test = part.split(None, 1)[0]
                    break
        if "BUILD " in line and self._test:
            text = line.strip()
            if text.endswith("BUILD SUCCESS"):
                self.put(self._test, Status.PASSED, number, text)
            elif text.endswith("BUILD FAILURE"):
                self.put(self._test, Status.FAILED, number, text)
