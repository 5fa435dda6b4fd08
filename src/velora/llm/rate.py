"""How fast requests go out: one `Gate` for each endpoint and key, passed by all attempts.

A gate lets requests through in the order of their arrival, as far as three things allow:

- *closed*: the provider asked for a pause (`Retry-After`), or refused everything lately;
- *buckets*: `rpm` and `tpm`, where configured. Tokens are taken by an estimate and corrected by
  the usage that the answer reports;
- *concurrency*: so many requests at once. The limit doubles each round until the provider first
  refuses too much, then grows by one a round. A round in which the provider refused more than
  `TOLERATED` of the requests takes it down in proportion (by half where all were refused), and
  what was sent before a reduction does not count towards the next one. A few refusals are no
  reason to slow down: they cost the provider next to nothing, and some come whatever the rate.

Who waits here, or waits between two tries, holds nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

START = 16
"""Requests at once before anything is known of the provider."""
MOST = 1000
"""Requests at once at most."""
TOLERATED = 0.25
"""The share of refused requests up to which the limit still grows."""
SAMPLE = (8, 50)
"""Requests at least and at most that one round is judged by."""
STREAK = 10
"""Refusals in a row after which the gate closes for a while though nobody said how long."""


TICK = 1e-4
"""Seconds that are not worth a timer: less than what floating point adds to a wait."""


class Elsewhere(Exception):
    """The request is to look for another lane: this one is out of use or closed for long."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A request that has been let through; to be given back by exactly one of `Gate.done`,
    `Gate.refused` and `Gate.failed`."""

    tokens: int
    epoch: int


@dataclass(slots=True)
class _Waiter:
    future: asyncio.Future[Slot]
    tokens: int


class Bucket:
    """So much a minute, of which a second's worth may be taken at once.

    A taker may be larger than what the bucket holds: it waits for a full one and leaves a debt.
    """

    def __init__(self, per_minute: int) -> None:
        self._rate = per_minute / 60
        self._capacity = max(1.0, self._rate)
        self._level = self._capacity
        self._at: float | None = None

    def delay(self, amount: float, now: float) -> float:
        """Seconds until `amount` may be taken; 0 is at once."""
        self._fill(now)
        return max(0.0, min(amount, self._capacity) - self._level) / self._rate

    def take(self, amount: float, now: float) -> None:
        """Take it, into debt if need be; a negative amount is given back."""
        self._fill(now)
        self._level = min(self._capacity, self._level - amount)

    def _fill(self, now: float) -> None:
        passed = now - (now if self._at is None else self._at)
        self._at = now
        self._level = min(self._capacity, self._level + passed * self._rate)


class Gate:
    """One endpoint with one key.

    Args:
        rpm, tpm: requests and tokens a minute that the provider allows; None is not known.
        most: requests at once.
        pause: seconds of the first and of the longest closing where the provider names none.
    """

    def __init__(
        self,
        *,
        rpm: int | None = None,
        tpm: int | None = None,
        most: int | None = None,
        pause: tuple[float, float] = (1.0, 60.0),
    ) -> None:
        self._requests = Bucket(rpm) if rpm else None
        self._tokens = Bucket(tpm) if tpm else None
        self._most = most or MOST
        # Who states a rate knows it; who does not is in for a careful start.
        self._limit = float(self._most if rpm or tpm else min(START, self._most))
        self._growing = True
        self._first, self._longest = pause
        self._pause = self._first
        self._closed_until = 0.0
        self._flying = 0
        self._peak = 0
        self._epoch = 0
        self._taken = 0
        self._rejected = 0
        self._streak = 0
        self._queue: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """Requests at once, as things stand."""
        return max(1, int(self._limit))

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
        buckets = ((self._requests, 1), (self._tokens, tokens))
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
        if self._tokens and tokens is not None:
            self._tokens.take(tokens - slot.tokens, asyncio.get_running_loop().time())
        busy = self._flying >= self.limit or bool(self._queue)
        if slot.epoch == self._epoch:
            self._streak, self._pause = 0, self._first
            self._taken += 1
            if busy:
                self._limit += 1.0 if self._growing else 1.0 / self._limit
                self._limit = min(self._limit, self._most)
            self._judge()
        self._leave()

    def refused(self, slot: Slot, wait: float = 0.0) -> None:
        """The provider takes no more for now; `wait` is how long, in seconds, if it says."""
        now = asyncio.get_running_loop().time()
        if self._tokens:
            self._tokens.take(-slot.tokens, now)
        self._closed_until = max(self._closed_until, now + wait)
        if slot.epoch == self._epoch:
            self._rejected += 1
            self._streak += 1
            if not wait and self._streak >= min(STREAK, 2 * self.limit):
                self._closed_until = max(self._closed_until, now + self._pause)
                self._pause = min(2 * self._pause, self._longest)
                self._shrink(0.5)
            else:
                self._judge()
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

    def _judge(self) -> None:
        """At the end of a round: too many refusals?"""
        least, most = SAMPLE
        seen = self._taken + self._rejected
        if seen < min(max(self._limit, least), most):
            return
        share = self._rejected / seen
        if share > TOLERATED:
            self._shrink(share / 2)
        else:
            self._round()

    def _shrink(self, part: float) -> None:
        self._limit = max(1.0, min(self._limit, self._peak) * (1 - part))
        self._growing = False
        self._epoch += 1
        self._round()

    def _round(self) -> None:
        self._taken = self._rejected = 0
        self._peak = self._flying

    def _leave(self) -> None:
        self._flying -= 1
        self._admit()

    def _admit(self) -> None:
        """Let through whoever may go; comes back by itself when time alone is in the way."""
        for waiter in self._ready():
            self._flying += 1
            self._peak = max(self._peak, self._flying)
            now = asyncio.get_running_loop().time()
            if self._requests:
                self._requests.take(1, now)
            if self._tokens:
                self._tokens.take(waiter.tokens, now)
            waiter.future.set_result(Slot(waiter.tokens, self._epoch))

    def _ready(self) -> Iterator[_Waiter]:
        while self._queue and self._flying < self.limit:
            if self._queue[0].future.done():  # cancelled, and not yet out of the queue
                self._queue.popleft()
                continue
            if (delay := self.delay(self._queue[0].tokens)) > TICK:
                self._wake_in(delay)
                return
            yield self._queue.popleft()

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._admit)
