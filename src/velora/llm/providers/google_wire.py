"""The HTTP side of the Gemini API: `streamGenerateContent`, sent and put together again.

pydantic-ai's model gives a request in the SDK's Python spelling. The SDK would build typed objects
of it and of every event of the answer; here the keys are respelt and the bytes encoded, and the
parts of the answer are joined as Google's rules for thought signatures allow.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import httpx2
import orjson

from velora.llm.failures import Failure, retry_after
from velora.llm.providers.http import encoded, failures, parsed

GOOGLE = "https://generativelanguage.googleapis.com"

_OPAQUE = frozenset({"args", "response", "parameters_json_schema", "labels"})
"""Fields whose value is the user's or the model's: its keys are not Google's."""
_TOP = frozenset(
    {"system_instruction", "tools", "tool_config", "safety_settings", "cached_content", "labels"}
)
"""Fields of pydantic-ai's configuration that are the request's own, not `generationConfig`'s."""
_LEFT_OUT = frozenset({"http_options", "response_modalities"})
_VERSION = re.compile(r"/v\d+(alpha|beta)?\d*$")
_TOO_LONG = re.compile(r"input token count.{0,40}exceeds the maximum", re.I | re.S)


def endpoint(base_url: str, model: str) -> str:
    """The URL that a model's requests go to.

    Args:
        base_url: with or without the API's version; "" is Google's own.
        model: as `gemini-2.5-pro` or `models/gemini-2.5-pro`.
    """
    root = (base_url or GOOGLE).rstrip("/")
    if not _VERSION.search(root):
        root = f"{root}/v1beta"
    path = model if "/" in model else f"models/{model}"
    return f"{root}/{path}:streamGenerateContent?alt=sse"


def request_body(contents: Iterable[Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """A request in the API's own spelling.

    Args:
        contents, config: as pydantic-ai gives them.
    """
    given = {k: v for k, v in config.items() if v is not None and k not in _LEFT_OUT}
    body = {"contents": list(contents)} | {k: v for k, v in given.items() if k in _TOP}
    if generation := {k: v for k, v in given.items() if k not in _TOP}:
        body["generation_config"] = generation
    return cast("dict[str, Any]", _respelt(body))


def _respelt(value: Any) -> Any:
    match value:
        case dict():
            return {
                camel(key): part if key in _OPAQUE else _respelt(part)
                for key, part in value.items()
                if part is not None
            }
        case list():
            return [_respelt(part) for part in value]
        case bytes():
            return base64.b64encode(value).decode()
    return value


def camel(key: str) -> str:
    """`thinking_level` as `thinkingLevel`; what is spelt so already stays."""
    first, *rest = key.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


async def send(
    client: httpx2.AsyncClient, url: str, headers: Mapping[str, str], body: dict[str, Any]
) -> dict[str, Any]:
    """Send one request and wait for the whole answer.

    Returns:
        A `GenerateContentResponse` with one candidate, or none where the prompt was blocked.

    Raises:
        Failure: there is no answer, or it is an error.
    """
    data = encoded(body)
    headers = {"content-type": "application/json", **headers}
    with failures():
        async with client.stream("POST", url, content=data, headers=headers) as answer:
            if answer.status_code != 200:
                text = await answer.aread()
                raise failure(text, status=answer.status_code, headers=answer.headers)
            assembler = Assembler()
            if "event-stream" not in answer.headers.get("content-type", ""):
                return assembler.whole(await answer.aread())
            async for piece in answer.aiter_bytes():
                assembler.feed(piece)
            return assembler.result()


def failure(
    body: bytes | Any, *, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Failure:
    """An error answer, or an error in place of an event.

    Args:
        body: text, or the JSON in it: `{"error": {"code", "message", "status", "details"}}`.
        status: the HTTP status; None where the answer had begun as a good one.
        headers: the answer's.
    """
    text = ""
    if isinstance(body, bytes):
        text = body.decode(errors="replace").strip()
        try:
            body = orjson.loads(body)
        except orjson.JSONDecodeError:
            body = None
    asked = retry_after(headers or {})
    plain = Failure.of_body(body, status=status, retry_after=asked, text=text)
    error = body[0] if isinstance(body, list) and body else body
    error = error.get("error") if isinstance(error, dict) else None
    if not isinstance(error, dict):
        return plain
    details = [one for one in error.get("details") or () if isinstance(one, dict)]
    code = plain.code
    if any(one.get("reason") == "API_KEY_INVALID" for one in details):
        code = "invalid_api_key"
    elif _TOO_LONG.search(plain.text):
        code = "context_length_exceeded"
    return Failure(plain.text, status=plain.status, code=code, retry_after=plain.retry_after)


class Assembler:
    """Takes the bytes of an event stream as they come; `result` is the answer."""

    def __init__(self) -> None:
        self._rest = b""
        self._head: dict[str, Any] = {}
        self._candidate: dict[str, Any] = {}
        self._parts: list[dict[str, Any]] = []

    def feed(self, data: bytes) -> None:
        """Take some bytes, cut anywhere.

        Raises:
            Failure: an event is an error, or is not built as an answer is.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:") and (event := line[5:].strip()):
                self._event(parsed(event, "the answer"), event)

    def whole(self, body: bytes) -> dict[str, Any]:
        """The answer in a body that is no event stream: one answer, or a list of its pieces.

        Raises:
            Failure: it is empty, an error, or holds no answer.
        """
        if not body.strip():
            raise Failure("the answer's body is empty")
        data = parsed(body, "the answer")
        for piece in data if isinstance(data, list) else [data]:
            self._event(piece, body)
        return self.result()

    def _event(self, data: Any, source: bytes) -> None:
        if isinstance(data, list) and data:
            data = data[0]
        if isinstance(data, dict) and data.get("error"):
            raise failure(data)
        try:
            self._head |= {
                key: part for key, part in data.items() if key != "candidates" and part is not None
            }
            for candidate in data.get("candidates") or ():
                if not candidate.get("index"):
                    for part in (candidate.pop("content", None) or {}).get("parts") or ():
                        self._part(part)
                    self._candidate |= candidate
        except (AttributeError, TypeError):
            text = source[:200].decode(errors="replace")
            raise Failure(f"an event is not built as an answer is: {text}") from None

    def _part(self, part: dict[str, Any]) -> None:
        last = self._parts[-1] if self._parts else {}
        # A part with a signature must go back alone: the signature holds for its place.
        if (
            "text" in part
            and "text" in last
            and not last.get("thoughtSignature")
            and not part.get("thoughtSignature")
            and bool(part.get("thought")) == bool(last.get("thought"))
        ):
            last["text"] += part["text"]
        elif part.get("text") != "" or part.get("thoughtSignature"):
            self._parts.append(dict(part))

    def result(self) -> dict[str, Any]:
        """The answer as it would have been sent whole.

        Raises:
            Failure: the stream ended before the answer did, or held none.
        """
        if self._rest.startswith(b"data:"):
            self.feed(b"\n")
        if (self._head.get("promptFeedback") or {}).get("blockReason"):
            return self._head
        if not self._candidate and not self._parts:
            raise Failure("the stream ended without an answer")
        if not self._candidate.get("finishReason"):
            raise Failure("the stream was cut before the answer's end")
        return {**self._head, "candidates": [{**self._candidate, "parts": self._parts}]}
