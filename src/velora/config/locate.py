"""Lines of keys in a TOML text, which `tomllib` does not tell.

A scanner for text that `tomllib` has already accepted: it knows where statements, strings and
brackets begin and end, and nothing about values. It handles dotted and quoted keys, inline tables
and arrays of tables (all elements of which share one path).
"""

from __future__ import annotations

import contextlib
import re
import tomllib

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]*")

Path = tuple[str, ...]


def positions(text: str) -> dict[Path, int]:
    """The line, from 1, where each key and each table is first named.

    An answer may lack keys of a text that the scanner does not understand; none of those that it
    has is wrong.
    """
    scanner = _Scanner(text)
    with contextlib.suppress(_Lost):
        scanner.document()
    starts = scanner.found
    lines: dict[Path, int] = {}
    line, last = 1, 0
    for path, start in sorted(starts.items(), key=lambda item: item[1]):
        line += text.count("\n", last, start)
        last = start
        lines[path] = line
    return lines


class _Lost(Exception):
    """The scanner does not understand the text from here on."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while True:
            self._match(_BLANK)
            if self.at >= len(self.text):
                return
            if self._take("["):
                double = self._take("[")
                table = self._keys(())
                self._need("]]" if double else "]")
            else:
                self._pair(table)

    def _pair(self, table: Path) -> None:
        path = self._keys(table)
        self._need("=")
        self._value(path)

    def _keys(self, table: Path) -> Path:
        """Read a dotted key and note it and what it goes through."""
        path = table
        while True:
            self._match(_SPACE)
            start = self.at
            token = self._match(_KEY)
            if not token:
                raise _Lost
            path = (*path, _unquoted(token))
            self.found.setdefault(path, start)
            self._match(_SPACE)
            if not self._take("."):
                return path

    def _value(self, path: Path) -> None:
        self._match(_SPACE)
        if self._take("{"):
            while not self._closed("}"):
                self._pair(path)
        elif self._take("["):
            while not self._closed("]"):
                self._value(path)
        elif not self._match(_STRING) and not self._match(_SCALAR):
            raise _Lost

    def _closed(self, bracket: str) -> bool:
        """Step over blanks and a comma; true at the closing bracket."""
        self._match(_BLANK)
        if self._take(","):
            self._match(_BLANK)
        return self._take(bracket)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def _take(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            raise _Lost


def _unquoted(token: str) -> str:
    if token[0] not in "\"'":
        return token
    value = tomllib.loads(f"key = {token}")["key"]
    return str(value)
