"""A hundred attempts of twenty turns against a provider with a quota that is not well: everybody
finishes, each answer is bought once, and the quota is used up. The server keeps the books."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.llm.conftest import settings
from tests.servers.openai import Server
from tests.servers.quota import Quota
from velora.agent.loop import CodeActAgent, End, Limits
from velora.errors import Outcome
from velora.journal.events import Answered, Event
from velora.llm.factory import build, preload
from velora.llm.protocol import Model
from velora.tools.build import Toolset
from velora.tools.finish import FinishTool
from velora.tools.think import ThinkTool

ATTEMPTS, TURNS = 100, 20


async def attempt(model: Model, number: int, events: list[Event]) -> End:
    agent = CodeActAgent(
        model=model,
        toolset=Toolset({"think": ThinkTool(), "finish": FinishTool()}),
        emit=events.append,
        system="",
        instruction=f"Task {number}.",
        limits=Limits(max_iterations=TURNS),
        conversation=f"attempt-{number}",
    )
    return await agent.run()


async def test_a_hundred_attempts_against_a_provider_that_is_not_well() -> None:
    quota = Quota(turns=TURNS, allowed=60)
    events: list[Event] = []
    async with Server(quota, keep=False) as server:
        given = settings(
            server.url,
            num_retries=8,
            retry_min_wait=0.2,
            retry_max_wait=2.0,
            idle_timeout=6.0,
            timeout=30.0,
        )
        preload(given)  # the first call would, and that is not the provider's time
        model = build(given)
        try:
            ends = await asyncio.gather(
                *(attempt(model, number, events) for number in range(ATTEMPTS))
            )
        finally:
            await model.close()
    assert Counter(end.outcome for end in ends) == {Outcome.FINISHED: ATTEMPTS}
    # No answer is lost, none is bought twice.
    assert len(quota.answered) == ATTEMPTS * TURNS
    assert set(quota.answered.values()) == {1}
    answered = [one.completion for one in events if isinstance(one, Answered)]
    assert len(answered) == ATTEMPTS * TURNS
    failed = sum(count for fate, count in quota.fates.items() if fate != "answered")
    assert sum(one.retries for one in answered) == failed + quota.over
    assert failed >= 0.12 * ATTEMPTS * TURNS  # it really was not well
    assert quota.utilisation() >= 0.85
