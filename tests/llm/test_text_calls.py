"""Tool calls in text: the corpus of malformed ones, rendering, and the backend around it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.llm.conftest import START, Notes, talking
from tests.llm.malformed import CASES, NOTHING, Case
from tests.servers.chat import Refusal
from tests.servers.openai import Request
from velora.agent import texts
from velora.config.settings import SandboxSettings
from velora.journal.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from velora.llm.backend import Answer
from velora.llm.text_calls.backend import found_in, mode_of
from velora.llm.text_calls.read import read
from velora.llm.text_calls.render import call_text, native, plain
from velora.tools import arguments, bash, editor, finish, tasks, think
from velora.tools.protocol import BadArguments

TOOLS = (
    bash.spec(SandboxSettings()),
    editor.SPEC,
    think.SPEC,
    tasks.SPEC,
    finish.SPEC,
)
BY_NAME = {one.name: one for one in TOOLS}


def observed(tool: str, given_: str) -> Any:
    """What the agent's loop makes of a call: its arguments, or the words of the observation."""
    if tool not in BY_NAME:
        return texts.unknown_tool(tool, BY_NAME)
    try:
        return arguments.parse(BY_NAME[tool], given_)
    except BadArguments as error:
        return str(error)


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(CASES) >= 150
    assert len({(one.name, one.text, one.given) for one in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name.replace(" ", "-"))
def test_each_malformed_call_is_mended_or_answered(case: Case) -> None:
    calls = [ToolCall("native", case.tool, case.given)] if case.given is not None else None
    if calls is None:
        answer = found_in(Answer(AssistantMessage(case.text)), START, TOOLS)
        calls = list(answer.message.tool_calls)
    if case.want == NOTHING:
        assert calls == []
        return
    assert [one.name for one in calls] == [case.tool]
    came = observed(calls[0].name, calls[0].arguments)
    if case.says:
        assert isinstance(came, str)
        assert case.says in came
    else:
        assert came == case.want


def test_several_calls_of_one_answer_are_all_found() -> None:
    text = "One.\n" + "\nand\n".join(call_text("think", {"thought": str(n)}) for n in range(3))
    answer = found_in(Answer(AssistantMessage(text)), START, TOOLS)
    found = [json.loads(one.arguments) for one in answer.message.tool_calls]
    assert found == [{"thought": "0"}, {"thought": "1"}, {"thought": "2"}]
    assert answer.message.content == "One.\nand\nand"
    assert answer.finish_reason == "tool_calls"
    first = found_in(Answer(AssistantMessage(text)), START, TOOLS, limit=1).message
    assert len(first.tool_calls) == 1
    assert first.provider is not None
    assert first.provider["text"].endswith("</function>")
    assert "\nand" not in first.provider["text"]


def test_half_a_call_at_the_length_limit_is_not_run() -> None:
    cut = AssistantMessage("<function=execute_bash>\n<parameter=command>\nrm -rf /tmp/a")
    assert not found_in(Answer(cut, finish_reason="length"), START, TOOLS).message.tool_calls
    assert found_in(Answer(cut, finish_reason="stop"), START, TOOLS).message.tool_calls


VALUES = st.dictionaries(
    st.sampled_from(["command", "path", "old_str", "new_str", "file_text"]),
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=60)
    .filter(lambda text: "parameter" not in text and "function" not in text)
    .filter(lambda text: "invoke" not in text),
    min_size=1,
)


@given(VALUES)
def test_what_is_rendered_is_read_back(values: dict[str, str]) -> None:
    (call,) = read(f"Some words.\n{call_text('str_replace_editor', values)}", TOOLS)
    assert call.name == "str_replace_editor"
    assert json.loads(call.arguments) == values
    assert call.closed


PIECES = st.sampled_from(
    ["<function=", "execute_bash", ">", "<parameter=command>", "</parameter>", "</function>", "{"]
    + ['"name": ', '"finish"', "```json\n", "<tool_call>", "[TOOL_CALLS]", "\n", "<finish ", "/>"]
    + ["<|tool_call_begin|>", "<｜tool▁call▁begin｜>", "Action: ", "<|message|>", "}", "]", "a b"]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=40))
def test_no_text_breaks_the_reader(pieces: list[str]) -> None:
    text = "".join(pieces)
    place = 0
    for call in read(text, TOOLS):
        assert call.name
        assert place <= call.start < call.end <= len(text)
        place = call.end
        observed(call.name, call.arguments)


def test_reading_takes_linear_time() -> None:
    """Counted in steps of the search, by the size at which a quadratic reader would not return."""
    for piece in ("<function=a>", "</function>", "<tool_call>{", "```json\n{", "<finish ", "{"):
        read(piece * 20_000, TOOLS)


HISTORY: tuple[Message, ...] = (
    SystemMessage("You are an agent."),
    UserMessage("Mend it."),
    AssistantMessage("I look.", (ToolCall("c1", "execute_bash", '{"command": "ls"}'),)),
    ToolMessage("c1", "execute_bash", "a.py"),
    UserMessage("Go on."),
)


def test_a_conversation_without_tools() -> None:
    system, task, answer, result = plain(HISTORY, TOOLS)
    assert isinstance(system, SystemMessage)
    assert all(f"## {name}\n" in system.content for name in BY_NAME)
    assert task == UserMessage("Mend it.")
    assert answer == AssistantMessage(f"I look.\n{call_text('execute_bash', {'command': 'ls'})}")
    assert result == UserMessage("Result of execute_bash:\na.py\n\nGo on.")


def test_a_conversation_without_a_system_prompt_still_names_the_tools() -> None:
    system, *rest = plain(HISTORY[1:2], TOOLS)
    assert isinstance(system, SystemMessage)
    assert rest == [HISTORY[1]]


def test_native_history_is_left_alone_and_text_stays_text() -> None:
    assert native(HISTORY) is HISTORY
    raw = f"I look.\n{call_text('execute_bash', {'command': 'ls'})}"
    answer = found_in(Answer(AssistantMessage(raw)), HISTORY[:2], TOOLS).message
    assert answer.tool_calls == (ToolCall("text_1", "execute_bash", '{"command": "ls"}'),)
    history = (*HISTORY[:2], answer, ToolMessage("text_1", "execute_bash", "a.py"))
    assert list(native(history)) == [
        *HISTORY[:2],
        AssistantMessage(raw),
        UserMessage("Result of execute_bash:\na.py"),
    ]


@pytest.mark.parametrize(
    ("setting", "model", "mode"),
    [
        (True, "gemma-2-9b", "native"),
        (False, "gpt-4o", "text"),
        (None, "gpt-4o", "auto"),
        (None, "ollama/gemma2:9b", "text"),
        (None, "SmolLM2-135M", "text"),
    ],
)
def test_modes(setting: bool | None, model: str, mode: str) -> None:
    assert mode_of(setting, model) == mode


def play(request: Request) -> AssistantMessage | Refusal:
    """A server whose model knows no tools."""
    if request.body.get("tools"):
        return Refusal(400, "registry/library/tiny does not support tools")
    if request.turn == 0:
        assert "<function=NAME>" in request.messages[0]["content"]
        return AssistantMessage(f"Look.\n{call_text('execute_bash', {'command': 'ls'})}\nResult: x")
    assert request.messages[-1] == {"role": "user", "content": "Result of execute_bash:\na.py"}
    assert request.messages[-2]["content"].endswith("</function>")
    return AssistantMessage('<finish message="Done."/>')


@pytest.mark.parametrize("setting", [None, False])
async def test_a_model_without_tools_over_http(notes: Notes, setting: bool | None) -> None:
    changes = {"native_tool_calling": setting}
    async with talking(play, model=changes) as (server, model):
        first = await model.complete(START, TOOLS, note=notes)
        call = first.message.tool_calls[0]
        assert (call.name, json.loads(call.arguments)) == ("execute_bash", {"command": "ls"})
        assert first.message.content == "Look."
        result = ToolMessage(call.id, call.name, "a.py")
        second = await model.complete([*START, first.message, result], TOOLS, note=notes)
        assert second.message.tool_calls[0].name == "finish"
        assert len(server.requests) == (3 if setting is None else 2)
    assert ("text_tool_calls" in notes.codes) == (setting is None)


async def test_text_in_a_native_answer_is_understood(notes: Notes) -> None:
    def native_play(request: Request) -> AssistantMessage:
        assert request.body["tools"]
        if request.turn == 0:
            return AssistantMessage('Hm. <tool_call>{"name": "think", "arguments": {}}</tool_call>')
        assert request.messages[-1] == {"role": "user", "content": "Result of think:\nno"}
        return AssistantMessage("", (ToolCall("c1", "finish", "{}"),))

    async with talking(native_play) as (_, model):
        first = (await model.complete(START, TOOLS, note=notes)).message
        assert (first.content, first.tool_calls[0].name) == ("Hm.", "think")
        result = ToolMessage(first.tool_calls[0].id, "think", "no")
        second = await model.complete([*START, first, result], TOOLS, note=notes)
        assert second.message.tool_calls[0].name == "finish"


async def test_another_refusal_is_none_of_tools(notes: Notes) -> None:
    from velora.errors import ProviderRejected

    def refusing(request: Request) -> Refusal:
        assert request.body["tools"]
        return Refusal(400, "temperature is too high")

    async with talking(refusing) as (_, model):
        with pytest.raises(ProviderRejected, match="temperature"):
            await model.complete(START, TOOLS, note=notes)
