"""JSON as models write it: read strictly, then with the slips that have only one reading.

Tried in order, and only if what came before fails: literal control characters inside strings, a
Markdown code fence around the whole, commas before a closing bracket, a Python literal (single
quotes, `True`, `None`). A text that none of these explains is an error at the place where strict
reading stopped. A key given twice with different values is an error too: there is no right one.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

_FENCE = re.compile(r"\s*```[A-Za-z]*\s*\n(.*?)\n?\s*```\s*", re.DOTALL)
_STRING_OR_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)
_EXCERPT = 24


class NotJson(Exception):
    """The text is no JSON; `str()` says what is wrong and where."""


def loads(text: str) -> Any:
    """The value that `text` stands for.

    Raises:
        NotJson: it cannot be read, or not in one way only.
    """
    try:
        return _strict(text)
    except json.JSONDecodeError as error:
        first = error
    except RecursionError:
        raise NotJson("it is nested too deeply") from None
    except ValueError as error:
        raise NotJson(str(error)) from None
    for candidate in _candidates(text):
        try:
            return _strict(candidate, control_characters=True)
        except (ValueError, RecursionError):
            continue
    found = _python_literal(text)
    if found is not None:
        return found
    raise NotJson(_place(text, first))


def _strict(text: str, *, control_characters: bool = False) -> Any:
    return json.loads(
        text,
        strict=not control_characters,
        object_pairs_hook=_object,
        parse_constant=_no_constant,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result and result[key] != value:
            raise NotJson(f"'{key}' is given twice with different values")
        result[key] = value
    return result


def _no_constant(name: str) -> Any:
    raise NotJson(f"{name} is not a JSON number")


def _candidates(text: str) -> list[str]:
    fenced = _FENCE.fullmatch(text)
    inner = fenced.group(1) if fenced else text
    return [inner, _STRING_OR_COMMA.sub(lambda found: found.group(1) or "", inner)]


def _python_literal(text: str) -> dict[str, Any] | list[Any] | None:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        with warnings.catch_warnings():
            # '\d' in a regular expression is worth no warning to the operator.
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            value = ast.literal_eval(text.strip())
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, dict | list) and _is_json(value) else None


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    return value is None or isinstance(value, str | int | float | bool)


def _place(text: str, error: json.JSONDecodeError) -> str:
    before = text[max(0, error.pos - _EXCERPT) : error.pos]
    after = text[error.pos : error.pos + _EXCERPT]
    where = f"line {error.lineno}, column {error.colno} (character {error.pos} of {len(text)})"
    if not after:
        return f"the text ends too early, at {where}, after {before!r}: {error.msg}"
    return f"{error.msg} at {where}: after {before!r} comes {after!r}"
