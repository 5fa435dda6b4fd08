"""OpenAI's chat API and all that is compatible with it, through pydantic-ai.

pydantic-ai's `OpenAIChatModel` knows what each model family takes (which field caps the answer,
which sampling settings a reasoning model refuses, where reasoning goes back) and maps messages and
answers. It is called at `Model.request`, below `pydantic_ai.direct`: the step above it rewrites
the conversation (zero-width characters in text that looks like a chat template's tokens, notes
beside text that looks like its own tags), and an agent must see a file as it is.

Importing this module takes two seconds, nearly all of it pydantic-ai and the SDK:
`velora.llm.factory.preload` does it in a thread while the first container starts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionMessage,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ThinkingPart, ToolCallPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.profiles.openai import OpenAIModelProfile, openai_model_profile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from velora.config.settings import LLMSettings
from velora.journal.messages import Message, ToolSpec
from velora.llm.backend import Answer, Options
from velora.llm.convert import Offers, Reader, from_response, to_history, written
from velora.llm.failures import Failure
from velora.llm.providers.chat_reasoning import DETAILS, FIELDS, FILLER, readable, required_field
from velora.llm.providers.images import NOTE, refuses_images
from velora.llm.providers.openai_api import is_openai
from velora.llm.providers.openai_settings import NOT_IN_NAME, OPENAI, sampling_refused
from velora.llm.providers.openai_wire import AZURE_VERSION, Deployment, client

PROVIDER = "openai_chat"
_CALL_ID = re.compile(r"(?s).{1,40}")
"""OpenAI refuses longer ids; some servers give ids with punctuation and want them back."""


class OpenAIChat:
    """One endpoint with one key (`velora.llm.backend.Backend`).

    Args:
        settings: the `[llm.NAME]` section.
        model: the model's name as the endpoint knows it.
        key: the API key; "" sends none.
    """

    def __init__(self, settings: LLMSettings, model: str, key: str) -> None:
        version = settings.api_version or AZURE_VERSION
        self._client = client(
            base_url=settings.base_url or OPENAI,
            api_key=key,
            idle_timeout=settings.idle_timeout,
            azure=Deployment(model, version) if settings.custom_llm_provider == "azure" else None,
        )
        self._chat = _Chat(
            model,
            provider=OpenAIProvider(openai_client=self._client),
            profile=_profile(model, bool(settings.base_url)),
        )
        dropped, self.notices = sampling_refused(settings, self._chat.profile, model)
        self._request = _request_settings(settings, dropped)
        self._own = is_openai(settings.base_url)
        self._offers = Offers()
        images: Any = "none" if settings.disable_vision else "user"
        self._reader = Reader(f"{PROVIDER}/{model}", _CALL_ID, images, NOT_IN_NAME)

    async def send(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        """Send one request (`Backend.send`)."""
        try:
            return await self._send(messages, tools, options)
        except Failure as failure:
            if self._reader.images == "none" or not refuses_images(failure, messages):
                raise
        self._reader = replace(self._reader, images="none")
        answer = await self._send(messages, tools, options)
        return replace(answer, notes=(NOTE, *answer.notes))

    async def _send(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        request = OpenAIChatModelSettings(**self._request)
        if options.max_tokens:
            request["max_tokens"] = options.max_tokens
        if options.conversation and self._own:
            request["openai_prompt_cache_key"] = options.conversation
        history = to_history(messages, self._reader)
        try:
            response = await self._chat.request(history, request, self._offers.of(tools))
        except UnexpectedModelBehavior as error:
            raise Failure(f"the answer makes no sense: {error}") from None
        return from_response(response, self._reader.name)

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


class _Chat(OpenAIChatModel):
    """pydantic-ai's model, sending back arguments and reasoning as the model wrote them."""

    @dataclass
    class _MapModelResponseContext(OpenAIChatModel._MapModelResponseContext):
        """One answer on its way back."""

        details: list[Any] = field(default_factory=list)

        def _map_response_thinking_part(self, item: ThinkingPart) -> None:
            if item.id == DETAILS:
                self.details += (item.provider_details or {}).get(DETAILS, ())
            else:
                super()._map_response_thinking_part(item)

        def _into_message_param(self) -> ChatCompletionAssistantMessageParam | None:
            message = super()._into_message_param()
            if message is not None and self.details:
                cast("dict[str, Any]", message)[DETAILS] = self.details
            return message

    def _process_thinking(self, message: ChatCompletionMessage) -> list[ThinkingPart] | None:
        details = getattr(message, DETAILS, None)
        if not details or not isinstance(details, list):
            return super()._process_thinking(message)
        text = getattr(message, "reasoning", None) or getattr(message, "reasoning_content", None)
        part = ThinkingPart(
            text if isinstance(text, str) else readable(details),
            id=DETAILS,
            provider_name=self.system,
            provider_details={DETAILS: details},
        )
        return [part]

    async def _map_messages(
        self,
        messages: Sequence[ModelMessage],
        model_request_parameters: ModelRequestParameters,
        *,
        model_settings: ModelSettings | None = None,
    ) -> list[ChatCompletionMessageParam]:
        mapped = await super()._map_messages(
            messages, model_request_parameters, model_settings=model_settings
        )
        required = required_field(self.model_name)
        for message in cast("list[dict[str, Any]]", mapped):
            for name in FIELDS:
                # Put in by pydantic-ai once a later answer reasons: that would change the beginning
                # of a prompt that the provider may have in a cache.
                if message.get(name) == "":
                    del message[name]
            if required and message.get("tool_calls") and not {required, DETAILS} & message.keys():
                message[required] = FILLER
        return mapped

    @staticmethod
    def _map_tool_call(t: ToolCallPart) -> ChatCompletionMessageFunctionToolCallParam:
        text = written(t)
        if not text:
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
