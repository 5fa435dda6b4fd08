"""A conversation begun with one model goes on with another, whatever the two are."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest

from tests.llm.apis import EVERY, GPT, KIMI, OPENROUTER, Api
from tests.llm.conftest import START, TOOLS, Notes
from tests.llm.test_apis import converse, play, restored
from velora.journal.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage

IDS = re.compile(r'"(?:id|tool_call_id|call_id|tool_use_id|toolUseId)": ?"([^"]+)"')
PAIRS = list(itertools.permutations(EVERY, 2))


@pytest.mark.parametrize(("first", "then"), PAIRS, ids=lambda api: api.name)
async def test_ten_turns_with_one_and_three_with_another(
    first: Api, then: Api, notes: Notes
) -> None:
    messages: list[Message] = list(START)
    async with first.talking(play()) as (_, model):
        done = await converse(model, messages, notes, 10)
    messages = [restored(one) for one in messages]
    async with then.talking(play()) as (server, model):
        await converse(model, messages, notes, 3)
    assert [one.status for one in server.requests] == [200] * 3
    # Nothing is lost but the reasoning: every call with its arguments, every text.
    sent = server.requests[0].data.decode()
    for completion in done:
        for call in completion.message.tool_calls:
            assert call.id in sent
            assert f"result of {call.id}" in sent
    # And none of the first one's reasoning is passed off as the second one's.
    assert "and think on" not in sent


@pytest.mark.parametrize(("first", "then"), PAIRS, ids=lambda api: api.name)
async def test_there_and_back_again(first: Api, then: Api, notes: Notes) -> None:
    """Records of the first one are used once more, those of the second are not."""
    messages: list[Message] = list(START)
    async with first.talking(play()) as (server, model):
        await converse(model, messages, notes, 3)
        async with then.talking(play()) as (_, other):
            await converse(other, messages, notes, 3)
        messages = [restored(one) for one in messages]
        await converse(model, messages, notes, 3)
    assert [one.status for one in server.requests] == [200] * 6


@pytest.mark.parametrize("api", EVERY, ids=lambda api: api.name)
@pytest.mark.parametrize(
    "id_", ["functions.execute_bash:0", "call_" + "x" * 500, "toolu_01A", "é\U0001f600", "a|b"]
)
async def test_any_call_id_is_taken(api: Api, id_: str, notes: Notes) -> None:
    calls = (ToolCall(id_, "execute_bash", "{}"), ToolCall("call_2", "execute_bash", "{}"))
    messages: list[Message] = [
        *START,
        AssistantMessage("", calls),
        *(ToolMessage(one.id, one.name, "ok") for one in calls),
    ]
    async with api.talking(play()) as (server, model):
        await model.complete(messages, TOOLS, note=notes)
    assert server.requests[0].status == 200


@pytest.mark.parametrize("api", EVERY, ids=lambda api: api.name)
async def test_a_record_that_tells_other_calls_is_not_used(api: Api, notes: Notes) -> None:
    """Whoever mended an answer's calls left its record behind."""
    messages: list[Message] = list(START)
    async with api.talking(play()) as (server, model):
        first = (await model.complete(messages, TOOLS, note=notes)).message
        mended = AssistantMessage(
            first.content, (ToolCall("call_new", "finish", "{}"),), first.reasoning, first.provider
        )
        messages += [mended, ToolMessage("call_new", "finish", "ok")]
        await model.complete(messages, TOOLS, note=notes)
    assert "call_0_0" not in server.requests[1].data.decode()


@pytest.mark.parametrize("api", EVERY, ids=lambda api: api.name)
async def test_arguments_that_are_not_json_go_on(api: Api, notes: Notes) -> None:
    calls = (ToolCall("call_1", "execute_bash", '{"command": '), ToolCall("call_2", "finish", ""))
    messages: list[Message] = [
        *START,
        AssistantMessage("", calls),
        *(ToolMessage(one.id, one.name, "not JSON") for one in calls),
        UserMessage("Once more."),
    ]
    async with api.talking(play()) as (server, model):
        await model.complete(messages, TOOLS, note=notes)
    assert server.requests[0].status == 200


@pytest.mark.parametrize("api", [KIMI, OPENROUTER], ids=lambda api: api.name)
async def test_another_model_of_the_same_api_gets_no_reasoning_of_the_first(
    api: Api, notes: Notes
) -> None:
    messages: list[Message] = list(START)
    async with api.talking(play()) as (server, model):
        await converse(model, messages, notes, 5)
        assert "and think on" in server.requests[-1].data.decode()
    async with replace(GPT, model="gpt-4.1").talking(play()) as (server, model):
        await converse(model, messages, notes, 1)
        assert all("and think on" not in one.data.decode() for one in server.requests)


@pytest.mark.parametrize("api", EVERY, ids=lambda api: api.name)
async def test_ids_that_begin_anew_in_every_answer(api: Api, notes: Notes) -> None:
    messages: list[Message] = list(START)
    for turn in range(3):
        calls = (ToolCall("call_0", "finish", "{}"), ToolCall("f:1", "execute_bash", "{}"))
        messages.append(AssistantMessage("", calls))
        messages += [ToolMessage(one.id, one.name, f"{turn} {one.name}") for one in calls]
    async with api.talking(play()) as (server, model):
        await model.complete(messages, TOOLS, note=notes)
        await model.complete(messages[:8], TOOLS, note=notes)
    assert [one.status for one in server.requests] == [200, 200]
    longer, shorter = (IDS.findall(one.data.decode()) for one in server.requests)
    assert longer[: len(shorter)] == shorter
    assert len(shorter) == 8


@pytest.mark.parametrize("api", EVERY, ids=lambda api: api.name)
@pytest.mark.parametrize(
    "name", ["run command", "functions.bash", "9lives", "\u00e9", "x" * 200, ""]
)
async def test_a_call_of_what_is_no_tool(api: Api, name: str, notes: Notes) -> None:
    """Models call what they were never offered; the next model is told, in a name that it takes."""
    messages: list[Message] = [
        *START,
        AssistantMessage("", (ToolCall("call_1", name, "{}"),)),
        ToolMessage("call_1", name, "There is no such tool."),
    ]
    async with api.talking(play()) as (server, model):
        await model.complete(messages, TOOLS, note=notes)
    assert server.requests[0].status == 200
