"""What the loop itself says to the model."""

from __future__ import annotations

from collections.abc import Collection

from velora.errors import nearest

AFTER_FINISH = "Not run: `finish`, called before it in the same answer, ended the work."
NOT_RUN = "Not run: the attempt ended before its turn came."
CUT_SHORT = "Cut short: the attempt ended while it ran."
CALL_WAS_CUT = (
    "The answer reached the limit on its length, so the call is probably cut off at the end. "
    "Write less at a time."
)
_OFFER_FROM = 3


def unknown_tool(name: str, known: Collection[str]) -> str:
    """The observation of a call of a tool that is not there."""
    hint = nearest(name, known)
    listed = "" if hint.startswith("known") else f" Tools: {', '.join(sorted(known))}."
    return f"There is no tool '{name}'; {hint}{listed}"


def stuck(pattern: str, known: Collection[str]) -> str:
    """What is said to an agent that goes round in circles.

    Args:
        pattern: what repeats, as `stuck.Watch.pattern` words it.
        known: names of the tools on offer.
    """
    text = (
        f"You repeat yourself: {pattern}. The result will not change. Think about why it does not "
        "work and do something else."
    )
    if "finish" not in known:
        return text
    return f"{text} If the task is done, or you cannot get any further, call `finish` and say so."


def nudge(*, empty: bool, cut: bool, count: int, known: Collection[str]) -> str:
    """What answers an answer without a tool call.

    Args:
        empty: it had no text either.
        cut: it was cut off at the limit on its length.
        count: how many such answers came in a row, this one included.
        known: names of the tools on offer.
    """
    if cut:
        what = "Your answer was cut off at the limit on its length before it called a tool."
        what += " Think and write less at a time."
    elif empty:
        what = "Your answer was empty."
    else:
        what = "Your answer calls no tool, so nothing happened."
    text = f"{what} Go on with the task by calling a tool; nobody is here to answer questions."
    if "finish" not in known:
        return text
    text += " If the task is done and checked, call `finish`."
    if count >= _OFFER_FROM:
        text += " If you cannot get any further, call `finish` too and say what stands in the way."
    return text
