"""`${VAR}` and `${VAR:-default}` in the strings of a configuration file.

A variable that is unset or empty is missing: an error without a default, and the default with
one (`${VAR:-}` is allowed to be empty). `$${` stands for the two characters `${`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_INSIDE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class BadReference(Exception):
    """A reference that cannot be resolved. `variable` is "" where it is malformed."""

    def __init__(self, message: str, variable: str = "") -> None:
        super().__init__(message)
        self.variable = variable


def has_reference(value: Any) -> bool:
    """Whether any string in `value` holds something to interpolate."""
    if isinstance(value, str):
        return _REFERENCE.search(value) is not None
    if isinstance(value, Mapping):
        return any(has_reference(part) for part in value.values())
    return isinstance(value, list) and any(has_reference(part) for part in value)


def interpolate(value: Any, env: Mapping[str, str]) -> Any:
    """`value` with the references in all its strings resolved; keys of tables stay as they are.

    Raises:
        BadReference: a variable is missing, or `${` begins no reference.
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: _resolve(found, env), value)
    if isinstance(value, Mapping):
        return {key: interpolate(part, env) for key, part in value.items()}
    if isinstance(value, list):
        return [interpolate(part, env) for part in value]
    return value


def _resolve(found: re.Match[str], env: Mapping[str, str]) -> str:
    if found[0] == "$${":
        return "${"
    inside = _INSIDE.fullmatch(found[1])
    if inside is None or not found[2]:
        raise BadReference(f"'{found[0]}' is no reference; write ${{NAME}} or ${{NAME:-default}}")
    name, default = inside[1], inside[2]
    if value := env.get(name, ""):
        return value
    if default is not None:
        return str(default)
    state = "empty" if name in env else "not set"
    raise BadReference(f"environment variable {name} is {state}", name)
