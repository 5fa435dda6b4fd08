"""The rate that a provider takes, learnt from what it refuses.

Requests at once are no measure of a quota of requests a minute: a refusal comes back at once and
makes room for the next, so that a limit on concurrency alone either leaves the quota unused or
sends mostly what is refused. So once more than `TOLERATED` of the requests were refused, they are
paced: at the rate that was taken of late. From then on every answer raises the rate a little and
every refusal lowers it by more, in such proportion that the rate stands still where `TOLERATED`
of the requests are refused: a little above what the provider takes, so that its quota is used up.
Within one window, the time of an answer, the rate is at most halved. Some refusals come whatever
the rate, and fewer than `TOLERATED` of them do not lower it.
"""

from __future__ import annotations

from collections import deque

TOLERATED = 0.25
"""The share of refused requests at which the rate stands still."""
DOWN = 0.05
"""By how much a refusal lowers the rate."""
UP = DOWN * TOLERATED / (1 - TOLERATED)
"""By how much an answer raises it."""
CATCH_UP = 0.1
"""The same, while the rate is below half of what was last too much, or that is not known."""
MEMORY = 32
"""Requests over which the share of refusals is averaged."""
STREAK = 10
"""Refusals in a row after which the rate is halved at once, once a window."""
LOOK_BACK = 1.0
"""Seconds over which the rate that was taken is measured."""


class Pace:
    """Requests a second.

    Args:
        slowest: seconds between two requests at most.

    Attributes:
        rate: None while nothing is known to limit it.
    """

    def __init__(self, slowest: float = 60.0) -> None:
        self.rate: float | None = None
        self._average = 0.0
        self._least = 1 / max(slowest, 0.001)
        self._seen = 0
        self._streak = 0
        self._ceiling = float("inf")
        self._latency = 0.1
        self._began = 0.0
        self._floor = 0.0
        self._sent: deque[float] = deque()
        self._refusals: deque[float] = deque()

    @property
    def share(self) -> float:
        """Of refused requests, of late; 0 while too few were sent to tell."""
        return self._average if self._seen >= MEMORY / 4 else 0.0

    def under_way(self, now: float) -> float:
        """Requests that are out at once at this rate, or at what is taken of late."""
        rate = self._taken(now) if self.rate is None else self.rate
        return rate * self._latency

    def sent(self, now: float) -> None:
        """A request goes out."""
        self._sent.append(now)
        _forget(self._sent, now)

    def answered(self, latency: float, *, paced: bool) -> None:
        """One was taken and answered.

        Args:
            latency: seconds from the request to the answer.
            paced: the rate is what holds requests up.
        """
        self._latency += (latency - self._latency) / 8
        self._observe(0.0)
        if self.rate is None:
            return
        if self._streak >= STREAK:
            # It takes requests again after a time in which it took none.
            known = self._ceiling < float("inf")
            self.rate = max(self.rate, self._ceiling / 4) if known else None
            self._seen = 0
        elif paced:
            self.rate *= 1 + (CATCH_UP if self.rate < self._ceiling / 2 else UP)
        self._streak = 0

    def refused(self, now: float) -> None:
        """One was refused."""
        self._observe(1.0)
        self._streak += 1
        self._refusals.append(now)
        _forget(self._refusals, now)
        if self.rate is None:
            if self.share > TOLERATED:
                self.rate = max(self._least, self._taken(now))
                self._began, self._floor = now, self.rate / 2
            return
        if now - self._began > max(self._latency, 0.1):
            self._window(now)
            if self._streak >= STREAK:
                self.rate /= 2
        self.rate = max(self.rate * (1 - DOWN), self._floor, self._least)

    def _window(self, now: float) -> None:
        assert self.rate is not None
        if self._streak < STREAK and self.share > TOLERATED:
            self._ceiling = self.rate
        self._began, self._floor = now, self.rate / 2

    def _observe(self, refused: float) -> None:
        self._seen += 1
        self._average += (refused - self._average) / min(self._seen, MEMORY)

    def _taken(self, now: float) -> float:
        """Requests a second of late that were not refused."""
        _forget(self._sent, now)
        _forget(self._refusals, now)
        span = max(now - self._sent[0], LOOK_BACK / 4) if self._sent else LOOK_BACK
        return (len(self._sent) - len(self._refusals)) / span


def _forget(times: deque[float], now: float) -> None:
    while times and times[0] < now - LOOK_BACK:
        times.popleft()
