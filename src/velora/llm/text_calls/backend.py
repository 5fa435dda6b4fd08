"""A backend that understands tool calls written as text, around any other.

In `native` mode the provider is given the tools, and text is looked at only where an answer has no
call of the provider's own. In `text` mode the tools stand in the system prompt. `auto` begins
native and turns to text for good when the provider says that this model takes no tools.

An answer whose calls were text keeps the text as it was (`render.TEXT`), with the provider's own
record of it, and goes back as text: so nothing is made up that a provider would have signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from velora.journal.messages import AssistantMessage, Message, ToolCall, ToolSpec
from velora.llm.backend import Answer, Backend, Options
from velora.llm.failures import Failure
from velora.llm.text_calls.read import Call, read
from velora.llm.text_calls.render import TEXT, native, plain

Mode = Literal["auto", "native", "text"]

WITHOUT_TOOLS = (
    "codellama",
    "deepseek-r1-distill",
    "deepseek-r1:",
    "gemma-2",
    "gemma2",
    "gemma:",
    "llama-2",
    "llama2",
    "phi-2",
    "phi3",
    "smollm",
    "starcoder",
)
"""Beginnings of names of models that were published without tool calling (their model cards); for
all others `auto` asks."""

_REFUSALS = (
    "does not support tools",
    "doesn't support tools",
    "does not support tool",
    "doesn't support tool",
    "no endpoints found that support tool use",
    "requires --enable-auto-tool-choice",
    "tool use is not supported",
    "tools are not supported",
    "tools is not supported",
    "tool calling is not supported",
    "function calling is not enabled",
    "function calling is not supported",
    "does not support function",
    "unsupported parameter: 'tools'",
    "argument supplied: tools",
    "unknown field: tools",
    "tools: extra inputs are not permitted",
)


def mode_of(native_tool_calling: bool | None, model: str) -> Mode:
    """The mode that the settings or the model's name ask for."""
    if native_tool_calling is not None:
        return "native" if native_tool_calling else "text"
    name = model.lower().rpartition("/")[2]
    return "text" if name.startswith(WITHOUT_TOOLS) else "auto"


class TextCalls:
    """`inner`, understanding calls in text (`velora.llm.backend.Backend`)."""

    def __init__(self, inner: Backend, mode: Mode) -> None:
        self._inner = inner
        self._mode: Mode = mode
        self.notices = inner.notices

    async def send(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        """Send one request (`Backend.send`)."""
        if self._mode != "text":
            try:
                answer = await self._inner.send(native(messages), tools, options)
            except Failure as failure:
                if self._mode != "auto" or not tools or not refuses_tools(failure):
                    raise
                reason = failure.text
            else:
                if tools and self._mode == "auto" and answer.message.tool_calls:
                    self._mode = "native"  # it can, so a later refusal is about something else
                return answer if answer.message.tool_calls else found_in(answer, messages, tools)
            self._mode = "text"
            text = f"tools go into the prompt from here on: the provider refused them ({reason})"
            note = ("text_tool_calls", text, {"reason": reason})
            answer = await self._as_text(messages, tools, options)
            return replace(answer, notes=(note, *answer.notes))
        return await self._as_text(messages, tools, options)

    async def _as_text(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        answer = await self._inner.send(plain(messages, tools), (), options)
        return found_in(answer, messages, tools, limit=1)

    async def close(self) -> None:
        """Release connections."""
        await self._inner.close()


def refuses_tools(failure: Failure) -> bool:
    """Whether a failure says that the model takes no tools."""
    lowered = failure.text.lower()
    refused = failure.status is None or failure.status in (400, 404, 422, 500, 501)
    return refused and any(text in lowered for text in _REFUSALS)


def found_in(
    answer: Answer, messages: Sequence[Message], tools: Sequence[ToolSpec], *, limit: int = 0
) -> Answer:
    """An answer with the calls that stand in its text; as it is where there are none.

    Args:
        messages: the conversation before it, for ids that are not taken.
        limit: calls at most; the text behind the last of them is dropped, since a model without
            tools that goes on makes up the results. 0 takes all.
    """
    message = answer.message
    calls = read(message.content, tools, limit=limit) if tools else ()
    if calls and answer.finish_reason == "length" and not calls[-1].closed:
        calls = calls[:-1]  # half a command is not run
    if not calls:
        return answer
    text = message.content[: calls[-1].end] if limit else message.content
    taken = sum(len(one.tool_calls) for one in messages if isinstance(one, AssistantMessage))
    record: dict[str, Any] = {"kind": TEXT, "text": text}
    if message.provider is not None and text == message.content:
        record["inner"] = message.provider
    made = AssistantMessage(
        content=_without(text, calls),
        tool_calls=tuple(
            ToolCall(f"text_{taken + n}", call.name, call.arguments)
            for n, call in enumerate(calls, 1)
        ),
        reasoning=message.reasoning,
        provider=record,
    )
    return replace(answer, message=made, finish_reason="tool_calls")


def _without(text: str, calls: Sequence[Call]) -> str:
    parts: list[str] = []
    place = 0
    for call in calls:
        parts.append(text[place : call.start].strip())
        place = call.end
    parts.append(text[place:].strip())
    return "\n".join(part for part in parts if part)
