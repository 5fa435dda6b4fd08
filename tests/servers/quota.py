"""What a scripted server plays that has a quota and is not well: 429s, 500s, cuts and hangs.

`Quota` is a `Play`. It keeps its own books: how much of each second's quota was used while
conversations were under way, and how often each turn of each conversation was answered.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from tests.servers.chat import Refusal
from tests.servers.http import Fault, Reply, Request
from velora.llm.script import Call, Turn

RATES = {"429": 0.10, "500": 0.03, "cut": 0.01, "hang": 0.01}
"""What becomes of the requests that are within the quota; the others are answered."""


@dataclass
class Quota:
    """A quota of requests in each window, and what it came to.

    Attributes:
        turns: answers of one conversation; the last calls `finish`.
        allowed: requests in each window.
        window: seconds.
        latency: seconds that an answer takes.
        says: a refusal for the quota's sake says how long to wait.
        used: requests let in, by window.
        over: requests refused for the quota's sake.
        answered: whole answers sent, by conversation and turn.
        fates: what became of the requests that were let in.
    """

    turns: int
    allowed: int
    window: float = 1.0
    latency: float = 0.2
    says: bool = True
    used: Counter[int] = field(default_factory=Counter)
    over: int = 0
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    _random: random.Random = field(default_factory=lambda: random.Random(20260101))
    _let_in: set[int] = field(default_factory=set)

    def __call__(self, request: Request) -> Reply:
        """The reply to a request (`tests.servers.http.Play`)."""
        if id(request) in self._let_in:  # asked again, for the answer behind the delay
            self._let_in.discard(id(request))
            self.answered[request.prompt, request.turn] += 1
            return self._turn(request.turn)
        now = asyncio.get_running_loop().time() / self.window
        if self.used[int(now)] >= self.allowed:
            self.over += 1
            wait = {"retry-after-ms": str(int(1000 * self.window * (int(now) + 1 - now)) + 1)}
            return Refusal(429, "Rate limit reached", headers=wait if self.says else {})
        self.used[int(now)] += 1
        fate = self._fate()
        self.fates[fate] += 1
        match fate:
            case "429":
                return Refusal(429, "Too many requests", type="rate_limit_error")
            case "500":
                return Fault(status=500, delay=self.latency / 2)
            case "hang":
                return Fault(hang=True)
        self._let_in.add(id(request))
        if fate == "cut":
            self.answered[request.prompt, request.turn] -= 1
            return Fault(cut_after=150, delay=self.latency)
        return Fault(delay=self.latency * self._random.uniform(0.5, 1.5))

    def utilisation(self) -> float:
        """The part of the quota that was used, from the second window to the one in which the
        conversations that were left could no longer use it up; the last tenth of the requests is
        taken to be that."""
        windows = sorted(self.used)
        total, seen, busy = sum(self.used.values()), 0, []
        for window in range(windows[0] + 1, windows[-1]):
            seen += self.used[window]
            if seen > 0.9 * total:
                break
            busy.append(self.used[window])
        return sum(busy) / (self.allowed * len(busy))

    def _fate(self) -> str:
        drawn = self._random.random()
        for fate, rate in RATES.items():
            drawn -= rate
            if drawn < 0:
                return fate
        return "answered"

    def _turn(self, index: int) -> Turn:
        if index + 1 < self.turns:
            return Turn(calls=(Call("think", f'{{"thought": "turn {index}"}}'),))
        return Turn(calls=(Call("finish", '{"message": "done"}'),))
