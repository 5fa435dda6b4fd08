"""The models that need no provider: scripted and replaying."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.llm.conftest import SCRIPT, START, TOOLS, Notes
from velora.errors import ProviderRejected, UsageError
from velora.journal.codec import encode
from velora.journal.events import Answered, Event, Noted, Record
from velora.journal.messages import (
    Completion,
    Message,
    ToolMessage,
    Usage,
    UserMessage,
)
from velora.llm.protocol import Model
from velora.llm.replay import ReplayModel
from velora.llm.script import Script, Turn, parse
from velora.llm.scripted import ScriptedModel


async def play(model: Model, notes: Notes, turns: int) -> list[Completion]:
    messages: list[Message] = list(START)
    completions = []
    for _ in range(turns):
        completion = await model.complete(messages, TOOLS, note=notes)
        completions.append(completion)
        messages.append(completion.message)
        messages += [ToolMessage(c.id, c.name, "ok ok") for c in completion.message.tool_calls]
    return completions


def scripted() -> ScriptedModel:
    return ScriptedModel(parse(SCRIPT, "test"))


async def test_turns_follow_the_conversation(notes: Notes) -> None:
    first, second, third = await play(scripted(), notes, 3)
    assert first.message.content == "I look."
    assert [c.id for c in first.message.tool_calls] == ["call_1_1"]
    assert second.message.tool_calls[0].arguments == '{"message": "done"}'
    assert third.message.tool_calls[0].name == "finish"
    assert first.cost == 0.0
    assert first.usage == Usage(prompt=9, completion=5)
    assert second.usage.prompt > first.usage.prompt
    assert first.finish_reason == "tool_calls"


async def test_one_object_serves_many_conversations_at_once(notes: Notes) -> None:
    model = scripted()
    alone = await play(model, notes, 3)
    assert await asyncio.gather(*(play(model, notes, 3) for _ in range(20))) == [alone] * 20


async def test_the_task_chooses_the_script(notes: Notes) -> None:
    model = ScriptedModel([Script((Turn("A"),), when="parse()"), Script((Turn("B"),), when="x")])
    assert (await model.complete(START, TOOLS, note=notes)).message.content == "A"
    with pytest.raises(ProviderRejected, match=r"no script suits .* none of 'parse\(\)', 'x'"):
        await model.complete([UserMessage("else")], TOOLS, note=notes)


async def test_a_recording_is_given_back(tmp_path: Path, notes: Notes) -> None:
    completions = await play(scripted(), notes, 2)
    events: list[Event] = [Noted("a", "b"), *(Answered(one) for one in completions)]
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(encode(Record(n, 0.0, one)) for n, one in enumerate(events)))

    model = ReplayModel.from_file(tmp_path)
    again = await play(model, notes, 2)
    assert [one.message for one in again] == [one.message for one in completions]
    assert [one.usage for one in again] == [one.usage for one in completions]
    with pytest.raises(ProviderRejected, match="the recording ends after 2 answers"):
        await play(model, notes, 3)


def test_a_recording_without_answers(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(Record(0, 0.0, Noted("a", "b"))))
    with pytest.raises(UsageError, match="holds no answer"):
        ReplayModel.from_file(path)
