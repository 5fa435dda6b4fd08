"""Our conversation in pydantic-ai's types and its answers in ours.

An answer that is plain text and tool calls is told by our own fields. One that holds more
(reasoning, signatures, a provider's extra data) keeps pydantic-ai's record of it as JSON in
`AssistantMessage.provider`, which is sent back unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from velora.journal.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    Usage,
    UserMessage,
)
from velora.llm.backend import Answer

_FINISH = {"stop": "stop", "length": "length", "tool_call": "tool_calls"}
_RESPONSE: TypeAdapter[ModelResponse] = TypeAdapter(ModelResponse)


class Record(dict[str, Any]):
    """A `ModelResponse` as JSON that remembers the object it was made from.

    A history is converted anew for each request; this spares the parsing of each of its answers.
    """

    __slots__ = ("response",)
    response: ModelResponse


def to_history(messages: Sequence[Message]) -> list[ModelMessage]:
    """A conversation as pydantic-ai takes it."""
    return [_convert(message) for message in messages]


def _convert(message: Message) -> ModelMessage:
    match message:
        case ToolMessage(call_id=call_id, name=name, content=content):
            return ModelRequest(parts=[ToolReturnPart(name, content, call_id)])
        case AssistantMessage():
            return _response(message)
        case UserMessage(content=content):
            return ModelRequest(parts=[UserPromptPart(content)])
        case SystemMessage(content=content):
            return ModelRequest(parts=[SystemPromptPart(content)])


def _response(message: AssistantMessage) -> ModelResponse:
    match message.provider:
        case Record() as record:
            return record.response
        case {"kind": "response"} as data:
            return _RESPONSE.validate_python(data)
    parts: list[ModelResponsePart] = [TextPart(message.content)] if message.content else []
    parts += [ToolCallPart(one.name, one.arguments, one.id) for one in message.tool_calls]
    return ModelResponse(parts=parts)


def from_response(response: ModelResponse) -> Answer:
    """A provider's answer in our types."""
    response, doubled = _with_unique_ids(response)
    texts = [one.content for one in response.parts if isinstance(one, TextPart)]
    calls = [one for one in response.parts if isinstance(one, ToolCallPart)]
    message = AssistantMessage(
        content="".join(texts),
        tool_calls=tuple(
            ToolCall(id=one.tool_call_id, name=one.tool_name, arguments=arguments(one))
            for one in calls
        ),
        reasoning="\n\n".join(
            one.content for one in response.parts if isinstance(one, ThinkingPart)
        ),
        provider=None if _is_plain(response, len(texts)) else _record(response),
    )
    refusal = ""
    if response.finish_reason == "content_filter":
        details = response.provider_details or {}
        refusal = details.get("refusal") or "the content filter withheld the answer"
    text = f"the answer gave several tool calls the same id: {', '.join(doubled)}"
    changed = ("tool_call_ids_changed", text, {"ids": doubled})
    return Answer(
        message=message,
        usage=_usage(response),
        model=response.model_name or "",
        response_id=response.provider_response_id or "",
        finish_reason=_FINISH.get(response.finish_reason or "", ""),
        refusal=refusal,
        notes=(changed,) if doubled else (),
    )


def _usage(response: ModelResponse) -> Usage | None:
    usage = response.usage
    if not (usage.input_tokens or usage.output_tokens):
        return None
    return Usage(
        prompt=usage.input_tokens or 0,
        completion=usage.output_tokens or 0,
        cache_read=usage.cache_read_tokens or 0,
        cache_write=usage.cache_write_tokens or 0,
        reasoning=usage.details.get("reasoning_tokens", 0),
    )


def arguments(call: ToolCallPart) -> str:
    """A call's arguments exactly as the model wrote them."""
    return call.args if isinstance(call.args, str) else call.args_as_json_str()


def _is_plain(response: ModelResponse, texts: int) -> bool:
    return texts <= 1 and all(
        isinstance(one, TextPart | ToolCallPart) and not one.provider_details and not one.id
        for one in response.parts
    )


def _record(response: ModelResponse) -> Record:
    record = Record(_RESPONSE.dump_python(response, mode="json", exclude_none=True))
    record.response = response
    return record


def _with_unique_ids(response: ModelResponse) -> tuple[ModelResponse, list[str]]:
    """An answer in which no two calls share an id, and the ids that were given twice.

    Observations find their call by its id, and providers refuse a history with ambiguous ones.
    """
    seen: set[str] = set()
    doubled: list[str] = []
    parts: list[ModelResponsePart] = []
    for part in response.parts:
        if isinstance(part, ToolCallPart):
            id_, number = part.tool_call_id, 2
            while id_ in seen:
                id_, number = f"{part.tool_call_id}_{number}", number + 1
            seen.add(id_)
            if id_ != part.tool_call_id:
                doubled.append(part.tool_call_id)
                part = replace(part, tool_call_id=id_)  # noqa: PLW2901
        parts.append(part)
    return (replace(response, parts=parts), doubled) if doubled else (response, doubled)


class Offers:
    """Tools in pydantic-ai's types, made once for each list of tools."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Sequence[ToolSpec], ModelRequestParameters]] = {}

    def of(self, tools: Sequence[ToolSpec]) -> ModelRequestParameters:
        """The tools on offer."""
        key = id(tools)
        if key not in self._made:
            if len(self._made) >= 64:
                self._made.clear()
            # The list is kept as well, so that its id stays its own.
            self._made[key] = (tools, _parameters(tools))
        return self._made[key][1]


def _parameters(tools: Sequence[ToolSpec]) -> ModelRequestParameters:
    return ModelRequestParameters(
        function_tools=[
            ToolDefinition(
                name=one.name,
                description=one.description,
                parameters_json_schema=one.parameters,
                strict=False,
            )
            for one in tools
        ]
    )
