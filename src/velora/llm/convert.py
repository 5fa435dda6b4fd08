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
    UserMessage,
)

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


def from_response(response: ModelResponse) -> AssistantMessage:
    """An answer in our types; call ids are unique in it (`with_unique_ids`)."""
    texts = [one.content for one in response.parts if isinstance(one, TextPart)]
    calls = [one for one in response.parts if isinstance(one, ToolCallPart)]
    return AssistantMessage(
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


def with_unique_ids(response: ModelResponse) -> tuple[ModelResponse, list[str]]:
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


def to_parameters(tools: Sequence[ToolSpec]) -> ModelRequestParameters:
    """The tools on offer."""
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
