"""Running recorded tool calls again in a new sandbox: the one way in which a sandbox's state is had
back, for an attempt that was cut off and for `velora replay`.

The calls are run in their order with the arguments that were executed. Left out are those that
failed as calls (they changed nothing) and those of tools that act outside the sandbox (what they
did is still done). What comes of a call is compared with what was recorded, character by
character; the conversation keeps what was recorded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from velora.agent import texts
from velora.journal.events import Event, Observed
from velora.tools import bash
from velora.tools.build import Toolset
from velora.tools.protocol import BadArguments, ToolResult


@dataclass(frozen=True, slots=True)
class Repetition:
    """A recorded call and what came of it this time.

    Attributes:
        content: as it would be written to the journal.
    """

    recorded: Observed
    content: str
    exit_code: int | None

    @property
    def same(self) -> bool:
        """It came out as it was recorded."""
        recorded = self.recorded
        return self.content == recorded.content and self.exit_code == recorded.exit_code


async def repeat(
    events: Iterable[Event], toolset: Toolset, *, written: Callable[[str], str]
) -> AsyncIterator[Repetition]:
    """Run the calls that `events` hold the observations of.

    Args:
        toolset: in a sandbox at the task's start, in which nothing has been run.
        written: what the journal makes of a text: secrets masked, fit for JSON.

    Raises:
        SandboxLost: the sandbox is gone.
    """
    for event in events:
        if isinstance(event, Observed) and repeatable(event, toolset):
            result = await _call(event, toolset)
            yield Repetition(event, written(result.content), result.exit_code)


def repeatable(event: Observed, toolset: Toolset) -> bool:
    """The call did something in the sandbox."""
    return not event.error and event.tool not in toolset.outside


async def _call(event: Observed, toolset: Toolset) -> ToolResult:
    tool = toolset.tools.get(event.tool)
    if tool is None:
        return ToolResult(texts.unknown_tool(event.tool, toolset.tools), error=True)
    try:
        if event.tool == bash.NAME and toolset.shell is not None:
            running = bool(event.extras.get("running"))
            return await toolset.shell.repeat(event.arguments, running=running)
        return await tool(event.arguments)
    except BadArguments as error:
        return ToolResult(str(error), error=True)
