"""Conversations over real HTTP: what is sent, what comes back, what is clamped and counted."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from tests.llm.conftest import KEY, START, TOOLS, Connect, Notes, settings, talking
from tests.servers.chat import Refusal, Rules
from tests.servers.openai import Fault, Reply, Request, Server
from velora.errors import ProviderRejected
from velora.journal.codec import decode, encode
from velora.journal.events import Answered, Record
from velora.journal.messages import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from velora.llm.factory import build
from velora.llm.protocol import Model
from velora.llm.script import Call, Turn

CALL = Call("execute_bash", '{"command":   "ls"}')


async def converse(model: Model, notes: Notes, turns: int) -> list[Message]:
    messages: list[Message] = list(START)
    for _ in range(turns):
        completion = await model.complete(messages, TOOLS, note=notes)
        messages.append(completion.message)
        messages += [ToolMessage(c.id, c.name, "ok") for c in completion.message.tool_calls]
    return messages


async def test_a_conversation_goes_back_as_it_came(
    server: Server, connect: Connect, notes: Notes
) -> None:
    messages = await converse(connect(), notes, 2)

    sent = server.requests[1].messages
    assert [one["role"] for one in sent] == ["system", "user", "assistant", "tool"]
    assert sent[2]["content"] == "I look."
    assert sent[2]["tool_calls"][0]["function"] == {
        "name": "execute_bash",
        "arguments": '{"command": "ls"}',
    }
    assert sent[3] == {"role": "tool", "tool_call_id": "call_1_1", "content": "ok"}
    last = messages[-2]
    assert isinstance(last, AssistantMessage)
    assert last.tool_calls == (ToolCall("call_2_1", "finish", '{"message": "done"}'),)
    tools = server.requests[0].body["tools"]
    assert [one["function"]["parameters"] for one in tools] == [one.parameters for one in TOOLS]
    assert notes == []


async def test_usage_cost_and_identity(server: Server, connect: Connect, notes: Notes) -> None:
    completion = await connect().complete(START, TOOLS, note=notes)

    usage = completion.usage
    assert usage.prompt > usage.cache_read > 0
    assert usage.completion > 0
    # gpt-4o: $2.50 a million tokens in, $1.25 from the cache, $10 out.
    fresh = usage.prompt - usage.cache_read
    expected = (fresh * 2.5 + usage.cache_read * 1.25 + usage.completion * 10) / 1e6
    assert completion.cost == pytest.approx(expected)
    assert completion.model == "gpt-4o"
    assert completion.response_id == "chatcmpl-1"
    assert completion.finish_reason == "tool_calls"
    assert completion.latency > 0
    assert completion.retries == 0


async def test_several_calls_and_any_text_survive_streaming_in_small_pieces(notes: Notes) -> None:
    text = "naïve 你好 \U0001f600 </think> <think>" + "x" * 500
    turn = Turn(say=text, calls=(CALL, Call("finish", '{"message": "é\\n\\"q\\""}')))
    async with talking(lambda _: turn, piece=1) as (_, model):
        message = (await model.complete(START, TOOLS, note=notes)).message
    assert message.content == text
    assert [(c.name, c.arguments) for c in message.tool_calls] == [
        ("execute_bash", '{"command":   "ls"}'),
        ("finish", '{"message": "é\\n\\"q\\""}'),
    ]


async def test_a_server_that_does_not_stream_is_understood(notes: Notes) -> None:
    changes = {"completion_kwargs": {"stream": False}}
    async with talking(lambda _: Turn(say="hi", calls=(CALL,)), model=changes) as (server, model):
        completion = await model.complete(START, TOOLS, note=notes)
    assert completion.message.content == "hi"
    assert completion.usage.prompt > 0
    assert server.requests[0].body["stream"] is False
    assert "stream_options" not in server.requests[0].body


async def test_an_answer_with_the_least_fields(notes: Notes) -> None:
    body = (
        b'{"choices":[{"message":{"tool_calls":['
        b'{"function":{"name":"f","arguments":{"x":1}}}]},"finish_reason":"stop"}]}'
    )
    async with talking(lambda _: Fault(body=body)) as (_, model):
        completion = await model.complete(START, TOOLS, note=notes)
    (call,) = completion.message.tool_calls
    assert (call.name, call.arguments) == ("f", '{"x":1}')
    assert call.id
    assert completion.model == "gpt-4o"
    assert notes.codes == ["usage_missing"]


async def test_arguments_that_are_not_json_reach_the_agent_and_do_not_break_the_history(
    notes: Notes,
) -> None:
    async with talking(lambda _: Turn(calls=(Call("finish", '{"message": '),))) as (server, model):
        messages = await converse(model, notes, 2)
    first = messages[2]
    assert isinstance(first, AssistantMessage)
    assert first.tool_calls[0].arguments == '{"message": '
    sent = server.requests[1].messages[2]["tool_calls"][0]["function"]["arguments"]
    assert orjson.loads(sent) == {"INVALID_JSON": '{"message": '}


async def test_doubled_call_ids_are_told_apart(notes: Notes) -> None:
    calls = (ToolCall("same", "execute_bash", "{}"), ToolCall("same", "finish", "{}"))
    message = AssistantMessage("", calls)
    async with talking(lambda _: message) as (_, model):
        messages = await converse(model, notes, 2)
    first = messages[2]
    assert isinstance(first, AssistantMessage)
    assert [one.id for one in first.tool_calls] == ["same", "same_2"]
    assert notes.codes == ["tool_call_ids_changed"] * 2


async def test_reasoning_goes_back_where_it_came_from_also_after_a_restart(notes: Notes) -> None:
    turn = Turn(say="I see.", reasoning="The bug is in parse().", calls=(CALL,))
    async with talking(lambda _: turn, rules=Rules(strict=False)) as (server, model):
        completion = await model.complete(START, TOOLS, note=notes)
        assert completion.message.reasoning == "The bug is in parse()."
        assert completion.usage.reasoning > 0

        stored = decode(encode(Record(0, 0.0, Answered(completion)))).event
        assert isinstance(stored, Answered)
        for answer in (completion.message, stored.completion.message):
            observation = ToolMessage(answer.tool_calls[0].id, "execute_bash", "ok")
            await model.complete([*START, answer, observation], TOOLS, note=notes)
    live, restored = (one.messages[2] for one in server.requests[1:])
    assert live == restored
    assert live["reasoning_content"] == "The bug is in parse()."
    assert live["tool_calls"][0]["function"]["arguments"] == '{"command":   "ls"}'


async def test_half_a_surrogate_pair_is_no_obstacle(
    server: Server, connect: Connect, notes: Notes
) -> None:
    start = (START[0], UserMessage("broken \ud800 text"))
    await connect().complete(start, TOOLS, note=notes)
    assert server.requests[0].prompt == "broken ? text"


async def test_text_that_looks_like_a_chat_template_is_not_rewritten(
    server: Server, connect: Connect, notes: Notes
) -> None:
    text = "<|im_start|>system\n[INST] <system>x</system> <pyai:context> </s>"
    await connect().complete((START[0], UserMessage(text)), TOOLS, note=notes)
    assert server.requests[0].prompt == text


async def test_max_output_tokens_is_clamped_by_the_table(
    server: Server, connect: Connect, notes: Notes
) -> None:
    model = connect(max_output_tokens=65536)
    await converse(model, notes, 2)
    assert [one.body["max_tokens"] for one in server.requests] == [16384, 16384]
    assert notes.codes == ["max_output_tokens_clamped"]
    assert notes[0][2] == {"asked": 65536, "limit": 16384, "source": "the model table"}


async def test_a_stated_limit_is_learnt_once(notes: Notes) -> None:
    rules = Rules(max_output={"my-model": 4096})
    changes = {"model": "my-model", "max_output_tokens": 9000}
    async with talking(lambda _: Turn("hi"), rules=rules, model=changes) as (server, model):
        await model.complete(START, TOOLS, note=notes)
        assert notes.codes == ["max_output_tokens_clamped", "price_unknown"]
        assert notes[0][2]["source"] == "the provider's error"
        await model.complete([*START, AssistantMessage("hi"), START[1]], TOOLS, note=notes)
    assert [one.body["max_tokens"] for one in server.requests] == [9000, 4096, 4096]


async def test_a_prompt_that_leaves_room_gets_a_shorter_answer(notes: Notes) -> None:
    def play(request: Request) -> Reply:
        if request.body["max_tokens"] > 7000:
            return Refusal(
                400,
                "This model's maximum context length is 8192 tokens. However, you requested 9192 "
                "tokens (1192 in the messages, 8000 in the completion).",
                "context_length_exceeded",
            )
        return Turn("hi")

    changes = {"model": "my-model", "max_output_tokens": 8000}
    async with talking(play, model=changes) as (server, model):
        for _ in range(2):
            await model.complete(START, TOOLS, note=notes)
    # The room is the prompt's matter, not the model's: it is not remembered.
    assert [one.body["max_tokens"] for one in server.requests] == [8000, 7000, 8000, 7000]


async def test_a_reasoning_model_gets_the_fields_that_it_takes(notes: Notes) -> None:
    changes = {
        "model": "openai/gpt-5",
        "temperature": 0.2,
        "max_output_tokens": 200_000,
        "reasoning_effort": "high",
    }
    async with talking(lambda _: Turn("hi"), model=changes) as (server, model):
        await model.complete(START, TOOLS, note=notes)
    body = server.requests[0].body
    assert model.name == body["model"] == "gpt-5"
    assert body["max_completion_tokens"] == 128_000
    assert body["reasoning_effort"] == "high"
    assert not {"temperature", "max_tokens"} & body.keys()
    assert notes.codes == ["max_output_tokens_clamped", "sampling_not_sent"]


async def test_settings_reach_the_request(notes: Notes) -> None:
    changes = {
        "model": "hosted_vllm/Qwen/Qwen3-Coder",
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 20,
        "seed": 7,
        "extra_headers": {"X-Tenant": "t1"},
        "completion_kwargs": {"repetition_penalty": 1.1},
    }
    rules = Rules(strict=False)
    async with talking(lambda _: Turn("hi"), rules=rules, model=changes) as (server, model):
        completion = await model.complete(START, TOOLS, note=notes)
    request = server.requests[0]
    wanted = {"temperature": 0.5, "top_p": 0.9, "top_k": 20, "seed": 7, "repetition_penalty": 1.1}
    assert {key: request.body[key] for key in wanted} == wanted
    assert request.body["model"] == "Qwen/Qwen3-Coder"
    assert request.headers["x-tenant"] == "t1"
    assert completion.cost is None
    assert notes.codes == ["price_unknown"]


async def test_own_prices_come_first(server: Server, connect: Connect, notes: Notes) -> None:
    model = connect(input_cost_per_token=0.001, output_cost_per_token=0.01)
    completion = await model.complete(START, TOOLS, note=notes)
    usage = completion.usage
    assert completion.cost == pytest.approx(usage.prompt * 0.001 + usage.completion * 0.01)


async def test_no_key_on_loopback_sends_no_authorization(
    server: Server, connect: Connect, notes: Notes
) -> None:
    await connect(api_key=None).complete(START, TOOLS, note=notes)
    assert "authorization" not in server.requests[0].headers


async def test_the_environment_does_not_redirect_requests(
    server: Server, connect: Connect, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    await connect().complete(START, TOOLS, note=notes)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_hundreds_at_once_share_one_client(server: Server, notes: Notes) -> None:
    model = build(settings(server.url, idle_timeout=60.0, timeout=60.0))

    async def one() -> str:
        return (await model.complete(START, TOOLS, note=notes)).message.content

    answers = await asyncio.gather(*(one() for _ in range(300)))
    assert answers == ["I look."] * 300
    assert notes == []
    await model.close()
    with pytest.raises(Exception, match="closed"):
        await model.complete(START, TOOLS, note=notes)


async def test_the_server_refuses_a_history_with_an_unanswered_call(
    server: Server, connect: Connect, notes: Notes
) -> None:
    answer = AssistantMessage("", (ToolCall("call_1", "finish", "{}"),))
    with pytest.raises(ProviderRejected, match="did not have response messages: call_1"):
        await connect().complete([*START, answer, START[1]], TOOLS, note=notes)
