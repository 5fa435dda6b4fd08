"""What a tool is: a specification for the model and an action on the sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from velora.journal.messages import Image, ToolSpec


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool call came to; the fields are those of `journal.events.Observed`.

    Attributes:
        images: what a model that sees is shown beside `content`.
        finish: the model declares its work done; the loop ends after this turn.
        condense: the model asks for a shorter conversation; the loop sees to it before the next
            request.
    """

    content: str
    error: bool = False
    exit_code: int | None = None
    cwd: str = ""
    extras: dict[str, Any] = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    finish: bool = False
    condense: bool = False


class BadArguments(Exception):
    """The arguments do not fit the tool's schema; the text tells the model how to mend them."""


class Tool(Protocol):
    """One tool, bound to one attempt's sandbox."""

    @property
    def spec(self) -> ToolSpec:
        """Name, description and JSON schema."""
        ...

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """Act.

        Args:
            arguments: checked against the schema and coerced (`tools.arguments.parse`).

        Raises:
            BadArguments: for what a schema cannot say.
            SandboxLost: the sandbox is gone.
        """
        ...
