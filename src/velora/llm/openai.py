"""The model behind an OpenAI-compatible chat API, through pydantic-ai.

pydantic-ai's `OpenAIChatModel` knows what each model family takes (which field caps the answer,
which sampling settings a reasoning model refuses, where reasoning goes back) and maps messages and
answers. It is called at `Model.request`, below `pydantic_ai.direct`: the step above it rewrites
the conversation (zero-width characters in text that looks like a chat template's tokens, notes
beside text that looks like its own tags), and an agent must see a file as it is.

Importing this module takes two seconds, nearly all of it pydantic-ai and the SDK:
`velora.llm.factory.preload` does it in a thread while the first container starts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, cast

import orjson
from openai.types.chat import ChatCompletionMessageFunctionToolCallParam
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.profiles.openai import OpenAIModelProfile, openai_model_profile
from pydantic_ai.providers.openai import OpenAIProvider

from velora.config.redact import Redactor
from velora.config.settings import LLMSettings
from velora.errors import AttemptError, ProviderUnavailable, Refused
from velora.journal.messages import AssistantMessage, Completion, Message, ToolSpec, Usage
from velora.llm.convert import arguments, from_response, to_history, to_parameters, with_unique_ids
from velora.llm.cost import price
from velora.llm.failures import Failure, attribute_failure
from velora.llm.limits import output_limit, room_left, stated_limit
from velora.llm.protocol import Note
from velora.llm.retry import retrying
from velora.llm.wire import client

OPENAI = "https://api.openai.com/v1"

_FINISH = {"stop": "stop", "length": "length", "tool_call": "tool_calls"}


class OpenAIModel:
    """One client for all attempts of a run.

    Args:
        settings: the `[llm.NAME]` section, with its key resolved.
        model: the model's name as the endpoint knows it.
    """

    def __init__(self, settings: LLMSettings, model: str) -> None:
        self.name = model
        self._settings = settings
        self._redact = Redactor.of(settings, {}).redact
        self._client = client(
            base_url=settings.base_url or OPENAI,
            api_key=settings.api_key.get_secret_value() if settings.api_key else "",
            idle_timeout=settings.idle_timeout,
        )
        self._chat = _Chat(
            model,
            provider=OpenAIProvider(openai_client=self._client),
            profile=_profile(model, bool(settings.base_url)),
        )
        self._asked = settings.max_output_tokens
        self._limit = output_limit(model)
        self._dropped = _sampling_refused(settings, self._chat.profile)
        self._request = _request_settings(settings, self._dropped)
        self._offers: dict[int, tuple[Sequence[ToolSpec], ModelRequestParameters]] = {}

    async def complete(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], *, note: Note
    ) -> Completion:
        """Ask for the next answer (`velora.llm.protocol.Model`)."""
        first = not any(isinstance(one, AssistantMessage) for one in messages)
        if first:
            self._announce(note)
        call = _Call(self, messages, tools, note)
        try:
            completion = await call.run()
        except Failure as failure:
            # From None: the SDK's errors hold the request, and with it the key.
            raise self._verdict(failure, call.failed) from None
        if first and completion.cost is None and completion.usage != Usage():
            text = f"the price of {completion.model} is unknown; costs are not counted"
            note("price_unknown", text, {"model": completion.model})
        return completion

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    def _announce(self, note: Note) -> None:
        if self._asked and self._limit and self._asked > self._limit:
            self.note_clamp(note, self._limit, "the model table")
        if self._dropped:
            names = " and ".join(self._dropped)
            text = f"{names} not sent: {self.name} refuses it while it reasons"
            note("sampling_not_sent", text, {"settings": list(self._dropped)})

    def note_clamp(self, note: Note, limit: int, source: str) -> None:
        """Say that answers are shorter than the settings ask for."""
        text = f"max_output_tokens = {self._asked} is lowered to {limit}, by {source}"
        note(
            "max_output_tokens_clamped",
            text,
            {"asked": self._asked, "limit": limit, "source": source},
        )

    def _verdict(self, failure: Failure, failed: int) -> AttemptError:
        error = attribute_failure(failure)
        if error is not None:
            return type(error)(self._redact(f"{self.name}: {error}"))
        tries = f"{failed} tries" if failed > 1 else "1 try"
        text = f"{self.name}: no usable answer after {tries}; the last: {failure}"
        if failure.retry_after > self._settings.timeout:
            text = f"{text}\n  it asks to wait {failure.retry_after:.0f} s"
        return ProviderUnavailable(self._redact(text))

    def parameters(self, tools: Sequence[ToolSpec]) -> ModelRequestParameters:
        """The tools in pydantic-ai's types, made once for each list of tools."""
        key = id(tools)
        if key not in self._offers:
            if len(self._offers) >= 64:
                self._offers.clear()
            # The list is kept as well, so that its id stays its own.
            self._offers[key] = (tools, to_parameters(tools))
        return self._offers[key][1]

    def max_tokens(self) -> int | None:
        """The longest answer to ask for; None leaves it to the provider."""
        if self._asked is None or self._limit is None:
            return self._asked
        return min(self._asked, self._limit)

    def learn(self, limit: int) -> None:
        """Keep a limit that the provider stated."""
        self._limit = min(limit, self._limit or limit)


class _Call:
    """One call of `complete`: its tries, and what is learnt between them."""

    def __init__(
        self, model: OpenAIModel, messages: Sequence[Message], tools: Sequence[ToolSpec], note: Note
    ) -> None:
        self.failed = 0
        self._model = model
        self._note = note
        self._history = to_history(messages)
        self._tools = model.parameters(tools)
        self._max_tokens = model.max_tokens()
        self._lowered = False

    async def run(self) -> Completion:
        model = self._model
        async for attempt in retrying(model._settings, self._note, model._redact):
            with attempt:
                try:
                    return await self._try()
                except Failure as failure:
                    self.failed += 1
                    if not self._lower(failure):
                        raise
                return await self._try()
        raise AssertionError("tenacity gave neither an answer nor an error")

    def _lower(self, failure: Failure) -> bool:
        """Ask for a shorter answer if the provider says that this one was too long."""
        if failure.status not in (400, 413, 416, 422) or self._lowered or not self._max_tokens:
            return False
        stated = stated_limit(failure.text)
        limit = stated or room_left(failure.text)
        if not limit or limit >= self._max_tokens:
            return False
        if stated:
            self._model.learn(stated)
        self._max_tokens, self._lowered = limit, True
        self._model.note_clamp(self._note, limit, "the provider's error")
        return True

    async def _try(self) -> Completion:
        model, settings = self._model, self._model._settings
        request = model._request
        if self._max_tokens:
            request = OpenAIChatModelSettings(**request, max_tokens=self._max_tokens)
        start = time.perf_counter()
        try:
            async with asyncio.timeout(settings.timeout):
                response = await model._chat.request(self._history, request, self._tools)
        except TimeoutError:
            raise Failure(f"no whole answer within {settings.timeout:g} s") from None
        except UnexpectedModelBehavior as error:
            raise Failure(f"the answer makes no sense: {error}") from None
        return self._completion(response, time.perf_counter() - start)

    def _completion(self, response: ModelResponse, latency: float) -> Completion:
        model = self._model
        details = response.provider_details or {}
        if response.finish_reason == "content_filter":
            words = details.get("refusal") or "the content filter withheld the answer"
            raise Refused(model._redact(f"{model.name}: {words}"))
        response, doubled = with_unique_ids(response)
        if doubled:
            text = f"the answer gave several tool calls the same id: {', '.join(doubled)}"
            self._note("tool_call_ids_changed", text, {"ids": doubled})
        usage = _usage(response)
        name = response.model_name or model.name
        known = bool(usage.prompt or usage.completion)
        if not known:
            self._note("usage_missing", "the provider did not count the tokens of this call", {})
        cost = price(usage, name, model._settings) if known else None
        if cost is None and known and name != model.name:
            cost = price(usage, model.name, model._settings)
        return Completion(
            message=from_response(response),
            usage=usage,
            cost=cost,
            model=name,
            response_id=response.provider_response_id or "",
            finish_reason=_FINISH.get(response.finish_reason or "", ""),
            latency=latency,
            retries=self.failed,
        )


def _usage(response: ModelResponse) -> Usage:
    usage = response.usage
    return Usage(
        prompt=usage.input_tokens or 0,
        completion=usage.output_tokens or 0,
        cache_read=usage.cache_read_tokens or 0,
        cache_write=usage.cache_write_tokens or 0,
        reasoning=usage.details.get("reasoning_tokens", 0),
    )


class _Chat(OpenAIChatModel):
    """pydantic-ai's model, sending back the arguments of calls as the model wrote them."""

    @staticmethod
    def _map_tool_call(t: ToolCallPart) -> ChatCompletionMessageFunctionToolCallParam:
        text = arguments(t)
        try:
            intact = isinstance(orjson.loads(text), dict)
        except orjson.JSONDecodeError:
            intact = False
        if not intact:
            # Several servers parse the arguments of the history and fail on what is not an object.
            return OpenAIChatModel._map_tool_call(t)
        return {
            "id": t.tool_call_id,
            "type": "function",
            "function": {"name": t.tool_name, "arguments": text},
        }


def _profile(model: str, compatible: bool) -> OpenAIModelProfile:
    """What differs from pydantic-ai's profile of a model; `compatible` is a server not OpenAI's."""
    profile = OpenAIModelProfile(
        # Schemas are ours and final; walking through them for each request is wasted.
        json_schema_transformer=None,
        # Text that an agent writes or reads may well hold such tags; it stays as it is.
        thinking_tags=("\0think", "\0/think"),
    )
    known = cast("OpenAIModelProfile", openai_model_profile(model))
    if compatible and not known.get("openai_supports_reasoning"):
        # All of them know the older field, few know the newer one.
        profile["openai_chat_supports_max_completion_tokens"] = False
    return profile


def _sampling_refused(settings: LLMSettings, profile: OpenAIModelProfile) -> tuple[str, ...]:
    """The settings that a model refuses because it reasons, as pydantic-ai's profile says."""
    if not profile.get("openai_supports_reasoning", False):
        return ()
    effort = settings.reasoning_effort
    reasoning = effort != "none" if effort else profile.get("thinking_enabled_by_default", False)
    if not reasoning:
        return ()
    return tuple(key for key in ("temperature", "top_p") if getattr(settings, key) is not None)


def _request_settings(settings: LLMSettings, dropped: tuple[str, ...]) -> OpenAIChatModelSettings:
    request = OpenAIChatModelSettings()
    body: dict[str, Any] = dict(settings.completion_kwargs)
    if settings.temperature is not None and "temperature" not in dropped:
        request["temperature"] = settings.temperature
    if settings.top_p is not None and "top_p" not in dropped:
        request["top_p"] = settings.top_p
    if settings.seed is not None:
        request["seed"] = settings.seed
    if settings.reasoning_effort:
        request["openai_reasoning_effort"] = cast("Any", settings.reasoning_effort)
    if settings.top_k is not None:
        body.setdefault("top_k", settings.top_k)
    if settings.extra_headers:
        request["extra_headers"] = dict(settings.extra_headers)
    if body:
        request["extra_body"] = body
    return request
