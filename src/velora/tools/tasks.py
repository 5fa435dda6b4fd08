"""`task_tracker`: the model's own list of steps.

The list lives in memory and in the observations (`extras["task_list"]`); a file in the repository
would end up in the patch.
"""

from __future__ import annotations

from typing import Any

from velora.journal.messages import ToolSpec
from velora.tools.protocol import BadArguments, ToolResult

NAME = "task_tracker"
_MARKS = {"todo": "[ ]", "in_progress": "[>]", "done": "[x]"}

SPEC = ToolSpec(
    name=NAME,
    description=(
        "Keep a list of the steps of a longer piece of work.\n"
        "* `plan` replaces the whole list by `task_list`: send every step each time, also those "
        "that did not change.\n"
        "* `view` shows the list.\n"
        "Have one step in_progress at a time and mark it done once it is done and checked. Work of "
        "one or two steps needs no list."
    ),
    parameters={
        "type": "object",
        "properties": {
            "command": {
                "type": "string",
                "enum": ["view", "plan"],
                "description": "`view` the list or replace it (`plan`).",
            },
            "task_list": {
                "type": "array",
                "description": "The whole new list, for `plan`.",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string", "description": "A short name of your choice."},
                        "title": {"type": "string", "description": "What is to be done."},
                        "status": {"type": "string", "enum": list(_MARKS)},
                        "notes": {"type": "string", "description": "Details, if any."},
                    },
                    "required": ["id", "title", "status"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["command"],
        "additionalProperties": False,
    },
)


class TaskTracker:
    """Holds one attempt's list."""

    spec = SPEC

    def __init__(self) -> None:
        self._tasks: list[dict[str, Any]] = []

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """Show or replace the list."""
        if arguments["command"] == "plan":
            self._tasks = _checked(arguments.get("task_list"))
            head = f"The list now has {_steps(len(self._tasks))}:"
        elif self._tasks:
            head = f"The list has {_steps(len(self._tasks))}:"
        else:
            head = "The list is empty. `plan` with a `task_list` fills it."
        lines = [_line(task) for task in self._tasks]
        return ToolResult("\n".join([head, *lines]), extras={"task_list": list(self._tasks)})


def _checked(tasks: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    if tasks is None:
        raise BadArguments("task_tracker: `plan` needs `task_list`, the whole new list.")
    seen: set[str] = set()
    for task in tasks:
        if task["id"] in seen:
            raise BadArguments(f"task_tracker: two steps have the id '{task['id']}'.")
        seen.add(task["id"])
    return tasks


def _line(task: dict[str, Any]) -> str:
    line = f"{_MARKS[task['status']]} {task['id']}: {task['title']}"
    notes = task.get("notes", "")
    return f"{line}\n    {notes}" if notes else line


def _steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"
