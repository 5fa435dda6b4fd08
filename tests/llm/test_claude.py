"""Conversations with Claude over both of its APIs; the servers check each request."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.llm.claude import APIS, BUDGET, LS, Api, prefixes_hold, reread, results, served
from tests.llm.conftest import START, TOOLS, Notes
from tests.servers.http import Reply, Request
from velora.errors import Refused
from velora.journal.conversation import shown
from velora.journal.events import Condensed
from velora.journal.messages import (
    AssistantMessage,
    Completion,
    Image,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from velora.llm.convert import Reader, to_history
from velora.llm.script import Turn

THINKING = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
TURNS = 30
PARALLEL, EMPTY, REDACTED, SPOKEN, THOUGHT, BLANK, CUT = 4, 7, 10, 12, 14, 18, 21


@pytest.fixture(params=list(APIS.values()), ids=list(APIS))
def api(request: pytest.FixtureRequest) -> Api:
    found: Api = request.param
    return found


class Script:
    """Thirty answers, told by how many were given; thoughts on nearly all of them."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self, request: Request) -> Reply:
        number, self.given = self.given, self.given + 1
        thought = f"Thought {number}: naïve 你好 </thinking>"
        calls: tuple[ToolCall, ...] = (
            ToolCall(f"c{number}", "execute_bash", '{"command":   "ls -la"}'),
        )
        match number:
            case n if n == PARALLEL:
                calls = (*calls, ToolCall(f"c{number}b", "execute_bash", '{"command": "é\\n"}'))
            case n if n == EMPTY:
                return AssistantMessage("")
            case n if n == REDACTED:
                return AssistantMessage("Hm.", calls, "", {"redacted": "secret"})
            case n if n == SPOKEN:
                return AssistantMessage("Let me say it.", (), thought)
            case n if n == THOUGHT:
                return AssistantMessage("", (), thought)
            case n if n == BLANK:
                return AssistantMessage("\n\n", calls, thought)
            case n if n == CUT:
                calls = (ToolCall(f"c{number}", "execute_bash", '{"command": "l'),)
        return AssistantMessage(f"I look ({number}).", calls, thought)


@pytest.mark.parametrize("thinking", [True, False], ids=["thinking", "plain"])
async def test_thirty_turns_with_a_resume_in_the_middle(
    api: Api, thinking: bool, notes: Notes
) -> None:
    script = Script()
    messages: list[Message] = list(START)
    completions: list[Completion] = []
    async with served(api, script) as to:
        model = to.connect(**(BUDGET if thinking else {}))
        for number in range(TURNS):
            if number in (13, 20):
                messages = reread(messages)
                model = to.connect(**(BUDGET if thinking else {}))
            completion = await model.complete(messages, TOOLS, note=notes, conversation="c")
            completions.append(completion)
            messages.append(completion.message)
            observed = results(completion.message, "" if number % 5 else "total 0")
            messages += observed or [UserMessage("Please call a tool.")]
    assert to.wire.refusals == []
    assert {one.status for one in to.server.requests} == {200}
    assert set(notes.codes) <= {"price_unknown"}
    assert [bool(one.message.reasoning) for one in completions].count(True) == (
        28 if thinking else 0
    )
    assert len(completions[PARALLEL].message.tool_calls) == 2
    assert completions[CUT].message.tool_calls[0].arguments == '{"command": "l'
    assert prefixes_hold(to.wire)
    usages = [one.usage for one in completions]
    assert usages[0].cache_write == usages[0].prompt
    for before, after in pairwise(usages):
        assert after.cache_read == before.prompt
        assert after.cache_read + after.cache_write == after.prompt


async def test_thoughts_go_back_word_for_word(api: Api, notes: Notes) -> None:
    async with served(api, lambda _: Turn("Hi", "Thought", (LS,))) as to:
        first = await to.connect(**BUDGET).complete(START, TOOLS, note=notes)
        messages = reread([*START, first.message, *results(first.message)])
        await to.connect(**BUDGET).complete(messages, TOOLS, note=notes)
    sent = to.server.requests[1].body["messages"][1]["content"]
    assert [next(iter(one)) if "type" not in one else one["type"] for one in sent] in (
        ["thinking", "text", "tool_use"],
        ["reasoningContent", "text", "toolUse"],
    )
    assert "Thought" in str(sent[0])
    assert first.message.provider is not None
    assert "usage" not in first.message.provider


def foreign(number: int, arguments: str, name: str = "execute_bash") -> list[Message]:
    """An answer of somebody else's model, with an id and a record of theirs, and its result."""
    call = ToolCall(f"call_{'x' * 60}|fc_é:{number}", name, arguments)
    record = {"kind": "response", "parts": [], "metadata": {"writer": "openai_responses/gpt-5"}}
    answer = AssistantMessage("Mine.", (call,), "secret", record)
    return [answer, *results(answer, "" if number else "ok")]


async def test_the_history_of_another_model_is_understood(api: Api, notes: Notes) -> None:
    answers = iter([*[Turn("Hi", "Thought", (LS,))] * 3, Turn("Say on."), Turn("Hi", "Thought")])
    async with served(api, lambda _: next(answers)) as to:
        model = to.connect(**BUDGET)
        messages: list[Message] = [*START, UserMessage("")]
        messages += foreign(0, '{"command": "ls"}')
        messages += foreign(1, "[1, 2]", "functions.bash!")
        messages += foreign(2, "{", "")
        for _ in range(3):
            completion = await model.complete(messages, TOOLS, note=notes, conversation="c")
            assert completion.message.reasoning == ""
            messages += [completion.message, *results(completion.message)]
        completion = await model.complete(messages, TOOLS, note=notes, conversation="c")
        messages += [completion.message, UserMessage("Now think.")]
        completion = await model.complete(messages, TOOLS, note=notes, conversation="c")
    assert completion.message.reasoning == "Thought"
    assert to.wire.refusals == []
    assert [code for code in notes.codes if code != "price_unknown"] == ["thinking_left_out"]
    assert "secret" not in str([one.body for one in to.server.requests])


@pytest.mark.parametrize("name", ["claude-sonnet-4-5", "claude-opus-5-5"])
async def test_a_condensation_leaves_a_valid_history(api: Api, name: str, notes: Notes) -> None:
    changes = BUDGET if "4-5" in name else {"reasoning_effort": "high"}
    async with served(api, lambda r: Turn(f"{r.turn}", f"T{r.turn}", (LS,)), model=name) as to:
        model = to.connect(**changes)
        messages: list[Message] = list(START)

        async def go_on(condensed: Condensed | None) -> None:
            history = shown(messages, condensed)
            completion = await model.complete(history, TOOLS, note=notes, conversation="c")
            messages.append(completion.message)
            messages.extend(results(completion.message))

        for _ in range(6):
            await go_on(None)
        for condensed in (
            Condensed("llm", "size", kept=2, start=8, summary="What happened so far."),
            Condensed("recent", "size", kept=4, start=12),
            Condensed("observation_masking", "size", kept=0, start=0, masked=9),
        ):
            for _ in range(3):
                await go_on(condensed)
    # Of thoughts that are bound to what came before, the API has to say so once.
    assert len(to.wire.refusals) == (0 if "4-5" in name else 1)
    assert {*notes.codes} <= {"price_unknown"}


async def test_a_refusal_ends_the_attempt(api: Api, notes: Notes) -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "I will not."}
    answer = AssistantMessage("", provider={"stop_reason": "refusal", "stop_details": details})
    async with served(api, lambda _: answer) as to:
        with pytest.raises(Refused, match=r"claude-sonnet-4-5.*: (I will not|the content filter)"):
            await to.connect().complete(START, TOOLS, note=notes)
    assert len(to.server.requests) == 1


async def test_images_go_into_the_result(api: Api, notes: Notes) -> None:
    image = Image("image/png", "iVBORw0KGgo=")
    async with served(api, lambda _: Turn("Hi", calls=(LS,))) as to:
        first = await to.connect().complete(START, TOOLS, note=notes)
        call = first.message.tool_calls[0]
        seen: list[Message] = [*START, first.message]
        seen += [ToolMessage(call.id, call.name, "a picture", (image,))]
        await to.connect().complete(seen, TOOLS, note=notes)
        await to.connect(disable_vision=True).complete(seen, TOOLS, note=notes)
    bodies = [str(one.body["messages"][-1]) for one in to.server.requests]
    assert ["iVBORw0KGgo" in body for body in bodies] == [False, True, False]
    assert "Images are left out" in bodies[2]


async def test_nothing_is_marked_where_caching_is_off(api: Api, notes: Notes) -> None:
    async with served(api, lambda _: Turn("Hi", calls=(LS,))) as to:
        completion = await to.connect(caching_prompt=False).complete(START, TOOLS, note=notes)
    body = str(to.server.requests[0].body)
    assert "cache_control" not in body
    assert "cachePoint" not in body
    assert (completion.usage.cache_read, completion.usage.cache_write) == (0, 0)


async def test_a_record_is_parsed_once(api: Api, notes: Notes) -> None:
    async with served(api, lambda _: Turn("Hi", "Thought", (LS,))) as to:
        first = await to.connect(**BUDGET).complete(START, TOOLS, note=notes)
    messages = reread([*START, first.message])
    assert first.message.provider is not None
    reader = Reader(first.message.provider["metadata"]["writer"])
    assert to_history(messages, reader)[-1] is to_history(messages, reader)[-1]
    live, read = (to_history(one, reader)[-1] for one in ([first.message], messages))
    assert live.parts == read.parts
    other = Reader("anthropic/claude-haiku-4-5")
    assert "Thought" not in str(to_history(messages, other)[-1])


@pytest.mark.parametrize(
    ("name", "changes", "sent", "notice"),
    [
        ("claude-sonnet-4-5", {"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5}, "top_p"),
        ("claude-sonnet-4-5", {"temperature": 0.5, "seed": 1}, {"temperature": 0.5}, "seed"),
        (
            "claude-3-5-haiku",
            {"temperature": 0.5, "top_p": 0.9, "reasoning_effort": "high"},
            {"temperature": 0.5, "top_p": 0.9},
            "does not think",
        ),
        ("claude-opus-4-7", {"temperature": 0.5, "top_k": 3}, {}, "temperature and top_k"),
        (
            "claude-sonnet-4-5",
            {**BUDGET, "temperature": 0.5, "top_p": 0.9},
            THINKING,
            "while it thinks",
        ),
        ("claude-sonnet-4-5", {**BUDGET, "temperature": 1.0}, {"temperature": 1.0, **THINKING}, ""),
        ("claude-opus-4-7", BUDGET, {"thinking": {"type": "adaptive"}}, "decides its own"),
        ("claude-opus-4-7", {"reasoning_effort": "low"}, {"thinking": {"type": "adaptive"}}, ""),
        (
            "claude-sonnet-4-5",
            {"reasoning_effort": "medium"},
            {"thinking": {"type": "enabled", "budget_tokens": 10_000}},
            "",
        ),
        (
            "claude-sonnet-4-5",
            {"reasoning_effort": "medium", "max_output_tokens": 8000},
            {"thinking": {"type": "enabled", "budget_tokens": 4000}},
            "",
        ),
        ("claude-sonnet-4-5", {**BUDGET, "max_output_tokens": 1500}, {}, "leaves no room"),
        ("claude-sonnet-4-5", {"reasoning_effort": "none"}, {}, ""),
    ],
)
async def test_what_a_model_refuses_is_not_sent(
    api: Api, name: str, changes: dict[str, object], sent: dict[str, object], notice: str
) -> None:
    notes = Notes()
    async with served(api, lambda _: Turn("Hi", "Thought"), model=name) as to:
        await to.connect(**changes).complete(START, TOOLS, note=notes)
    assert to.wire.refusals == []
    body = to.server.requests[0].body
    if "inferenceConfig" in body:
        config = body["inferenceConfig"]
        names = {"temperature": "temperature", "topP": "top_p"}
        body = {ours: config[theirs] for theirs, ours in names.items() if theirs in config}
        body |= to.server.requests[0].body.get("additionalModelRequestFields", {})
    fields = ("temperature", "top_p", "top_k", "thinking")
    found = {key: body[key] for key in fields if key in body}
    if found.get("thinking") == {"type": "disabled"}:
        del found["thinking"]
    assert found == sent
    texts = [text for code, text, _ in notes if code != "price_unknown"]
    assert len(texts) == bool(notice)
    assert notice in "".join(texts)
