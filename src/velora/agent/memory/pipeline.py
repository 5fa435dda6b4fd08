"""`pipeline`: several condensers in order; each acts when it is due, on what those before left."""

from __future__ import annotations

from collections.abc import Sequence

from velora.agent.memory.protocol import Condenser, Need, Talk
from velora.agent.memory.view import View
from velora.journal.events import Condensed


class Pipeline:
    """Args:
    stages: in order.
    """

    name = "pipeline"

    def __init__(self, stages: Sequence[Condenser]) -> None:
        self._stages = tuple(stages)

    def due(self, view: View) -> Need | None:
        """What the first stage that is due needs."""
        return next((need for stage in self._stages if (need := stage.due(view))), None)

    async def condense(self, view: View, need: Need, talk: Talk) -> Condensed | None:
        """The work of the first stage that has any; the event bears that stage's name."""
        asked = need.reason in ("overflow", "requested")
        for stage in self._stages:
            own = need if asked else stage.due(view)
            if own and (condensed := await stage.condense(view, own, talk)):
                return condensed
        return None

    async def close(self) -> None:
        """Release what the stages hold."""
        for stage in self._stages:
            await stage.close()
