"""Chat-compatible servers: in which field reasoning comes, and that it goes back in it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.llm.apis import GPT, KIMI, OPENROUTER
from tests.llm.conftest import START, TOOLS, Notes
from tests.llm.test_apis import converse, restored, scripted
from tests.servers.chat import Rules
from velora.journal.messages import AssistantMessage, Image, Message, ToolCall, ToolMessage
from velora.llm.providers.chat_reasoning import FILLER, join_details, required_field


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "reasoning_details"])
@pytest.mark.parametrize("stream", [True, False])
async def test_reasoning_goes_back_in_the_field_that_it_came_in(
    name: str, stream: bool, notes: Notes
) -> None:
    changes = {"completion_kwargs": {"stream": stream}}
    rules = Rules(strict=False, reasoning=name)
    messages: list[Message] = list(START)
    async with GPT.talking(lambda _: scripted(2), rules=rules, model=changes) as (server, model):
        done = await converse(model, messages, notes, 1)
        await model.complete([restored(one) for one in messages], TOOLS, note=notes)
    expected = scripted(2).reasoning
    assert done[0].message.reasoning == expected
    sent = server.requests[1].messages[2]
    known = {"reasoning_content", "reasoning", "reasoning_details"}
    assert sent.keys() & known == {name}
    if name == "reasoning_details":
        signed = {"signature": f"sig-{len(expected)}", "format": "anthropic-claude-v1"}
        block = {"type": "reasoning.text", "text": expected, "index": 0, **signed}
        assert sent[name] == [block]
    else:
        assert sent[name] == expected


async def test_a_model_that_wants_reasoning_gets_something_where_there_was_none(
    notes: Notes,
) -> None:
    messages: list[Message] = list(START)
    async with KIMI.talking(lambda _: scripted(0)) as (server, model):
        await converse(model, messages, notes, 1)
        calls = (ToolCall("toolu_1", "finish", "{}"),)
        messages += [AssistantMessage("", calls), ToolMessage("toolu_1", "finish", "no")]
        await model.complete(messages, TOOLS, note=notes)
    answers = [one for one in server.requests[1].messages if one["role"] == "assistant"]
    assert [one["reasoning_content"] for one in answers] == [FILLER, FILLER]


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("kimi-k2-thinking", "reasoning_content"),
        ("kimi-k2-thinking-turbo", "reasoning_content"),
        ("moonshotai/Kimi-K2.5", "reasoning_content"),
        ("kimi-k2-0905-preview", ""),
        ("deepseek-reasoner", "reasoning_content"),
        ("deepseek-ai/DeepSeek-V3.2", "reasoning_content"),
        ("deepseek-v4-pro", "reasoning_content"),
        ("deepseek-chat", ""),
        ("deepseek-r1", ""),
        ("gpt-4o", ""),
        ("qwen3-coder", ""),
    ],
)
def test_which_models_want_it(model: str, field: str) -> None:
    assert required_field(model) == field


def block(index: int, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "index": index, "text": text, **more}


def test_blocks_are_joined_by_their_index() -> None:
    deltas = [
        [block(0, "a")],
        [block(0, "b", signature=None), block(1, "c")],
        [block(1, "", signature="s1")],
        [{"type": "reasoning.encrypted", "index": 1, "data": "xyz"}],
    ]
    joined: list[Any] = []
    for delta in deltas:
        joined = join_details(joined, delta)
    assert joined == [
        block(0, "ab"),
        block(1, "c", signature="s1"),
        {"type": "reasoning.encrypted", "index": 1, "data": "xyz"},
    ]
    assert deltas[0] == [block(0, "a")]


def test_minimax_repeats_a_block_from_its_beginning() -> None:
    form = {"format": "MiniMax-response-v1"}
    joined: list[Any] = []
    for text in ("a", "ab", "abc"):
        joined = join_details(joined, [block(0, text, **form)])
    assert joined == [block(0, "abc", **form)]
    assert join_details([block(0, "a")], [block(0, "ab")]) == [block(0, "aab")]


async def test_images_follow_the_results_until_they_are_refused(notes: Notes) -> None:
    calls = (ToolCall("a", "execute_bash", "{}"), ToolCall("b", "execute_bash", "{}"))
    messages: list[Message] = [
        *START,
        AssistantMessage("", calls),
        ToolMessage("a", "execute_bash", "see", (Image("image/png", "iVBORw0KGgo="),)),
        ToolMessage("b", "execute_bash", "ok"),
    ]
    async with GPT.talking(lambda _: scripted(0)) as (server, model):
        await model.complete(messages, TOOLS, note=notes)
    first, second, user = server.requests[0].messages[3:]
    assert [first["content"], second["content"]] == ["see", "ok"]
    assert user["role"] == "user"
    kinds = [part["type"] for part in user["content"]]
    assert kinds == ["text", "image_url"]
    assert user["content"][0]["text"] == "What execute_bash shows:"

    rules = Rules(sees=False)
    async with GPT.talking(lambda _: scripted(0), rules=rules) as (server, model):
        for _ in range(2):
            await model.complete(messages, TOOLS, note=notes)
    assert [one.status for one in server.requests] == [400, 200, 200]
    assert notes.codes == ["images_not_shown"]
    assert "Images are left out" in server.requests[2].messages[3]["content"]


async def test_contents_are_plain_texts(notes: Notes) -> None:
    async with OPENROUTER.talking(lambda _: scripted(2)) as (server, model):
        await converse(model, list(START), notes, 3)
    for message in server.requests[2].messages:
        assert isinstance(message["content"], str) or message.get("tool_calls")
