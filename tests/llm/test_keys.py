"""Several keys: one lane each, an attempt stays on its own, and a refused key is left out."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import Any

import pytest
from pydantic import SecretStr

from tests.llm.conftest import START, TOOLS, Notes, talking
from tests.servers.chat import Refusal
from tests.servers.http import Reply, Request
from velora.errors import ProviderRejected
from velora.journal.messages import AssistantMessage, UserMessage
from velora.llm.script import Turn

KEYS = tuple(SecretStr(f"sk-key-number-{number}") for number in (1, 2, 3))
REFUSED = [
    pytest.param(Refusal(401, "Incorrect API key", "invalid_api_key"), id="401"),
    pytest.param(Refusal(402, "Insufficient Balance"), id="402"),
    pytest.param(Refusal(403, "no access"), id="403"),
    pytest.param(Refusal(429, "quota", "insufficient_quota"), id="quota"),
]


def key_of(request: Request) -> str:
    return str(request.headers["authorization"].removeprefix("Bearer "))


async def test_attempts_are_spread_over_the_keys_and_stay_on_theirs(notes: Notes) -> None:
    used: defaultdict[str, set[str]] = defaultdict(set)
    load: Counter[str] = Counter()

    def play(request: Request) -> Reply:
        used[request.prompt].add(key_of(request))
        load[key_of(request)] += 1
        return Turn("ok")

    changes = {"api_key": None, "api_keys": KEYS, "max_concurrency": 4}
    async with talking(play, model=changes) as (_, model):

        async def attempt(number: int) -> None:
            messages: list[Any] = [UserMessage(f"task {number}")]
            for turn in range(5):
                await model.complete(messages, TOOLS, note=notes, conversation=str(number))
                messages += [AssistantMessage("ok"), UserMessage(f"turn {turn}")]

        await asyncio.gather(*(attempt(number) for number in range(12)))
    assert all(len(keys) == 1 for keys in used.values())
    assert set(load.values()) == {20}
    assert notes.codes == []


@pytest.mark.parametrize("refusal", REFUSED)
async def test_a_refused_key_is_left_out_with_a_note(notes: Notes, refusal: Refusal) -> None:
    seen: Counter[str] = Counter()

    def play(request: Request) -> Reply:
        seen[key_of(request)] += 1
        return refusal if key_of(request) == "sk-key-number-2" else Turn("ok")

    changes = {"api_key": None, "api_keys": KEYS}
    async with talking(play, model=changes) as (_, model):
        for number in range(9):
            await model.complete(START, TOOLS, note=notes, conversation=str(number))
    assert seen["sk-key-number-2"] <= 1
    assert notes.codes == ["key_refused"] * seen["sk-key-number-2"]
    for _, text, _ in notes:
        assert "key 2 of 3 is refused" in text


async def test_the_last_key_is_not_left_out(notes: Notes) -> None:
    refusal = Refusal(401, "Incorrect API key provided: sk-key-number-3")
    changes = {"api_key": None, "api_keys": KEYS}
    async with talking(lambda _: refusal, model=changes) as (server, model):
        with pytest.raises(ProviderRejected, match="check the API key") as error:
            await model.complete(START, TOOLS, note=notes, conversation="1")
    assert notes.codes == ["key_refused"] * 2
    assert len(server.requests) == 3
    assert "sk-key" not in repr(notes) + str(error.value)


async def test_a_key_that_is_to_wait_long_gives_its_attempts_to_others(notes: Notes) -> None:
    first: list[str] = []

    def play(request: Request) -> Reply:
        key = key_of(request)
        if not first:
            first.append(key)
            return Refusal(429, "slow down", headers={"retry-after": "30"})
        assert key != first[0]
        return Turn("ok")

    changes = {"api_key": None, "api_keys": KEYS[:2], "timeout": 60.0, "num_retries": 0}
    async with talking(play, model=changes) as (server, model):
        with pytest.raises(Exception, match="slow down"):
            await model.complete(START, TOOLS, note=notes, conversation="a")
        for conversation in ("a", "b", "c"):
            await model.complete(START, TOOLS, note=notes, conversation=conversation)
    assert len(server.requests) == 4
