"""A model behind a provider's API: retries, rate control, limits and money around one request.

What is the same for all providers is here; what differs is the backend's (`llm.backend`). One call
goes through these, from the outside in:

- the ledger: is there money for it (`llm.ledger`);
- the tries (`llm.retry`), of which only those count that failed while the provider was there;
- an outage, which holds up all calls (`llm.outage`);
- the lane and its gate, which hold up calls with one key (`llm.lanes`, `llm.rate`).
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
from velora.llm.failures import Failure, Sign, attribute_failure
from velora.llm.fit import Fit
from velora.llm.lanes import Lane, Lanes
from velora.llm.ledger import Ledger
from velora.llm.outage import GaveUp, Outage
from velora.llm.protocol import SUMMARY, Note
from velora.llm.rate import Gate, Slot
from velora.llm.retry import retrying
from velora.llm.statuses import Action

FIRST_PROBE = 5.0
"""Seconds at most before the first probe of a provider that is down."""
LONGEST_PAUSE = 60.0
"""Seconds at most between two probes, and that a gate closes where the provider names no time."""


class EndpointModel:
    """One model for all attempts of a run.

    Args:
        settings: the `[llm.NAME]` section, with its keys resolved.
        name: the model's name as the endpoint knows it.
        backends: the provider's API, once for each key.
        ledger: the run's money; None counts nothing.
    """

    def __init__(
        self,
        settings: LLMSettings,
        name: str,
        backends: Sequence[Backend],
        ledger: Ledger | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._redact = Redactor.of(settings, {}).redact
        self._fit = Fit(name, settings.max_output_tokens, settings.max_input_tokens)
        self._ledger = ledger or Ledger()
        longest = min(settings.retry_max_wait, LONGEST_PAUSE)
        self._lanes = Lanes(
            [
                Lane(
                    number,
                    backend,
                    Gate(
                        rpm=settings.rpm,
                        tpm=settings.tpm,
                        most=settings.max_concurrency,
                        slowest=longest,
                    ),
                )
                for number, backend in enumerate(backends, 1)
            ]
        )
        self._outage = Outage(
            patience=settings.outage_wait,
            first=min(settings.retry_min_wait, FIRST_PROBE),
            longest=longest,
        )

    @property
    def window(self) -> int | None:
        """Tokens that prompt and answer may have together (`velora.llm.protocol.Model`)."""
        return self._fit.window

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
            self._fit.announce(note)
            for code, text, data in self._lanes.all[0].backend.notices:
                note(code, text, data)
        call = _Call(self, messages, tools, note, conversation)
        account = conversation.removesuffix(SUMMARY)
        reserved = self._ledger.reserve(account, self._least(call.estimated))
        cost: float | None = 0.0
        try:
            completion = await call.run()
            cost = completion.cost
        except Refused as refused:
            cost = refused.answer.cost if refused.answer else 0.0
            raise
        except Failure as failure:
            # From None: the SDK's errors hold the request, and with it the key.
            raise self._verdict(failure, call.failed) from None
        except GaveUp as error:
            raise ProviderUnavailable(self._redact(f"{self.name}: {error}")) from None
        finally:
            self._ledger.settle(reserved, cost)
        if first and completion.cost is None and completion.usage != Usage():
            text = f"the price of {completion.model} is unknown; costs are not counted"
            note("price_unknown", text, {"model": completion.model})
        return completion

    async def close(self) -> None:
        """Release connections."""
        for lane in self._lanes.all:
            await lane.backend.close()

    def _least(self, estimated: int) -> float | None:
        """What a call will at least cost, where that matters."""
        if not self._ledger.capped:
            return None
        return price(self._fit.least(estimated), self.name, self._settings)

    def _verdict(self, failure: Failure, failed: int) -> AttemptError:
        error = attribute_failure(failure)
        if error is not None:
            return type(error)(self._redact(f"{self.name}: {error}"))
        tries = f"{failed} tries" if failed > 1 else "1 try"
        text = f"{self.name}: no usable answer after {tries}; the last: {failure}"
        if failure.retry_after > self._settings.timeout:
            text = f"{text}\n  it asks to wait {failure.retry_after:.0f} s"
        return ProviderUnavailable(self._redact(text))


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
        self.estimated = model._fit.prompt(messages, tools)
        self._model = model
        self._settings = model._settings
        self._note = note
        self._messages = messages
        self._tools = tools
        self._conversation = conversation
        self._max_tokens = model._fit.max_tokens(self.estimated)
        self._lowered = False

    async def run(self) -> Completion:
        async for attempt in retrying(self._settings, self._note, self._model._redact):
            with attempt:
                return await self._counted()
        raise AssertionError("tenacity gave neither an answer nor an error")

    async def _counted(self) -> Completion:
        """One try that counts, however many that do not count it takes."""
        outage, lanes = self._model._outage, self._model._lanes
        while True:
            probe = await outage.turn(self._note)
            settled = False
            try:
                lane, slot = await lanes.enter(
                    self._conversation, self._model._fit.expected(self.estimated)
                )
                if outage.down and not probe:  # it began while this call waited at the gate
                    lane.gate.failed(slot)
                    continue
                try:
                    answer, latency = await self._send(lane, slot)
                except Failure as failure:
                    self.failed += 1
                    settled = True
                    if failure.sign is Sign.THERE:
                        outage.alive(self._note)
                        if self._helped(failure, lane):
                            continue
                    elif outage.failed(failure, self._conversation, probe=probe):
                        continue
                    raise
                settled = True
                outage.alive(self._note)
            finally:
                if probe and not settled:
                    outage.abandoned()
            return self._completion(answer, latency)

    async def _send(self, lane: Lane, slot: Slot) -> tuple[Answer, float]:
        """Send the request with a lane's key and give the slot back, however it ends."""
        options = Options(self._max_tokens, self._conversation)
        start = time.perf_counter()
        try:
            try:
                async with asyncio.timeout(self._settings.timeout):
                    answer = await lane.backend.send(self._messages, self._tools, options)
            except TimeoutError:
                seconds = self._settings.timeout
                raise Failure(f"no whole answer within {seconds:g} s") from None
        except Failure as failure:
            self._slow_down(failure, lane, slot)
            raise
        except BaseException:
            lane.gate.failed(slot)
            raise
        usage = answer.usage
        lane.gate.done(slot, usage.prompt + usage.completion if usage else None)
        return answer, time.perf_counter() - start

    def _slow_down(self, failure: Failure, lane: Lane, slot: Slot) -> None:
        # A wait longer than an answer may take ends the attempt; others may try.
        wait = failure.retry_after if failure.retry_after <= self._settings.timeout else 0.0
        if failure.action is Action.WAIT:
            lane.gate.refused(slot, wait)
        else:
            lane.gate.failed(slot)
            lane.gate.close(wait)
        if wait:
            self._model._lanes.closed(lane, wait)

    def _helped(self, failure: Failure, lane: Lane) -> bool:
        """Is there something to be changed about a refused request, and is it changed?"""
        if failure.action is Action.QUOTA and self._model._lanes.take_out(lane):
            count = len(self._model._lanes.all)
            error = self._model._redact(str(failure))
            text = f"key {lane.number} of {count} is refused and used no more: {error}"
            self._note("key_refused", text, {"key": lane.number, "error": error})
            return True
        asked = None if self._lowered else self._max_tokens
        limit = self._model._fit.shorter(failure, asked, self._note)
        if limit is None:
            return False
        self._max_tokens, self._lowered = limit, True
        return True

    def _completion(self, answer: Answer, latency: float) -> Completion:
        model = self._model
        for code, text, data in answer.notes:
            self._note(code, text, data)
        name = answer.model or model.name
        cost = None
        if answer.usage is None:
            self._note("usage_missing", "the provider did not count the tokens of this call", {})
        else:
            model._fit.learn(self.estimated, answer.usage)
            cost = price(answer.usage, name, self._settings)
            if cost is None and name != model.name:
                cost = price(answer.usage, model.name, self._settings)
        message = answer.message
        if answer.refusal:
            message = AssistantMessage(message.content or answer.refusal)
        completion = Completion(
            message=message,
            usage=answer.usage or Usage(),
            cost=cost,
            model=name,
            response_id=answer.response_id,
            finish_reason="content_filter" if answer.refusal else answer.finish_reason,
            latency=latency,
            retries=self.failed,
        )
        if answer.refusal:
            text = model._redact(f"{model.name}: {answer.refusal}")
            raise Refused(text, completion if answer.usage else None)
        return completion
