"""Caps, reservations, what was paid before."""

from __future__ import annotations

import pytest

from velora.errors import BudgetExceeded, NothingLeft
from velora.llm.ledger import Ledger


def test_calls_under_way_count_as_much_as_they_will_at_least_cost() -> None:
    ledger = Ledger(run_cap=1.0)
    first = [ledger.reserve("a", 0.3) for _ in range(3)]
    with pytest.raises(NothingLeft, match=r"\$0.9000 for calls under way; the limit of the run"):
        ledger.reserve("b", 0.3)
    for one in first:
        ledger.settle(one, 0.1)
    assert ledger.spent == pytest.approx(0.3)
    ledger.reserve("b", 0.3)


def test_an_attempt_that_has_paid_ends_and_one_that_has_not_is_still_owed() -> None:
    ledger = Ledger(run_cap=1.0)
    ledger.settle(ledger.reserve("a", 0.5), 0.9)
    with pytest.raises(BudgetExceeded, match=r"\$0.9000 spent; the limit of the run is \$1,"):
        ledger.reserve("a", 0.2)
    with pytest.raises(NothingLeft):
        ledger.reserve("b", 0.2)
    assert ledger.refused


def test_the_cap_of_an_attempt_is_its_own() -> None:
    ledger = Ledger(attempt_cap=1.0)
    ledger.settle(ledger.reserve("a", 0.1), 1.0)
    with pytest.raises(BudgetExceeded, match="limit of this attempt"):
        ledger.reserve("a", 0.0)
    ledger.reserve("b", 0.9)
    assert not ledger.exhausted
    assert not ledger.refused


def test_a_failed_call_gives_its_reservation_back() -> None:
    ledger = Ledger(run_cap=1.0, attempt_cap=1.0)
    for _ in range(10):
        ledger.settle(ledger.reserve("a", 0.9), 0.0)
    assert ledger.spent == 0


def test_what_was_paid_before_counts_and_tells_what_an_attempt_takes_to_begin() -> None:
    ledger = Ledger(run_cap=1.0, attempt_cap=0.5)
    ledger.remember("a", [0.2, 0.2])
    ledger.remember("b", [0.3, 0.0])
    assert ledger.spent == pytest.approx(0.7)
    assert not ledger.exhausted
    with pytest.raises(BudgetExceeded, match="this attempt"):
        ledger.reserve("a", 0.2)
    ledger.remember("c", [0.16])
    assert "the run's budget of $1 is used up" in ledger.exhausted  # 0.14 are left


def test_without_caps_anything_goes() -> None:
    ledger = Ledger()
    assert not ledger.capped
    ledger.settle(ledger.reserve("", None), None)
    ledger.settle(ledger.reserve("a", 1e9), 1e9)
    assert ledger.spent == 1e9
