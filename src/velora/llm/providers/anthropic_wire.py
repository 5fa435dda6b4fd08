"""The HTTP side of Anthropic's Messages API: the SDK's client, with one method of our own.

`create` is what pydantic-ai calls to send a request. Ours always streams, so that a dead
connection is told from a model that thinks (`idle_timeout`), puts the answer together itself
(`anthropic_stream`), and marks what the provider may keep of the prompt. The body goes out as it
is: the SDK's own way walks through the whole conversation with type hints at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from anthropic import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AsyncAnthropic,
    NotGiven,
    Omit,
)
from anthropic.resources.beta.messages import AsyncMessages
from anthropic.types.beta import BetaMessage

from velora.llm.failures import Failure, retry_after
from velora.llm.providers.anthropic_stream import Assembler, failure_of, whole
from velora.llm.providers.claude import last_of_user
from velora.llm.providers.http import describe, encodable, failures, http_client, time_limits

ANTHROPIC = "https://api.anthropic.com"
_NOT_BODY = ("betas", "extra_body", "extra_headers", "extra_query", "stream", "timeout")
_MARK = {"type": "ephemeral"}


def client(*, base_url: str, api_key: str, idle_timeout: float, caching: bool) -> AsyncAnthropic:
    """A client whose `beta.messages.create` is `Messages.create`.

    Args:
        base_url: with or without `/v1`.
        api_key: "" sends no key.
        idle_timeout: seconds without a byte before a connection is given up.
        caching: mark what the provider may keep of a prompt.
    """
    root = base_url.rstrip("/").removesuffix("/v1")
    sdk = AsyncAnthropic(
        base_url=root,
        api_key=api_key or "none",
        max_retries=0,
        http_client=http_client(root, idle_timeout),
        timeout=time_limits(idle_timeout),
    )
    # A cached property of the SDK: what lies under its name in the object is what it gives.
    vars(sdk.beta)["messages"] = Messages(sdk, keyless=not api_key, caching=caching)
    return sdk


class Messages(AsyncMessages):
    """`/v1/messages`, streamed and put together again."""

    def __init__(self, sdk: AsyncAnthropic, *, keyless: bool, caching: bool) -> None:
        super().__init__(sdk)
        self._keyless = keyless
        self._caching = caching
        self._plain = AsyncMessages(sdk)

    async def create(self, **request: Any) -> Any:
        """Send one request and wait for the whole answer.

        Args:
            request: as for the SDK's method of this name.

        Raises:
            Failure: there is no answer, or the answer is an error.
            APIStatusError: the status says so. pydantic-ai asks again where it knows a remedy.
        """
        body = {
            key: value
            for key, value in request.items()
            if key not in _NOT_BODY and not isinstance(value, NotGiven | Omit) and value is not None
        }
        body |= {"stream": True, **(request.get("extra_body") or {})}
        if self._caching:
            mark(body)
        headers = dict(request.get("extra_headers") or {})
        if self._keyless:
            headers = {"Authorization": Omit(), **headers}
        betas = request.get("betas") or ()
        known = {"betas": list(betas)} if betas and not isinstance(betas, Omit) else {}
        try:
            data = await self._send(body, headers, known)
        except UnicodeEncodeError:
            # Half a surrogate pair, as JSON may hold and UTF-8 may not.
            data = await self._send(encodable(body), headers, known)
        return BetaMessage.construct(**data)

    async def _send(
        self, body: dict[str, Any], headers: dict[str, Any], known: dict[str, Any]
    ) -> dict[str, Any]:
        with failures():
            async with self._plain.with_streaming_response.create(
                max_tokens=1, messages=(), model="", extra_body=body, extra_headers=headers, **known
            ) as answer:
                if "event-stream" not in answer.headers.get("content-type", ""):
                    return whole(await answer.read())
                assembler = Assembler()
                async for data in answer.iter_bytes():
                    assembler.feed(data)
                return assembler.result()


def mark(body: dict[str, Any]) -> None:
    """Set cache breakpoints: after the tools, after the system prompt, after the last messages.

    Nothing before a breakpoint changes from one request of a conversation to the next but the
    marks themselves, which are no part of what is compared.
    """
    if tools := body.get("tools"):
        tools[-1] = {**tools[-1], "cache_control": _MARK}
    if system := body.get("system"):
        blocks = [{"type": "text", "text": system}] if isinstance(system, str) else list(system)
        blocks[-1] = {**blocks[-1], "cache_control": _MARK}
        body["system"] = blocks
    messages = body["messages"]
    for index in last_of_user([one["role"] for one in messages]):
        content = messages[index]["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        blocks[-1] = {**blocks[-1], "cache_control": _MARK}
        messages[index] = {**messages[index], "content": blocks}


def failure(error: BaseException) -> Failure:
    """What went wrong with a request, from the SDK's error."""
    match error:
        case APIStatusError():
            headers = cast("Mapping[str, str]", error.response.headers)
            return failure_of(
                error.body,
                status=error.status_code,
                retry_after=retry_after(headers),
                text=error.response.text.strip(),
            )
        case APITimeoutError():
            return Failure(f"no byte came in time: {describe(error.__cause__ or error)}")
        case APIConnectionError():
            return Failure(f"no connection: {describe(error.__cause__ or error)}")
        case APIError():
            return failure_of(error.body, text=error.message)
    return Failure(describe(error))
