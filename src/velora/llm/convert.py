"""Our conversation in pydantic-ai's types and its answers in ours.

An answer that is plain text and tool calls is told by our own fields. One that holds more
(reasoning, signatures, a provider's extra data) keeps pydantic-ai's record of it as JSON in
`AssistantMessage.provider`, which is sent back unchanged to the model that wrote it. Any other
model is told the answer by our own fields: what one provider signs or encrypts another refuses.
"""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import orjson
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
from velora.llm.history_ids import HistoryIds

_FINISH = {"stop": "stop", "length": "length", "tool_call": "tool_calls"}
_RESPONSE: TypeAdapter[ModelResponse] = TypeAdapter(ModelResponse)


class Record(dict[str, Any]):
    """A `ModelResponse` as JSON that remembers the object it was made from.

    A history is converted anew for each request; this spares the parsing of each of its answers.
    """

    __slots__ = ("response",)
    response: ModelResponse


class _Decoded:
    """The responses that records read back from a journal were parsed to, the latest ones kept.

    A conversation holds the same record objects in all its requests, so a record is told by its
    identity; it is kept beside its response, which keeps its id its own.
    """

    def __init__(self, most: int = 8192) -> None:
        self._most = most
        self._known: OrderedDict[int, tuple[dict[str, Any], ModelResponse]] = OrderedDict()

    def of(self, data: dict[str, Any]) -> ModelResponse:
        found = self._known.get(id(data))
        if found is not None:
            self._known.move_to_end(id(data))
            return found[1]
        response = _RESPONSE.validate_python(data)
        self._known[id(data)] = (data, response)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return response


_DECODED = _Decoded()
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_TEXTUAL = (TextPart, ToolReturnPart, UserPromptPart)
NO_IMAGES = "[Images are left out: the model is not shown any.]"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a conversation is converted for.

    Attributes:
        name: the API and the model, as `google/gemini-3-pro`; records of this name go back.
        call_id: what a call's id may look like. Other ids are replaced, always by the same one.
        images: where an observation's images go: into the tool's result, into a user message
            after the results, or nowhere.
        tool_name: characters that a tool's name may not have; they are replaced in calls of other
            models, which may have called what is no tool.
        solid: blank texts are refused. Those of answers are left out, and answers that hold nothing
            else but thoughts; in other places `BLANK` stands for them. What stands between two
            answers becomes one request.
    """

    name: str
    call_id: re.Pattern[str] = _PLAIN_ID
    images: Literal["result", "user", "none"] = "result"
    tool_name: re.Pattern[str] | None = None
    solid: bool = False


BLANK = "(empty)"
"""What stands for a blank text where a provider refuses one."""


def to_history(messages: Sequence[Message], reader: Reader) -> list[ModelMessage]:
    """A conversation as pydantic-ai takes it; the results of one answer's calls are one request."""
    history = _history(messages, reader)
    return _solid(history) if reader.solid else list(history)


def _solid(history: Iterable[ModelMessage]) -> list[ModelMessage]:
    solid: list[ModelMessage] = []
    for message in history:
        if isinstance(message, ModelResponse):
            kept = [part for part in message.parts if not _is_blank(part)]
            if not all(isinstance(part, ThinkingPart) for part in kept):
                same = len(kept) == len(message.parts)
                solid.append(message if same else replace(message, parts=kept))
            continue
        parts = [_filled(part) if _is_blank(part) else part for part in message.parts]
        if solid and isinstance(last := solid[-1], ModelRequest):
            solid[-1] = replace(last, parts=[*last.parts, *parts])
        else:
            solid.append(replace(message, parts=parts))
    return solid


def _filled(part: ModelRequestPart) -> ModelRequestPart:
    return cast("ModelRequestPart", replace(cast("Any", part), content=BLANK))


def _is_blank(part: ModelRequestPart | ModelResponsePart) -> bool:
    return isinstance(part, _TEXTUAL) and isinstance(part.content, str) and not part.content.strip()


def _history(messages: Sequence[Message], reader: Reader) -> Iterator[ModelMessage]:
    results: list[ModelRequestPart] = []
    seen: list[UserContent] = []
    ids = HistoryIds(reader.call_id)
    for message in messages:
        if isinstance(message, ToolMessage):
            results.append(_result(message, reader, ids, seen))
            continue
        yield from _results(results, seen)
        results, seen = [], []
        match message:
            case AssistantMessage():
                yield _response(message, reader, ids)
            case UserMessage(content=content):
                yield ModelRequest(parts=[UserPromptPart(content)])
            case SystemMessage(content=content):
                yield ModelRequest(parts=[SystemPromptPart(content)])
    yield from _results(results, seen)


def _results(results: list[ModelRequestPart], seen: list[UserContent]) -> Iterator[ModelMessage]:
    if results:
        yield ModelRequest(parts=[*results, UserPromptPart(seen)] if seen else results)


def _result(
    message: ToolMessage, reader: Reader, ids: HistoryIds, seen: list[UserContent]
) -> ToolReturnPart:
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
    name = _tool_name(message.name, reader)
    return ToolReturnPart(name, content, ids.of(message.call_id))


def _response(message: AssistantMessage, reader: Reader, ids: HistoryIds) -> ModelResponse:
    given = [one.id for one in message.tool_calls]
    response = _recorded(message, reader)
    if response is not None:
        ids.keep(given)
        return response
    parts: list[ModelResponsePart] = [TextPart(message.content)] if message.content else []
    parts += [
        ToolCallPart(_tool_name(one.name, reader), one.arguments, id_)
        for one, id_ in zip(message.tool_calls, ids.give(given), strict=True)
    ]
    return ModelResponse(parts=parts)


def _tool_name(name: str, reader: Reader) -> str:
    if reader.tool_name is None:
        return name
    return reader.tool_name.sub("_", name)[:64] or "unknown"


def _recorded(message: AssistantMessage, reader: Reader) -> ModelResponse | None:
    """The record of an answer if `reader` wrote it and it still tells the same calls."""
    data = message.provider
    if not data or data.get("kind") != "response":
        return None
    if (data.get("metadata") or {}).get("writer") != reader.name:
        return None
    response = data.response if isinstance(data, Record) else _DECODED.of(data)
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
        reasoning=reasoning(response),
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


def reasoning(response: ModelResponse) -> str:
    """What can be read of an answer's reasoning."""
    texts = (one.content for one in response.parts if isinstance(one, ThinkingPart))
    return "\n\n".join(text for text in texts if text)


def _usage(response: ModelResponse) -> Usage | None:
    usage = response.usage
    if not (usage.input_tokens or usage.output_tokens):
        return None
    return Usage(
        prompt=usage.input_tokens or 0,
        completion=usage.output_tokens or 0,
        cache_read=usage.cache_read_tokens or 0,
        cache_write=usage.cache_write_tokens or 0,
        reasoning=usage.details.get("reasoning_tokens", 0) or usage.output_reasoning_tokens or 0,
    )


def arguments(call: ToolCallPart) -> str:
    """A call's arguments exactly as the model wrote them."""
    return call.args if isinstance(call.args, str) else call.args_as_json_str()


def written(call: ToolCallPart) -> str:
    """A call's arguments exactly as the model wrote them if that is an object; "" if not.

    Several servers parse the arguments of the history and fail on what is no object.
    """
    text = arguments(call)
    try:
        return text if isinstance(orjson.loads(text), dict) else ""
    except orjson.JSONDecodeError:
        return ""


def _is_plain(response: ModelResponse, texts: int) -> bool:
    return texts <= 1 and all(
        isinstance(one, TextPart | ToolCallPart) and not one.provider_details and not one.id
        for one in response.parts
    )


def _record(response: ModelResponse) -> Record:
    # What was counted stands in the completion already.
    kept = _RESPONSE.dump_python(response, mode="json", exclude_none=True, exclude={"usage"})
    record = Record(kept)
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
