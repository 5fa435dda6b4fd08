"""What goes wrong between a model and its provider, each over real HTTP."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import pytest

from tests.llm.conftest import KEY, SCRIPT, START, TOOLS, Connect, Notes, settings, talking
from tests.servers.chat import Refusal, Rules
from tests.servers.openai import Fault, Server
from velora.errors import ContextOverflow, ProviderRejected, ProviderUnavailable, Refused
from velora.journal.messages import UserMessage
from velora.llm.factory import build
from velora.llm.script import Turn

STREAM_ERROR = b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'
CUT_SHORT = (
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"I lo"}}]}\n\n'
)
EVENTS = {"content-type": "text/event-stream"}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(status=408), id="408"),
        pytest.param(Fault(status=409), id="409"),
        pytest.param(Fault(status=425), id="425"),
        pytest.param(Fault(status=429), id="429"),
        pytest.param(Fault(status=500), id="500"),
        pytest.param(Fault(status=503, body=b"<html>busy</html>"), id="503-html"),
        pytest.param(Fault(status=529), id="529"),
        pytest.param(Fault(cut_after=0), id="cut before the body"),
        pytest.param(Fault(cut_after=400), id="cut in the body"),
        pytest.param(Fault(body=b""), id="empty body"),
        pytest.param(Fault(body=b"", headers=EVENTS), id="empty stream"),
        pytest.param(Fault(body=b'{"choices": ['), id="malformed JSON"),
        pytest.param(Fault(body=b'{"choices": []}'), id="no choices"),
        pytest.param(Fault(body=b'{"id": "x"}'), id="no choices field"),
        pytest.param(Fault(body=b'"nonsense"'), id="no object"),
        pytest.param(Fault(body=b'{"error": {"message": "busy"}}'), id="200 with an error"),
        pytest.param(Fault(body=STREAM_ERROR, headers=EVENTS), id="error in the stream"),
        pytest.param(Fault(body=CUT_SHORT, headers=EVENTS), id="stream without an end"),
        pytest.param(Fault(body=b"data: {oops\n\n", headers=EVENTS), id="event not JSON"),
        pytest.param(Fault(body=b'{"choices": [{"message": {"role": 3}}]}'), id="wrong types"),
        pytest.param(Fault(body=b'{"choices": [{"message": 7}]}'), id="no message"),
        pytest.param(Fault(body=b'{"choices": {"a": 1}}'), id="choices no list"),
        pytest.param(Fault(status=503, body=b'[{"error": {"message": "x"}}]'), id="a list"),
    ],
)
async def test_another_try_helps(
    server: Server, connect: Connect, notes: Notes, fault: Fault
) -> None:
    server.faults.append(fault)
    completion = await connect().complete(START, TOOLS, note=notes)
    assert completion.message.content == "I look."
    assert completion.retries == 1
    assert notes.codes == ["llm_retry"]
    _, text, data = notes[0]
    assert data["try"] == 1
    assert data["status"] == (fault.status if fault.status != 200 else data["status"])
    assert data["error"] in text


@pytest.mark.parametrize("fault", [Fault(hang=True), Fault(hang_after=300)])
async def test_a_silent_connection_is_given_up(
    server: Server, connect: Connect, notes: Notes, fault: Fault
) -> None:
    server.faults.append(fault)
    model = connect(idle_timeout=0.2)
    completion = await model.complete(START, TOOLS, note=notes)
    assert completion.retries == 1


async def test_a_slow_answer_is_not_a_silent_one(
    server: Server, connect: Connect, notes: Notes
) -> None:
    server.faults.append(Fault(drip=0.05))
    completion = await connect(idle_timeout=0.3).complete(START, TOOLS, note=notes)
    assert completion.retries == 0
    assert completion.latency > 0.3


async def test_an_answer_may_not_take_longer_than_the_timeout(
    server: Server, connect: Connect, notes: Notes
) -> None:
    server.faults.append(Fault(drip=0.1))
    completion = await connect(timeout=0.3).complete(START, TOOLS, note=notes)
    assert completion.retries == 1
    assert "no whole answer within 0.3 s" in notes[0][1]


async def test_no_server_at_all(notes: Notes) -> None:
    async with Server(SCRIPT) as gone:
        url = gone.url
    model = build(settings(url, num_retries=2))
    with pytest.raises(ProviderUnavailable, match=r"after 3 tries; the last: no connection"):
        await model.complete(START, TOOLS, note=notes)
    assert notes.codes == ["llm_retry"] * 2
    await model.close()


async def test_retries_run_out(server: Server, connect: Connect, notes: Notes) -> None:
    server.faults.extend([Fault(status=500)] * 4)
    with pytest.raises(ProviderUnavailable, match="after 4 tries; the last: HTTP 500: scripted"):
        await connect().complete(START, TOOLS, note=notes)
    assert len(server.requests) == 4
    assert [data["try"] for _, _, data in notes] == [1, 2, 3]


async def test_waits_grow(server: Server, connect: Connect, notes: Notes) -> None:
    server.faults.extend([Fault(status=500)] * 3)
    model = connect(retry_min_wait=0.02, retry_max_wait=0.06, retry_multiplier=2.0)
    await model.complete(START, TOOLS, note=notes)
    waits = [data["wait"] for _, _, data in notes]
    for wait, base in zip(waits, (0.02, 0.04, 0.06), strict=True):
        assert base <= wait <= base * 1.25 + 0.001


@pytest.mark.parametrize(
    "headers",
    [{"retry-after": "0.3"}, {"Retry-After-Ms": "300"}, {"retry-after": "date"}],
)
async def test_retry_after_is_the_shortest_wait(
    server: Server, connect: Connect, notes: Notes, headers: dict[str, str]
) -> None:
    if headers.get("retry-after") == "date":
        headers = {"retry-after": formatdate(time.time() + 2, usegmt=True)}
    server.faults.append(Fault(status=429, headers=headers))
    start = time.monotonic()
    await connect().complete(START, TOOLS, note=notes)
    assert time.monotonic() - start >= 0.3
    assert notes[0][2]["wait"] >= 0.3


async def test_a_wait_longer_than_an_answer_may_take_is_refused(
    server: Server, connect: Connect, notes: Notes
) -> None:
    server.faults.append(Fault(status=429, headers={"retry-after": "86400"}))
    with pytest.raises(ProviderUnavailable, match="asks to wait 86400 s"):
        await connect().complete(START, TOOLS, note=notes)


async def test_a_wrong_key_is_rejected_at_once_and_never_shown(notes: Notes) -> None:
    rules = Rules(key="another")
    async with talking(SCRIPT, rules=rules) as (server, model):
        with pytest.raises(ProviderRejected) as error:
            await model.complete(START, TOOLS, note=notes)
    assert "HTTP 401: Incorrect API key provided: **********" in str(error.value)
    assert "api_key_env" in str(error.value)
    assert KEY not in repr(error.getrepr(chain=True))
    assert error.value.__cause__ is None
    assert len(server.requests) == 1


async def test_the_key_is_not_in_notes(server: Server, connect: Connect, notes: Notes) -> None:
    server.faults.append(Fault(status=500, body=f"upstream said {KEY}".encode()))
    await connect().complete(START, TOOLS, note=notes)
    assert KEY not in repr(notes)
    assert "upstream said **********" in notes[0][1]


async def test_an_unknown_model(notes: Notes) -> None:
    rules = Rules(models=frozenset({"other"}))
    async with talking(SCRIPT, rules=rules) as (_, model):
        with pytest.raises(ProviderRejected, match=r"(?s)HTTP 404.*`gpt-4o` does not exist.*check"):
            await model.complete(START, TOOLS, note=notes)


@pytest.mark.parametrize("status", [400, 402, 403, 404, 422])
async def test_what_no_try_will_change_is_rejected(
    server: Server, connect: Connect, notes: Notes, status: int
) -> None:
    server.faults.append(Fault(status=status))
    with pytest.raises(ProviderRejected, match=f"gpt-4o: HTTP {status}: scripted fault"):
        await connect().complete(START, TOOLS, note=notes)
    assert len(server.requests) == 1


async def test_an_empty_account_is_not_waited_for(notes: Notes) -> None:
    refusal = Refusal(429, "You exceeded your current quota.", "insufficient_quota")
    async with talking(lambda _: refusal) as (server, model):
        with pytest.raises(ProviderRejected, match="credit"):
            await model.complete(START, TOOLS, note=notes)
    assert len(server.requests) == 1


async def test_a_conversation_too_long(notes: Notes) -> None:
    async with talking(SCRIPT, rules=Rules(context=500)) as (server, model):
        with pytest.raises(ContextOverflow, match="maximum context length is 500 tokens"):
            await model.complete([*START, UserMessage("x" * 4000)], TOOLS, note=notes)
    assert len(server.requests) == 1


async def test_a_conversation_too_long_told_without_a_code(notes: Notes) -> None:
    refusal = Refusal(400, "the request exceeds the available context size (4096 tokens)")
    async with talking(lambda _: refusal) as (_, model):
        with pytest.raises(ContextOverflow):
            await model.complete(START, TOOLS, note=notes)


async def test_the_content_filter(notes: Notes) -> None:
    body = (
        b'{"id":"1","object":"chat.completion","created":1,"model":"gpt-4o","choices":'
        b'[{"index":0,"message":{"role":"assistant","content":""},'
        b'"finish_reason":"content_filter"}],"usage":null}'
    )
    async with talking(lambda _: Fault(body=body)) as (_, model):
        with pytest.raises(Refused, match="content filter"):
            await model.complete(START, TOOLS, note=notes)
    refusal = Refusal(400, "filtered", "content_filter")
    async with talking(lambda _: refusal) as (_, model):
        with pytest.raises(Refused, match="filtered"):
            await model.complete(START, TOOLS, note=notes)


async def test_cancelling_a_call_and_a_wait_is_clean(
    server: Server, connect: Connect, notes: Notes
) -> None:
    server.faults.append(Fault(hang=True))
    model = connect(idle_timeout=60.0, retry_min_wait=60.0, retry_max_wait=60.0)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await model.complete(START, TOOLS, note=notes)
        server.faults.append(Fault(status=500))
    server.faults.clear()
    assert notes.codes == ["llm_retry"]
    assert (await model.complete(START, TOOLS, note=notes)).retries == 0


async def test_missing_usage_is_said(notes: Notes) -> None:
    body = (
        b'{"id":"1","object":"chat.completion","created":1,"model":"gpt-4o","choices":'
        b'[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
    )
    async with talking(lambda _: Fault(body=body)) as (_, model):
        completion = await model.complete(START, TOOLS, note=notes)
    assert completion.cost is None
    assert notes.codes == ["usage_missing"]


async def test_a_plain_answer_has_no_calls(notes: Notes) -> None:
    async with talking(lambda _: Turn("just text")) as (_, model):
        completion = await model.complete(START, (), note=notes)
    assert completion.message.tool_calls == ()
    assert completion.finish_reason == "stop"
