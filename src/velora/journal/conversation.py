"""The conversation that the model was sent, rebuilt from the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from velora.journal.events import Answered, Condensed, Event, Nudged, Observed, Prompted, Record
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
        case Observed(call_id=call_id, tool=tool, content=content, images=images):
            return [ToolMessage(call_id, tool, content, images)]
        case Nudged(content=content):
            return [UserMessage(content)]
    return []


MASK = "[This observation was left out to keep the conversation short.]"


def shown(messages: Sequence[Message], condensed: Condensed | None) -> Sequence[Message]:
    """What the model is sent of a conversation.

    Args:
        messages: the whole conversation.
        condensed: the last condensation; None where there was none.
    """
    if condensed is None:
        return messages
    summary = [UserMessage(condensed.summary)] if condensed.summary else []
    return [
        *_masked(messages, 0, condensed.kept, condensed.masked),
        *summary,
        *_masked(messages, condensed.start, len(messages), condensed.masked),
    ]


def _masked(messages: Sequence[Message], start: int, end: int, masked: int) -> Iterable[Message]:
    for index in range(start, end):
        message = messages[index]
        if index < masked and isinstance(message, ToolMessage):
            yield replace(message, content=MASK, images=())
        else:
            yield message
