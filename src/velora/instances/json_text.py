"""One JSON value out of a text: where it ends, and if it is broken, where and how."""

from __future__ import annotations

import json
import re
from typing import Any

from velora.errors import UsageError

_DECODER = json.JSONDecoder()
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|["{}\[\]]')
_AROUND = 30


class Broken(ValueError):
    """A text is no JSON.

    Attributes:
        message: what is wrong.
        text: all of it.
        at: the offset of the place in it.
    """

    def __init__(self, message: str, text: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.at = at

    @property
    def cut_short(self) -> bool:
        """Nothing is wrong but that the text ends too soon. A string that does not end is wrong,
        since none goes on in another line."""
        whole = len(self.text.rstrip())
        return self.at >= whole and not self.message.startswith(("Unterminated", "Invalid"))

    def usage_error(self, source: str, first: int) -> UsageError:
        """The error for the user, where the text begins on line `first` of `source`."""
        text, at = self.text, min(self.at, len(self.text))
        line = first + text.count("\n", 0, at)
        column = at - (text.rfind("\n", 0, at) + 1) + 1
        start = max(0, at - _AROUND)
        near = " ".join(text[start : at + _AROUND].split())
        begun = f", in the value that begins on line {first}" if line > first else ""
        what = "the text ends too soon" if self.cut_short else self.message
        hint = ""
        if near.startswith("{'") or "{'" in near:
            hint = "this looks like Python's notation; JSON has double quotes"
        return UsageError(
            f"not valid JSON: {what} (column {column}{begun}), near: {near}",
            where=f"{source}:{line}",
            hint=hint,
        )


def decode(text: str, at: int = 0) -> tuple[Any, int]:
    """The value that begins at `at`, and the offset behind it.

    Raises:
        Broken: there is none.
    """
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise Broken(error.msg, text, error.pos) from None
    except RecursionError:
        raise Broken("brackets are nested too deep", text, at) from None
    except ValueError as error:  # a number of thousands of digits
        raise Broken(str(error), text, at) from None


class Pending:
    """A value that goes on over several lines, gathered until its brackets close.

    Attributes:
        start: the line on which it begins, and `column` (from 0) in that line.
    """

    def __init__(self, source: str, start: int, column: int) -> None:
        self.source = source
        self.start = start
        self.column = column
        self._parts = [" " * column]
        self._depth = 0

    def feed(self, line: str, at: int) -> int | None:
        """Add a line from `at` on.

        Returns:
            The offset in the line behind the value's end; None if it goes on in the next line.

        Raises:
            UsageError: it is broken already.
        """
        for token in _TOKEN.finditer(line, at):
            if token[0] in "{[":
                self._depth += 1
            elif token[0] in "}]":
                self._depth -= 1
                if self._depth <= 0:
                    self._parts.append(line[at : token.end()])
                    return token.end()
        self._parts.append(line[at:])
        # What is broken must not take in the rest of a large file first. Looking after 1, 2, 4, …
        # lines costs no more than twice the parsing.
        count = len(self._parts) - 1
        if count & (count - 1) == 0:
            try:
                decode("".join(self._parts), self.column)
            except Broken as error:
                if not error.cut_short:
                    raise error.usage_error(self.source, self.start) from None
        return None

    def value(self) -> Any:
        """The whole value.

        Raises:
            UsageError: it is broken.
        """
        try:
            return decode("".join(self._parts), self.column)[0]
        except Broken as error:
            raise error.usage_error(self.source, self.start) from None


def kind(value: Any) -> str:
    """A JSON value's type in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
    return f"a {type(value).__name__}"
