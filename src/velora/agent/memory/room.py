"""Room for the next request: what the loop calls before one, and after one that was refused.

Before a request the condenser acts if it is due. Whatever it did, a request that is estimated to
leave less than a tenth of the window is shortened by `truncation`, unless that is switched off. A
request that the provider refuses as too long is shortened more with each refusal; the condenser has
the first word, truncation the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from velora.agent.memory.protocol import Condenser, Need, Talk
from velora.agent.memory.truncation import truncate
from velora.agent.state import State
from velora.errors import ContextOverflow
from velora.journal.events import Condensed

FULL = 0.9
"""The part of the window that a request may fill; the rest is for the answer and for what the
estimate may be wrong by."""
AFTERWARDS = 0.5
"""The part of the window that truncation goes down to."""
SHARES = (0.6, 0.4, 0.25, 0.12, 0.05)
"""After each refusal in a row: the part of the limit that the next request may fill."""
_ROUNDS = 8


class Room:
    """Keeps one attempt's conversation within its model's window.

    Args:
        truncating: shorten what no longer fits, whatever the condenser.
        state: the attempt's; `say` changes it.
        say: records a `Condensed` event and applies it to the state.
    """

    def __init__(
        self,
        condenser: Condenser,
        *,
        truncating: bool,
        state: State,
        talk: Talk,
        say: Callable[[Condensed], object],
    ) -> None:
        self._condenser = condenser
        self._truncating = truncating
        self._state = state
        self._talk = talk
        self._say = say
        self._refusals = 0

    async def make(self) -> None:
        """Condense if it is time; costs next to nothing if it is not.

        Raises:
            AttemptError: the model that writes summaries gives no answer at all.
        """
        self._refusals = 0
        if self._state.requested:
            await self._shorten(Need("requested", self._state.gauge.tokens // 2))
        for _ in range(_ROUNDS):
            need = self._condenser.due(self._state.view(self._window))
            if need is None or not await self._condense(need):
                break
        limit = self._state.view(self._window).limit
        if limit and self._truncating and self._state.gauge.tokens > FULL * limit:
            self._truncate(Need("tokens", int(limit * AFTERWARDS)))

    async def after(self, overflow: ContextOverflow) -> None:
        """Shorten a conversation that was refused as too long.

        Raises:
            ContextOverflow: `overflow`, where nothing more can be left out or enough was tried.
        """
        view = self._state.view(self._window)
        refused = view.gauge.tokens
        if self._refusals >= len(SHARES):
            raise overflow
        share = SHARES[self._refusals]
        self._refusals += 1
        target = int(min(view.limit or refused, refused) * share)
        if not await self._shorten(Need("overflow", target)):
            raise overflow

    @property
    def _window(self) -> int | None:
        return self._talk.model.window

    async def _shorten(self, need: Need) -> bool:
        """Get down to the target, the condenser first; whether anything was left out."""
        assert need.target is not None
        said = False
        for _ in range(_ROUNDS):
            if said and self._state.gauge.tokens <= need.target:
                return True
            if not await self._condense(need, first=not said):
                break
            said = True
        if self._truncating and (not said or self._state.gauge.tokens > need.target):
            said = self._truncate(need, first=not said) or said
        return said

    async def _condense(self, need: Need, *, first: bool = True) -> bool:
        view = self._state.view(self._window)
        return self._tell(await self._condenser.condense(view, need, self._talk), first)

    def _truncate(self, need: Need, *, first: bool = True) -> bool:
        assert need.target is not None
        view = self._state.view(self._window)
        return self._tell(truncate(view, need.target, need.reason), first)

    def _tell(self, condensed: Condensed | None, first: bool) -> bool:
        if condensed is None:
            return False
        if condensed.reason == "overflow" and not first:
            # The events tell how often a request was refused, and how long it was: once each.
            condensed = replace(condensed, reason="tokens")
        limit = self._state.view(self._window).limit or 0
        self._say(replace(condensed, limit=limit))
        return True
