"""From the JSON text of a tool call to arguments that fit the tool's schema.

Models write "10" for 10, "true" for true and a list as a string that holds one: where the schema
leaves one reading, that is what it becomes. Everything else is refused with a text that lets the
model mend its call: what is wrong, where, and what the tool takes. A `null` counts as not given.
`security_risk`, which models trained on OpenHands add to many calls, is dropped from tools that do
not ask for it.
"""

from __future__ import annotations

import math
from typing import Any

from velora.errors import nearest
from velora.journal.messages import ToolSpec
from velora.tools import repair
from velora.tools.protocol import BadArguments

_DROPPED = "security_risk"
_KINDS = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def parse(spec: ToolSpec, text: str) -> dict[str, Any]:
    """The arguments in `text`, checked against `spec.parameters` and coerced.

    Empty text stands for no arguments.

    Raises:
        BadArguments: the text is no JSON object or does not fit the schema.
    """
    try:
        value = _read(text)
        if _DROPPED not in spec.parameters.get("properties", {}):
            value.pop(_DROPPED, None)
        return _object(value, spec.parameters, "")
    except BadArguments as error:
        # A key may hold half of a surrogate pair, which no sink could encode.
        text = str(error).encode(errors="replace").decode()
        raise BadArguments(f"{spec.name}: {text}\n{_expected(spec)}") from None


def _read(text: str) -> dict[str, Any]:
    try:
        value = repair.loads(text) if text.strip() else {}
        if isinstance(value, str):
            # The whole object, encoded once more as a string.
            value = repair.loads(value)
    except repair.NotJson as error:
        raise BadArguments(f"the arguments are not valid JSON: {error}.") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadArguments(f"the arguments must be a JSON object, not {_kind(value)}.")
    return value


def _expected(spec: ToolSpec) -> str:
    properties: dict[str, dict[str, Any]] = spec.parameters.get("properties", {})
    if not properties:
        return "It takes no arguments."
    required = spec.parameters.get("required", ())
    parts = [
        f"{name} ({_type(schema)}{', required' if name in required else ''})"
        for name, schema in properties.items()
    ]
    return f"It takes a JSON object with: {', '.join(parts)}."


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(f'"{choice}"' for choice in schema["enum"])
    if schema.get("type") == "array" and "items" in schema:
        return f"array of {_type(schema['items'])}"
    return str(schema.get("type", "any value"))


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), type(value).__name__)


def _object(value: dict[str, Any], schema: dict[str, Any], where: str) -> dict[str, Any]:
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    if not properties:
        if value and schema.get("additionalProperties") is False:
            raise BadArguments(f"unknown argument '{_at(where, next(iter(value)))}'.")
        return value
    for name in value:
        if name not in properties:
            hint = nearest(name, properties)
            raise BadArguments(f"unknown argument '{_at(where, name)}'; {hint}")
    given = {name: item for name, item in value.items() if item is not None}
    missing = [_at(where, name) for name in schema.get("required", ()) if name not in given]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise BadArguments(f"missing argument{'s' if len(missing) > 1 else ''} {names}.")
    return {name: _coerce(item, properties[name], _at(where, name)) for name, item in given.items()}


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _coerce(value: Any, schema: dict[str, Any], where: str) -> Any:
    match schema.get("type"):
        case "string":
            return _string(value, schema, where)
        case "integer" | "number" as wanted:
            return _number(value, wanted, where)
        case "boolean":
            return _boolean(value, where)
        case "array":
            items = schema.get("items", {})
            found = _decoded(value, list, where)
            return [_coerce(item, items, f"{where}[{i}]") for i, item in enumerate(found)]
        case "object":
            return _object(_decoded(value, dict, where), schema, where)
        case _:
            return value


def _wrong(where: str, wanted: str, value: Any) -> BadArguments:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return BadArguments(f"'{where}' must be {wanted}, not {_kind(value)} ({shown}).")


def _string(value: Any, schema: dict[str, Any], where: str) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int):
        value = str(value)
    if not isinstance(value, str):
        raise _wrong(where, "a string (put it in quotes)", value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        place = f"character {error.start}"
        raise BadArguments(f"'{where}' holds half of a surrogate pair at {place}.") from None
    choices = schema.get("enum")
    if choices is None or value in choices:
        return value
    for choice in choices:
        if value.strip().lower() == str(choice).lower():
            return str(choice)
    raise BadArguments(f"'{where}' cannot be '{value}'; {nearest(value, choices)}")


def _number(value: Any, wanted: str, where: str) -> int | float:
    found = value
    if isinstance(value, str):
        try:
            found = float(value) if wanted == "number" else int(value)
        except ValueError:
            found = None
    if isinstance(found, float) and wanted == "integer" and found.is_integer():
        found = int(found)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if isinstance(found, float) and wanted == "number" and math.isfinite(found):
        return found
    raise _wrong(where, "a whole number" if wanted == "integer" else "a number", value)


def _boolean(value: Any, where: str) -> bool:
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if not isinstance(value, bool):
        raise _wrong(where, "true or false", value)
    return value


def _decoded(value: Any, wanted: type[Any], where: str) -> Any:
    found = value
    if isinstance(value, str):
        try:
            found = repair.loads(value)
        except repair.NotJson:
            raise _wrong(where, _KINDS[wanted], value) from None
    if not isinstance(found, wanted):
        raise _wrong(where, _KINDS[wanted], value)
    return found
