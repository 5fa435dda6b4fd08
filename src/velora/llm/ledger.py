"""What a run may spend, checked before each call and shared by all attempts.

Before a request goes out, the least that it will cost (its prompt, as estimated) is reserved; when
it has come to an end, what it did cost takes the reservation's place. So calls that are under way
at once cannot all slip under a cap. What an answer costs beyond its prompt is known only
afterwards: a cap can be passed by the answers that are under way when it is reached.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from velora.errors import BudgetExceeded


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money set aside for one call, in US dollars."""

    account: str
    amount: float


class Account:
    """Money spent and set aside under one cap."""

    def __init__(self, cap: float | None, spent: Iterable[float] = ()) -> None:
        self.cap = cap
        self.spent = math.fsum(spent)
        self.reserved = 0.0

    def lacks(self, amount: float) -> bool:
        """Would this be too much, or is the cap reached already?"""
        if self.cap is None:
            return False
        return self.spent >= self.cap or self.spent + self.reserved + amount > self.cap


class Ledger:
    """A run's money.

    Args:
        run_cap: US dollars for the run; None is no cap.
        attempt_cap: US dollars for each attempt; None is no cap.
        spent: what was paid before, by attempt: the costs of its calls.
    """

    def __init__(
        self,
        run_cap: float | None = None,
        attempt_cap: float | None = None,
        spent: Mapping[str, Iterable[float]] | None = None,
    ) -> None:
        self._attempt_cap = attempt_cap
        past = {name: list(costs) for name, costs in (spent or {}).items()}
        self._run = Account(run_cap, (cost for costs in past.values() for cost in costs))
        self._attempts: defaultdict[str, Account] = defaultdict(lambda: Account(attempt_cap))
        for name, costs in past.items():
            self._attempts[name] = Account(attempt_cap, costs)
        self._refused = False

    @property
    def capped(self) -> bool:
        """There is a cap to keep."""
        return self._run.cap is not None or self._attempt_cap is not None

    @property
    def exhausted(self) -> str:
        """Why the run starts nothing more, or ""."""
        run = self._run
        if run.cap is None or not (self._refused or run.spent >= run.cap):
            return ""
        return f"the run's budget of ${run.cap:g} is used up (${run.spent:.4f} spent)"

    @property
    def spent(self) -> float:
        """US dollars of the run so far; calls of unknown price count as nothing."""
        return self._run.spent

    def reserve(self, account: str, amount: float | None) -> Reservation:
        """Set money aside for a call.

        Args:
            account: the attempt; "" has no cap of its own.
            amount: what the call will at least cost; None, where nobody knows, counts as nothing.

        Raises:
            BudgetExceeded: a cap is reached, or this call would pass it.
        """
        least = amount or 0.0
        if self._run.lacks(least):
            self._refused = True
            raise BudgetExceeded(_explained("the run", self._run, least))
        if account:
            attempt = self._attempts[account]
            if attempt.lacks(least):
                raise BudgetExceeded(_explained("this attempt", attempt, least))
            attempt.reserved += least
        self._run.reserved += least
        return Reservation(account, least)

    def settle(self, reservation: Reservation, cost: float | None) -> None:
        """End a reservation with what was paid; None is an unknown price, 0 where nothing was."""
        accounts = [self._run]
        if reservation.account:
            accounts.append(self._attempts[reservation.account])
        for one in accounts:
            one.reserved = max(0.0, one.reserved - reservation.amount)
            if cost:
                one.spent += cost


def _explained(whose: str, account: Account, least: float) -> str:
    flying = f", ${account.reserved:.4f} for calls under way" if account.reserved else ""
    return (
        f"${account.spent:.4f} spent{flying}; the limit of {whose} is ${account.cap:g}, "
        f"and the next call costs at least ${least:.4f}"
    )
