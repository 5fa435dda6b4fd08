"""`noop`: the conversation is sent whole for as long as it fits."""

from __future__ import annotations

from velora.agent.memory.protocol import Need, Talk
from velora.agent.memory.view import View
from velora.journal.events import Condensed


class Noop:
    """Never condenses."""

    name = "noop"

    def due(self, view: View) -> Need | None:
        """Never."""
        return None

    async def condense(self, view: View, need: Need, talk: Talk) -> Condensed | None:
        """Nothing."""
        return None

    async def close(self) -> None:
        """Nothing to release."""
