"""The last resort: whatever the condenser, the conversation is cut until it fits.

It costs nothing and needs nobody. In this order, until the request is short enough: the middle is
left out, the first step too, the last step's own observations are cut, and at last that step goes:
the task alone is left, with the remark that work was done. Only a task that is longer than the
model's window cannot be helped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from velora.agent.memory.view import View
from velora.journal.events import Condensed
from velora.journal.messages import ToolMessage

NAME = "truncation"
SHORTEST = 200
"""Characters of an observation that are worth showing."""
_OF_LAST = 0.6  # of the room, for the last step where it has to be cut: the rest is for history


def truncate(view: View, target: int, reason: str) -> Condensed | None:
    """The condensation that leaves out least and still fits; else the one that leaves out most.

    None where that would leave out nothing more than now.

    Args:
        target: tokens of the whole request.
    """
    least = None
    for candidate in _candidates(view, target):
        if not view.changed(candidate):
            continue
        tokens = view.tokens_with(candidate)
        if tokens <= target or least is None or tokens < least[0]:
            least = tokens, candidate
        if tokens <= target:
            break
    if least is None or least[0] >= view.tokens_with(view.now):
        return None
    return replace(least[1], condenser=NAME, reason=reason)


def _candidates(view: View, target: int) -> Iterator[Condensed]:
    every = len(view.steps)
    for kept in sorted({view.head(1), view.opening}, reverse=True):
        start = view.tail(view.now, most=every, tokens=_room(view, kept, target))
        if start >= kept:
            yield view.without(kept, start)
    room = _room(view, view.opening, target)
    for longest in _lengths(view):
        cut = replace(view.now, clipped=len(view.messages), longest=longest)
        last = range(view.steps[-1], len(view.messages))
        if view.tokens(last, cut) <= _OF_LAST * room or longest == SHORTEST:
            start = view.tail(cut, most=every, tokens=room)
            shorter = view.without(view.opening, start)
            yield replace(shorter, clipped=cut.clipped, longest=longest)
    yield view.without(view.opening, len(view.messages))


def _room(view: View, kept: int, target: int) -> int:
    """Tokens that are left for the last steps beside what comes before them."""
    return target - view.tokens_with(view.without(kept, len(view.messages)))


def _lengths(view: View) -> Iterator[int]:
    """Lengths to cut the last step's observations to: halves of the longest."""
    if not view.steps:
        return
    last = view.messages[view.steps[-1] :]
    observations = [one for one in last if isinstance(one, ToolMessage)]
    longest = max((len(one.content) for one in observations), default=0)
    if any(one.images for one in observations):
        longest = max(longest, SHORTEST) * 2
    while longest > SHORTEST:
        longest = max(longest // 2, SHORTEST)
        yield longest
