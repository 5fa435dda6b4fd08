"""The tools that conversations of the benchmarks offer: name, description, schema of each."""

from __future__ import annotations

from typing import Any


def _object(**properties: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": words} for name, words in properties.items()
        },
        "required": list(properties),
        "additionalProperties": False,
    }


TOOLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("execute_bash", "Run a command in the one shell. " * 20, _object(command="What to run.")),
    (
        "str_replace_editor",
        "View and edit files. " * 30,
        _object(command="What to do.", path="The file.", old_str="What is there.", new_str="New."),
    ),
    ("think", "Think. " * 10, _object(thought="The thought.")),
    ("finish", "End the work. " * 10, _object(message="What was done.")),
)
