"""The conversation that the model was sent, rebuilt from the journal."""

from __future__ import annotations

from collections.abc import Iterable

from velora.journal.events import Answered, Event, Nudged, Observed, Prompted, Record
from velora.journal.messages import Message, SystemMessage, ToolMessage, UserMessage


def conversation(records: Iterable[Record]) -> list[Message]:
    """The messages in order, the model's last answer and what followed it included.

    An attempt that was cut off may end with tool calls that no message answers.
    """
    return [message for record in records for message in spoken(record.event)]


def spoken(event: Event) -> list[Message]:
    """What one event adds to the conversation. An empty system prompt is left out."""
    match event:
        case Prompted(system=system, instruction=instruction):
            task = UserMessage(instruction)
            return [SystemMessage(system), task] if system else [task]
        case Answered(completion=completion):
            return [completion.message]
        case Observed(call_id=call_id, tool=tool, content=content):
            return [ToolMessage(call_id, tool, content)]
        case Nudged(content=content):
            return [UserMessage(content)]
    return []
