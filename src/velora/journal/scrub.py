"""Makes an event safe to write: secrets masked, every text and number such that JSON can hold it.

This is the write boundary of the journal. What passes it reads back as it was; what JSON cannot
hold is replaced, so that an append never fails for what a model or a task put into an event:

- half a surrogate pair becomes U+FFFD;
- a whole number beyond 64 bits becomes its digits as a text;
- NaN and infinities become null in free-form data, and are read as NaN in typed fields;
- bytes become text, tuples and sets in free-form data become lists, other objects their `str`;
- what is nested more than 100 deep becomes the text `NESTED_TOO_DEEPLY`.

An event that needs no change is returned as the same object.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, TypeVar

Text = Callable[[str], str]
T = TypeVar("T")

MAX_DEPTH = 100
NESTED_TOO_DEEPLY = "<nested too deeply to be stored>"

_FREE = frozenset({str, dict, list, int, bool, type(None)})
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


def field_names(kind: type[Any]) -> tuple[str, ...]:
    """The names of a dataclass's fields, in order."""
    return _names(kind)  # type: ignore[arg-type] # mypy takes the instances' __hash__ for the class's


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind))


def scrub(event: T, redact: Text) -> T:
    """`event`, a dataclass, with every text passed through `redact` and made fit for JSON.

    Args:
        event: any dataclass of `journal.events` or `journal.messages`.
        redact: masks secrets in one text.
    """

    def text(value: str) -> str:
        return whole(redact(value))

    changed: Any = _instance(event, text)
    return changed  # type: ignore[no-any-return]


def whole(value: str) -> str:
    """`value` with surrogate pairs joined and halves of them replaced by U+FFFD."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def _instance(value: Any, text: Text) -> Any:
    changes: dict[str, Any] = {}
    for name in field_names(type(value)):
        old = getattr(value, name)
        new = _field(old, text)
        if new is not old:
            changes[name] = new
    return dataclasses.replace(value, **changes) if changes else value


def _field(value: Any, text: Text) -> Any:
    """A field of a dataclass: tuples stay tuples, enumerations stay what they are."""
    kind = type(value)
    if kind is float:
        return value  # NaN is written as null, and read as NaN where a number is wanted
    if kind in _FREE:
        return _free(value, text, 0)
    if kind is tuple:
        items = tuple([_field(item, text) for item in value])
        return value if _same(items, value) else items
    if isinstance(value, Enum):
        return value
    if dataclasses.is_dataclass(value):
        return _instance(value, text)
    return _free(value, text, 0)


def _free(value: Any, text: Text, depth: int) -> Any:
    """Free-form data, such as a dataset row or a tool's extras."""
    kind = type(value)
    if kind is str:
        new = text(value)
        return value if new == value else new
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if _SMALLEST <= value <= _LARGEST else str(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if depth >= MAX_DEPTH:
        return NESTED_TOO_DEEPLY
    if kind is dict:
        return _mapping(value, text, depth)
    if kind is list:
        items = [_free(item, text, depth + 1) for item in value]
        return value if _same(items, value) else items
    return _foreign(value, text, depth)


def _same(new: Sequence[Any], old: Sequence[Any]) -> bool:
    return all(map(operator.is_, new, old))


def _mapping(value: dict[Any, Any], text: Text, depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    same = True
    for key, old in value.items():
        name = text(key if type(key) is str else str(key))
        new = result[name] = _free(old, text, depth + 1)
        same = same and new is old and type(key) is str and name == key
    return value if same else result


def _foreign(value: Any, text: Text, depth: int) -> Any:
    """What JSON has no form for."""
    if isinstance(value, Enum):
        return _free(value.value, text, depth)
    if isinstance(value, str | bytes | bytearray):
        return text(str(value) if isinstance(value, str) else value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return _mapping(dict(value), text, depth)
    if isinstance(value, tuple | list | set | frozenset):
        return [_free(item, text, depth + 1) for item in value]
    if isinstance(value, int):
        return _free(int(value), text, depth)
    if isinstance(value, float):
        return _free(float(value), text, depth)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _mapping({n: getattr(value, n) for n in field_names(type(value))}, text, depth)
    return text(str(value))
