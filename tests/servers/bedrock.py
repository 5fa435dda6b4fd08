"""Bedrock's ConverseStream on loopback: the event stream's framing, AWS signatures, and what the
API refuses of requests to Claude models."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import orjson

from tests.servers.claude import Cache, Memory, answer_blocks, faults, output_tokens
from tests.servers.http import Request, Sent, Wire, pieces
from velora.journal.messages import AssistantMessage

ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
_NAMES = """
    additionalModelRequestFields additionalModelResponseFieldPaths guardrailConfig inferenceConfig
    messages outputConfig performanceConfig promptVariables requestMetadata serviceTier system
    toolConfig
"""
_FIELDS = frozenset(_NAMES.split())
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MODEL = re.compile(r"(?:\w+\.)?anthropic\.(claude-[a-z0-9-]+?)(?:-v\d+(?::\d+)?)?")
_CODES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
_STOP = {"tool_use": "tool_use", "end_turn": "end_turn", "refusal": "guardrail_intervened"}
MAX_OUTPUT = {"claude-3-5-sonnet-20241022": 8192}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer."""

    status: int
    message: str

    @property
    def headers(self) -> Mapping[str, str]:
        """The error's code."""
        code = _CODES.get(self.status, "InternalServerException")
        return {"x-amzn-errortype": f"{code}:http://internal.amazon.com/coral/"}

    def body(self) -> bytes:
        """The error object."""
        return orjson.dumps({"message": self.message})


class Converse(Wire):
    """The ConverseStream API.

    Args:
        bearer: the only Bedrock API key; "" wants a signature by `SECRET_KEY` instead.
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
        bearer: str = "",
        max_output: Mapping[str, int] | None = None,
        context: int = 0,
        piece: int = 24,
    ) -> None:
        self.cache = Cache()
        self.refusals: list[str] = []
        self._memory = Memory()
        self._bearer = bearer
        self._max_output = dict(MAX_OUTPUT if max_output is None else max_output)
        self._context = context
        self._piece = piece

    def prompt(self, messages: list[dict[str, Any]]) -> str:
        """The text of the first user message."""
        found = (one["content"][0].get("text", "") for one in messages if one["role"] == "user")
        return str(next(found, ""))

    def check(self, request: Request) -> Refusal | None:
        """What is wrong with a request, if anything."""
        found = next(self._faults(request), None)
        if found is not None:
            self.refusals.append(found.message)
        return found

    def _faults(self, request: Request) -> Iterator[Refusal]:
        path = re.fullmatch(r"/model/([^/]+)/converse-stream", request.path)
        if path is None or request.method != "POST":
            yield Refusal(404, "Unknown operation")
            return
        if not self._is_signed(request):
            text = "Authentication failed: Please make sure your API Key is valid."
            other = "The request signature we calculated does not match the signature you provided."
            yield Refusal(403, text if self._bearer else other)
        body, named = request.body, _MODEL.fullmatch(unquote(path[1]))
        if named is None:
            yield Refusal(400, "The provided model identifier is invalid.")
            return
        if not isinstance(body, dict):
            yield Refusal(400, "The request body is not valid JSON")
            return
        if unknown := sorted(body.keys() - _FIELDS):
            yield Refusal(400, f"Unknown parameter in input: {unknown}")
            return
        yield from (Refusal(400, one) for one in _own_faults(body))
        translated = translate(body, named[1])
        limit = self._max_output.get(named[1])
        if limit and translated["max_tokens"] > limit:
            text = f"The maximum tokens you requested exceeds the model limit of {limit}. Try again"
            yield Refusal(400, f"{text} with a maximum tokens value that is lower than {limit}.")
        betas = ",".join(translated.pop("anthropic_beta", ()))
        if "interleaved" in betas and not re.search(r"claude-(opus|sonnet|haiku)-4", named[1]):
            yield Refusal(400, "invalid beta flag")
        for one in faults(translated, betas, self._memory):
            yield Refusal(400, f"The model returned the following errors: {one}")
        if self._context and len(orjson.dumps(body["messages"])) // 4 > self._context:
            yield Refusal(400, "Input is too long for requested model.")

    def _is_signed(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        if self._bearer:
            return given == f"Bearer {self._bearer}"
        return given == _signature(request, given)

    def failure(self, status: int, message: str) -> Refusal:
        """An error answer of this status."""
        return Refusal(status, message)

    def answer(self, message: AssistantMessage, request: Request, number: int) -> Sent:
        """The body that answers a request."""
        named = _MODEL.fullmatch(unquote(request.path.split("/")[2]))
        assert named is not None
        translated = translate(request.body, named[1])
        translated.pop("anthropic_beta", None)
        blocks = answer_blocks(message, translated, self._memory, number)
        counted = self.cache.count(translated, number)
        extra = message.provider or {}
        calls = any(one["type"] == "tool_use" for one in blocks)
        stop = extra.get("stop_reason") or ("tool_use" if calls else "end_turn")
        output = output_tokens(message)
        usage = {
            "inputTokens": counted["input_tokens"],
            "cacheReadInputTokens": counted["cache_read_input_tokens"],
            "cacheWriteInputTokens": counted["cache_creation_input_tokens"],
            "outputTokens": output,
            "totalTokens": sum(counted.values()) + output,
        }
        frames = [frame("messageStart", {"role": "assistant"})]
        for index, block in enumerate(blocks):
            frames += _block(index, block, self._piece)
        frames.append(frame("messageStop", {"stopReason": _STOP.get(stop, stop)}))
        frames.append(frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}))
        return Sent("application/vnd.amazon.eventstream", frames)


def _own_faults(body: dict[str, Any]) -> Iterator[str]:
    """What Converse itself refuses, before the model sees it."""
    uses = False
    for number, message in enumerate(body.get("messages", ())):
        for index, block in enumerate(message["content"]):
            at = f"messages.{number}.content.{index}"
            if "text" in block and not block["text"].strip():
                yield f"The text field in the ContentBlock object at {at} is blank."
            for kind in ("toolUse", "toolResult"):
                if kind in block:
                    uses = True
                    if not _ID.fullmatch(block[kind]["toolUseId"]):
                        yield f"Value at '{at}.{kind}.toolUseId' failed to satisfy constraint"
    if uses and not (body.get("toolConfig") or {}).get("tools"):
        yield "The toolConfig field must be defined when using toolUse and toolResult blocks."


def translate(body: dict[str, Any], model: str) -> dict[str, Any]:
    """A request in the form of Anthropic's own API."""
    config = body.get("inferenceConfig") or {}
    made: dict[str, Any] = {
        "model": model,
        "max_tokens": config.get("maxTokens", 4096),
        "system": _translated(body.get("system") or ()),
        "tools": _translated((body.get("toolConfig") or {}).get("tools") or ()),
        "messages": [
            {"role": one["role"], "content": _translated(one["content"])}
            for one in body["messages"]
        ],
    }
    for theirs, ours in (("temperature", "temperature"), ("topP", "top_p")):
        if theirs in config:
            made[ours] = config[theirs]
    return made | (body.get("additionalModelRequestFields") or {})


def _translated(blocks: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for block in blocks:
        if "cachePoint" in block:
            made[-1]["cache_control"] = {"type": "ephemeral"}
            continue
        made.append(_translated_one(block))
    return made


def _translated_one(block: dict[str, Any]) -> dict[str, Any]:
    match block:
        case {"text": text}:
            return {"type": "text", "text": text}
        case {"toolSpec": spec}:
            schema = spec["inputSchema"]["json"]
            return {
                "name": spec["name"],
                "description": spec["description"],
                "input_schema": schema,
            }
        case {"toolUse": use}:
            made = {"name": use["name"], "input": use["input"]}
            return {"type": "tool_use", "id": use["toolUseId"], **made}
        case {"toolResult": result}:
            content = _translated(result["content"])
            return {"type": "tool_result", "tool_use_id": result["toolUseId"], "content": content}
        case {"reasoningContent": {"reasoningText": thought}}:
            made = {"thinking": thought["text"], "signature": thought.get("signature", "")}
            return {"type": "thinking", **made}
        case {"reasoningContent": {"redactedContent": data}}:
            return {"type": "redacted_thinking", "data": base64.b64decode(data).decode()}
        case {"image": image}:
            return {"type": "image", "source": image}
    return {"type": next(iter(block), "")}


def _block(index: int, block: dict[str, Any], piece: int) -> list[bytes]:
    def delta(fields: dict[str, Any]) -> bytes:
        return frame("contentBlockDelta", {"contentBlockIndex": index, "delta": fields})

    frames: list[bytes] = []
    match block["type"]:
        case "text":
            frames = [delta({"text": one}) for one in pieces(block["text"], piece)]
        case "thinking":
            frames = [
                delta({"reasoningContent": {"text": one}})
                for one in pieces(block["thinking"], piece)
            ]
            frames.append(delta({"reasoningContent": {"signature": block["signature"]}}))
        case "redacted_thinking":
            data = base64.b64encode(block["data"].encode()).decode()
            frames = [delta({"reasoningContent": {"redactedContent": data}})]
        case "tool_use":
            start = {"toolUse": {"toolUseId": block["id"], "name": block["name"]}}
            frames = [frame("contentBlockStart", {"contentBlockIndex": index, "start": start})]
            frames += [delta({"toolUse": {"input": one}}) for one in pieces(block["input"], piece)]
    return [*frames, frame("contentBlockStop", {"contentBlockIndex": index})]


def frame(kind: str, body: dict[str, Any], *, exception: bool = False) -> bytes:
    """One message of AWS's event stream: lengths and headers, payload, checksums."""
    names = {
        ":message-type": "exception" if exception else "event",
        ":exception-type" if exception else ":event-type": kind,
        ":content-type": "application/json",
    }
    headers = b"".join(
        struct.pack("!B", len(name))
        + name.encode()
        + struct.pack("!BH", 7, len(value))
        + value.encode()
        for name, value in names.items()
    )
    payload = orjson.dumps(body)
    prelude = struct.pack("!II", len(headers) + len(payload) + 16, len(headers))
    prelude += struct.pack("!I", binascii.crc32(prelude))
    message = prelude + headers + payload
    return message + struct.pack("!I", binascii.crc32(message))


def _signature(request: Request, given: str) -> str:
    """The Authorization header that AWS's signature version 4 gives for a request."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/(\w+)/aws4_request, "
        r"SignedHeaders=([\w;-]+), Signature=\w+",
        given,
    )
    if found is None or found[1] != ACCESS_KEY:
        return "none"
    _, day, region, service, signed = found.groups()
    headers = "".join(f"{name}:{request.headers[name]}\n" for name in signed.split(";"))
    path = quote(request.path, safe="/~")
    hashed = hashlib.sha256(request.data).hexdigest()
    canonical = f"{request.method}\n{path}\n\n{headers}\n{signed}\n{hashed}"
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{digest}"
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    mac = hmac.new(key, text.encode(), "sha256").hexdigest()
    return (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={signed}, Signature={mac}"
    )
