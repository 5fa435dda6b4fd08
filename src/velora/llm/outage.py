"""A provider that is down: the whole run waits for it instead of failing for it.

`ROW` failures in a row, over all attempts, that say nothing is there (no connection, 503, 529)
are an outage; other server errors, cut and silent connections are one if they hit more than one
conversation, for one prompt alone may well be what breaks a server. From then on calls wait. One
of them at a time is let through as a probe, after growing waits, and never the same one twice in a
row while others wait; the first that brings an answer, or any sign that the provider is there,
ends the outage. After `patience` seconds all that wait, and all that come later and are not the
next probe, give up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from velora.llm.failures import Failure, Sign
from velora.llm.protocol import PROVIDER_BACK, PROVIDER_DOWN, Note

ROW = 5
"""Failures in a row that are an outage."""


class GaveUp(Exception):
    """The provider is down for longer than the settings would wait; the text says since when."""


class Outage:
    """What is known of one endpoint's health; shared by all attempts.

    Args:
        patience: seconds to wait before calls give up.
        first, longest: seconds before the first probe and between later ones.
    """

    def __init__(self, *, patience: float, first: float, longest: float) -> None:
        self._patience = patience
        self._first, self._longest = first, longest
        self._interval = first
        self._since: float | None = None
        self._last: Failure | None = None
        self._row = 0
        self._certain = 0
        self._hit: set[str] = set()
        self._ever = False
        self._probing = False
        self._probe_at = 0.0
        self._line: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._announced = False

    @property
    def down(self) -> bool:
        """Calls wait."""
        return self._since is not None

    async def turn(self, note: Note) -> bool:
        """Wait while the provider is down; True makes this call the probe.

        A probe ends with exactly one of `alive`, `failed` and `abandoned`.

        Raises:
            GaveUp: it took too long.
        """
        if self._since is None:
            return False
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._announce(note)
        future: asyncio.Future[bool] = loop.create_future()
        self._line.append(future)
        self._schedule()
        try:
            probe = await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                if future.result():
                    self.abandoned()
            elif future in self._line:
                self._line.remove(future)
            raise
        if not probe:
            waited = loop.time() - began
            text = f"the provider is back; this call waited {waited:.1f} s for it"
            note(PROVIDER_BACK, text, {"waited": round(waited, 3), "first": False})
        return probe

    def alive(self, note: Note) -> None:
        """The provider answered, be it with a refusal."""
        self._ever = True
        self._row = self._certain = 0
        self._hit.clear()
        if self._since is None:
            return
        lasted = asyncio.get_running_loop().time() - self._since
        self._since, self._probing, self._interval = None, False, self._first
        self._stop_timer()
        text = f"the provider is back after {lasted:.1f} s; all calls go on"
        note(PROVIDER_BACK, text, {"lasted": round(lasted, 3), "first": True})
        while self._line:
            self._release(False)

    def failed(self, failure: Failure, conversation: str, *, probe: bool) -> bool:
        """Take in a failure that is a sign of an outage; True where the provider is down, and the
        failure is nobody's."""
        self._last = failure
        if self._since is not None:
            if probe:
                self._probing = False
                self._interval = min(2 * self._interval, self._longest)
                self._probe_at = asyncio.get_running_loop().time() + self._interval
                self._schedule()
            return True
        self._row += 1
        self._certain += failure.sign is Sign.ABSENT
        self._hit.add(conversation)
        if self._row < ROW or (self._certain < ROW and len(self._hit) < 2):
            return False
        now = asyncio.get_running_loop().time()
        self._since, self._probe_at = now, now + self._interval
        self._announced = False
        return True

    def abandoned(self) -> None:
        """The probe was given up before it came to anything."""
        self._probing = False
        self._schedule()

    def _announce(self, note: Note) -> None:
        where = "" if self._ever else "; it has not answered once so far: is base_url right?"
        text = (
            f"the provider is down ({self._row} failures in a row, the last: {self._last}): "
            f"all calls wait for it, {self._patience:g} s at most{where}"
        )
        data: dict[str, Any] = {"failures": self._row, "error": str(self._last)}
        note(PROVIDER_DOWN, text, {**data, "first": not self._announced})
        self._announced = True

    def _schedule(self) -> None:
        """See to it that whoever waits is let go or given up in time."""
        self._stop_timer()
        if self._since is None or not self._line:
            return
        loop = asyncio.get_running_loop()
        now, over = loop.time(), self._since + self._patience
        if not self._probing and now >= self._probe_at:
            self._probing = True
            self._release(True)
        if now >= over:
            self._give_up(now - self._since)
        if self._line:
            at = over if self._probing else min(over, self._probe_at)
            self._timer = loop.call_later(at - now, self._schedule)

    def _release(self, probe: bool) -> None:
        while self._line:
            future = self._line.popleft()
            if not future.done():
                future.set_result(probe)
                return
        if probe:
            self._probing = False

    def _give_up(self, lasted: float) -> None:
        text = f"the provider has been down for {lasted:.0f} s; the last failure: {self._last}"
        while self._line:
            future = self._line.popleft()
            if not future.done():
                future.set_exception(GaveUp(text))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
