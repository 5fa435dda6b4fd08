"""How many tokens the next request will be: a running estimate, kept true by the provider's counts.

A message is estimated once, when it comes. With each answer the provider says how many tokens its
prompt had, so only what came after is an estimate at all, and the ratio of count to estimate
corrects that. Where it errs it should err upwards: what was not counted yet is taken to be at least
as dense as the densest that came lately, and after a condensation nothing is taken for less than
estimated.
"""

from __future__ import annotations

from collections.abc import Sequence

from velora.journal.messages import Message, ToolSpec
from velora.llm.tokens import estimate

_LEAST, _MOST = 0.25, 4.0  # a ratio beyond these is no tokenizer's but a provider's odd count
_DENSEST = 2.0
_ENOUGH = 256  # tokens that tell how dense a text is
_FORGET = 0.9


class Gauge:
    """The size of one conversation as it is sent; every number but `tokens` is uncorrected.

    Attributes:
        ratio: tokens as the provider counts them for one of the estimate's.
        refused: the size of the smallest request that was refused as too long; 0 if none was.
    """

    def __init__(self) -> None:
        self.ratio = 1.0
        self.refused = 0
        self._dense = 1.0
        self._tools = 0
        self._size = 0
        self._counted: tuple[int, int] | None = None  # tokens, and the size that they were for

    @property
    def tokens(self) -> int:
        """Estimated tokens of what would be sent now."""
        if self._counted is None:
            return int(self._size * self._upwards)
        tokens, size = self._counted
        return tokens + int((self._size - size) * max(self.ratio, self._dense))

    @property
    def _upwards(self) -> float:
        return max(self.ratio, 1.0)

    def offer(self, tools: Sequence[ToolSpec]) -> None:
        """Count the tools, which are part of each request."""
        self._size -= self._tools
        self._tools = estimate((), tools)
        self._size += self._tools

    def add(self, messages: Sequence[Message]) -> None:
        """Count what is said; costs what it adds."""
        self._size += estimate(messages)

    def count(self, prompt: int) -> None:
        """Take the provider's count of the request just answered; 0 where there is none."""
        if prompt > 0 and self._size > 0:
            self._dense = 1 + (self._dense - 1) * _FORGET
            if self._counted and (new := self._size - self._counted[1]) >= _ENOUGH:
                dense = (prompt - self._counted[0]) / new
                self._dense = min(max(self._dense, dense), _DENSEST)
            self.ratio = min(max(prompt / self._size, _LEAST), _MOST)
            self._counted = prompt, self._size

    def refuse(self) -> None:
        """Remember that a request of this size was too long."""
        self.refused = min(self._size, self.refused or self._size)

    def restart(self, messages: Sequence[Message]) -> None:
        """Count anew after a condensation; `messages` are what is shown from now on."""
        self._size = self._tools + estimate(messages)
        self._counted = None

    def corrected(self, messages: Sequence[Message], *, tools: bool = False) -> int:
        """Estimated tokens of some messages, with or without the tools beside them."""
        return int((estimate(messages) + (self._tools if tools else 0)) * self._upwards)

    def limit(self, window: int | None) -> int | None:
        """Tokens that a request may have; None where nobody knows.

        Args:
            window: the model's context window, as far as it is known. A request that was refused
                although it should have fitted lowers it, to a half at most.
        """
        ceiling = int(self.refused * self.ratio)
        if window is None:
            return ceiling or None
        return min(window, max(ceiling, window // 2)) if ceiling else window
