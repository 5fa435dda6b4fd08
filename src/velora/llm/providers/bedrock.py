"""Bedrock's Converse API, through pydantic-ai.

pydantic-ai's `BedrockConverseModel` maps the conversation and the answer and knows what each
model family takes; it is given a client that hands the mapped request back, and `bedrock_wire`
sends it. For Claude models all that `anthropic` says of thinking holds here too.

`completion_kwargs` goes into `additionalModelRequestFields`, as `thinking` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

from pydantic_ai.exceptions import UnexpectedModelBehavior, UserError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.bedrock import BedrockConverseModel, BedrockModelSettings
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers.bedrock import BedrockProvider
from pydantic_ai.settings import ThinkingEffort

from velora.config.settings import LLMSettings
from velora.errors import UsageError
from velora.journal.messages import Message, ToolSpec
from velora.llm.backend import Answer, Options
from velora.llm.convert import Offers, from_response, to_history
from velora.llm.failures import Failure
from velora.llm.providers.bedrock_wire import Endpoint
from velora.llm.providers.claude import (
    BINDING,
    DROP_UNBOUND,
    INTERLEAVED,
    Notice,
    Plan,
    Thoughts,
    interleaves,
    last_of_user,
    plan,
    reader,
)

_CLAUDE = re.compile(r"(?:^|[./])anthropic\.(claude-.*?)(?:-v\d+)?(?::\d+)?$")
_MARK = {"cachePoint": {"type": "default"}}
_BOUND = "bound to a different conversation"


class Bedrock:
    """One region with one key (`velora.llm.backend.Backend`).

    Args:
        settings: the `[llm.NAME]` section.
        model: a model id, an inference profile or its ARN.
        key: a Bedrock API key; "" signs with AWS credentials.
    """

    def __init__(self, settings: LLMSettings, model: str, key: str) -> None:
        self._endpoint = Endpoint(settings, key)
        self._model = _Converse(
            model,
            provider=BedrockProvider(bedrock_client=self._endpoint.client),
            # Schemas are ours and final; walking through them for each request is wasted.
            profile=ModelProfile(json_schema_transformer=None),
        )
        self._model.client = cast("Any", _Mapped(self._endpoint.client))
        named = _CLAUDE.search(model)
        self._claude = named[1] if named else ""
        profile = self._model.profile
        self._plan = plan(settings, self._claude, profile) if named else _plan(settings)
        self.notices: tuple[Notice, ...] = self._plan.notices
        self._thoughts = Thoughts(self._plan)
        says = cast("Mapping[str, Any]", profile)
        caching = settings.caching_prompt and says.get("bedrock_supports_prompt_caching")
        self._marks_system = bool(caching)
        self._marks_all = bool(caching and says.get("bedrock_supports_tool_caching"))
        self._headers = dict(settings.extra_headers)
        self._offers = Offers()
        self._reader = reader("bedrock", model, settings)
        self._unbound: set[str] = set()

    async def send(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        """Send one request (`Backend.send`)."""
        history = to_history(messages, self._reader)
        try:
            return await self._send(history, tools, options)
        except Failure as failure:
            if _BOUND not in failure.text or options.conversation in self._unbound:
                raise
        # A condensation has changed what came before thoughts that are bound to it: from now on
        # the API is to leave such thoughts out.
        self._unbound.add(options.conversation)
        return await self._send(history, tools, options)

    async def _send(
        self, history: list[ModelMessage], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        history, thinking, notes = self._thoughts.fit(history, options)
        try:
            params = await self._model.mapped(
                history, self._settings(thinking, options), self._offers.of(tools)
            )
            self._mark(params)
            response = await self._model.answer(await self._endpoint.send(params, self._headers))
        except UnexpectedModelBehavior as error:
            raise Failure(f"the answer makes no sense: {error}") from None
        except UserError as error:
            raise Failure(str(error), status=400) from None
        answer = from_response(response, self._reader.name)
        return replace(answer, notes=(*answer.notes, *notes)) if notes else answer

    def _settings(
        self, thinking: Mapping[str, Any] | None, options: Options
    ) -> BedrockModelSettings:
        request = BedrockModelSettings()
        request.update(cast("Any", dict(self._plan.sampling)))
        if options.max_tokens:
            request["max_tokens"] = options.max_tokens
        if self._plan.effort is not None:
            request["thinking"] = self._plan.effort
        fields: dict[str, Any] = dict(self._plan.body)
        betas = list(fields.pop("anthropic_beta", ()))
        if thinking:
            fields["thinking"] = dict(thinking)
            if thinking["type"] == "enabled" and interleaves(self._claude):
                betas.append(INTERLEAVED)
        if options.conversation in self._unbound:
            fields["thinking"] = {"type": "adaptive", **(thinking or {}), **DROP_UNBOUND}
            betas.append(BINDING)
        if betas:
            fields["anthropic_beta"] = betas
        if fields:
            request["bedrock_additional_model_requests_fields"] = fields
        return request

    def _mark(self, params: dict[str, Any]) -> None:
        """Set cache points, where `anthropic_wire.mark` sets its own."""
        if self._marks_system and params.get("system"):
            params["system"] = [*params["system"], _MARK]
        if not self._marks_all:
            return
        if tools := (params.get("toolConfig") or {}).get("tools"):
            params["toolConfig"] = {**params["toolConfig"], "tools": [*tools, _MARK]}
        messages = params["messages"]
        for index in last_of_user([one["role"] for one in messages]):
            one = messages[index]
            messages[index] = {**one, "content": [*one["content"], _MARK]}

    async def close(self) -> None:
        """Release connections."""
        await self._endpoint.close()


class _Mapped:
    """Stands for boto3's client where pydantic-ai sends: gives the mapped request back."""

    def __init__(self, client: Any) -> None:
        self.meta = client.meta

    def converse(self, **params: Any) -> dict[str, Any]:
        return {"output": {}, "params": params}

    converse_stream = converse


class _Converse(BedrockConverseModel):
    """pydantic-ai's model, its two halves apart."""

    async def mapped(
        self,
        messages: list[ModelMessage],
        settings: BedrockModelSettings,
        parameters: ModelRequestParameters,
    ) -> dict[str, Any]:
        given, parameters = self.prepare_request(settings, parameters)
        request = cast("BedrockModelSettings", given or {})
        made = await self._messages_create(messages, False, request, parameters)
        return dict(cast("Any", made)["params"])

    async def answer(self, response: dict[str, Any]) -> ModelResponse:
        return await self._process_response(cast("Any", response))


def _plan(settings: LLMSettings) -> Plan:
    """For models that are not Claude: pydantic-ai's profile decides what becomes of the effort."""
    effort = settings.reasoning_effort
    if effort and effort != "none" and effort not in get_args(ThinkingEffort):
        hint = f"one of {', '.join((*get_args(ThinkingEffort), 'none'))}"
        raise UsageError(f"reasoning_effort '{effort}' is unknown", where="[llm]", hint=hint)
    sampling = {
        key: value
        for key in ("temperature", "top_p", "top_k")
        if (value := getattr(settings, key)) is not None
    }
    level = False if effort == "none" else cast("ThinkingEffort | None", effort)
    return Plan(effort=level, sampling=sampling, body=dict(settings.completion_kwargs), thinks=True)
