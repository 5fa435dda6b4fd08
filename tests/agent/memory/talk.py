"""Conversations for the tests of condensers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from velora.agent.memory.protocol import Condenser, Need, Talk
from velora.agent.state import State
from velora.journal.events import Answered, Condensed, Event, Nudged, Observed, Prompted
from velora.journal.messages import (
    AssistantMessage,
    Completion,
    Message,
    ToolCall,
    ToolMessage,
    ToolSpec,
    Usage,
)
from velora.llm.script import Script, Turn
from velora.llm.scripted import ScriptedModel

TOOL = ToolSpec("read", "Reads.", {"type": "object", "properties": {}})
OPENING = Prompted("You are an agent.", "Fix it.", (TOOL,))


def step(number: int, *results: str, text: str = "", prompt: int = 0) -> list[Event]:
    """An answer with a call for each result, or with none and a nudge after it."""
    calls = tuple(ToolCall(f"c{number}_{n}", "read", "{}") for n in range(len(results)))
    message = AssistantMessage(text or f"Step {number}.", calls, provider={"signature": number})
    events: list[Event] = [Answered(Completion(message, Usage(prompt=prompt), cost=0.25))]
    events += [Observed(c.id, "read", {}, r) for c, r in zip(calls, results, strict=True)]
    return events if calls else [*events, Nudged("Go on.")]


def state_of(events: Iterable[Event]) -> State:
    state = State()
    for event in events:
        state.apply(event)
    return state


def long_talk(steps: int, size: int = 400) -> State:
    events = [event for n in range(steps) for event in step(n, f"result {n} " + "x" * size)]
    return state_of([OPENING, *events])


def talk(*summaries: str) -> Talk:
    """With a model that gives these summaries, one for each that is already in the request."""
    turns = [Script((Turn(say=text),), when=before) for before, text in _pairs(summaries)]
    model = ScriptedModel(turns or [Script((Turn(say="Notes."),))])
    return Talk(model, lambda code, text, data: None, "one")


def _pairs(summaries: Sequence[str]) -> list[tuple[str, str]]:
    return list(reversed(list(zip(["", *summaries], summaries, strict=False))))


async def condense(
    condenser: Condenser,
    state: State,
    *,
    window: int | None = None,
    need: Need | None = None,
    asked: Talk | None = None,
) -> Condensed | None:
    """What the condenser does when it is due, applied to the state."""
    view = state.view(window)
    wanted = need or condenser.due(view)
    made = await condenser.condense(view, wanted, asked or talk()) if wanted else None
    if made:
        state.apply(made)
    return made


def texts(messages: Iterable[Message]) -> list[str]:
    return [message.content for message in messages]


def check_whole(messages: Sequence[Message]) -> None:
    """Every call has exactly one result, right after its answer, and no result is without one."""
    owed: list[str] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            assert message.call_id in owed
            owed.remove(message.call_id)
            continue
        assert owed == []
        if isinstance(message, AssistantMessage):
            owed = [call.id for call in message.tool_calls]
            number: Any = message.provider
            assert message.content == f"Step {number['signature']}."
    assert owed == []
