"""The conversation as a condenser sees it: what is shown now, by steps, and how long that is."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from velora.agent.memory.gauge import Gauge
from velora.journal.conversation import shortened, shown
from velora.journal.events import Condensed
from velora.journal.messages import Message

_NOTE = re.compile(
    r"(?:\A|\n\n)\[(?:An earlier step is|\d+ earlier steps are) left out here[^\n]*\]\Z"
)


@dataclass(frozen=True, slots=True)
class View:
    """One moment of a conversation.

    Attributes:
        messages: the whole conversation.
        steps: the indexes at which steps begin: those of the answers.
        condensed: what of it is shown; None is all.
        gauge: how long it is.
        limit: tokens that a request may have; None where nobody knows.
    """

    messages: Sequence[Message]
    steps: Sequence[int]
    condensed: Condensed | None
    gauge: Gauge
    limit: int | None

    @property
    def opening(self) -> int:
        """How many messages come before the first step."""
        return self.steps[0] if self.steps else len(self.messages)

    @property
    def now(self) -> Condensed:
        """What is shown, as an event; where all is, one that leaves out nothing."""
        return self.condensed or Condensed("", "", kept=self.opening, start=self.opening)

    @property
    def steps_shown(self) -> int:
        """How many steps the model sees."""
        return len(self.steps) - self.steps_between(self.now.kept, self.now.start)

    def steps_between(self, kept: int, start: int) -> int:
        """How many steps begin between two indexes."""
        return bisect_left(self.steps, start) - bisect_left(self.steps, kept)

    def head(self, keep_first: int) -> int:
        """Where the part that is kept at the start ends; never beyond what is kept now."""
        end = self.steps[keep_first] if keep_first < len(self.steps) else len(self.messages)
        return min(end, self.condensed.kept) if self.condensed else end

    def tail(self, condensed: Condensed, *, most: int, tokens: int | None) -> int:
        """Where the longest tail begins that fits; at least the last step.

        Args:
            condensed: how observations are masked and cut.
            most: steps in it.
            tokens: of them all; None is no limit.
        """
        total, end, found = 0, len(self.messages), len(self.messages)
        first = bisect_left(self.steps, self.now.start)
        for step in reversed(self.steps[max(first, len(self.steps) - most) :]):
            total += self.tokens(range(step, end), condensed)
            if tokens is not None and total > tokens and found < len(self.messages):
                break
            found = end = step
        return found

    def tokens(self, indexes: range, condensed: Condensed | None) -> int:
        """Estimated tokens of some messages as they would be shown."""
        return self.gauge.corrected([shortened(self.messages, n, condensed) for n in indexes])

    def tokens_with(self, condensed: Condensed) -> int:
        """Estimated tokens of a request under a condensation."""
        return self.gauge.corrected(shown(self.messages, condensed), tools=True)

    def changed(self, condensed: Condensed) -> bool:
        """Would the condensation show anything else than is shown now?"""
        now = self.now
        fields = ("kept", "start", "masked", "clipped", "longest")
        return any(getattr(condensed, name) != getattr(now, name) for name in fields)

    def without(self, kept: int, start: int) -> Condensed:
        """A condensation that leaves out all between two indexes, and says so.

        A summary that a model wrote earlier stays; the caller gives it a name and a reason.
        """
        count = self.steps_between(kept, start)
        summary = with_note(self.now.summary, count) if count else self.now.summary
        plain = replace(self.now, completion=None, request="", excerpt=0)
        return replace(plain, kept=kept, start=start, summary=summary)


def with_note(summary: str, count: int) -> str:
    """A summary followed by the remark that steps are left out; it stands in it once."""
    what = "An earlier step is" if count == 1 else f"{count} earlier steps are"
    note = (
        f"[{what} left out here to keep the conversation short. What was done to files and in the "
        "shell still holds.]"
    )
    before = _NOTE.sub("", summary)
    return f"{before}\n\n{note}" if before else note
