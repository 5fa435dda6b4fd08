"""`request_condensation`: the model asks for a shorter history."""

from __future__ import annotations

from typing import Any

from velora.journal.messages import ToolSpec
from velora.tools.protocol import ToolResult

NAME = "request_condensation"

SPEC = ToolSpec(
    name=NAME,
    description=(
        "Ask for the history of this conversation to be shortened, when it holds much that is no "
        "longer needed. What comes next is shown without the older steps, or with a summary of "
        "them. Write down first what must not be forgotten."
    ),
    parameters={"type": "object", "properties": {}, "additionalProperties": False},
)


class CondenseTool:
    """Asks the loop to condense; it does nothing else."""

    spec = SPEC

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """Ask."""
        return ToolResult("The history is shortened from here on.", condense=True)
