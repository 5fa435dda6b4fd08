"""`think`: a place to write a thought down; nothing happens but that it is recorded."""

from __future__ import annotations

from typing import Any

from velora.journal.messages import ToolSpec
from velora.tools.protocol import ToolResult

NAME = "think"

SPEC = ToolSpec(
    name=NAME,
    description=(
        "Write down a thought: a plan, a hypothesis about the cause of a bug, the pros and cons "
        "of several fixes, what a test result means. It runs nothing and changes nothing."
    ),
    parameters={
        "type": "object",
        "properties": {"thought": {"type": "string", "description": "The thought."}},
        "required": ["thought"],
        "additionalProperties": False,
    },
)


class ThinkTool:
    """Records a thought."""

    spec = SPEC

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """Acknowledge; the call itself is the record."""
        return ToolResult("Your thought is recorded.")
