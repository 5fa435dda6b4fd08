"""`finish`: the model declares its work done."""

from __future__ import annotations

from typing import Any

from velora.journal.messages import ToolSpec
from velora.tools.protocol import ToolResult

NAME = "finish"

SPEC = ToolSpec(
    name=NAME,
    description=(
        "End the work. Call it when the task is done and checked, or when you cannot get further. "
        "Nothing runs after it, so call it alone and last."
    ),
    parameters={
        "type": "object",
        "properties": {
            "message": {
                "type": "string",
                "description": (
                    "What you changed and how you checked it; what is left open, if anything."
                ),
            }
        },
        "required": ["message"],
        "additionalProperties": False,
    },
)


class FinishTool:
    """Ends the loop."""

    spec = SPEC

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """Acknowledge and set `finish`."""
        return ToolResult("The work is finished.", finish=True)
