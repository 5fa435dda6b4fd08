"""The HTTP side of the OpenAI-compatible chat API: the SDK's client, with one method of our own.

`create` is what pydantic-ai calls to send a request. Ours differs from the SDK's in three ways:

- It always streams, so that a dead connection is told from a model that thinks (`idle_timeout`),
  and hands back the whole completion. A server that answers in one piece is understood as well,
  and `completion_kwargs = {stream = false}` asks for that.
- Messages and tools go into the body as they are (`extra_body`). The SDK's own way walks through
  all of them with type hints at hand: 8 ms of CPU for a conversation of 20 turns, growing with
  its length, where writing its JSON takes 0.2 ms.
- Whatever goes wrong comes out as one type, `Failure`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AsyncAzureOpenAI,
    AsyncOpenAI,
    Omit,
    omit,
)
from openai.resources.chat.completions import AsyncCompletions
from openai.types.chat import ChatCompletion

from velora.llm.failures import Failure, retry_after
from velora.llm.providers.http import describe, encodable, failures, http_client, time_limits
from velora.llm.providers.openai_stream import Assembler, filled, whole

AZURE_VERSION = "2025-04-01-preview"
"""Azure's API version where the settings name none: the first that knows every field we send."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A model on Azure: its deployment's name, and the API's version."""

    name: str
    version: str = AZURE_VERSION


def client(
    *, base_url: str, api_key: str, idle_timeout: float, azure: Deployment | None = None
) -> AsyncOpenAI:
    """A client whose `chat.completions.create` is `Completions.create`.

    Args:
        base_url: up to and including `/v1`; of Azure, the resource's.
        api_key: "" sends no `Authorization`.
        idle_timeout: seconds without a byte before a connection is given up.
        azure: set where the endpoint is Azure's.
    """
    common: dict[str, Any] = {
        "api_key": api_key or "none",
        "max_retries": 0,
        "http_client": http_client(base_url, idle_timeout),
        "timeout": time_limits(idle_timeout),
    }
    if azure:
        # The path is given whole, so that nothing of it is taken from the environment.
        root = base_url.rstrip("/").removesuffix("/openai")
        path = f"{root}/openai/deployments/{quote(azure.name)}"
        sdk: AsyncOpenAI = AsyncAzureOpenAI(base_url=path, api_version=azure.version, **common)
    else:
        sdk = AsyncOpenAI(base_url=base_url, **common)
    # A cached property of the SDK: what lies under its name in the object is what it gives.
    vars(sdk.chat)["completions"] = Completions(sdk, keyless=not api_key)
    return sdk


class Completions(AsyncCompletions):
    """`/chat/completions`, streamed and put together again."""

    def __init__(self, sdk: AsyncOpenAI, *, keyless: bool = False) -> None:
        super().__init__(sdk)
        self._keyless = keyless
        self._plain = AsyncCompletions(sdk)

    async def create(self, **request: Any) -> Any:
        """Send one request and wait for the whole answer.

        Args:
            request: as for the SDK's method of this name.

        Raises:
            Failure: there is no answer, or it is an error.
        """
        body = {
            "messages": request.pop("messages"),
            "tools": request.pop("tools", omit),
            "stream": True,
            "stream_options": {"include_usage": True},
            **(request.pop("extra_body", None) or {}),
        }
        if not body["stream"]:
            del body["stream_options"]
        del request["stream"], request["stream_options"]
        if self._keyless:
            headers = request.pop("extra_headers", None) or {}
            request["extra_headers"] = {"Authorization": Omit(), **headers}
        try:
            data = await self._send(request, body)
        except UnicodeEncodeError:
            # Half a surrogate pair, as JSON may hold and UTF-8 may not.
            data = await self._send(request, encodable(body))
        return ChatCompletion.model_construct(**filled(data, str(request.get("model", ""))))

    async def _send(self, request: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        async with (
            sdk_failures(),
            self._plain.with_streaming_response.create(
                messages=(), **request, extra_body=body
            ) as answer,
        ):
            if "event-stream" not in answer.headers.get("content-type", ""):
                return whole(await answer.read())
            assembler = Assembler()
            async for data in answer.iter_bytes():
                assembler.feed(data)
            return assembler.result()


@asynccontextmanager
async def sdk_failures() -> AsyncIterator[None]:
    """Turn the SDK's and the HTTP library's errors into `Failure`."""
    try:
        with failures():
            yield
    except APIStatusError as error:
        headers = cast("Mapping[str, str]", error.response.headers)
        raise Failure.of_body(
            error.body,
            status=error.status_code,
            retry_after=retry_after(headers),
            text=error.response.text.strip(),
        ) from None
    except APITimeoutError as error:
        raise Failure(f"no byte came in time: {describe(error.__cause__ or error)}") from None
    except APIConnectionError as error:
        cause = error.__cause__ or error
        raise Failure(f"no connection: {describe(cause)}") from None
    except APIError as error:
        raise Failure(str(error)) from None
