"""`recent`: the first steps and the last ones.

Leaving out one step with each new one would change the start of every request, so a quarter of the
allowed steps go at once and then none until that many have come.
"""

from __future__ import annotations

from dataclasses import replace

from velora.agent.memory.protocol import Need, Talk
from velora.agent.memory.rules import due
from velora.agent.memory.view import View
from velora.config.settings import CondenserSettings
from velora.journal.events import Condensed


class Recent:
    """Args:
    settings: `keep_first`, `max_events` and `trigger`.
    """

    name = "recent"

    def __init__(self, settings: CondenserSettings) -> None:
        self._settings = settings

    def due(self, view: View) -> Need | None:
        """More steps than allowed, or too many tokens."""
        too_many = view.steps_shown > self._settings.max_events
        return due(view, too_many=too_many, trigger=self._settings.trigger)

    async def condense(self, view: View, need: Need, talk: Talk) -> Condensed | None:
        """Leave out the steps between the first and the last."""
        kept = view.head(self._settings.keep_first)
        allowed = self._settings.max_events - self._settings.keep_first
        room = None
        if need.target is not None:
            room = need.target - view.tokens_with(view.without(kept, len(view.messages)))
        start = view.tail(view.now, most=max(1, allowed - allowed // 4), tokens=room)
        if start <= max(kept, view.now.start):
            return None
        return replace(view.without(kept, start), condenser=self.name, reason=need.reason)

    async def close(self) -> None:
        """Nothing to release."""
