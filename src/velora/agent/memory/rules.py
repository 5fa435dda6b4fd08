"""When a condenser that has a size rule of its own is due."""

from __future__ import annotations

from velora.agent.memory.protocol import Need
from velora.agent.memory.view import View

AFTERWARDS = 0.5
"""Condensing by tokens goes down to this part of what set it off, so that it is not due again soon
and the provider's prompt cache has something to hold."""


def due(view: View, *, too_many: bool, trigger: float) -> Need | None:
    """What is needed, if anything is.

    Args:
        too_many: the condenser's own rule says so.
        trigger: the part of the limit from which on it is due by tokens.
    """
    if view.limit is not None and view.gauge.tokens >= trigger * view.limit:
        return Need("tokens", int(trigger * view.limit * AFTERWARDS))
    return Need("size") if too_many else None
