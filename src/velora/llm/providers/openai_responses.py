"""OpenAI's Responses API, stateless, through pydantic-ai.

Nothing is stored at OpenAI (`store = false`): each request holds the whole conversation. What a
model reasoned comes encrypted and goes back in its place before the items that it led to; without
it OpenAI refuses them. Where it cannot be read any more (another organisation's key, say) the
request is sent once more without any reasoning.

pydantic-ai's `OpenAIResponsesModel` maps messages and answers; `responses_wire` sends.
`completion_kwargs` goes into the body as it is, its tables beside what is there
(`{reasoning = {summary = "auto"}}` shows what is reasoned, where the organisation may see it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from openai.types.responses import ResponseFunctionToolCallParam
from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelResponse,
    ModelResponsePart,
    ThinkingPart,
    ToolCallPart,
)
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider

from velora.config.settings import LLMSettings
from velora.journal.messages import Message, ToolSpec
from velora.llm.backend import Answer, Options
from velora.llm.convert import Offers, Reader, from_response, reasoning, to_history, written
from velora.llm.failures import Failure
from velora.llm.providers.images import NOTE, refuses_images
from velora.llm.providers.openai_api import is_openai
from velora.llm.providers.openai_settings import NOT_IN_NAME, OPENAI, sampling_refused
from velora.llm.providers.responses_wire import client

PROVIDER = "openai_responses"

_UNREADABLE = "invalid_encrypted_content"


class OpenAIResponses:
    """One endpoint with one key (`velora.llm.backend.Backend`).

    Args:
        settings: the `[llm.NAME]` section.
        model: the model's name as the endpoint knows it.
        key: the API key; "" sends none.
    """

    def __init__(self, settings: LLMSettings, model: str, key: str) -> None:
        self._client = client(
            base_url=settings.base_url or OPENAI,
            api_key=key,
            idle_timeout=settings.idle_timeout,
            headers=settings.extra_headers,
        )
        self._model = _Responses(
            model,
            provider=OpenAIProvider(openai_client=self._client),
            # Schemas are ours and final; walking through them for each request is wasted.
            profile=OpenAIModelProfile(json_schema_transformer=None),
        )
        refused, reasons = sampling_refused(settings, self._model.profile, model)
        unknown = tuple(key for key in ("seed", "top_k") if getattr(settings, key) is not None)
        text = f"{' and '.join(unknown)} not sent: the Responses API has no such setting"
        found = ("sampling_not_sent", text, {"settings": list(unknown)})
        self.notices = (*reasons, found) if unknown else reasons
        self._request = _request_settings(settings, refused)
        self._own = is_openai(settings.base_url)
        self._offers = Offers()
        images: Any = "none" if settings.disable_vision else "result"
        self._reader = Reader(f"{PROVIDER}/{model}", images=images, tool_name=NOT_IN_NAME)

    async def send(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        """Send one request (`Backend.send`)."""
        try:
            return await self._send(messages, tools, options, self._reader)
        except Failure as failure:
            reader, note = self._lesson(failure, messages)
        answer = await self._send(messages, tools, options, reader)
        return replace(answer, notes=(note, *answer.notes))

    def _lesson(
        self, failure: Failure, messages: Sequence[Message]
    ) -> tuple[Reader, tuple[str, str, dict[str, Any]]]:
        """Whom to convert for after a refusal, and what to note; raises what teaches nothing."""
        if failure.code == _UNREADABLE:
            # Nothing was written by nobody: no record is used.
            text = "the provider could not read its own encrypted reasoning; sent without it"
            return replace(self._reader, name=""), ("reasoning_dropped", text, {})
        if self._reader.images != "none" and refuses_images(failure, messages):
            self._reader = replace(self._reader, images="none")
            return self._reader, NOTE
        raise failure

    async def _send(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        options: Options,
        reader: Reader,
    ) -> Answer:
        request = OpenAIResponsesModelSettings(**self._request)
        if options.max_tokens:
            request["max_tokens"] = options.max_tokens
        if options.conversation and self._own:
            request["openai_prompt_cache_key"] = options.conversation
        history = to_history(messages, reader)
        try:
            response = await self._model.request(history, request, self._offers.of(tools))
        except (UnexpectedModelBehavior, ModelAPIError) as error:
            raise Failure(f"the answer makes no sense: {error}") from None
        answer = from_response(_sound(response), self._reader.name)
        return replace(answer, message=replace(answer.message, reasoning=reasoning(response)))

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


class _Responses(OpenAIResponsesModel):
    """pydantic-ai's model, sending back the arguments of calls as the model wrote them."""

    def _map_function_call(
        self, item: ToolCallPart, *arguments: Any, **options: Any
    ) -> ResponseFunctionToolCallParam:
        mapped = super()._map_function_call(item, *arguments, **options)
        mapped["arguments"] = written(item) or mapped["arguments"]
        return mapped


def _sound(response: ModelResponse) -> ModelResponse:
    """An answer that says when it calls, without reasoning that OpenAI would not take back.

    Reasoning that nothing follows (the answer was cut off in the middle of it) is refused, and so
    is reasoning that came without its encrypted form: it would be looked up, and is not stored.
    """
    if response.finish_reason == "stop" and any(
        isinstance(p, ToolCallPart) for p in response.parts
    ):
        response = replace(response, finish_reason="tool_call")
    whole = {part.id for part in response.parts if isinstance(part, ThinkingPart) and _kept(part)}
    end = max(
        (n for n, part in enumerate(response.parts, 1) if not isinstance(part, ThinkingPart)),
        default=0,
    )
    parts: list[ModelResponsePart] = [
        part
        for part in response.parts[:end]
        if not isinstance(part, ThinkingPart) or part.id in whole
    ]
    return replace(response, parts=parts)


def _kept(part: ThinkingPart) -> bool:
    return bool(part.signature or (part.provider_details or {}).get("raw_content"))


def _request_settings(
    settings: LLMSettings, refused: tuple[str, ...]
) -> OpenAIResponsesModelSettings:
    request = OpenAIResponsesModelSettings(
        openai_store=False, openai_prompt_cache_diagnostics=False
    )
    if settings.temperature is not None and "temperature" not in refused:
        request["temperature"] = settings.temperature
    if settings.top_p is not None and "top_p" not in refused:
        request["top_p"] = settings.top_p
    if settings.reasoning_effort:
        request["openai_reasoning_effort"] = cast("Any", settings.reasoning_effort)
    if settings.completion_kwargs:
        request["extra_body"] = dict(settings.completion_kwargs)
    return request
