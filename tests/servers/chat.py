"""The chat-completions wire format: what a request must look like, what an answer looks like.

Errors have the statuses, codes and words that OpenAI's API uses, as far as programs react to them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from velora.journal.messages import AssistantMessage

_FIELDS = """
    frequency_penalty function_call functions logit_bias logprobs max_completion_tokens
    max_tokens messages metadata modalities model n parallel_tool_calls prediction
    presence_penalty prompt_cache_key reasoning_effort response_format safety_identifier seed
    service_tier stop store stream stream_options temperature tool_choice tools top_logprobs
    top_p user verbosity
"""
KNOWN = frozenset(_FIELDS.split())
"""The fields that a request may have."""
OPENAI_LIMITS = {"gpt-4o": 16384, "gpt-4o-mini": 16384, "gpt-4.1": 32768, "o3": 100_000}
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_REASONS = re.compile(r"o\d|gpt-5")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    type: str = "invalid_request_error"
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """The error object."""
        error = {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        return orjson.dumps({"error": error})


@dataclass(frozen=True, slots=True)
class Rules:
    """What a server insists on.

    Attributes:
        key: the only API key; "" takes any and none.
        models: the only models; empty takes any.
        max_output: the longest answer by model; a model that is not listed has no limit.
        context: prompt tokens at most (four characters are one); 0 is no limit.
        strict: fields of the request that OpenAI does not know are refused.
        reasoning: the field in which answers hold their reasoning.
        required: each assistant message with tool calls must hold that field, as Moonshot wants it.
        sees: images are taken.
    """

    key: str = ""
    models: frozenset[str] = frozenset()
    max_output: dict[str, int] = field(default_factory=lambda: dict(OPENAI_LIMITS))
    context: int = 0
    strict: bool = True
    reasoning: str = "reasoning_content"
    required: bool = False
    sees: bool = True

    def check(self, authorization: str, body: Any) -> Refusal | None:
        """What is wrong with a request, if anything."""
        if self.key and authorization != f"Bearer {self.key}":
            given = authorization.removeprefix("Bearer ") or "none"
            return Refusal(401, f"Incorrect API key provided: {given}.", "invalid_api_key")
        if not isinstance(body, dict):
            return Refusal(400, "We could not parse the JSON body of your request.")
        checks = (self._fields(body), _messages(body), self._extras(body), _tools(body))
        return next(itertools.chain(*checks), None)

    def _extras(self, body: dict[str, Any]) -> Iterator[Refusal]:
        for number, message in enumerate(body["messages"]):
            parts = message["content"] if isinstance(message.get("content"), list) else []
            if not self.sees and any(part["type"] == "image_url" for part in parts):
                yield Refusal(400, "This model does not support image inputs.", "invalid_value")
            if self.required and message.get("tool_calls") and not message.get(self.reasoning):
                yield Refusal(
                    400,
                    f"thinking is enabled but {self.reasoning} is missing in assistant tool call "
                    f"message at index {number}",
                )

    def _fields(self, body: dict[str, Any]) -> Iterator[Refusal]:
        model = body.get("model")
        if not isinstance(model, str) or not model:
            yield Refusal(400, "you must provide a model parameter")
            return
        if self.models and model not in self.models:
            message = f"The model `{model}` does not exist or you do not have access to it."
            yield Refusal(404, message, "model_not_found")
        if self.strict and (unknown := sorted(body.keys() - KNOWN)):
            yield Refusal(400, f"Unrecognized request argument supplied: {', '.join(unknown)}")
        if "stream_options" in body and not body.get("stream"):
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            yield Refusal(400, message, param="stream_options")
        if "max_tokens" in body and "max_completion_tokens" in body:
            yield Refusal(400, "Setting 'max_tokens' and 'max_completion_tokens' is not supported.")
        if _REASONS.match(model):
            yield from _reasoning(body)
        limit = self.max_output.get(model)
        for param in ("max_tokens", "max_completion_tokens"):
            asked = body.get(param, 1)
            if not isinstance(asked, int) or asked < 1:
                yield Refusal(400, f"Invalid '{param}': integer below minimum value.", param=param)
            elif limit and asked > limit:
                message = (
                    f"{param} is too large: {asked}. This model supports at most {limit} "
                    f"completion tokens, whereas you provided {asked}."
                )
                yield Refusal(400, message, "invalid_value", param)
        if self.context and (tokens := prompt_tokens(body)) > self.context:
            message = (
                f"This model's maximum context length is {self.context} tokens. However, your "
                f"messages resulted in {tokens} tokens. Please reduce the length of the messages."
            )
            yield Refusal(400, message, "context_length_exceeded", "messages")


def _reasoning(body: dict[str, Any]) -> Iterator[Refusal]:
    if "max_tokens" in body:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead."
        )
        yield Refusal(400, message, "unsupported_parameter", "max_tokens")
    for param in ("temperature", "top_p"):
        if body.get(param, 1) != 1:
            message = f"Unsupported value: '{param}' does not support this value with this model."
            yield Refusal(400, message, "unsupported_value", param)


def _messages(body: dict[str, Any]) -> Iterator[Refusal]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        yield Refusal(400, "Invalid 'messages': empty array.", param="messages")
        return
    open_calls: list[str] = []
    for number, message in enumerate(messages):
        param = f"messages.[{number}]"
        role, content = message.get("role"), message.get("content")
        if role == "tool":
            if message.get("tool_call_id") not in open_calls:
                text = "messages with role 'tool' must be a response to a preceding message with"
                yield Refusal(
                    400, f"Invalid parameter: {text} 'tool_calls'.", param=f"{param}.role"
                )
                return
            open_calls.remove(message["tool_call_id"])
            if not isinstance(content, str):
                yield Refusal(400, f"Invalid type for '{param}.content'.", param=param)
            continue
        yield from _unanswered(open_calls)
        calls = message.get("tool_calls") or []
        if role not in ("system", "developer", "user", "assistant"):
            yield Refusal(400, f"Invalid value: '{role}'.", "invalid_value", f"{param}.role")
        elif role == "user" and isinstance(content, list):
            for part in content:
                if part.get("type") not in ("text", "image_url"):
                    yield Refusal(400, f"Invalid value: '{part.get('type')}'.", param=param)
        elif not isinstance(content, str) and not (role == "assistant" and calls):
            text = f"Invalid value for 'content': expected a string, got {content}."
            yield Refusal(400, text, param=param)
        for call in calls:
            if call.get("type") != "function" or not _is_function_call(call.get("function")):
                yield Refusal(400, f"Invalid '{param}.tool_calls'.", param=param)
        open_calls = [call.get("id", "") for call in calls]
        if len(set(open_calls)) < len(open_calls):
            yield Refusal(400, f"Duplicate ids in '{param}.tool_calls'.", param=param)
    yield from _unanswered(open_calls)


def _is_function_call(function: Any) -> bool:
    return (
        isinstance(function, dict)
        and bool(_TOOL_NAME.fullmatch(str(function.get("name"))))
        and isinstance(function.get("arguments"), str)
    )


def _unanswered(open_calls: list[str]) -> Iterator[Refusal]:
    if open_calls:
        text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        )
        yield Refusal(400, text + ", ".join(open_calls), param="messages")


def _tools(body: dict[str, Any]) -> Iterator[Refusal]:
    names: set[str] = set()
    for number, tool in enumerate(body.get("tools") or ()):
        param = f"tools[{number}]"
        function = tool.get("function")
        if tool.get("type") != "function" or not isinstance(function, dict):
            yield Refusal(400, f"Invalid value for '{param}'.", param=param)
            continue
        name, schema = function.get("name"), function.get("parameters", {"type": "object"})
        if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name) or name in names:
            yield Refusal(
                400, f"Invalid '{param}.function.name': {name!r}.", "invalid_value", param
            )
        names.add(str(name))
        if fault := _schema_fault(schema):
            text = f"Invalid schema for function '{name}': {fault}."
            yield Refusal(400, text, "invalid_function_parameters", f"{param}.function.parameters")


def _schema_fault(schema: Any) -> str:
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "schema must be a JSON Schema of 'type: \"object\"'"
    properties = schema.get("properties", {})
    if not isinstance(properties, dict) or not all(
        isinstance(p, dict) for p in properties.values()
    ):
        return "'properties' must be an object of schemas"
    if missing := set(schema.get("required", ())) - properties.keys():
        return f"'required' names {sorted(missing)}, which 'properties' lacks"
    for name, part in properties.items():
        if part.get("type") == "array" and "items" not in part:
            return f"array schema '{name}' is missing items"
    return ""


def prompt_tokens(body: dict[str, Any]) -> int:
    """About how many tokens the messages of a request are."""
    return sum(len(orjson.dumps(one)) for one in body["messages"]) // 4


def completion(
    message: AssistantMessage,
    body: dict[str, Any],
    number: int,
    *,
    reasoning: str = "reasoning_content",
) -> dict[str, Any]:
    """The whole answer to a request; `reasoning` is the field for that."""
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": _assistant(message, reasoning),
                "logprobs": None,
                "finish_reason": _finish_reason(message),
            }
        ],
        "usage": usage(message, body),
        "system_fingerprint": "fp_scripted",
    }


def usage(message: AssistantMessage, body: dict[str, Any]) -> dict[str, Any]:
    """Token counts of an answer."""
    prompt = prompt_tokens(body)
    calls = sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
    reasoning = len(message.reasoning) // 4
    answer = (len(message.content) + calls) // 4 + reasoning + 1
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": prompt // 2, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
    }


def _assistant(message: AssistantMessage, reasoning: str) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": "assistant", "content": message.content or None}
    wire["refusal"] = (message.provider or {}).get("refusal")
    wire.update(_thoughts(message.reasoning, reasoning, len(message.reasoning) or 1))
    if message.tool_calls:
        wire["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    return wire


def _finish_reason(message: AssistantMessage) -> str:
    usual = "tool_calls" if message.tool_calls else "stop"
    return str((message.provider or {}).get("finish_reason", usual))


def events(
    message: AssistantMessage,
    body: dict[str, Any],
    number: int,
    *,
    piece: int,
    reasoning: str = "reasoning_content",
) -> Iterator[bytes]:
    """The same answer as server-sent events, texts cut every `piece` characters."""
    head = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": body["model"],
        "system_fingerprint": "fp_scripted",
    }
    counted = (body.get("stream_options") or {}).get("include_usage")
    tail = {"usage": None} if counted else {}

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**head, "choices": [choice], **tail})

    yield event({"role": "assistant", "content": None if message.tool_calls else ""})
    for field_, value in _thoughts(message.reasoning, reasoning, piece):
        yield event({field_: value})
    if refusal := (message.provider or {}).get("refusal"):
        yield event({"refusal": refusal})
    for text in _pieces(message.content, piece):
        yield event({"content": text})
    for index, call in enumerate(message.tool_calls):
        function = {"name": call.name, "arguments": ""}
        start = {"index": index, "id": call.id, "type": "function", "function": function}
        yield event({"tool_calls": [start]})
        for text in _pieces(call.arguments, piece):
            yield event({"tool_calls": [{"index": index, "function": {"arguments": text}}]})
    yield event({}, _finish_reason(message))
    if counted:
        yield _event({**head, "choices": [], "usage": usage(message, body)})
    yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def _thoughts(text: str, field_: str, piece: int) -> Iterator[tuple[str, Any]]:
    """Deltas of reasoning: plain texts, or blocks of which the last piece is signed."""
    texts = list(_pieces(text, piece))
    if field_ != "reasoning_details":
        yield from ((field_, one) for one in texts)
        return
    for number, one in enumerate(texts):
        block: dict[str, Any] = {"type": "reasoning.text", "text": one, "index": 0}
        if number == len(texts) - 1:
            block |= {"signature": f"sig-{len(text)}", "format": "anthropic-claude-v1"}
        yield field_, [block]
