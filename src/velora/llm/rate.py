"""How fast requests go out: one `Gate` for each endpoint and key, passed by all attempts.

A gate lets requests through in the order of their arrival, as far as these allow:

- *closed*: the provider asked for a pause (`Retry-After`);
- *buckets*: `rpm` and `tpm`, where configured. Tokens are taken by an estimate and corrected by
  the usage that the answer reports;
- *pace*: requests a second, learnt from what the provider refuses (`llm.pace`);
- *concurrency*: so many requests at once. The limit doubles each round until the provider first
  refuses more than `OVERLOADED` of the requests, which the pace alone does not mend. Then it is
  lowered, at most once in the time of an answer, in proportion to the share that is refused: by
  half where all are, but not below twice what is out at once at the learnt pace. From then on it
  grows by one a round, or by a tenth where that is more.

Who waits here, or waits between two tries, holds nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from velora.llm.pace import Pace

START = 16
"""Requests at once before anything is known of the provider."""
MOST = 1000
"""Requests at once at most."""
OVERLOADED = 0.4
"""The share of refused requests from which on fewer go out at once."""
BURST = 0.5
"""Seconds' worth of a configured rate that may go out at once."""
PACED_BURST = 0.1
"""The same of a learnt rate."""
TICK = 1e-4
"""Seconds that are not worth a timer: less than what floating point adds to a wait."""


class Elsewhere(Exception):
    """The request is to look for another lane: this one is out of use or closed for long."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A request that has been let through; to be given back by exactly one of `Gate.done`,
    `Gate.refused` and `Gate.failed`.

    Attributes:
        tokens: as estimated.
        at: when it was let through, on the event loop's clock.
        among: requests that were out then, itself included.
    """

    tokens: int
    at: float
    among: int


@dataclass(slots=True)
class _Waiter:
    future: asyncio.Future[Slot]
    tokens: int


class Bucket:
    """So much a second, evenly but for `burst` seconds' worth.

    A taker may be larger than what the bucket holds: it waits for a full one and leaves a debt.

    Attributes:
        rate: a second; may be changed at any time.
    """

    def __init__(self, rate: float, burst: float = BURST) -> None:
        self.rate = rate
        self._burst = burst
        self._level = 1.0
        self._at: float | None = None

    def delay(self, amount: float, now: float) -> float:
        """Seconds until `amount` may be taken; 0 is at once."""
        self._fill(now)
        return max(0.0, min(amount, self._capacity) - self._level) / self.rate

    def take(self, amount: float, now: float) -> None:
        """Take it, into debt if need be; a negative amount is given back."""
        self._fill(now)
        self._level = min(self._capacity, self._level - amount)

    @property
    def _capacity(self) -> float:
        return max(1.0, self.rate * self._burst)

    def _fill(self, now: float) -> None:
        passed = now - (now if self._at is None else self._at)
        self._at = now
        self._level = min(self._capacity, self._level + passed * self.rate)


class Gate:
    """One endpoint with one key.

    Args:
        rpm, tpm: requests and tokens a minute that the provider allows; None is not known.
        most: requests at once.
        slowest: seconds between two requests at most, where the pace is learnt.
    """

    def __init__(
        self,
        *,
        rpm: int | None = None,
        tpm: int | None = None,
        most: int | None = None,
        slowest: float = 60.0,
    ) -> None:
        self._requests = Bucket(rpm / 60) if rpm else None
        self._tokens = Bucket(tpm / 60) if tpm else None
        self._pace = Pace(slowest)
        self._paced: Bucket | None = None
        self._held_up = False
        self._most = most or MOST
        # Who states a rate knows it; who does not is in for a careful start.
        self._limit = float(self._most if rpm or tpm else min(START, self._most))
        self._growing = True
        self._lowered_at = -1.0
        self._closed_until = 0.0
        self._flying = 0
        self._queue: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """Requests at once, as things stand."""
        return max(1, int(self._limit))

    @property
    def rate(self) -> float | None:
        """Requests a second, as learnt; None where nothing limits them."""
        return self._pace.rate

    @property
    def flying(self) -> int:
        """Requests that are out."""
        return self._flying

    @property
    def load(self) -> float:
        """Requests that are out or waiting, over the limit."""
        return (self._flying + len(self._queue)) / self.limit

    def delay(self, tokens: int = 1) -> float:
        """Seconds for which nothing like this gets through, whatever else is under way."""
        now = asyncio.get_running_loop().time()
        buckets = ((self._requests, 1), (self._tokens, tokens), (self._paced, 1))
        waits = (bucket.delay(amount, now) for bucket, amount in buckets if bucket)
        return max(0.0, self._closed_until - now, *waits)

    async def enter(self, tokens: int) -> Slot:
        """Wait for one's turn.

        Args:
            tokens: prompt and answer, as estimated.

        Raises:
            Elsewhere: `scatter` was called meanwhile.
        """
        waiter = _Waiter(asyncio.get_running_loop().create_future(), tokens)
        self._queue.append(waiter)
        self._admit()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            future = waiter.future
            if future.done() and not future.cancelled() and future.exception() is None:
                self.failed(future.result())  # let through, and nobody there any more
            else:
                with suppress(ValueError):
                    self._queue.remove(waiter)
                self._admit()
            raise

    def done(self, slot: Slot, tokens: int | None = None) -> None:
        """The request was answered; `tokens` is what it took in all, where that is known."""
        now = asyncio.get_running_loop().time()
        if self._tokens and tokens is not None:
            self._tokens.take(tokens - slot.tokens, now)
        self._pace.answered(now - slot.at, paced=self._held_up)
        self._follow()
        if self._flying >= self.limit:
            step = 1.0 if self._growing else max(0.1, 1.0 / self._limit)
            self._limit = min(self._limit + step, self._most)
        self._leave()

    def refused(self, slot: Slot, wait: float = 0.0) -> None:
        """The provider takes no more for now; `wait` is how long, in seconds, if it says."""
        now = asyncio.get_running_loop().time()
        if self._tokens:
            self._tokens.take(-slot.tokens, now)
        self._closed_until = max(self._closed_until, now + wait)
        self._pace.refused(now)
        self._follow()
        share = self._pace.share
        if share > OVERLOADED and slot.at > self._lowered_at:
            # What was sent before a reduction says nothing about the limit since.
            least = max(1.0, min(self._limit, 2 * self._pace.under_way(now)))
            self._limit = max(least, min(self._limit, slot.among) * (1 - share / 2))
            self._growing = False
            self._lowered_at = now
        self._leave()

    def failed(self, slot: Slot) -> None:
        """Something else went wrong, or the request was given up."""
        self._leave()

    def close(self, seconds: float) -> None:
        """Let nothing through for so long."""
        until = asyncio.get_running_loop().time() + seconds
        self._closed_until = max(self._closed_until, until)

    def scatter(self) -> None:
        """Send all who wait to look for another lane."""
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.future.done():
                waiter.future.set_exception(Elsewhere())

    def _follow(self) -> None:
        """Let the bucket have the learnt pace."""
        rate = self._pace.rate
        if rate is None:
            self._paced = None
        elif self._paced is None:
            self._paced = Bucket(rate, PACED_BURST)
        else:
            self._paced.rate = rate

    def _leave(self) -> None:
        self._flying -= 1
        self._admit()

    def _admit(self) -> None:
        """Let through whoever may go; comes back by itself when time alone is in the way."""
        for waiter in self._ready():
            self._flying += 1
            now = asyncio.get_running_loop().time()
            for bucket, amount in (
                (self._requests, 1),
                (self._paced, 1),
                (self._tokens, waiter.tokens),
            ):
                if bucket:
                    bucket.take(amount, now)
            self._pace.sent(now)
            waiter.future.set_result(Slot(waiter.tokens, now, self._flying))

    def _ready(self) -> Iterator[_Waiter]:
        self._held_up = False
        now = asyncio.get_running_loop().time()
        while self._queue and self._flying < self.limit:
            if self._queue[0].future.done():  # cancelled, and not yet out of the queue
                self._queue.popleft()
                continue
            if (delay := self.delay(self._queue[0].tokens)) > TICK:
                self._held_up = bool(self._paced and self._paced.delay(1, now) >= delay - TICK)
                self._wake_in(delay)
                return
            yield self._queue.popleft()

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._admit)
