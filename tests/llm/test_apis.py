"""What holds for every API: long conversations, resumed ones, refusals, faults, exact counts."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.llm.apis import APIS, BEDROCK, CLAUDE, Api
from tests.llm.conftest import START, TOOLS, Notes
from tests.servers.http import Fault, Play, Reply, Request
from velora.errors import ProviderRejected, ProviderUnavailable, Refused
from velora.journal.codec import decode, encode
from velora.journal.events import Answered, Record
from velora.journal.messages import (
    AssistantMessage,
    Completion,
    Message,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
)
from velora.llm.protocol import Model

MARK = {"cachePoint": {"type": "default"}}
pytestmark = pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)


def scripted(turn: int) -> AssistantMessage:
    """The answer of a turn: reasoning, text, one call or three, now and then none."""
    calls = [ToolCall(f"call_{turn}_0", "execute_bash", f'{{"command":"echo {turn}"}}')]
    if turn % 5 == 2:
        # The same tool with the same arguments: only order and id tell the results apart.
        calls += [ToolCall(f"call_{turn}_{n}", "execute_bash", calls[0].arguments) for n in (1, 2)]
    return AssistantMessage(
        content="" if turn % 3 == 1 else f"Step {turn}: naïve 你好 \U0001f600 </think>",
        tool_calls=() if turn % 7 == 6 else tuple(calls),
        reasoning=f"In turn {turn} I think, and think on.\n\nThen again." if turn % 4 else "",
    )


def play() -> Play:
    """The scripted answers in their order.

    They are counted here: an answer that held reasoning alone does not go back everywhere, so the
    server could not count it.
    """
    turns = itertools.count()
    return lambda _: scripted(next(turns))


def results(message: AssistantMessage) -> list[Message]:
    if not message.tool_calls:
        return [UserMessage("Go on.")]
    return [ToolMessage(one.id, one.name, f"result of {one.id}") for one in message.tool_calls]


async def converse(
    model: Model, messages: list[Message], notes: Notes, turns: int
) -> list[Completion]:
    """Add `turns` answers and their results to `messages`."""
    completions = []
    for _ in range(turns):
        completion = await model.complete(messages, TOOLS, note=notes)
        completions.append(completion)
        messages += [completion.message, *results(completion.message)]
    return completions


def restored(message: Message) -> Message:
    """A message as it comes back from the journal."""
    if not isinstance(message, AssistantMessage):
        return message
    event = decode(encode(Record(0, 0.0, Answered(Completion(message))))).event
    assert isinstance(event, Answered)
    return event.completion.message


async def test_thirty_turns_with_a_restart_in_the_middle(api: Api, notes: Notes) -> None:
    messages: list[Message] = list(START)
    async with api.talking(play(), piece=7) as (server, model):
        done = await converse(model, messages, notes, 15)
        messages = [restored(one) for one in messages]
        again = api.make(server.url)
        done += await converse(again, messages, notes, 15)
        await again.close()

    assert len(server.requests) == 30
    for turn, (completion, request) in enumerate(zip(done, server.requests, strict=True)):
        expected = scripted(turn)
        assert request.status == 200
        assert completion.message.content == expected.content
        assert completion.message.tool_calls == expected.tool_calls
        assert completion.message.reasoning == expected.reasoning
        assert completion.finish_reason == ("tool_calls" if expected.tool_calls else "stop")
        assert completion.usage == api.usage(expected, request)
        assert completion.retries == 0
    reasoning = sum(one.usage.reasoning for one in done)
    wanted = sum(len(scripted(turn).reasoning) // 4 for turn in range(30))
    assert reasoning == (wanted if api.counted else 0)
    assert wanted > 0


async def test_a_request_is_the_same_after_a_restart(api: Api, notes: Notes) -> None:
    messages: list[Message] = list(START)
    async with api.talking(play()) as (server, model):
        await converse(model, messages, notes, 12)
        for history in (messages, [restored(one) for one in messages]):
            await model.complete(history, TOOLS, note=notes)
    live, later = (one.data for one in server.requests[-2:])
    assert live == later


async def test_a_request_begins_as_the_one_before_it(api: Api, notes: Notes) -> None:
    """Providers keep the beginning of a prompt in a cache: nothing in it may change."""
    async with api.talking(play()) as (server, model):
        await converse(model, list(START), notes, 10)
    for before, after in zip(server.requests, server.requests[1:], strict=False):
        known = unmarked(before.messages)
        assert unmarked(after.messages)[: len(known)] == known


def unmarked(value: Any) -> Any:
    """Part of a request without the marks of what is to be kept in a cache."""
    match value:
        case dict():
            return {k: unmarked(part) for k, part in value.items() if k != "cache_control"}
        case list():
            return [unmarked(part) for part in value if part != MARK]
    return value


async def test_only_claude_is_sent_marks(api: Api, notes: Notes) -> None:
    async with api.talking(play()) as (server, model):
        await converse(model, list(START), notes, 2)
    marked = [unmarked(one.body) != one.body for one in server.requests]
    assert marked == [api in (CLAUDE, BEDROCK)] * 2


async def test_a_refusal_ends_the_attempt(api: Api, notes: Notes) -> None:
    refused = AssistantMessage("", provider=dict(api.refusal))
    async with api.talking(lambda _: refused) as (server, model):
        with pytest.raises(
            Refused, match=r"I cannot help with that|PROHIBITED_CONTENT|the content filter"
        ):
            await model.complete(START, TOOLS, note=notes)
    assert len(server.requests) == 1


async def test_an_empty_answer_is_an_answer_and_no_obstacle(api: Api, notes: Notes) -> None:
    def reply(request: Request) -> Reply:
        return AssistantMessage("") if len(server.requests) == 3 else scripted(len(server.requests))

    messages: list[Message] = list(START)
    async with api.talking(reply) as (server, model):
        done = await converse(model, messages, notes, 5)
    assert (done[2].message.content, done[2].message.tool_calls) == ("", ())
    assert done[2].usage.prompt > 0
    assert [one.status for one in server.requests] == [200] * 5


async def test_an_answer_that_is_cut_off_while_it_reasons(api: Api, notes: Notes) -> None:
    def reply(request: Request) -> Reply:
        if len(server.requests) == 2:
            return AssistantMessage("", reasoning="So much to think.", provider=dict(api.cut))
        return scripted(len(server.requests))

    async with api.talking(reply) as (server, model):
        done = await converse(model, list(START), notes, 4)
    assert done[1].finish_reason == "length"
    assert done[1].message.reasoning == "So much to think."
    assert done[1].message.tool_calls == ()
    assert [one.status for one in server.requests] == [200] * 4


@pytest.mark.parametrize(
    "kind", ["500", "529", "cut", "cut_early", "empty", "no_json", "hang", "hang_late", "error"]
)
async def test_what_goes_wrong_is_tried_again(api: Api, notes: Notes, kind: str) -> None:
    fault = {
        "500": Fault(500),
        "529": Fault(529),
        "cut": Fault(cut_after=300),
        "cut_early": Fault(cut_after=0),
        "empty": Fault(body=b""),
        "no_json": Fault(body=b"<html>502 Bad Gateway</html>"),
        "hang": Fault(hang=True),
        "hang_late": Fault(hang_after=300),
        "error": api.overloaded,
    }[kind]
    async with api.talking(lambda _: scripted(0), model={"idle_timeout": 0.3}) as (server, model):
        server.faults.append(fault)
        completion = await model.complete(START, TOOLS, note=notes)
    assert completion.message.tool_calls == scripted(0).tool_calls
    assert completion.retries == 1
    assert len(server.requests) == 2
    assert [note for note in notes.codes if note != "price_unknown"] == ["llm_retry"]


async def test_a_busy_provider_says_how_long_to_wait(api: Api, notes: Notes) -> None:
    async with api.talking(play()) as (server, model):
        server.faults.append(api.busy)
        completion = await model.complete(START, TOOLS, note=notes)
    assert completion.retries == 1
    code, _, data = notes[0]
    assert (code, data["status"], data["retry_after"]) == ("llm_retry", 429, 0.05)
    assert server.requests[1].received - server.requests[0].answered >= 0.05


async def test_retries_end(api: Api, notes: Notes) -> None:
    async with api.talking(play(), model={"num_retries": 2}) as (server, model):
        server.faults += [Fault(503)] * 3
        with pytest.raises(ProviderUnavailable, match="after 3 tries"):
            await model.complete(START, TOOLS, note=notes)
    assert len(server.requests) == 3


async def test_a_wrong_key_is_said_at_once(api: Api, notes: Notes) -> None:
    async with api.serve(play()) as server:
        model = api.make(server.url, "sk-wrong-key")
        with pytest.raises(ProviderRejected, match=r"(?i)api key"):
            await model.complete(START, TOOLS, note=notes)
        await model.close()
    assert len(server.requests) == 1


async def test_half_a_surrogate_pair_is_no_obstacle(api: Api, notes: Notes) -> None:
    start = (START[0], UserMessage("broken \ud800 text"))
    async with api.talking(play()) as (server, model):
        completion = await model.complete(start, TOOLS, note=notes)
    assert completion.usage != Usage()
    assert server.requests[-1].prompt == "broken ? text"


async def test_text_that_looks_like_markup_is_not_rewritten(api: Api, notes: Notes) -> None:
    text = "<|im_start|>system\n[INST] <system>x</system> <pyai:context> </s> <think>"
    async with api.talking(play()) as (server, model):
        await model.complete((START[0], UserMessage(text)), TOOLS, note=notes)
    assert server.requests[0].prompt == text
