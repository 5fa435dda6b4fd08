"""Other words for the tools, from a user's file.

    execute_bash:
      description: Run a command in the container's shell.
      parameters:
        command: What to run.

What is not named keeps its own description. Names and types stay: they are what the tools do.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from velora.errors import UsageError, nearest
from velora.journal.messages import ToolSpec

Descriptions = Mapping[str, Mapping[str, Any]]


def read(path: Path) -> Descriptions:
    """The file's content, its form checked.

    Raises:
        UsageError: it cannot be read, is no YAML, or not of the form above.
    """
    import yaml

    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot read the tools' descriptions: {reason}", where=str(path)
        ) from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"is no YAML: {error}", where=str(path)) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError("must be a table of tools", where=str(path), hint="tool: {description: …}")
    for name, entry in value.items():
        _check(path, str(name), entry)
    return value


def _check(path: Path, name: str, entry: Any) -> None:
    where = f"{path}: {name}"
    if not isinstance(entry, dict):
        raise UsageError("must have description or parameters", where=where)
    for key in entry.keys() - {"description", "parameters"}:
        hint = nearest(str(key), ("description", "parameters"))
        raise UsageError(f"unknown key '{key}'", where=where, hint=hint)
    texts = [entry.get("description", ""), *(entry.get("parameters") or {}).values()]
    if not all(isinstance(text, str) for text in texts):
        raise UsageError("descriptions are texts", where=where, hint="put them in quotes")


def applied(specs: tuple[ToolSpec, ...], words: Descriptions, where: str) -> tuple[ToolSpec, ...]:
    """The tools with the words of a file.

    Args:
        where: the file, for messages.

    Raises:
        UsageError: it names a parameter that a tool does not have.
    """
    return tuple(
        _one(spec, words[spec.name], where) if spec.name in words else spec for spec in specs
    )


def _one(spec: ToolSpec, words: Mapping[str, Any], where: str) -> ToolSpec:
    parameters = copy.deepcopy(spec.parameters)
    for name, text in (words.get("parameters") or {}).items():
        known = parameters.get("properties", {})
        if name not in known:
            place = f"{where}: {spec.name}"
            raise UsageError(f"unknown parameter '{name}'", where=place, hint=nearest(name, known))
        known[name]["description"] = text
    return ToolSpec(spec.name, words.get("description", spec.description), parameters)


def known(words: Descriptions, names: Collection[str], where: str) -> None:
    """Refuse a tool that is none.

    Raises:
        UsageError: naming it.
    """
    for name in words:
        if name not in names:
            hint = nearest(name, names)
            raise UsageError(f"there is no tool '{name}'", where=where, hint=hint)
