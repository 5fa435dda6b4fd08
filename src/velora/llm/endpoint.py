"""A model behind a provider's API: retries, limits and money around one request.

What is the same for all providers is here; what differs is the backend's (`llm.backend`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from velora.config.redact import Redactor
from velora.config.settings import LLMSettings
from velora.errors import AttemptError, ProviderUnavailable, Refused
from velora.journal.messages import AssistantMessage, Completion, Message, ToolSpec, Usage
from velora.llm.backend import Answer, Backend, Options
from velora.llm.cost import price
from velora.llm.failures import Failure, attribute_failure
from velora.llm.limits import (
    ROOM,
    context_window,
    output_limit,
    room_left,
    stated_limit,
    stated_window,
)
from velora.llm.protocol import Note
from velora.llm.retry import retrying
from velora.llm.tokens import Scale, estimate

MARGIN = 0.05
"""The part of a prompt's estimate that is kept free, for what the estimate misses."""


class EndpointModel:
    """One model for all attempts of a run.

    Args:
        settings: the `[llm.NAME]` section, with its key resolved.
        name: the model's name as the endpoint knows it.
        backend: the provider's API.
    """

    def __init__(self, settings: LLMSettings, name: str, backend: Backend) -> None:
        self.name = name
        self._settings = settings
        self._backend = backend
        self._redact = Redactor.of(settings, {}).redact
        self._asked = settings.max_output_tokens
        self._limit = output_limit(name)
        self._window = settings.max_input_tokens or context_window(name)
        self._scale = Scale()

    @property
    def window(self) -> int | None:
        """Tokens that prompt and answer may have together (`velora.llm.protocol.Model`)."""
        return self._window

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        note: Note,
        conversation: str = "",
    ) -> Completion:
        """Ask for the next answer (`velora.llm.protocol.Model`)."""
        first = not any(isinstance(one, AssistantMessage) for one in messages)
        if first:
            self._announce(note)
        call = _Call(self, messages, tools, note, conversation)
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
        await self._backend.close()

    def _announce(self, note: Note) -> None:
        if self._asked and self._limit and self._asked > self._limit:
            self.note_clamp(note, self._limit, "the model table")
        for code, text, data in self._backend.notices:
            note(code, text, data)

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

    def max_tokens(self) -> int | None:
        """The longest answer to ask for; None leaves it to the provider."""
        if self._asked is None or self._limit is None:
            return self._asked
        return min(self._asked, self._limit)

    def learn(self, limit: int) -> None:
        """Keep a limit that the provider stated."""
        self._limit = min(limit, self._limit or limit)

    def learn_window(self, window: int) -> None:
        """Keep the window that the provider stated when it refused a prompt."""
        self._window = min(window, self._settings.max_input_tokens or window)

    def room(self, estimated: int) -> int | None:
        """Tokens that a prompt leaves for the answer; None where the window is unknown.

        Args:
            estimated: the prompt, as `tokens.estimate` says.
        """
        if self._window is None:
            return None
        return max(ROOM, self._window - int(self._scale.of(estimated) * (1 + MARGIN)))

    def learn_scale(self, estimated: int, counted: int) -> None:
        """Take in how many tokens the provider counted in a prompt."""
        self._scale.learn(estimated, counted)


class _Call:
    """One call of `complete`: its tries, and what is learnt between them."""

    def __init__(
        self,
        model: EndpointModel,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        note: Note,
        conversation: str,
    ) -> None:
        self.failed = 0
        self._model = model
        self._note = note
        self._messages = messages
        self._tools = tools
        self._conversation = conversation
        self._estimated = estimate(messages, tools)
        self._max_tokens = model.max_tokens()
        room = model.room(self._estimated)
        if room is not None and self._max_tokens is not None:
            self._max_tokens = min(self._max_tokens, room)
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
        if failure.status not in (400, 413, 416, 422):
            return False
        if window := stated_window(failure.text):
            self._model.learn_window(window)
        if self._lowered or not self._max_tokens:
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
        model = self._model
        options = Options(self._max_tokens, self._conversation)
        start = time.perf_counter()
        try:
            async with asyncio.timeout(model._settings.timeout):
                answer = await model._backend.send(self._messages, self._tools, options)
        except TimeoutError:
            raise Failure(f"no whole answer within {model._settings.timeout:g} s") from None
        return self._completion(answer, time.perf_counter() - start)

    def _completion(self, answer: Answer, latency: float) -> Completion:
        model = self._model
        if answer.refusal:
            raise Refused(model._redact(f"{model.name}: {answer.refusal}"))
        for code, text, data in answer.notes:
            self._note(code, text, data)
        name = answer.model or model.name
        cost = None
        if answer.usage is None:
            self._note("usage_missing", "the provider did not count the tokens of this call", {})
        else:
            model.learn_scale(self._estimated, answer.usage.prompt)
            cost = price(answer.usage, name, model._settings)
            if cost is None and name != model.name:
                cost = price(answer.usage, model.name, model._settings)
        return Completion(
            message=answer.message,
            usage=answer.usage or Usage(),
            cost=cost,
            model=name,
            response_id=answer.response_id,
            finish_reason=answer.finish_reason,
            latency=latency,
            retries=self.failed,
        )
