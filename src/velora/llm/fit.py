"""How long an answer one model may be asked for, and what its refusals and counts teach of that."""

from __future__ import annotations

from collections.abc import Sequence

from velora.journal.messages import Message, ToolSpec, Usage
from velora.llm.failures import Failure
from velora.llm.limits import (
    ROOM,
    context_window,
    output_limit,
    room_left,
    stated_limit,
    stated_window,
)
from velora.llm.protocol import Note
from velora.llm.tokens import Scale, estimate

MARGIN = 0.05
"""The part of a prompt's estimate that is kept free, for what the estimate misses."""
WEIGHT = 0.2
"""How much the last answer counts in the running means."""


class Fit:
    """What is known of one model's lengths; shared by all attempts.

    Args:
        model: the model's name.
        asked: the settings' `max_output_tokens`.
        most_input: the settings' `max_input_tokens`.
    """

    def __init__(self, model: str, asked: int | None, most_input: int | None) -> None:
        self._asked = asked
        self._most_input = most_input
        self._limit = output_limit(model)
        self._scale = Scale()
        self._cached = 0.0
        self._answer = 0.0
        self.window = most_input or context_window(model)

    def announce(self, note: Note) -> None:
        """Say that the settings ask for more than the model gives, if they do."""
        if self._asked and self._limit and self._asked > self._limit:
            self._note_clamp(note, self._limit, "the model table")

    def prompt(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> int:
        """Tokens of a prompt, by the estimate alone."""
        return estimate(messages, tools)

    def max_tokens(self, estimated: int) -> int | None:
        """The longest answer to ask for beside a prompt; None leaves it to the provider."""
        known = (self._asked, self._limit, self._room(estimated))
        return None if self._asked is None else min(one for one in known if one is not None)

    def _room(self, estimated: int) -> int | None:
        if self.window is None:
            return None
        return max(ROOM, self.window - int(self._scale.of(estimated) * (1 + MARGIN)))

    def shorter(self, failure: Failure, asked: int | None, note: Note) -> int | None:
        """Learn from a refusal; the answer's length that would have been taken, if that helps."""
        if failure.status not in (400, 413, 416, 422):
            return None
        if window := stated_window(failure.text):
            self.window = min(window, self._most_input or window)
        stated = stated_limit(failure.text)
        limit = stated or room_left(failure.text)
        if not asked or not limit or limit >= asked:
            return None
        if stated:
            self._limit = min(stated, self._limit or stated)
        self._note_clamp(note, limit, "the provider's error")
        return limit

    def learn(self, estimated: int, usage: Usage) -> None:
        """Take in what the provider counted."""
        self._scale.learn(estimated, usage.prompt)
        if usage.prompt:
            share = min(1.0, usage.cache_read / usage.prompt)
            self._cached += (share - self._cached) * WEIGHT
        self._answer += (usage.completion - self._answer) * WEIGHT

    def expected(self, estimated: int) -> int:
        """Tokens that a call will take, prompt and answer."""
        return self._scale.of(estimated) + round(self._answer)

    def least(self, estimated: int) -> Usage:
        """The least that a call will use: its prompt, as much of it cached as of late."""
        prompt = self._scale.of(estimated)
        return Usage(prompt=prompt, cache_read=int(prompt * self._cached))

    def _note_clamp(self, note: Note, limit: int, source: str) -> None:
        text = f"max_output_tokens = {self._asked} is lowered to {limit}, by {source}"
        data = {"asked": self._asked, "limit": limit, "source": source}
        note("max_output_tokens_clamped", text, data)
