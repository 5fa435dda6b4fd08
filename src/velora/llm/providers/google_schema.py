"""The part of JSON Schema that Gemini takes for a tool's parameters.

What it does not know it refuses (`Unknown name "..."`). Leaving a constraint out makes a schema
wider, never wrong: the tool checks its arguments itself. The lists are those of the Gemini API's
`Schema` and of its `parametersJsonSchema`.
"""

from __future__ import annotations

from typing import Any

from pydantic_ai.profiles.google import GoogleJsonSchemaTransformer

_KEYWORDS = """
    $anchor $defs $id $ref additionalProperties anyOf default description enum format items maxItems
    maxLength maxProperties maximum minItems minLength minProperties minimum nullable oneOf pattern
    prefixItems properties propertyOrdering required title type
"""
_KEPT = frozenset(_KEYWORDS.split())
_NAMED = frozenset({"properties", "$defs"})
_LISTED = frozenset({"anyOf", "oneOf", "prefixItems"})
_SINGLE = frozenset({"items", "additionalProperties"})


def gemini_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A tool's parameters as Gemini takes them; `schema` stays as it is."""
    return _subset(GoogleJsonSchemaTransformer(schema).walk())


def _subset(schema: Any) -> dict[str, Any]:
    if not isinstance(schema, dict):
        return {}
    found: dict[str, Any] = {}
    for key, part in _merged(schema).items():
        if key not in _KEPT:
            continue
        if key in _NAMED and isinstance(part, dict):
            found[key] = {name: _subset(one) for name, one in part.items()}
        elif key in _LISTED and isinstance(part, list):
            found[key] = [_subset(one) for one in part]
        elif key in _SINGLE and isinstance(part, dict):
            found[key] = _subset(part)
        else:
            found[key] = part
    return found


def _merged(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with the members of its `allOf` put together, its own fields last."""
    members = schema.get("allOf")
    if not isinstance(members, list):
        return schema
    own = {key: part for key, part in schema.items() if key != "allOf"}
    whole: dict[str, Any] = {}
    for member in [*(_merged(one) for one in members if isinstance(one, dict)), own]:
        for key, part in member.items():
            if key == "properties":
                whole[key] = {**whole.get(key, {}), **part}
            elif key == "required":
                whole[key] = list(dict.fromkeys([*whole.get(key, ()), *part]))
            else:
                whole[key] = part
    return whole
