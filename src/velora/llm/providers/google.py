"""Gemini's `generateContent`, through pydantic-ai.

pydantic-ai's `GoogleModel` maps the conversation: a thought signature goes back on the part that
it came with, the first call of a foreign answer gets the documented stand-in
(`skip_thought_signature_validator`), images go into the tool's result where the model takes them
there. Sending and joining the answer's pieces is `google_wire`'s.

`reasoning_effort` becomes the model's thinking level (Gemini 3 on) or budget. `completion_kwargs`
may hold `thinking_level`, `thinking_budget`, `include_thoughts` and `safety_settings`, in Google's
spelling or Python's; whatever else it holds goes into the request's body as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args
from uuid import uuid4

from pydantic_ai.messages import (
    FinishReason,
    ModelMessage,
    ModelResponse,
    ModelResponsePart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.google import GoogleModel, GoogleModelSettings
from pydantic_ai.profiles.google import GoogleModelProfile
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.settings import ThinkingEffort
from pydantic_ai.usage import RequestUsage

from velora.config.settings import LLMSettings
from velora.errors import UsageError
from velora.journal.messages import Message, ToolSpec
from velora.llm.backend import Answer, Options
from velora.llm.convert import Offers, Reader, from_response, to_history
from velora.llm.providers.google_schema import gemini_schema
from velora.llm.providers.google_wire import camel, endpoint, request_body, send
from velora.llm.providers.http import http_client

PROVIDER = "google"

_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_.:-]|^[^A-Za-z_]")
_THINKING = frozenset({"thinkingLevel", "thinkingBudget", "includeThoughts"})
_FILTERED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "MODEL_ARMOR",
    }
)
"""`finishReason`s of an answer that a filter withheld."""


class Google:
    """One endpoint with one key (`velora.llm.backend.Backend`).

    Args:
        settings: the `[llm.NAME]` section.
        model: the model's name without `gemini/`.
        key: the API key; "" sends none.
    """

    def __init__(self, settings: LLMSettings, model: str, key: str) -> None:
        self._url = endpoint(settings.base_url, model)
        self._http = http_client(self._url, settings.idle_timeout)
        self._headers = {"x-goog-api-key": key} if key else {}
        self._headers |= settings.extra_headers
        self._gemini = _Gemini(
            model,
            # Maps messages only; what it would send is sent by `google_wire`.
            provider=GoogleProvider(api_key=key or "none", http_client=self._http),
            # Schemas are made fit once, in `Offers`.
            profile=GoogleModelProfile(json_schema_transformer=None),
        )
        self._offers = Offers(gemini_schema)
        images: Any = "none" if settings.disable_vision else "result"
        self._reader = Reader(f"{PROVIDER}/{model}", images=images, tool_name=_NOT_IN_NAME)
        self._request, self._body = _settings(settings, self._gemini.profile)
        self.notices = _notices(settings, model, self._gemini.profile)

    async def send(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        """Send one request (`Backend.send`)."""
        request = self._request
        if options.max_tokens:
            request = GoogleModelSettings(**request, max_tokens=options.max_tokens)
        history = to_history(messages, self._reader)
        body = await self._gemini.body(history, request, self._offers.of(tools))
        found = await send(self._http, self._url, self._headers, _with(body, self._body))
        return _answer(found, self._reader.name)

    async def close(self) -> None:
        """Release connections."""
        await self._http.aclose()


class _Gemini(GoogleModel):
    """pydantic-ai's model, giving away the request in place of sending it."""

    async def body(
        self,
        messages: list[ModelMessage],
        settings: GoogleModelSettings,
        parameters: ModelRequestParameters,
    ) -> dict[str, Any]:
        given, parameters = self.prepare_request(settings, parameters)
        contents, config = await self._build_content_and_config(
            messages, cast("GoogleModelSettings", given or {}), parameters
        )
        return request_body(contents, cast("Mapping[str, Any]", config))


def _settings(
    settings: LLMSettings, profile: GoogleModelProfile
) -> tuple[GoogleModelSettings, dict[str, Any]]:
    """What pydantic-ai is told, and what goes into the body as it is."""
    request = GoogleModelSettings()
    for key in ("temperature", "top_p", "top_k", "seed"):
        if getattr(settings, key) is not None:
            request[key] = getattr(settings, key)
    thinking: dict[str, Any] = {}
    body: dict[str, Any] = {}
    for key, value in settings.completion_kwargs.items():
        name = camel(key)
        if name in _THINKING:
            thinking[name] = value
        elif name == "thinkingConfig":
            thinking |= {camel(one): part for one, part in value.items()}
        elif name == "safetySettings":
            request["google_safety_settings"] = value
        else:
            body[key] = value
    if thinking:
        request["google_thinking_config"] = cast("Any", {"includeThoughts": True, **thinking})
    elif settings.reasoning_effort:
        request["thinking"] = _effort(settings.reasoning_effort)
    elif profile.get("supports_thinking"):
        # The model thinks as it would anyway, and shows what it thought.
        request["thinking"] = True
    return request, body


def _effort(effort: str) -> ThinkingEffort | bool:
    known = get_args(ThinkingEffort)
    if effort == "none":
        return False
    if effort not in known:
        hint = f"Gemini takes {', '.join(known)} and none"
        raise UsageError(f"reasoning_effort '{effort}' is unknown", where="[llm]", hint=hint)
    return cast("ThinkingEffort", effort)


def _notices(
    settings: LLMSettings, model: str, profile: GoogleModelProfile
) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    if not settings.reasoning_effort or profile.get("supports_thinking"):
        return ()
    text = f"reasoning_effort is not sent: {model} does not think"
    return (("reasoning_effort_not_sent", text, {"effort": settings.reasoning_effort}),)


def _with(body: dict[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with further fields; those of `generationConfig` are put beside its own."""
    whole = dict(body)
    for key, value in added.items():
        old = whole.get(key)
        whole[key] = (
            {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return whole


def _answer(found: dict[str, Any], writer: str) -> Answer:
    """What an answer says, in our types."""
    candidate: dict[str, Any] = next(iter(found.get("candidates") or ()), {})
    parts = [one for part in candidate.get("parts") or () if (one := _part(part)) is not None]
    reason = candidate.get("finishReason") or ""
    finish, refusal = _end(found, reason, candidate, parts)
    response = ModelResponse(
        parts=parts,
        usage=_usage(found.get("usageMetadata")),
        model_name=found.get("modelVersion"),
        provider_name=PROVIDER,
        canonical_system=PROVIDER,
        provider_response_id=found.get("responseId"),
        finish_reason=finish,
        provider_details={"refusal": refusal} if refusal else None,
    )
    answer = from_response(response, writer)
    if finish is not None:
        return answer
    # Such as MALFORMED_FUNCTION_CALL: the answer is paid for, and holds what came before.
    said = candidate.get("finishMessage") or ""
    text = f"the answer ended with {reason}: {said}" if said else f"the answer ended with {reason}"
    note = ("answer_broken_off", text, {"finish_reason": reason, "message": said})
    return replace(answer, notes=(*answer.notes, note))


def _part(part: dict[str, Any]) -> ModelResponsePart | None:
    signature = _standard(part.get("thoughtSignature") or "")
    details = {"thought_signature": signature} if signature else None
    provider = PROVIDER if signature else None
    if call := part.get("functionCall"):
        return ToolCallPart(
            call.get("name") or "",
            call.get("args") or {},
            tool_call_id=call.get("id") or f"call_{uuid4().hex[:24]}",
            provider_name=provider,
            provider_details=details,
        )
    if "text" not in part:
        return None
    kind = ThinkingPart if part.get("thought") else TextPart
    return kind(part["text"], provider_name=provider, provider_details=details)


def _standard(signature: str) -> str:
    """Base64 in the alphabet that pydantic-ai reads; Google takes both."""
    text = signature.rstrip("=").replace("-", "+").replace("_", "/")
    return text + "=" * (-len(text) % 4)


def _end(
    found: dict[str, Any], reason: str, candidate: dict[str, Any], parts: list[ModelResponsePart]
) -> tuple[FinishReason | None, str]:
    """The finish reason, None where it is none that means a proper end, and the refusal."""
    feedback = found.get("promptFeedback") or {}
    if blocked := feedback.get("blockReason"):
        said = feedback.get("blockReasonMessage") or ""
        return "content_filter", f"the prompt was blocked: {blocked} {said}".rstrip()
    if reason in _FILTERED:
        said = candidate.get("finishMessage") or ""
        return "content_filter", f"the answer was withheld: {reason} {said}".rstrip()
    if reason == "MAX_TOKENS":
        return "length", ""
    if reason == "STOP":
        called = any(isinstance(one, ToolCallPart) for one in parts)
        return "tool_call" if called else "stop", ""
    return None, ""


def _usage(counted: dict[str, Any] | None) -> RequestUsage:
    """Tokens; what was thought is counted beside the candidate's and paid for like it."""
    counted = counted or {}
    thought = counted.get("thoughtsTokenCount") or 0
    return RequestUsage(
        input_tokens=(counted.get("promptTokenCount") or 0)
        + (counted.get("toolUsePromptTokenCount") or 0),
        output_tokens=(counted.get("candidatesTokenCount") or 0) + thought,
        cache_read_tokens=counted.get("cachedContentTokenCount") or 0,
        details={"reasoning_tokens": thought},
    )
