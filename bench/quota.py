"""How much of a provider's quota is used: 100 attempts of 20 turns, and a server that is not well.

The server (`tests/servers/quota.py`) lets a number of requests in each window, refuses 10 % of
them, answers 3 % with 500, cuts 1 % and lets 1 % hang, and counts. The share of its quota that was
used while there was enough to do is independent of the machine as long as that keeps up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from pydantic import SecretStr
from tests.servers.openai import Server
from tests.servers.quota import Quota

from bench.rows import Bench, Row
from velora.agent.loop import CodeActAgent, Limits
from velora.config.settings import LLMSettings
from velora.errors import Outcome
from velora.llm.factory import build, preload
from velora.llm.protocol import Model
from velora.tools.build import Toolset
from velora.tools.finish import FinishTool
from velora.tools.think import ThinkTool

ATTEMPTS, TURNS, A_SECOND = 100, 20, 60
KINDS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("60 a second, Retry-After", {}, {}),
    ("60 a second, no word", {"says": False}, {}),
    ("6 in a tenth of a second, no word", {"says": False, "window": 0.1}, {}),
    ("60 a second, no word, rpm set", {"says": False}, {"rpm": 60 * A_SECOND}),
)
"""What the quota is like, and what the settings know of it."""


def use(_: Bench) -> Iterable[Row]:
    """A row for each kind of quota."""
    for what, quota, settings in KINDS:
        share = asyncio.run(_measured(quota, settings))
        yield Row(f"share of a quota used: {what}", share, None, ">= 0.85", share >= 0.85)


async def _measured(given: dict[str, Any], changes: dict[str, Any]) -> float:
    allowed = round(A_SECOND * given.get("window", 1.0))
    quota = Quota(turns=TURNS, allowed=allowed, **given)
    async with Server(quota, keep=False) as server:
        settings = LLMSettings(
            model="gpt-4o",
            base_url=server.url,
            api_key=SecretStr("bench"),
            retry_min_wait=0.2,
            retry_max_wait=2.0,
            idle_timeout=6.0,
            **changes,
        )
        preload(settings)
        model = build(settings)
        try:
            ends = await asyncio.gather(*(_attempt(model, n) for n in range(ATTEMPTS)))
        finally:
            await model.close()
    if set(ends) != {Outcome.FINISHED} or set(quota.answered.values()) != {1}:
        raise SystemExit(f"calls were lost or doubled: {set(ends)}")
    return quota.utilisation()


async def _attempt(model: Model, number: int) -> Outcome:
    agent = CodeActAgent(
        model=model,
        toolset=Toolset({"think": ThinkTool(), "finish": FinishTool()}),
        emit=lambda _: None,
        system="",
        instruction=f"Task {number}.",
        limits=Limits(max_iterations=TURNS),
        conversation=f"attempt-{number}",
    )
    return (await agent.run()).outcome
