"""Costs, tokens and latencies of one attempt, in OpenHands' schema.

`accumulated_cost` is the sum of the known costs; `cost_unknown_calls` says how many calls have no
known price and so are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from velora.journal.events import Condensed, Record, paid
from velora.journal.messages import Completion


@dataclass(slots=True)
class Spent:
    """Running totals over the calls of one or more attempts; `add` is O(1).

    Costs are added without rounding, so that a total does not depend on the order: it is the
    `math.fsum` of the costs.
    """

    calls: int = 0
    exact_cost: Fraction = Fraction(0)
    cost_unknown_calls: int = 0
    prompt: int = 0
    completion: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    latency: float = field(default=0.0)
    retries: int = 0

    @property
    def cost(self) -> float:
        """US dollars; calls of unknown price are not in it."""
        return float(self.exact_cost)

    @property
    def cache_hit_rate(self) -> float | None:
        """The part of the prompts' tokens that providers had in their caches."""
        return self.cache_read / self.prompt if self.prompt else None

    def shown(self) -> dict[str, Any]:
        """As `report.json` has it."""
        kinds = ("prompt", "completion", "cache_read", "cache_write", "reasoning")
        return {
            "cost": self.cost,
            "cost_unknown_calls": self.cost_unknown_calls,
            "calls": self.calls,
            "retries": self.retries,
            "model_seconds": self.latency,
            "tokens": {name: getattr(self, name) for name in kinds},
            "cache_hit_rate": self.cache_hit_rate,
        }

    def add(self, completion: Completion) -> None:
        """Count one call."""
        self.calls += 1
        if completion.cost is None:
            self.cost_unknown_calls += 1
        else:
            self.exact_cost += Fraction(completion.cost)
        usage = completion.usage
        self.prompt += usage.prompt
        self.completion += usage.completion
        self.cache_read += usage.cache_read
        self.cache_write += usage.cache_write
        self.reasoning += usage.reasoning
        self.latency += completion.latency
        self.retries += completion.retries

    def merge(self, other: Spent) -> None:
        """Add the totals of another."""
        self.calls += other.calls
        self.exact_cost += other.exact_cost
        self.cost_unknown_calls += other.cost_unknown_calls
        self.prompt += other.prompt
        self.completion += other.completion
        self.cache_read += other.cache_read
        self.cache_write += other.cache_write
        self.reasoning += other.reasoning
        self.latency += other.latency
        self.retries += other.retries


def metrics(
    records: Iterable[Record], *, budget: float | None = None, context_window: int = 0
) -> dict[str, Any]:
    """The `metrics` of a row of `output.jsonl`.

    Args:
        records: of one attempt.
        budget: US dollars that the attempt was allowed, or None.
        context_window: of the model, in tokens; 0 where it is not known, as in OpenHands.
    """
    spent, model, last = Spent(), "", 0
    costs: list[dict[str, Any]] = []
    latencies: list[dict[str, Any]] = []
    condenser: list[dict[str, Any]] = []
    usages: list[dict[str, Any]] = []
    for record in records:
        if isinstance(record.event, Condensed):
            condenser.append(_condensation(record.event))
        completion = paid(record.event)
        if completion is None:
            continue
        spent.add(completion)
        model, last = completion.model, completion.usage.prompt + completion.usage.completion
        answer = {"model": model, "response_id": completion.response_id}
        if completion.cost is not None:
            costs.append({"model": model, "cost": completion.cost, "timestamp": record.at})
        latencies.append({"latency": completion.latency, **answer})
        one = Spent()
        one.add(completion)
        usages.append(_tokens(one, model, completion.response_id, context_window, last))
    return {
        "accumulated_cost": spent.cost,
        "cost_unknown_calls": spent.cost_unknown_calls,
        "max_budget_per_task": budget,
        "accumulated_token_usage": _tokens(spent, model, "", context_window, last),
        "costs": costs,
        "response_latencies": latencies,
        "token_usages": usages,
        "condenser": condenser,
    }


def _condensation(event: Condensed) -> dict[str, Any]:
    """What a condensation did and, where a model wrote a summary, what that call cost."""
    completion = event.completion
    return {
        "condenser": event.condenser,
        "reason": event.reason,
        "messages_left_out": event.start - event.kept,
        "observations_masked_before": event.masked,
        "cost": completion.cost if completion else 0.0,
    }


def _tokens(spent: Spent, model: str, response_id: str, window: int, turn: int) -> dict[str, Any]:
    return {
        "model": model,
        "prompt_tokens": spent.prompt,
        "completion_tokens": spent.completion,
        "cache_read_tokens": spent.cache_read,
        "cache_write_tokens": spent.cache_write,
        "reasoning_tokens": spent.reasoning,
        "context_window": window,
        "per_turn_token": turn,
        "response_id": response_id,
    }
