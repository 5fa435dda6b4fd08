"""A provider that is down: everybody waits, one probes, and it costs nobody a try."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.llm.conftest import SCRIPT, START, TOOLS, Notes, settings
from tests.servers.http import Fault, Reply, Request
from tests.servers.openai import Server
from velora.errors import ProviderUnavailable
from velora.llm.factory import build
from velora.llm.outage import ROW
from velora.llm.protocol import Model
from velora.llm.script import Turn

QUICK = {"num_retries": 3, "retry_min_wait": 0.05, "retry_max_wait": 0.2}


async def asked(model: Model, notes: Notes, number: int) -> int:
    completion = await model.complete(START, TOOLS, note=notes, conversation=str(number))
    return completion.retries


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])


async def test_calls_wait_for_a_provider_that_is_gone_and_lose_nothing() -> None:
    server = Server(SCRIPT)
    await server.start()
    model = build(settings(server.url, **QUICK))
    notes = Notes()
    await asked(model, notes, 0)
    port = port_of(server)
    await server.close()
    calls = [asyncio.create_task(asked(model, notes, number)) for number in range(20)]
    while "provider_down" not in notes.codes:
        await asyncio.sleep(0.01)
    # Longer than all tries of one call together.
    await asyncio.sleep(1.5)
    assert not any(call.done() for call in calls)
    again = Server(SCRIPT)
    await again.start(port)
    await asyncio.gather(*calls)
    assert len(again.requests) == 20
    first = [(code, text) for code, text, data in notes if data.get("first")]
    assert [code for code, _ in first] == ["provider_down", "provider_back"]
    assert "no connection" in first[0][1]
    assert f"{ROW} failures in a row" in first[0][1]
    assert max(data["try"] for code, _, data in notes if code == "llm_retry") < 4
    await model.close()
    await again.close()


async def test_one_probe_at_a_time_goes_out_and_not_always_the_same() -> None:
    down, flying, most = True, 0, 0
    probes: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def pause() -> None:
        nonlocal flying
        await asyncio.sleep(0.05)
        flying -= 1

    def play(request: Request) -> Reply:
        nonlocal flying, most
        if down:
            if counting:
                flying += 1
                most = max(most, flying)
                probes.append(request.prompt)
                tasks.append(asyncio.create_task(pause()))
            return Fault(status=503, delay=0.05)
        return Turn("back")

    counting = False
    async with Server(play) as server:
        model = build(settings(server.url, **QUICK))
        notes = Notes()
        calls = [asyncio.create_task(asked(model, notes, number)) for number in range(10)]
        while notes.codes.count("provider_down") < 10:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        counting = True
        while len(probes) < 4:
            await asyncio.sleep(0.01)
        down = False
        await asyncio.gather(*calls, *tasks)
        assert most == 1
        await model.close()


async def test_beyond_outage_wait_calls_give_up() -> None:
    async with Server(SCRIPT) as gone:
        url = gone.url
    model = build(settings(url, outage_wait=0.5, **QUICK))
    notes = Notes()
    calls = [asked(model, notes, number) for number in range(10)]
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(end, ProviderUnavailable) for end in ends)
    assert any("has been down for" in str(end) for end in ends)
    # Who comes later is not kept waiting once more.
    with pytest.raises(ProviderUnavailable, match="down for"):
        await asked(model, notes, 11)
    assert "is base_url right?" in notes[notes.codes.index("provider_down")][1]
    await model.close()


async def test_a_prompt_that_breaks_the_server_is_not_an_outage() -> None:
    def play(request: Request) -> Reply:
        return Fault(status=500)

    async with Server(play) as server:
        model = build(settings(server.url, **{**QUICK, "num_retries": ROW + 3}))
        notes = Notes()
        with pytest.raises(ProviderUnavailable, match=f"no usable answer after {ROW + 4} tries"):
            await asked(model, notes, 1)
        assert "provider_down" not in notes.codes
        # With a second conversation it is one.
        model = build(settings(server.url, outage_wait=0.2, **QUICK))
        calls: list[Any] = [asked(model, notes, number) for number in range(2)]
        await asyncio.gather(*calls, return_exceptions=True)
        assert "provider_down" in notes.codes
        await model.close()


async def test_a_refusal_ends_an_outage_as_well_and_a_cancelled_probe_is_followed() -> None:
    faults = [Fault(status=503)] * ROW + [Fault(hang=True)]

    def play(request: Request) -> Reply:
        return faults.pop(0) if faults else Turn("back")

    async with Server(play) as server:
        model = build(settings(server.url, idle_timeout=60.0, timeout=60.0, **QUICK))
        notes = Notes()
        calls = [asyncio.create_task(asked(model, notes, number)) for number in range(ROW)]
        while len(server.requests) <= ROW:  # the probe hangs
            await asyncio.sleep(0.01)
        for call in calls[:-1]:
            call.cancel()
        if not calls[-1].done():
            # Whoever it was: the last one is not alone with a dead probe.
            done, _ = await asyncio.wait(calls[-1:], timeout=1.0)
            if not done:
                calls[-1].cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert await asked(model, notes, 99) == 0
        await model.close()
