"""Anthropic's Messages API on loopback: the wire format, and what the API refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.servers.claude import Cache, Memory, answer_blocks, dropped, faults, output_tokens
from tests.servers.http import Request, Sent, Wire, pieces
from velora.journal.messages import AssistantMessage

_FIELDS = """
    cache_control container context_management diagnostics max_tokens mcp_servers messages metadata
    model output_config service_tier stop_sequences stream system temperature thinking tool_choice
    tools top_k top_p
"""
KNOWN = frozenset(_FIELDS.split())
MAX_OUTPUT = {"claude-3-5-sonnet-20241022": 8192, "claude-sonnet-4-5": 64_000}
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
OVERLOADED = (
    b"event: error\n"
    b'data: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer."""

    status: int
    message: str
    type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """The error object."""
        kind = self.type or _TYPES.get(self.status, "api_error")
        error = {"type": kind, "message": self.message}
        return orjson.dumps({"type": "error", "error": error, "request_id": "req_1"})


class Messages(Wire):
    """The Messages API.

    Args:
        key: the only API key; "" takes any and none.
        models: the only models; empty takes any.
        max_output: the longest answer by model; a model that is not listed has no limit.
        context: prompt tokens at most; 0 is no limit.
        piece: characters of a text in one streamed delta.

    Attributes:
        cache: what was kept of prompts, and how the prompts began.
        refusals: what was wrong with the requests that were refused.
    """

    def __init__(
        self,
        *,
        key: str = "",
        models: frozenset[str] = frozenset(),
        max_output: Mapping[str, int] | None = None,
        context: int = 0,
        piece: int = 24,
    ) -> None:
        self.cache = Cache()
        self.refusals: list[str] = []
        self._memory = Memory()
        self._key = key
        self._models = models
        self._max_output = dict(MAX_OUTPUT if max_output is None else max_output)
        self._context = context
        self._piece = piece

    def prompt(self, messages: list[dict[str, Any]]) -> str:
        """The text of the first user message."""
        content = next((one["content"] for one in messages if one["role"] == "user"), "")
        texts = [content] if isinstance(content, str) else [b.get("text", "") for b in content[:1]]
        return "".join(texts)

    def check(self, request: Request) -> Refusal | None:
        """What is wrong with a request, if anything."""
        found = next(self._faults(request), None)
        if found is not None:
            self.refusals.append(found.message)
        return found

    def _faults(self, request: Request) -> Iterator[Refusal]:
        if request.path.partition("?")[0] != "/v1/messages":
            yield Refusal(404, "Not found")
        if request.method != "POST":
            yield Refusal(405, "Method Not Allowed")
        given = (request.headers.get("x-api-key"), request.headers.get("authorization"))
        if self._key and not {self._key, f"Bearer {self._key}"} & {*given}:
            yield Refusal(401, "invalid API key")
        if "anthropic-version" not in request.headers:
            yield Refusal(400, "anthropic-version: header is required")
        body = request.body
        if not isinstance(body, dict):
            yield Refusal(400, "The request body is not valid JSON")
            return
        if unknown := sorted(body.keys() - KNOWN):
            yield Refusal(400, f"{unknown[0]}: Extra inputs are not permitted")
        for name in ("model", "max_tokens", "messages"):
            if name not in body:
                yield Refusal(400, f"{name}: Field required")
                return
        if self._models and body["model"] not in self._models:
            yield Refusal(404, f"model: {body['model']}")
        limit, asked = self._max_output.get(body["model"]), body["max_tokens"]
        if not isinstance(asked, int) or asked < 1:
            yield Refusal(400, "max_tokens: Input should be greater than or equal to 1")
        elif limit and asked > limit:
            text = "which is the maximum allowed number of output tokens for"
            yield Refusal(400, f"max_tokens: {asked} > {limit}, {text} {body['model']}")
        betas = request.headers.get("anthropic-beta", "")
        yield from (Refusal(400, one) for one in faults(body, betas, self._memory))
        tokens = len(orjson.dumps(body["messages"])) // 4
        if self._context and tokens > self._context:
            yield Refusal(400, f"prompt is too long: {tokens} tokens > {self._context} maximum")

    def failure(self, status: int, message: str) -> Refusal:
        """An error answer of this status."""
        return Refusal(status, message)

    def answer(self, message: AssistantMessage, request: Request, number: int) -> Sent:
        """The body that answers a request."""
        body = request.body
        blocks = answer_blocks(message, body, self._memory, number)
        extra = message.provider or {}
        usage = self.cache.count(body, number)
        calls = any(one["type"] == "tool_use" for one in blocks)
        head = {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**usage, "output_tokens": 1, "service_tier": "standard"},
        }
        end = {
            "stop_reason": extra.get("stop_reason") or ("tool_use" if calls else "end_turn"),
            "stop_sequence": None,
        }
        if dropped(body):
            reason = {"type": "thinking_dropped", "reason": "prefix_binding_mismatch"}
            head["input_transformations"] = [reason]
        if "stop_details" in extra:
            end["stop_details"] = extra["stop_details"]
        output: dict[str, Any] = {"output_tokens": output_tokens(message)}
        if thought := sum(len(one.get("thinking", "")) for one in blocks) // 4:
            output["output_tokens_details"] = {"thinking_tokens": thought}
        if body.get("stream"):
            events = _events(head, blocks, end, output, self._piece)
            return Sent("text/event-stream; charset=utf-8", [_event(one) for one in events])
        content = [
            {**one, "input": orjson.loads(one["input"])} if one["type"] == "tool_use" else one
            for one in blocks
        ]
        whole = {**head, **end, "content": content, "usage": {**usage, **output}}
        return Sent("application/json", [orjson.dumps(whole)])


def _events(
    head: dict[str, Any],
    blocks: list[dict[str, Any]],
    end: dict[str, Any],
    usage: dict[str, Any],
    piece: int,
) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": head}
    yield {"type": "ping"}
    for index, block in enumerate(blocks):
        yield from _block_events(index, block, piece)
    yield {"type": "message_delta", "delta": end, "usage": usage}
    yield {"type": "message_stop"}


def _block_events(index: int, block: dict[str, Any], piece: int) -> Iterator[dict[str, Any]]:
    def delta(**fields: Any) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": fields}

    start = dict(block)
    deltas: list[dict[str, Any]] = []
    match block["type"]:
        case "text":
            start["text"] = ""
            deltas = [delta(type="text_delta", text=one) for one in pieces(block["text"], piece)]
        case "thinking":
            start |= {"thinking": "", "signature": ""}
            deltas = [
                delta(type="thinking_delta", thinking=one)
                for one in pieces(block["thinking"], piece)
            ]
            deltas.append(delta(type="signature_delta", signature=block["signature"]))
        case "tool_use":
            start["input"] = {}
            deltas = [delta(type="input_json_delta", partial_json="")]
            deltas += [
                delta(type="input_json_delta", partial_json=one)
                for one in pieces(block["input"], piece)
            ]
    yield {"type": "content_block_start", "index": index, "content_block": start}
    yield from deltas
    yield {"type": "content_block_stop", "index": index}


def _event(data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (data["type"].encode(), orjson.dumps(data))
