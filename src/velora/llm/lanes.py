"""Several keys for one model: which request goes out with which.

A lane is a backend with its key and its gate. An attempt stays on its lane, where the provider may
have its prompt in a cache, unless that lane is out of use or has nothing to give for `PATIENCE`
seconds while another has. New attempts go to the lane with the most room.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from velora.llm.backend import Backend
from velora.llm.rate import Elsewhere, Gate, Slot

PATIENCE = 5.0
"""Seconds that an attempt waits for its own lane while another has room."""
REMEMBERED = 10_000
"""Conversations whose lane is known; of more, the oldest are forgotten."""


@dataclass(slots=True)
class Lane:
    """One key.

    Attributes:
        number: from 1.
        out: the provider refuses the key, so it is used no more.
    """

    number: int
    backend: Backend
    gate: Gate
    out: bool = False


class Lanes:
    """All keys of one model."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self.all = tuple(lanes)
        self._homes: dict[str, Lane] = {}

    async def enter(self, conversation: str, tokens: int) -> tuple[Lane, Slot]:
        """Wait until a lane lets a request of this conversation through."""
        while True:
            lane = self._choose(conversation, tokens)
            with suppress(Elsewhere):
                return lane, await lane.gate.enter(tokens)

    def take_out(self, lane: Lane) -> bool:
        """Use a key no more; False where it is the last one, which stays."""
        if not lane.out and sum(not one.out for one in self.all) == 1:
            return False
        lane.out = True
        lane.gate.scatter()
        return True

    def closed(self, lane: Lane, seconds: float) -> None:
        """A lane's gate is shut for so long: who waits there may have another way."""
        others = (one for one in self.all if one is not lane and not one.out)
        if seconds > PATIENCE and any(one.gate.delay() <= PATIENCE for one in others):
            lane.gate.scatter()

    def _choose(self, conversation: str, tokens: int) -> Lane:
        living = [one for one in self.all if not one.out]
        if len(living) == 1:
            return living[0]
        home = self._homes.get(conversation)
        if home is not None and not home.out and home.gate.delay(tokens) <= PATIENCE:
            return home

        def order(lane: Lane) -> tuple[bool, bool, float]:
            return lane.gate.delay(tokens) > PATIENCE, lane is not home, lane.gate.load

        lane = min(living, key=order)
        if conversation:
            self._homes.pop(conversation, None)
            self._homes[conversation] = lane
            if len(self._homes) > REMEMBERED:
                del self._homes[next(iter(self._homes))]
        return lane
