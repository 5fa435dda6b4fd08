"""What goes wrong between Claude and its two APIs, each over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from tests.llm.claude import ANTHROPIC, APIS, BEDROCK, BUDGET, LS, Api, served
from tests.llm.conftest import KEY, START, TOOLS, Notes, settings
from tests.servers.anthropic import OVERLOADED
from tests.servers.bedrock import frame
from tests.servers.http import Fault, Server
from velora.errors import (
    ContextOverflow,
    ProviderRejected,
    ProviderUnavailable,
    UsageError,
)
from velora.journal.messages import Message, UserMessage
from velora.llm.factory import build
from velora.llm.script import Turn

EVENTS = {"content-type": "text/event-stream"}
FRAMES = {"content-type": "application/vnd.amazon.eventstream"}
START_EVENT = (
    b'data: {"type":"message_start","message":{"id":"m","model":"m","role":"assistant",'
    b'"type":"message","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
)
PIECE = (
    b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I"}}\n\n'
)
ANY = [
    pytest.param(Fault(status=429), 429, id="429"),
    pytest.param(Fault(status=500), 500, id="500"),
    pytest.param(Fault(status=503, body=b"<html>busy</html>"), 503, id="503-html"),
    pytest.param(Fault(cut_after=0), None, id="cut before the body"),
    pytest.param(Fault(cut_after=300), None, id="cut in the body"),
    pytest.param(Fault(body=b""), None, id="empty body"),
]
OURS = [
    (ANTHROPIC, Fault(status=529), 529),
    (ANTHROPIC, Fault(body=b"", headers=EVENTS), None),
    (ANTHROPIC, Fault(body=OVERLOADED, headers=EVENTS), 529),
    (ANTHROPIC, Fault(body=START_EVENT + PIECE + OVERLOADED, headers=EVENTS), 529),
    (ANTHROPIC, Fault(body=START_EVENT + PIECE, headers=EVENTS), None),
    (ANTHROPIC, Fault(body=b"data: {oops\n\n", headers=EVENTS), None),
    (ANTHROPIC, Fault(body=b'data: {"type": "message_start"}\n\n', headers=EVENTS), None),
    (ANTHROPIC, Fault(body=b'{"content": ['), None),
    (ANTHROPIC, Fault(body=b'{"content": []}'), None),
    (ANTHROPIC, Fault(body=b"[1]"), None),
    (BEDROCK, Fault(status=424), 500),
    (BEDROCK, Fault(body=b"", headers=FRAMES), None),
    (BEDROCK, Fault(body=b"x" * 200, headers=FRAMES), None),
    (BEDROCK, Fault(body=frame("messageStart", {"role": "assistant"}), headers=FRAMES), None),
    (BEDROCK, Fault(body=frame("contentBlockDelta", {}), headers=FRAMES), None),
    (
        BEDROCK,
        Fault(
            body=frame("messageStart", {"role": "assistant"})
            + frame("throttlingException", {"message": "Too many tokens"}, exception=True),
            headers=FRAMES,
        ),
        429,
    ),
    (
        BEDROCK,
        Fault(body=frame("modelStreamErrorException", {}, exception=True), headers=FRAMES),
        500,
    ),
]


@pytest.fixture(params=list(APIS.values()), ids=list(APIS))
def api(request: pytest.FixtureRequest) -> Api:
    found: Api = request.param
    return found


async def tried_twice(api: Api, fault: Fault, status: int | None) -> None:
    notes = Notes()
    async with served(api, lambda _: Turn("I look.")) as to:
        to.server.faults.append(fault)
        completion = await to.connect(**BUDGET).complete(START, TOOLS, note=notes)
    assert completion.message.content == "I look."
    assert completion.retries == 1
    assert notes[0][0] == "llm_retry"
    assert notes[0][2]["status"] == status


@pytest.mark.parametrize(("fault", "status"), ANY)
async def test_another_try_helps(api: Api, fault: Fault, status: int | None) -> None:
    await tried_twice(api, fault, status)


@pytest.mark.parametrize(("api", "fault", "status"), OURS)
async def test_another_try_helps_with_what_one_api_alone_does(
    api: Api, fault: Fault, status: int | None
) -> None:
    await tried_twice(api, fault, status)


@pytest.mark.parametrize("fault", [Fault(hang=True), Fault(hang_after=200)])
async def test_a_silent_connection_is_given_up(api: Api, fault: Fault, notes: Notes) -> None:
    async with served(api, lambda _: Turn("I look.")) as to:
        to.server.faults.append(fault)
        completion = await to.connect(idle_timeout=0.3).complete(START, TOOLS, note=notes)
    assert completion.retries == 1
    assert "no byte came in time" in notes[0][1]


async def test_a_slow_answer_is_not_a_silent_one(api: Api, notes: Notes) -> None:
    async with served(api, lambda _: Turn("I look at it now.", calls=(LS,)), piece=2) as to:
        to.server.faults.append(Fault(drip=0.05))
        completion = await to.connect(idle_timeout=0.5).complete(START, TOOLS, note=notes)
    assert completion.retries == 0
    assert completion.latency > 0.5


async def test_the_provider_is_not_asked_again_too_early(api: Api, notes: Notes) -> None:
    async with served(api, lambda _: Turn("I look.")) as to:
        to.server.faults.append(Fault(status=429, headers={"retry-after": "0.03"}))
        await to.connect().complete(START, TOOLS, note=notes)
    assert notes[0][2]["retry_after"] == 0.03


async def test_no_server_at_all(api: Api, notes: Notes) -> None:
    async with served(api, lambda _: Turn("I look.")) as to:
        model = to.connect(num_retries=1)
        await to.server.close()
        with pytest.raises(ProviderUnavailable, match="no connection"):
            await model.complete(START, TOOLS, note=notes)


async def test_a_wrong_key_is_not_tried_again(notes: Notes) -> None:
    async with served(ANTHROPIC, lambda _: Turn("I look."), key="right") as to:
        with pytest.raises(ProviderRejected, match="invalid API key\n  check the API key") as no:
            await to.connect().complete(START, TOOLS, note=notes)
        assert KEY not in str(no.value)
        completion = await to.connect(api_key=SecretStr("right")).complete(START, (), note=notes)
    assert completion.message.content == "I look."


async def test_a_key_of_bedrocks_own(notes: Notes) -> None:
    async with served(BEDROCK, lambda _: Turn("I look."), bearer="right") as to:
        changes: dict[str, Any] = {"aws_access_key_id": None, "aws_secret_access_key": None}
        model = to.connect(api_key=SecretStr("right"), **changes)
        completion = await model.complete(START, TOOLS, note=notes)
        with pytest.raises(ProviderRejected, match="make sure your API Key is valid"):
            await to.connect().complete(START, TOOLS, note=notes)
    assert completion.message.content == "I look."


async def test_a_region_is_needed(monkeypatch: pytest.MonkeyPatch, notes: Notes) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    async with served(BEDROCK, lambda _: Turn("I look.")) as to:
        with pytest.raises(UsageError, match="no AWS region for Bedrock\n  set aws_region_name"):
            await to.connect(aws_region_name="").complete(START, TOOLS, note=notes)


async def test_the_limit_of_an_answer_is_learnt(api: Api, notes: Notes) -> None:
    name = "claude-9-5-sonnet"
    rules: dict[str, Any] = {"max_output": {name: 8192}}
    async with served(api, lambda _: Turn("I look."), model=name, **rules) as to:
        model = to.connect(max_output_tokens=50_000)
        for _ in range(2):
            completion = await model.complete(START, TOOLS, note=notes)
    assert completion.message.content == "I look."
    assert len(to.server.requests) == 3
    assert "max_output_tokens_clamped" in notes.codes


async def test_an_overflow_is_told(api: Api, notes: Notes) -> None:
    async with served(api, lambda _: Turn("I look."), context=2000) as to:
        long: list[Message] = [*START, UserMessage("x" * 20_000)]
        with pytest.raises(ContextOverflow):
            await to.connect().complete(long, TOOLS, note=notes)
    assert len(to.server.requests) == 1


async def test_half_a_surrogate_pair_reaches_the_provider(api: Api, notes: Notes) -> None:
    async with served(api, lambda _: Turn("I look.")) as to:
        completion = await to.connect().complete([UserMessage("a\ud83d")], TOOLS, note=notes)
    assert completion.message.content == "I look."


async def test_a_whole_answer_in_one_piece(notes: Notes) -> None:
    changes = {"completion_kwargs": {**BUDGET["completion_kwargs"], "stream": False}}
    async with served(ANTHROPIC, lambda _: Turn("Hi", "Thought", (LS,))) as to:
        completion = await to.connect(**changes).complete(START, TOOLS, note=notes)
    message = completion.message
    assert (message.content, message.reasoning) == ("Hi", "Thought")
    assert message.tool_calls[0].arguments == '{"command":"ls"}'


async def test_settings_reach_the_request(notes: Notes) -> None:
    changes = {
        "completion_kwargs": {"metadata": {"user_id": "u"}},
        "extra_headers": {"X-Tenant": "t1", "anthropic-beta": "mine"},
    }
    async with served(ANTHROPIC, lambda _: Turn("Hi")) as to:
        model = to.connect(**{**changes, "reasoning_effort": "low"})
        await model.complete(START, TOOLS, note=notes)
    request = to.server.requests[0]
    assert request.body["metadata"] == {"user_id": "u"}
    assert request.headers["x-tenant"] == "t1"
    assert request.headers["anthropic-beta"] == "interleaved-thinking-2025-05-14,mine"


async def test_the_environment_does_not_redirect_requests(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "from-the-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with served(ANTHROPIC, lambda _: Turn("Hi"), key=KEY) as to:
        await to.connect().complete(START, TOOLS, note=notes)
        async with Server(to.wire.__class__(), lambda _: Turn("Hi")) as keyless:
            model = build(settings(keyless.url, model="anthropic/claude-haiku-4-5", api_key=None))
            await model.complete(START, TOOLS, note=notes)
            await model.close()
    assert to.server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert not {"x-api-key", "authorization"} & keyless.requests[0].headers.keys()
