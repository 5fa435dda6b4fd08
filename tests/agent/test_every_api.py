"""The agent over every API: tools, reasoning, a restart, condensations, an answer of nothing, a
refusal; each request as the provider takes it, and each answer paid as it counted it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.llm.apis import APIS, CLAUDE, Api
from tests.llm.test_apis import scripted
from tests.servers.http import Reply, Request
from velora.agent.loop import CodeActAgent, Limits
from velora.agent.memory.recent import Recent
from velora.config.settings import AgentSettings, CondenserSettings
from velora.errors import Outcome, Refused
from velora.journal.codec import decode, encode
from velora.journal.events import Answered, Condensed, Event, Observed, Record, paid
from velora.journal.messages import AssistantMessage, ToolSpec
from velora.llm.protocol import Model
from velora.tools.build import Toolset
from velora.tools.protocol import ToolResult

PRICES: dict[str, Any] = {
    "input_cost_per_token": 3e-6,
    "output_cost_per_token": 15e-6,
    "cache_read_input_token_cost": 0.3e-6,
    "cache_creation_input_token_cost": 3.75e-6,
}
TURNS, NOTHING_AT = 30, 17


class Echo:
    """Gives a result of its own for each call."""

    spec = ToolSpec(
        "execute_bash",
        "Runs a command.",
        {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    )

    def __init__(self) -> None:
        self._count = itertools.count(1)

    async def __call__(self, arguments: dict[str, str]) -> ToolResult:
        return ToolResult(f"{arguments['command']}: result {next(self._count)}\n" + "x" * 300)


@dataclass
class Script:
    """Thirty answers, one of them empty, and then a refusal."""

    api: Api
    said: list[AssistantMessage] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        turn = len(self.said)
        message = AssistantMessage("") if turn == NOTHING_AT else scripted(turn)
        if turn == TURNS:
            message = AssistantMessage("", provider=dict(self.api.refusal))
        self.said.append(message)
        return message


def agent(model: Model, events: list[Event], echo: Echo, iterations: int) -> CodeActAgent:
    return CodeActAgent(
        model=model,
        toolset=Toolset({"execute_bash": echo}),
        emit=events.append,
        system="You are an agent.",
        instruction="Mend the bug in parse().",
        limits=Limits(max_iterations=iterations),
        settings=AgentSettings(enable_stuck_detection=False),
        condenser=Recent(CondenserSettings(type="recent", keep_first=1, max_events=8)),
        conversation="c-1",
    )


def stored(events: list[Event]) -> list[Event]:
    """The events as they come back from the journal."""
    return [decode(encode(Record(n, 0.0, event))).event for n, event in enumerate(events)]


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
async def test_a_whole_attempt(api: Api) -> None:
    events: list[Event] = []
    script = Script(api)
    echo = Echo()
    async with api.talking(script, model=PRICES, piece=11) as (server, model):
        end = await agent(model, events, echo, TURNS // 2).run()
        assert (end.outcome, end.steps) == (Outcome.MAX_ITERATIONS, TURNS // 2)

        past = stored(events)
        again = api.make(server.url, **PRICES)
        end = await agent(again, events, echo, TURNS).run(past)
        assert (end.outcome, end.steps) == (Outcome.MAX_ITERATIONS, TURNS)
        with pytest.raises(Refused):
            await agent(again, events, echo, TURNS + 5).run(stored(events))
        await again.close()

        answered = [event for event in events if isinstance(event, Answered)]
        requests = [one for one in server.requests if one.status == 200]
        refused = [one for one in server.requests if one.status != 200]

    assert len(answered) == TURNS + 1
    assert answered.pop().completion.finish_reason == "content_filter"
    assert any(len(one.completion.message.tool_calls) > 1 for one in answered)
    assert answered[NOTHING_AT].completion.message.content == ""
    assert sum(isinstance(event, Condensed) for event in events) >= 2
    calls = [call.id for one in answered for call in one.completion.message.tool_calls]
    assert [event.call_id for event in events if isinstance(event, Observed)] == calls
    # Claude binds a thought to what stands before it: once after a condensation it says so, unpaid.
    assert len(refused) <= (1 if api in APIS and api.model == CLAUDE.model else 0)

    assert len(requests) == TURNS + 1
    bill = sum(
        (usage.prompt - usage.cache_read - usage.cache_write) * PRICES["input_cost_per_token"]
        + usage.cache_read * PRICES["cache_read_input_token_cost"]
        + usage.cache_write * PRICES["cache_creation_input_token_cost"]
        + usage.completion * PRICES["output_cost_per_token"]
        for message, request in zip(script.said, requests, strict=True)
        for usage in [api.usage(message, request)]
    )
    booked = sum(done.cost or 0.0 for event in events if (done := paid(event)))
    assert booked == pytest.approx(bill, rel=1e-9)
    assert bill > 0
