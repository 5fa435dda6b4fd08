"""What a run may spend, checked before each call and shared by all attempts.

Before a request goes out, the least that it will cost (its prompt, as estimated) is reserved; when
it has come to an end, what it did cost takes the reservation's place. So calls that are under way
at once cannot all slip under a cap. What an answer costs beyond its prompt is known only
afterwards: a cap can be passed by the answers that are under way when it is reached.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from velora.errors import BudgetExceeded, NothingLeft


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money set aside for one call, in US dollars."""

    account: str
    amount: float


class Account:
    """Money spent and set aside under one cap."""

    def __init__(self, cap: float | None) -> None:
        self.cap = cap
        self.spent = 0.0
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
    Attributes:
        refused: a call was refused for the run's cap.
    """

    def __init__(self, run_cap: float | None = None, attempt_cap: float | None = None) -> None:
        self._attempt_cap = attempt_cap
        self._run = Account(run_cap)
        self._attempts: defaultdict[str, Account] = defaultdict(lambda: Account(attempt_cap))
        self._opening = 0.0
        self.refused = False

    def remember(self, account: str, costs: Sequence[float]) -> None:
        """Take in what was paid for an attempt before, call by call."""
        for cost in costs:
            self._pay(account, cost)

    @property
    def capped(self) -> bool:
        """There is a cap to keep."""
        return self._run.cap is not None or self._attempt_cap is not None

    @property
    def exhausted(self) -> str:
        """Why the run starts nothing more, or "": a call was refused, or what is left is less than
        the cheapest first call of an attempt so far."""
        run = self._run
        if run.cap is None or not (self.refused or run.lacks(self._opening)):
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
            NothingLeft: the same of the run's cap, and the attempt has paid for nothing yet.
        """
        least = amount or 0.0
        if self._run.lacks(least):
            self.refused = True
            begun = not account or self._attempts[account].spent
            error = BudgetExceeded if begun else NothingLeft
            raise error(_explained("the run", self._run, least))
        if account:
            attempt = self._attempts[account]
            if attempt.lacks(least):
                raise BudgetExceeded(_explained("this attempt", attempt, least))
            attempt.reserved += least
        self._run.reserved += least
        return Reservation(account, least)

    def settle(self, reservation: Reservation, cost: float | None) -> None:
        """End a reservation with what was paid; None is an unknown price, 0 where nothing was."""
        for one in self._accounts(reservation.account):
            one.reserved = max(0.0, one.reserved - reservation.amount)
        if cost:
            self._pay(reservation.account, cost)

    def _pay(self, account: str, cost: float) -> None:
        if account and cost and not self._attempts[account].spent:
            self._opening = min(self._opening or cost, cost)
        for one in self._accounts(account):
            one.spent += cost

    def _accounts(self, account: str) -> list[Account]:
        return [self._run, self._attempts[account]] if account else [self._run]


def _explained(whose: str, account: Account, least: float) -> str:
    flying = f", ${account.reserved:.4f} for calls under way" if account.reserved else ""
    return (
        f"${account.spent:.4f} spent{flying}; the limit of {whose} is ${account.cap:g}, "
        f"and the next call costs at least ${least:.4f}"
    )
