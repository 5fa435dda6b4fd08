"""Anthropic's Messages API, through pydantic-ai.

pydantic-ai's `AnthropicModel` maps the conversation and knows what each model takes; it is called
at `Model.request`, whose one call of the SDK goes through `anthropic_wire`. Signed and redacted
thoughts are kept in the answer's record and go back on the message that they came with. A model
that binds them to the conversation before them (Claude 5.x) refuses those that stand after a
condensation; pydantic-ai then asks once more to have these dropped, and from then on.

`completion_kwargs = {thinking = {type = "enabled", budget_tokens = N}}` and `reasoning_effort` ask
for thinking; whatever else `completion_kwargs` holds goes into the request's body as it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior, UserError
from pydantic_ai.models.anthropic import (
    AnthropicModel,
    AnthropicModelSettings,
    AnthropicStaleThinkingBlockWarning,
)
from pydantic_ai.profiles.anthropic import AnthropicModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider

from velora.config.settings import LLMSettings
from velora.journal.messages import Message, ToolSpec
from velora.llm.backend import Answer, Options
from velora.llm.convert import Offers, from_response, to_history
from velora.llm.failures import Failure
from velora.llm.providers.anthropic_wire import ANTHROPIC, client, failure
from velora.llm.providers.claude import (
    INTERLEAVED,
    Notice,
    Thoughts,
    default_answer,
    interleaves,
    plan,
    reader,
)


class Anthropic:
    """One endpoint with one key (`velora.llm.backend.Backend`).

    Args:
        settings: the `[llm.NAME]` section.
        model: the model's name as the endpoint knows it.
        key: the API key; "" sends none.
    """

    def __init__(self, settings: LLMSettings, model: str, key: str) -> None:
        self._client = client(
            base_url=settings.base_url or ANTHROPIC,
            api_key=key,
            idle_timeout=settings.idle_timeout,
            caching=settings.caching_prompt,
        )
        self._model = AnthropicModel(
            model,
            provider=AnthropicProvider(anthropic_client=self._client),
            # Schemas are ours and final; walking through them for each request is wasted.
            profile=AnthropicModelProfile(json_schema_transformer=None),
        )
        self._plan = plan(settings, model.rpartition("/")[2], self._model.profile)
        self.notices: tuple[Notice, ...] = self._plan.notices
        self._thoughts = Thoughts(self._plan)
        self._longest = default_answer(model, self._plan.budget, self._model.profile)
        self._request = self._settings(settings)
        self._offers = Offers()
        self._reader = reader("anthropic", model, settings)
        # It is meant for who writes prompts that change; ours change by condensation.
        warnings.simplefilter("ignore", AnthropicStaleThinkingBlockWarning)

    def _settings(self, settings: LLMSettings) -> AnthropicModelSettings:
        request = AnthropicModelSettings()
        request.update(cast("Any", dict(self._plan.sampling)))
        if self._plan.effort is not None:
            request["thinking"] = self._plan.effort
        if settings.extra_headers:
            request["extra_headers"] = dict(settings.extra_headers)
        if self._plan.body:
            request["extra_body"] = dict(self._plan.body)
        return request

    async def send(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        """Send one request (`Backend.send`)."""
        history, thinking, notes = self._thoughts.fit(to_history(messages, self._reader), options)
        request = AnthropicModelSettings(**self._request)
        # Always said: without it pydantic-ai would stream in its own way.
        request["max_tokens"] = options.max_tokens or self._longest
        if thinking:
            request["anthropic_thinking"] = cast("Any", thinking)
            if thinking["type"] == "enabled" and interleaves(self._model.model_name):
                request["anthropic_betas"] = [INTERLEAVED]
        try:
            response = await self._model.request(history, request, self._offers.of(tools))
        except ModelAPIError as error:
            # From None: the SDK's errors hold the request, and with it the key.
            raise failure(error.__cause__ or error) from None
        except (UnexpectedModelBehavior, AssertionError) as error:
            raise Failure(f"the answer makes no sense: {error}") from None
        except UserError as error:
            raise Failure(str(error), status=400) from None
        answer = from_response(response, self._reader.name)
        return replace(answer, notes=(*answer.notes, *notes)) if notes else answer

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()
