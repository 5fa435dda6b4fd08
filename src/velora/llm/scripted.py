"""A model that plays a script (`velora.llm.script`): for the demo, for tests and for benchmarks.

It holds no state: which turn it is follows from the conversation, so one object serves any number
of attempts at once. Tokens are counted as words, and the price is known to be nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from velora.errors import ProviderRejected
from velora.journal.messages import (
    AssistantMessage,
    Completion,
    Message,
    ToolCall,
    ToolMessage,
    ToolSpec,
    Usage,
    UserMessage,
)
from velora.llm.protocol import Note
from velora.llm.script import Script, Turn, choose, load

_ID = re.compile(r"call_(\d+)_\d+")


class ScriptedModel:
    """Plays the script that suits a conversation, turn by turn.

    Args:
        scripts: tried in order.
        name: shown as the model's name.
    """

    def __init__(self, scripts: Sequence[Script], *, name: str = "scripted") -> None:
        self.name = name
        self.window: int | None = None
        self._scripts = tuple(scripts)

    @classmethod
    def from_file(cls, path: Path) -> ScriptedModel:
        """Read a YAML file; the model is named after it.

        Raises:
            UsageError: the file is missing or not a script.
        """
        return cls(load(path), name=f"scripted-{path.stem}")

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        note: Note,
        conversation: str = "",
    ) -> Completion:
        """The answer that the script has for this point of the conversation.

        Raises:
            ProviderRejected: no script suits the task prompt.
        """
        prompt = next((one.content for one in messages if isinstance(one, UserMessage)), "")
        script = choose(self._scripts, prompt)
        if script is None:
            wanted = ", ".join(repr(one.when) for one in self._scripts)
            raise ProviderRejected(
                f"{self.name}: no script suits this task: its prompt has none of {wanted}"
            )
        index = turn_of(messages)
        message = answer(script.turn(index, prompt), index)
        return Completion(
            message=message,
            usage=Usage(
                prompt=sum(_words(_text(one)) for one in messages),
                completion=_words(_text(message)),
            ),
            cost=0.0,
            model=self.name,
            response_id=f"scripted-{index + 1}",
            finish_reason="tool_calls" if message.tool_calls else "stop",
        )

    async def close(self) -> None:
        """Nothing to release."""


def answers(messages: Sequence[Message]) -> int:
    """How many answers are shown of a conversation."""
    return sum(isinstance(one, AssistantMessage) for one in messages)


def turn_of(messages: Sequence[Message]) -> int:
    """How many answers a conversation has had, those no longer shown included.

    The ids that `answer` gives to calls tell it; answers without a call are counted from the last
    one that has any.
    """
    count = 0
    for message in reversed(messages):
        if not isinstance(message, AssistantMessage):
            continue
        if message.tool_calls and (found := _ID.fullmatch(message.tool_calls[0].id)):
            return int(found[1]) + count
        count += 1
    return count


def answer(turn: Turn, index: int) -> AssistantMessage:
    """A turn as a message; call ids tell turn and position, so they are the same in each run."""
    calls = tuple(
        ToolCall(id=f"call_{index + 1}_{number}", name=call.tool, arguments=call.arguments)
        for number, call in enumerate(turn.calls, 1)
    )
    return AssistantMessage(content=turn.say, tool_calls=calls, reasoning=turn.reasoning)


def _text(message: Message) -> str:
    match message:
        case AssistantMessage(content=content, tool_calls=calls, reasoning=reasoning):
            parts = (content, reasoning, *(f"{one.name} {one.arguments}" for one in calls))
            return " ".join(filter(None, parts))
        case ToolMessage(content=content):
            return content
        case _:
            return message.content


def _words(text: str) -> int:
    # Counting blanks takes a fiftieth of the time of splitting, and histories are long.
    return text.count(" ") + text.count("\n") + 1 if text else 0
