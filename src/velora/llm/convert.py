"""Our conversation in pydantic-ai's types and its answers in ours.

An answer that is plain text and tool calls is told by our own fields. One that holds more
(reasoning, signatures, a provider's extra data) keeps pydantic-ai's record of it as JSON in
`AssistantMessage.provider`, which is sent back unchanged to the model that wrote it. Any other
model is told the answer by our own fields: what one provider signs or encrypts another refuses.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
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


_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
NO_IMAGES = "[Images are left out: the model is not shown any.]"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a conversation is converted for.

    Attributes:
        name: the API and the model, as `google/gemini-3-pro`; records of this name go back.
        call_id: what a call's id may look like. Other ids are replaced, always by the same one.
        images: where an observation's images go: into the tool's result, into a user message
            after the results, or nowhere.
    """

    name: str
    call_id: re.Pattern[str] = _PLAIN_ID
    images: Literal["result", "user", "none"] = "result"


def to_history(messages: Sequence[Message], reader: Reader) -> list[ModelMessage]:
    """A conversation as pydantic-ai takes it; the results of one answer's calls are one request."""
    return list(_history(messages, reader))


def _history(messages: Sequence[Message], reader: Reader) -> Iterator[ModelMessage]:
    results: list[ModelRequestPart] = []
    seen: list[UserContent] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            results.append(_result(message, reader, seen))
            continue
        yield from _results(results, seen)
        results, seen = [], []
        match message:
            case AssistantMessage():
                yield _response(message, reader)
            case UserMessage(content=content):
                yield ModelRequest(parts=[UserPromptPart(content)])
            case SystemMessage(content=content):
                yield ModelRequest(parts=[SystemPromptPart(content)])
    yield from _results(results, seen)


def _results(results: list[ModelRequestPart], seen: list[UserContent]) -> Iterator[ModelMessage]:
    if results:
        yield ModelRequest(parts=[*results, UserPromptPart(seen)] if seen else results)


def _result(message: ToolMessage, reader: Reader, seen: list[UserContent]) -> ToolReturnPart:
    """One observation; images that go elsewhere are added to `seen`."""
    content: Any = message.content
    if message.images:
        images = [
            BinaryContent(base64.b64decode(one.data), media_type=one.media_type)
            for one in message.images
        ]
        if reader.images == "result":
            content = [content, *images]
        elif reader.images == "user":
            seen.extend([f"What {message.name} shows:", *images])
        else:
            content = f"{content}\n{NO_IMAGES}".lstrip()
    return ToolReturnPart(message.name, content, call_id(message.call_id, reader))


def call_id(id_: str, reader: Reader) -> str:
    """A call's id as `reader` takes it: those of other providers may be too long for it, say."""
    if reader.call_id.fullmatch(id_):
        return id_
    return f"call_{hashlib.sha256(id_.encode(errors='replace')).hexdigest()[:24]}"


def _response(message: AssistantMessage, reader: Reader) -> ModelResponse:
    response = _recorded(message, reader)
    if response is not None:
        return response
    parts: list[ModelResponsePart] = [TextPart(message.content)] if message.content else []
    parts += [
        ToolCallPart(one.name, one.arguments, call_id(one.id, reader)) for one in message.tool_calls
    ]
    return ModelResponse(parts=parts)


def _recorded(message: AssistantMessage, reader: Reader) -> ModelResponse | None:
    """The record of an answer if `reader` wrote it and it still tells the same calls."""
    data = message.provider
    if not data or data.get("kind") != "response":
        return None
    if (data.get("metadata") or {}).get("writer") != reader.name:
        return None
    response = data.response if isinstance(data, Record) else _RESPONSE.validate_python(data)
    ids = [one.tool_call_id for one in response.parts if isinstance(one, ToolCallPart)]
    return response if ids == [one.id for one in message.tool_calls] else None


def from_response(response: ModelResponse, writer: str) -> Answer:
    """A provider's answer in our types.

    Args:
        response: as the provider's adapter made it.
        writer: the `Reader.name` that the answer's record goes back to.
    """
    response, doubled = _with_unique_ids(replace(response, metadata={"writer": writer}))
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
    """Tools in pydantic-ai's types, made once for each list of tools.

    Args:
        schema: makes a tool's parameters fit for the provider.
    """

    def __init__(self, schema: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> None:
        self._schema = schema or (lambda given: given)
        self._made: dict[int, tuple[Sequence[ToolSpec], ModelRequestParameters]] = {}

    def of(self, tools: Sequence[ToolSpec]) -> ModelRequestParameters:
        """The tools on offer."""
        key = id(tools)
        if key not in self._made:
            if len(self._made) >= 64:
                self._made.clear()
            # The list is kept as well, so that its id stays its own.
            self._made[key] = (tools, self._parameters(tools))
        return self._made[key][1]

    def _parameters(self, tools: Sequence[ToolSpec]) -> ModelRequestParameters:
        return ModelRequestParameters(
            function_tools=[
                ToolDefinition(
                    name=one.name,
                    description=one.description,
                    parameters_json_schema=self._schema(one.parameters),
                    strict=False,
                )
                for one in tools
            ]
        )
