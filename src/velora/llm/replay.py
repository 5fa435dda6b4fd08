"""A model that gives back the answers recorded in a journal, in their order.

Like the scripted model it keeps no state: which answer it is follows from the conversation, also
from one that was condensed. A request that asks for a summary, as a recorded one did, gets that.

Over the same instance, with the same settings, the trajectory is the recorded one again, but for
times and ids. Where the working directory lies elsewhere (it is a copy of its own for each attempt
where images are directories), the answers name the new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from velora.errors import ProviderRejected, UsageError
from velora.journal import store
from velora.journal.events import Answered, Condensed, Prompted
from velora.journal.messages import (
    AssistantMessage,
    Completion,
    Message,
    SystemMessage,
    ToolSpec,
    UserMessage,
)
from velora.llm.protocol import Note
from velora.llm.script import dumps, workdir


class ReplayModel:
    """Gives recorded answers; they cost nothing the second time.

    Args:
        completions: in order.
        summaries: condensations for which a model wrote the summary, in order.
        window: tokens; the recorded conversation was condensed to fit into it.
        name: shown as the model's name.
        recorded_in: the working directory of the recording, or "".
    """

    def __init__(
        self,
        completions: Sequence[Completion],
        *,
        summaries: Sequence[Condensed] = (),
        window: int | None = None,
        name: str = "replay",
        recorded_in: str = "",
    ) -> None:
        self.name = name
        self.window = window
        self._completions = tuple(completions)
        self._summaries = tuple(summaries)
        self._recorded_in = recorded_in
        self._moved = {recorded_in: self._completions}

    @classmethod
    def from_file(cls, path: Path) -> ReplayModel:
        """Read an attempt's `events.jsonl`, or the one in its directory.

        Raises:
            UsageError: the file is missing, damaged, or holds no answer.
        """
        try:
            records = store.read(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(f"cannot read the journal: {reason}", where=str(path)) from None
        recorded = [one.event.completion for one in records if isinstance(one.event, Answered)]
        if not recorded:
            raise UsageError("the journal holds no answer of a model", where=str(path))
        condensed = [one.event for one in records if isinstance(one.event, Condensed)]
        summaries = [one for one in condensed if one.completion]
        window = next((one.limit for one in condensed if one.limit), None)
        prompts = (one.event.instruction for one in records if isinstance(one.event, Prompted))
        there = workdir(next(prompts, ""))
        return cls(recorded, summaries=summaries, window=window, recorded_in=there)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        note: Note,
        conversation: str = "",
    ) -> Completion:
        """The answer recorded at this point.

        Raises:
            ProviderRejected: the conversation is longer than the recording.
        """
        if (summary := self._summary(messages)) is not None:
            return replace(summary, cost=0.0, latency=0.0, retries=0)
        completions = self._in(workdir(_prompt(messages)))
        given = [one for one in messages if isinstance(one, AssistantMessage)]
        index = _position(given, [one.message for one in completions])
        if index >= len(completions):
            count = len(completions)
            raise ProviderRejected(f"{self.name}: the recording ends after {count} answers")
        return replace(completions[index], cost=0.0, latency=0.0, retries=0)

    def _summary(self, messages: Sequence[Message]) -> Completion | None:
        """The recorded summary that a request asks for; None where it asks for an answer."""
        match messages:
            case [SystemMessage(content=request), UserMessage(content=told)]:
                known = [one for one in self._summaries if one.request == request]
                before = [n for n, one in enumerate(known) if one.summary in told]
                # Each summary is part of the request for the next one.
                number = before[-1] + 1 if before else 0
                return known[number].completion if number < len(known) else None
        return None

    async def close(self) -> None:
        """Nothing to release."""

    def _in(self, here: str) -> tuple[Completion, ...]:
        """The answers as they would be given in this working directory."""
        there = self._recorded_in
        if not here or not there:
            return self._completions
        if here not in self._moved:
            self._moved[here] = tuple(
                replace(one, message=_moved(one.message, there, here)) for one in self._completions
            )
        return self._moved[here]


def _position(given: Sequence[AssistantMessage], recorded: Sequence[AssistantMessage]) -> int:
    """How many recorded answers come before the next: those given are the first and last."""
    if list(given) == list(recorded[: len(given)]):
        return len(given)
    best, position = 0, len(given)
    for end in range(len(recorded), len(given), -1):
        same = 0
        while same < len(given) and recorded[end - 1 - same] == given[-1 - same]:
            same += 1
        if same > best:
            best, position = same, end
    return position


def _moved(message: AssistantMessage, there: str, here: str) -> AssistantMessage:
    old, new = (dumps(path)[1:-1] for path in (there, here))  # as they stand inside JSON text
    calls = (replace(c, arguments=c.arguments.replace(old, new)) for c in message.tool_calls)
    provider = message.provider
    if provider is not None:
        # Twice inside JSON: a provider's record holds the calls' arguments as text.
        text = orjson.dumps(provider).decode()
        deep, deep_new = (dumps(path)[1:-1] for path in (old, new))
        provider = orjson.loads(text.replace(deep, deep_new).replace(old, new))
    return AssistantMessage(
        content=message.content.replace(there, here),
        tool_calls=tuple(calls),
        reasoning=message.reasoning.replace(there, here),
        provider=provider,
    )


def _prompt(messages: Sequence[Message]) -> str:
    return next((one.content for one in messages if isinstance(one, UserMessage)), "")
