"""The HTTP side of OpenAI's Responses API: one streamed request, its final event handed back.

The stream's last event (`response.completed`, `.incomplete`, `.failed`) holds the whole answer, so
the hundreds of deltas before it are not even parsed. Input and tools go into the body as they are,
for the reason that `openai_wire` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import orjson
from openai import AsyncOpenAI, NotGiven, Omit
from openai.types.responses import Response

from velora.llm.failures import Failure, retry_after
from velora.llm.providers.http import encoded, failures, http_client

_NOT_BODY = frozenset({"background", "extra_body", "extra_headers", "timeout"})
_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
_READ = _LAST | {"response.output_item.done", "response.cancelled", "error"}
_FLAGGED = "usage polic"
"""In the words of `invalid_prompt` when it is the content that is objected to."""


def client(
    *, base_url: str, api_key: str, idle_timeout: float, headers: Mapping[str, str]
) -> AsyncOpenAI:
    """A client whose `responses.create` is `Responses.create`.

    Args:
        base_url: up to and including `/v1`.
        api_key: "" sends no `Authorization`.
        idle_timeout: seconds without a byte before a connection is given up.
        headers: of each request.
    """
    http = http_client(base_url, idle_timeout)
    sdk = AsyncOpenAI(base_url=base_url, api_key=api_key or "none", max_retries=0, http_client=http)
    given = {"content-type": "application/json", "accept": "text/event-stream"}
    given |= {"authorization": f"Bearer {api_key}"} if api_key else {}
    url = f"{base_url.rstrip('/')}/responses"
    # A cached property of the SDK: what lies under its name in the object is what it gives.
    vars(sdk)["responses"] = Responses(http, url, {**given, **headers})
    return sdk


class Responses:
    """`/responses`, streamed."""

    def __init__(self, http: httpx2.AsyncClient, url: str, headers: Mapping[str, str]) -> None:
        self._http = http
        self._url = url
        self._headers = dict(headers)

    async def create(self, **request: Any) -> Response:
        """Send one request and wait for the whole answer.

        Args:
            request: as for the SDK's method of this name; `extra_body` is merged into the body,
                one level deep.

        Raises:
            Failure: there is no answer, or it is an error.
        """
        body = {
            key: value
            for key, value in request.items()
            if key not in _NOT_BODY and not isinstance(value, Omit | NotGiven) and value is not None
        }
        body["stream"] = True
        for key, value in (request.get("extra_body") or {}).items():
            old = body.get(key)
            if isinstance(old, dict) and isinstance(value, dict):
                value = {**old, **value}  # noqa: PLW2901
            body[key] = value
        data = await self._send(body)
        return Response.model_construct(**_filled(data, str(body.get("model", ""))))

    async def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        sent = encoded(body)
        with failures():
            async with self._http.stream(
                "POST", self._url, content=sent, headers=self._headers
            ) as answer:
                if answer.status_code != 200:
                    text = (await answer.aread()).decode(errors="replace").strip()
                    wait = retry_after(answer.headers)
                    raise _failure(_json(text), answer.status_code, wait, text)
                if "event-stream" not in answer.headers.get("content-type", ""):
                    return whole(await answer.aread())
                assembler = Assembler()
                async for piece in answer.aiter_bytes():
                    assembler.feed(piece)
                return assembler.result()


class Assembler:
    """Takes the bytes of an event stream as they come; `result` is the answer."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._items: dict[int, dict[str, Any]] = {}
        self._answer: dict[str, Any] | None = None

    def feed(self, data: bytes) -> None:
        """Take some bytes, cut anywhere.

        Raises:
            Failure: an event is an error, or is not JSON.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"event:"):
                self._name = line[6:].strip().decode(errors="replace")
            elif not line.startswith(b"data:"):
                continue
            elif not self._name or self._name in _READ:
                self._event(line[5:].strip())
            if not line.startswith(b"event:"):
                self._name = ""

    def _event(self, data: bytes) -> None:
        if not data or data == b"[DONE]":
            return
        event = _json(data)
        if not isinstance(event, dict):
            raise Failure(f"an event is not JSON: {data[:200].decode(errors='replace')}")
        match event.get("type"):
            case "response.output_item.done":
                self._items[event.get("output_index", len(self._items))] = event["item"]
            case "response.cancelled":
                raise Failure("the provider cancelled the answer")
            case name if name in _LAST:
                self._answer = _checked(event.get("response"))
            case "error":
                raise _failure(event.get("error") or event)
            case None if event.get("error"):
                raise _failure(event)

    def result(self) -> dict[str, Any]:
        """The answer that the last event held.

        Raises:
            Failure: the stream ended before the answer did.
        """
        if self._rest.startswith(b"data:"):
            self.feed(b"\n")
        if self._answer is None:
            raise Failure("the stream was cut before the answer's end")
        if not self._answer.get("output"):
            # Some servers leave it empty there, having sent each item before.
            self._answer["output"] = [self._items[key] for key in sorted(self._items)]
        return self._answer


def whole(body: bytes) -> dict[str, Any]:
    """The answer in a body that came in one piece.

    Raises:
        Failure: it is empty, not JSON, an error, or holds no answer.
    """
    if not body.strip():
        raise Failure("the answer's body is empty")
    if body.lstrip().startswith((b"data:", b"event:")):
        assembler = Assembler()
        assembler.feed(body + b"\n")
        return assembler.result()
    data = _json(body)
    if isinstance(data, dict) and data.get("error") and "output" not in data:
        raise _failure(data)
    return _checked(data)


def _checked(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Failure(f"the answer is not built as one: {str(data)[:200]}")
    if data.get("error") or data.get("status") == "failed":
        raise _failure(data.get("error") or {"message": "the provider failed without a reason"})
    if "output" not in data and "status" not in data:
        raise Failure(f"the answer is not built as one: {str(data)[:200]}")
    return data


def _json(data: bytes | str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _failure(body: Any, status: int | None = None, wait: float = 0.0, text: str = "") -> Failure:
    found = Failure.of_body(body, status=status, retry_after=wait, text=text)
    if found.code == "invalid_prompt" and _FLAGGED in found.text.lower():
        return Failure(found.text, status=found.status or 400, code="content_policy_violation")
    return found


def _filled(data: dict[str, Any], model: str) -> dict[str, Any]:
    """An answer with the fields that servers leave out though the format demands them."""
    output = [item for item in data.get("output") or () if isinstance(item, dict)]
    thoughts = [item for item in output if item.get("type") == "reasoning"]
    lost = any(not (one.get("encrypted_content") or one.get("content")) for one in thoughts)
    for item in output:
        if item.get("type") == "reasoning":
            item["summary"] = item.get("summary") or []
        elif lost:
            # By its id the reasoning that led to it would be missed, which cannot go back.
            item["id"] = None
        for part in item.get("content") or ():
            if part.get("type") == "output_text":
                part["annotations"] = part.get("annotations") or []
    empty = {"id": "", "created_at": 0, "error": None, "incomplete_details": None}
    given = {key: value for key, value in data.items() if value is not None}
    return {**empty, "model": model, **given, "object": "response", "output": output}
