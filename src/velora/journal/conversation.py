"""The conversation that the model was sent, rebuilt from the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from velora.journal.events import Answered, Condensed, Event, Nudged, Observed, Prompted, Record
from velora.journal.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolMessage,
    UserMessage,
)


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
CUT = "\n[... cut to keep the conversation short ...]\n"


def shown(messages: Sequence[Message], condensed: Condensed | None) -> Sequence[Message]:
    """What the model is sent of a conversation.

    A summary joins the user's message before it, since some models refuse two in a row.

    Args:
        messages: the whole conversation.
        condensed: the last condensation; None where there was none.
    """
    if condensed is None:
        return messages
    result = [shortened(messages, index, condensed) for index in range(condensed.kept)]
    if condensed.summary:
        before = result[-1] if result else None
        if isinstance(before, UserMessage):
            result[-1] = UserMessage(f"{before.content}\n\n{condensed.summary}")
        else:
            result.append(UserMessage(condensed.summary))
    result += [
        shortened(messages, index, condensed) for index in range(condensed.start, len(messages))
    ]
    return result


def summary_request(
    messages: Sequence[Message],
    before: Condensed | None,
    *,
    kept: int,
    start: int,
    request: str,
    excerpt: int,
) -> list[Message]:
    """What a model is sent that is to sum up the messages from `kept` to `start`.

    The same request comes out of the journal again, so the arguments are those of `Condensed`.

    Args:
        messages: the whole conversation.
        before: the condensation in force; its summary is part of what is summed up.
        kept, start: as in the `Condensed` to come.
        request: the instructions.
        excerpt: characters of each message at most.
    """
    task = next((one for one in messages if isinstance(one, UserMessage)), UserMessage(""))
    parts = [_tagged("TASK", clip(task.content, excerpt))]
    after = kept
    if before is not None:
        parts += [_told(shortened(messages, n, before), excerpt) for n in range(kept, before.kept)]
        if before.summary:
            parts.append(_tagged("SUMMARY OF EARLIER STEPS", before.summary))
        after = max(kept, before.start)
    for index in range(after, start):
        parts.append(_told(shortened(messages, index, before), excerpt))
    return [SystemMessage(request), UserMessage("\n\n".join(parts))]


def shortened(messages: Sequence[Message], index: int, condensed: Condensed | None) -> Message:
    """A message as it is shown: an observation may be masked or cut."""
    message = messages[index]
    if condensed is None or not isinstance(message, ToolMessage):
        return message
    if index < condensed.masked and (len(message.content) > len(MASK) or message.images):
        return replace(message, content=MASK, images=())
    if index < condensed.clipped and (len(message.content) > condensed.longest or message.images):
        return replace(message, content=clip(message.content, condensed.longest), images=())
    return message


def clip(text: str, longest: int, gap: str = CUT) -> str:
    """`text` with its middle left out where it has more than `longest` characters."""
    if len(text) <= longest:
        return text
    room = max(longest - len(gap), 0)
    return text[: room - room // 2] + gap + text[len(text) - room // 2 :]


def _told(message: Message, excerpt: int) -> str:
    match message:
        case AssistantMessage(content=content, tool_calls=calls):
            told = [f"calls {one.name}: {clip(one.arguments, excerpt)}" for one in calls]
            return _tagged("AGENT", "\n".join(filter(None, [clip(content, excerpt), *told])))
        case ToolMessage(name=name, content=content):
            return _tagged(f"RESULT OF {name}", clip(content, excerpt))
        case _:
            return _tagged("USER", clip(message.content, excerpt))


def _tagged(tag: str, text: str) -> str:
    return f"[{tag}]\n{text}"
