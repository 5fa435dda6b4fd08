"""Events as lines of JSON: `encode` and `decode` are each other's inverse for scrubbed events.

A line is `{"seq": 0, "at": <unix seconds>, "kind": "attempt_started", ...the event's fields}`.
Reading is strict: an unknown kind, an unknown or missing field or a value of the wrong type is an
error that says which. A field that has a default may be missing, so that journals of an older
version stay readable.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson

from velora.errors import nearest
from velora.journal import events
from velora.journal.events import Event, Record
from velora.journal.scrub import field_names

Reader = Callable[[Any], Any]

_KIND = re.compile(rb'\{"seq":\d+,"at":[-+.\deE]+,"kind":"(\w+)"')


class Undecodable(ValueError):
    """A line is no event of this version; the text says what is wrong with it."""


def encode(record: Record) -> bytes:
    """One line, its newline included. The event must have passed `scrub`."""
    event = record.event
    line: dict[str, Any] = {"seq": record.seq, "at": record.at, "kind": event.kind}
    for name in field_names(type(event)):
        line[name] = getattr(event, name)
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def decode(line: bytes) -> Record:
    """The record that a line holds.

    Raises:
        Undecodable: with the reason.
    """
    fields = _json(line)
    kind = fields.pop("kind", None)
    if kind not in _kinds():
        hint = nearest(kind, _kinds()) if isinstance(kind, str) else ""
        raise Undecodable(f"unknown kind of event {kind!r} {hint}".rstrip())
    if not {"seq", "at"} <= fields.keys():
        raise Undecodable(f"a '{kind}' without 'seq' and 'at'")
    seq, at = _int(fields.pop("seq")), _float(fields.pop("at"))
    try:
        event: Event = _dataclass(_kinds()[kind], fields)
    except Undecodable as error:
        raise Undecodable(f"in '{kind}': {error}") from None
    return Record(seq, at, event)


def kind_of(line: bytes) -> str:
    """The kind of event on a line, without reading the rest of it where that can be avoided.

    Raises:
        Undecodable: the line is no JSON object or names no kind.
    """
    if found := _KIND.match(line):
        return found[1].decode()
    kind = _json(line).get("kind")
    if not isinstance(kind, str):
        raise Undecodable("no 'kind'")
    return kind


@cache
def _kinds() -> dict[str, type[Any]]:
    return {kind.kind: kind for kind in get_args(events.Event)}


def _json(line: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"not JSON ({error})") from None
    if not isinstance(value, dict):
        raise Undecodable("not a JSON object")
    return value


def _dataclass(kind: Any, fields: Any) -> Any:
    if not isinstance(fields, dict):
        raise Undecodable(f"wanted the fields of a {kind.__name__}, found {_named(fields)}")
    readers, required = _fields(kind)
    values = {}
    for name, value in fields.items():
        reader = readers.get(name)
        if reader is None:
            raise Undecodable(f"unknown field '{name}': written by a newer version?")
        try:
            values[name] = reader(value)
        except Undecodable as error:
            raise Undecodable(f"field '{name}': {error}") from None
    if missing := required - values.keys():
        raise Undecodable(f"missing {', '.join(repr(m) for m in sorted(missing))}")
    return kind(**values)


@cache
def _fields(kind: Any) -> tuple[dict[str, Reader], frozenset[str]]:
    """A reader for each field, and the names of those that must be there."""
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    required = frozenset(
        f.name
        for f in fields
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    )
    return {f.name: _reader(hints[f.name]) for f in fields}, required


def _reader(hint: Any) -> Reader:
    """What turns a JSON value into a value of the annotated type."""
    if hint is float:
        return _float
    if hint is int:
        return _int
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (_reader(arg) for arg in get_args(hint) if arg is not types.NoneType)
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        item = _reader(get_args(hint)[0])
        return lambda value: tuple(item(v) for v in _exact(list, value))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return lambda value: _dataclass(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: _member(hint, value)
    plain = get_origin(hint) or hint
    return lambda value: _exact(plain, value)


def _exact(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise Undecodable(f"wanted {_NAMES[kind]}, found {_named(value)}")
    return value


def _int(value: Any) -> int:
    number: int = _exact(int, value)
    return number


def _float(value: Any) -> float:
    if value is None:
        return float("nan")
    return float(value) if type(value) in (int, float) else _exact(float, value)


def _member(kind: type[Enum], value: Any) -> Enum:
    try:
        return kind(value)
    except ValueError:
        known = nearest(str(value), [str(m.value) for m in kind])
        raise Undecodable(f"unknown {kind.__name__.lower()} {value!r}: {known}") from None


_NAMES: dict[type[Any], str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


def _named(value: Any) -> str:
    return _NAMES[type(value)]
