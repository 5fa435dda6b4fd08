"""What OpenAI's Responses API insists on, in its own words as far as programs meet them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tests.servers.chat import Refusal

_FIELDS = """
    background context_management conversation include input instructions max_output_tokens
    max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier
    service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p
    truncation user
"""
_ITEMS = {
    "message": "type id role content status phase",
    "reasoning": "type id summary content encrypted_content status",
    "function_call": "type id call_id name arguments status namespace",
    "function_call_output": "type id call_id output status",
}
_ROLES = ("user", "system", "developer", "assistant")
_REASONS = re.compile(r"(o\d|gpt-[5-9]|codex)(?!.*-chat)")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def reasons(model: str) -> bool:
    """Whether a model reasons."""
    return bool(_REASONS.match(model))


@dataclass(frozen=True, slots=True)
class Rules:
    """What a server insists on.

    Attributes:
        key: the only API key; "" takes any and none.
        context: prompt tokens at most (four characters are one); 0 is no limit.
        readable: encrypted content can be decrypted; another organisation's cannot.
    """

    key: str = ""
    context: int = 0
    readable: bool = True

    def check(
        self, authorization: str, body: Any, made: Mapping[str, Mapping[str, Any]]
    ) -> Refusal | None:
        """What is wrong with a request, if anything.

        Args:
            made: items by id: a reasoning item's `secret` and `next`, another's `after`.
        """
        if self.key and authorization != f"Bearer {self.key}":
            return Refusal(401, "Incorrect API key provided.", "invalid_api_key")
        if not isinstance(body, dict):
            return Refusal(400, "We could not parse the JSON body of your request.")
        checks = itertools.chain(
            _fields(body),
            _tools(body.get("tools", [])),
            _items(body.get("input")),
            _calls(body.get("input")),
            self._reasoning(body, made),
            self._length(body),
        )
        return next(iter(checks), None)

    def _length(self, body: dict[str, Any]) -> Iterator[Refusal]:
        if self.context and len(orjson.dumps(body["input"])) // 4 > self.context:
            text = "Your input exceeds the context window of this model. Please adjust your input"
            yield Refusal(400, f"{text} and try again.", "context_length_exceeded", "input")

    def _reasoning(
        self, body: dict[str, Any], made: Mapping[str, Mapping[str, Any]]
    ) -> Iterator[Refusal]:
        """Reasoning comes back whole, before what it led to; what it led to comes with it."""
        items = body["input"]
        there = {item.get("id") for item in items}
        for place, item in enumerate(items):
            id_ = item.get("id")
            if item.get("type") == "reasoning":
                known = made.get(id_, {})
                if not item.get("encrypted_content"):
                    text = (
                        f"Item with id '{id_}' not found. Items are not persisted when `store` is "
                        "set to false. Try again with `store` set to true, or remove this item "
                        "from your input."
                    )
                    yield Refusal(404, text, param="input")
                elif item["encrypted_content"] != known.get("secret") or not self.readable:
                    text = (
                        f"The encrypted content for item {id_} could not be verified. Reason: "
                        "Encrypted content could not be decrypted or parsed."
                    )
                    yield Refusal(400, text, "invalid_encrypted_content")
                after = items[place + 1] if place + 1 < len(items) else {}
                if after.get("id") != known.get("next"):
                    text = "was provided without its required following item."
                    yield Refusal(400, f"Item '{id_}' of type 'reasoning' {text}", param="input")
            elif id_ is not None:
                needed = made.get(id_, {}).get("after")
                if needed and needed not in there:
                    text = f"was provided without its required 'reasoning' item: '{needed}'."
                    yield Refusal(400, f"Item '{id_}' of type '{item['type']}' {text}")


def _fields(body: dict[str, Any]) -> Iterator[Refusal]:
    for key in sorted(body.keys() - set(_FIELDS.split())):
        yield Refusal(400, f"Unknown parameter: '{key}'.", "unknown_parameter", key)
    model = body.get("model")
    if not isinstance(model, str) or not model:
        yield Refusal(400, "Missing required parameter: 'model'.", "missing_required_parameter")
        return
    if body.get("store") is False and body.get("previous_response_id"):
        text = "Previous response cannot be used for this organization due to Zero Data Retention."
        yield Refusal(400, text, "unsupported_parameter", "previous_response_id")
    if body.get("previous_response_id"):
        given = body["previous_response_id"]
        text = f"Previous response with id '{given}' not found."
        yield Refusal(400, text, "previous_response_not_found", "previous_response_id")
    if body.get("max_output_tokens", 16) < 16:
        text = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16."
        yield Refusal(400, text, "integer_below_min_value", "max_output_tokens")
    reasoning = body.get("reasoning") or {}
    if reasoning and not reasons(model):
        text = "Unsupported parameter: 'reasoning.effort' is not supported with this model."
        yield Refusal(400, text, "unsupported_parameter", "reasoning.effort")
    if reasons(model) and reasoning.get("effort") != "none":
        for param in ("temperature", "top_p"):
            if param in body:
                text = f"Unsupported parameter: '{param}' is not supported with this model."
                yield Refusal(400, text, "unsupported_parameter", param)
    if "reasoning.encrypted_content" in body.get("include", ()) and not reasons(model):
        yield Refusal(400, "Encrypted content is not supported with this model.", param="include")


def _tools(tools: Any) -> Iterator[Refusal]:
    for number, tool in enumerate(tools):
        where = f"tools[{number}]"
        if tool.get("type") != "function":
            yield Refusal(400, f"Invalid value: '{tool.get('type')}'.", param=f"{where}.type")
        elif not _NAME.fullmatch(str(tool.get("name", ""))):
            text = f"Missing required parameter: '{where}.name'."
            yield Refusal(400, text, "missing_required_parameter", f"{where}.name")
        elif (tool.get("parameters") or {}).get("type") != "object":
            text = f"Invalid schema for function '{tool['name']}'."
            yield Refusal(400, text, "invalid_function_parameters", f"{where}.parameters")
        elif tool.get("strict", True) is not False:
            # The API's own default is strict, which no schema with an optional field passes.
            text = (
                f"Invalid schema for function '{tool['name']}': 'additionalProperties' is required"
            )
            yield Refusal(400, text, "invalid_function_parameters", f"{where}.parameters")


def _items(items: Any) -> Iterator[Refusal]:
    if not isinstance(items, list) or not items:
        yield Refusal(400, "Missing required parameter: 'input'.", "missing_required_parameter")
        return
    ids: set[str] = set()
    for number, item in enumerate(items):
        where = f"input[{number}]"
        kind = item.get("type", "message")
        if kind not in _ITEMS:
            yield Refusal(400, f"Invalid value: '{kind}'.", "invalid_value", where)
            continue
        for key in sorted(item.keys() - set(_ITEMS[kind].split())):
            text = f"Unknown parameter: '{where}.{key}'."
            yield Refusal(400, text, "unknown_parameter", f"{where}.{key}")
        if kind == "message":
            yield from _message(item, where)
        elif kind.startswith("function_call") and not 0 < len(item.get("call_id", "")) <= 64:
            text = f"Invalid '{where}.call_id': string too long. Expected at most 64 characters."
            yield Refusal(400, text, "string_above_max_length", f"{where}.call_id")
        if kind == "function_call" and not _NAME.fullmatch(item.get("name", "")):
            text = f"Invalid '{where}.name': string does not match pattern."
            yield Refusal(400, text, "invalid_value", f"{where}.name")
        if (id_ := item.get("id")) in ids:
            yield Refusal(400, f"Duplicate item found with id {id_}.", "invalid_value", where)
        if id_:
            ids.add(id_)


def _message(item: dict[str, Any], where: str) -> Iterator[Refusal]:
    role, content = item.get("role"), item.get("content")
    if role not in _ROLES:
        yield Refusal(400, f"Invalid value: '{role}'.", "invalid_value", f"{where}.role")
    if isinstance(content, str):
        return
    known = ("output_text", "refusal") if role == "assistant" else ("input_text", "input_image")
    for place, part in enumerate(content or ()):
        if part.get("type") not in known:
            param = f"{where}.content[{place}]"
            yield Refusal(400, f"Invalid value: '{part.get('type')}'.", "invalid_value", param)


def _calls(items: Any) -> Iterator[Refusal]:
    """Every call has one output, after it; every output a call."""
    asked: dict[str, int] = {}
    for item in items:
        if item.get("type") == "function_call":
            asked[item["call_id"]] = asked.get(item["call_id"], 0) + 1
        elif item.get("type") == "function_call_output":
            if not asked.get(item["call_id"]):
                text = (
                    f"No tool call found for function call output with call_id {item['call_id']}."
                )
                yield Refusal(400, text, param="input")
            asked[item["call_id"]] = asked.get(item["call_id"], 0) - 1
    for call_id, left in asked.items():
        if left > 0:
            yield Refusal(400, f"No tool output found for function call {call_id}.", param="input")
