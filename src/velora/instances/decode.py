"""Decoders of single fields: lists of names, lists of patches, texts.

Lists of test names come as lists, and as text in whatever way a table's export wrote them: JSON,
a Python list, or NumPy's repr, where nothing but blanks stands between the quoted names. Python
itself would read the last one wrongly, joining neighbours into one name, so the names are taken
apart here. Text is never split at commas: test names hold commas.
"""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from decimal import Decimal
from typing import Any

from velora.instances.json_text import kind

EXCEL_LIMIT = 32_767
"""The most characters that a cell of an Excel table holds; what is longer is cut there."""

_BLANK_WORDS = frozenset({"", "nan", "none", "null", "<na>", "nat"})

_QUOTED = r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""
_NAME = re.compile(rf"(?:np\.str_\(\s*({_QUOTED})\s*\)|({_QUOTED}))")
_ESCAPE = re.compile(r"""\\[\\'"abfnrtvxuUN0-7]""")
# Blanks, also those that an export has escaped: a backslash and an n between two names.
_GAP = re.compile(r"(?:\s|\\r|\\n|\\t)*(,?)(?:\s|\\r|\\n|\\t)*")
_ARRAY = re.compile(r"array\(\s*(\[.*\])\s*(?:,\s*dtype=[^)]*)?\)", re.DOTALL)


class Undecodable(ValueError):
    """A field's value cannot be read; the text says why and names the field."""


def is_blank(value: Any) -> bool:
    """Whether a value stands for nothing: None, NaN, or a text such as "" and "nan"."""
    if isinstance(value, float):
        return math.isnan(value)
    if isinstance(value, str):
        return value.strip().casefold() in _BLANK_WORDS
    return value is None


def decode_text(value: Any, where: str) -> str:
    """A text field; a number becomes its digits, without exponent, and a blank value "".

    Raises:
        Undecodable: a list, a table or a truth value.
    """
    if is_blank(value):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Undecodable(f"{where} must be text, not {kind(value)}")
    if isinstance(value, float) and math.isinf(value):
        raise Undecodable(f"{where} must be text, not an infinite number")
    return format(Decimal(repr(value)), "f")


def decode_id(value: Any, where: str) -> str:
    """As `decode_text`, and a whole number that was read as a float loses its `.0`."""
    text = decode_text(value, where)
    return text.removesuffix(".0") if isinstance(value, float) else text


def decode_names(value: Any, where: str) -> tuple[str, ...]:
    """A list of test names.

    Args:
        value: a list of texts; or text that holds one as JSON, as a Python literal or as NumPy
            prints an array; a blank value or an empty list is ().
        where: the field's name, for the message.

    Raises:
        Undecodable: it is none of these, or was cut off.
    """
    if is_blank(value):
        return ()
    if isinstance(value, list | tuple):
        return _strings(value, where)
    if not isinstance(value, str):
        raise Undecodable(f"{where} must be a list, not {kind(value)}")
    text = value.strip()
    try:
        decoded = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return _literal(text, where)
    if isinstance(decoded, str) and decoded.strip()[:1] in ("[", "(", "a"):
        return decode_names(decoded, where)  # JSON within JSON
    if not isinstance(decoded, list):
        raise Undecodable(f"{where} is {kind(decoded)}, not a list")
    return _strings(decoded, where)


def decode_patches(value: Any, where: str) -> tuple[str, ...]:
    """One or several unified diffs: a text, a list of texts, or text that holds a JSON list.

    Blank ones are left out.

    Raises:
        Undecodable: it is none of these, was cut off, or has lost its line breaks.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        patches = decode_names(value, where)
    elif isinstance(value, list | tuple):
        patches = _strings(value, where)
    else:
        patches = (decode_text(value, where),)
    patches = tuple(patch for patch in patches if not is_blank(patch))
    for patch in patches:
        if len(patch) == EXCEL_LIMIT:
            raise Undecodable(f"{where} {_CUT}")
        if "\n" not in patch.strip() and "\\n" in patch:
            raise Undecodable(f"{where} has no line breaks but the characters \\n in their place")
    return patches


_CUT = f"was cut off at {EXCEL_LIMIT:,} characters, the limit of an Excel cell"


def _literal(text: str, where: str) -> tuple[str, ...]:
    """Read a Python list or tuple of strings, or NumPy's repr of an array of them."""
    if array := _ARRAY.fullmatch(text):
        text = array[1]
    if text == "set()":
        return ()
    if text[:1] + text[-1:] not in ("[]", "()", "{}") or len(text) < 2:
        raise Undecodable(_why_unreadable(text, where))
    tokens, commas = _tokens(text, where)
    inner = commas[:-1]  # the last gap may hold a trailing comma or nothing
    if any(inner) and not all(inner):
        raise Undecodable(
            f"{where} separates some names by a comma and others by blanks only, so where one "
            "ends is not certain"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a backslash that begins no escape
        try:
            return tuple(str(ast.literal_eval(token)) for token in tokens)
        except (SyntaxError, ValueError, Warning):
            pass
    # Lone backslashes, as in PHP's class names: the writer escaped nothing. They are taken as they
    # are where none could be an escape; elsewhere the names cannot be known.
    if any(_ESCAPE.search(token) for token in tokens):
        raise Undecodable(f"{where} has backslashes, of which some are escapes and others are not")
    return tuple(token[1:-1] for token in tokens)


def _tokens(text: str, where: str) -> tuple[list[str], list[bool]]:
    """The quoted names between the brackets, and for each whether a comma follows it."""
    tokens: list[str] = []
    commas: list[bool] = []
    end = len(text) - 1
    at = _skip_blanks(text, 1)
    while at < end:
        name = _NAME.match(text, at, end)
        if name is None:
            raise Undecodable(_why_unreadable(text, where, at))
        tokens.append(name[1] or name[2])
        gap = _GAP.match(text, name.end(), end)
        assert gap is not None  # it may be empty
        commas.append(bool(gap[1]))
        at = gap.end()
    return tokens, commas


def _skip_blanks(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return at if gap is None or gap[1] else gap.end()


def _why_unreadable(text: str, where: str, at: int = 0) -> str:
    if len(text) >= EXCEL_LIMIT - 1:
        return f"{where} {_CUT}"
    if text[at:].startswith("..."):
        return f"{where} was shortened to '...' when it was printed, so names are missing"
    if text[:1] == "[" and text[-1:] != "]":
        return f"{where} is cut off: it begins with '[' and ends with '{text[-20:]}'"
    shown = text[at : at + 40]
    return f"{where} is no list of names: not readable at '{shown}' (character {at + 1})"


def _strings(values: list[Any] | tuple[Any, ...], where: str) -> tuple[str, ...]:
    for number, value in enumerate(values, 1):
        if not isinstance(value, str):
            raise Undecodable(f"{where}: item {number} must be text, not {kind(value)}")
    return tuple(values)
