"""The Responses API: encrypted reasoning in its order, statelessness, failures inside a stream."""

from __future__ import annotations

from typing import Any, cast

import orjson
import pytest

from tests.llm.apis import GPT, RESPONSES, Api
from tests.llm.conftest import START, TOOLS, Notes, settings
from tests.llm.test_apis import converse, restored, scripted
from tests.servers.chat import Refusal
from tests.servers.http import Fault, Reply, Request
from tests.servers.responses_rules import Rules
from velora.errors import AttemptError, ContextOverflow, ProviderRejected, Refused
from velora.journal.messages import AssistantMessage, Image, Message, ToolCall, ToolMessage
from velora.llm.factory import build
from velora.llm.providers.openai_api import use_responses

CALLS = (ToolCall("call_a", "execute_bash", "{}"), ToolCall("call_b", "finish", "{}"))


async def test_nothing_is_stored_and_reasoning_comes_encrypted(notes: Notes) -> None:
    changes = {"reasoning_effort": "high", "max_output_tokens": 5000, "temperature": 0.3, "seed": 1}
    async with RESPONSES.talking(lambda _: scripted(1), model=changes) as (server, model):
        await model.complete(START, TOOLS, note=notes, conversation="run/instance/1")
    body = server.requests[0].body
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert body["max_output_tokens"] == 5000
    assert body["stream"] is True
    assert not {"previous_response_id", "temperature", "seed"} & body.keys()
    # An endpoint that is not OpenAI's own may not know the key.
    assert "prompt_cache_key" not in body
    assert notes.codes == ["sampling_not_sent", "sampling_not_sent"]


async def test_reasoning_goes_back_between_the_items_that_it_led_to(notes: Notes) -> None:
    order = ["reasoning", "message", "call", "reasoning", "call"]
    answer = AssistantMessage("Text.", CALLS, "Why.", {"order": order})
    messages: list[Message] = list(START)
    async with RESPONSES.talking(lambda _: answer) as (server, model):
        await converse(model, messages, notes, 1)
        await converse(model, [restored(one) for one in messages], notes, 1)
    items = server.requests[1].body["input"][2:]
    assert [one["type"] for one in items] == [
        "reasoning",
        "message",
        "function_call",
        "reasoning",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert all(one["encrypted_content"] for one in items if one["type"] == "reasoning")
    assert [(one["id"], one["call_id"]) for one in items if one["type"] == "function_call"] == [
        ("fc_1_2", "call_a"),
        ("fc_1_4", "call_b"),
    ]


async def test_several_summaries_of_one_item_stay_one(notes: Notes) -> None:
    answer = AssistantMessage("Text.", CALLS, "First.\n\nThen.")
    async with RESPONSES.talking(lambda _: answer) as (server, model):
        done = await converse(model, list(START), notes, 2)
    assert done[0].message.reasoning == "First.\n\nThen."
    (item,) = [one for one in server.requests[1].body["input"] if one.get("type") == "reasoning"]
    assert [one["text"] for one in item["summary"]] == ["First.", "Then."]


async def test_reasoning_that_cannot_be_read_any_more_is_left_out(notes: Notes) -> None:
    """As after a change of keys between two organisations."""
    messages: list[Message] = list(START)
    async with RESPONSES.talking(lambda _: scripted(1)) as (_, model):
        await converse(model, messages, notes, 2)
    rules = Rules(readable=False)
    async with RESPONSES.talking(lambda _: scripted(2), rules=rules) as (server, model):
        completion = await model.complete(messages, TOOLS, note=notes)
    assert [one.status for one in server.requests] == [400, 200]
    assert completion.retries == 0
    assert notes.codes == ["reasoning_dropped"]
    assert "encrypted_content" not in str(server.requests[1].body["input"])


async def test_a_server_that_encrypts_nothing(notes: Notes) -> None:
    """Reasoning without its encrypted form would be looked up, and is not stored."""
    changes: dict[str, Any] = {"completion_kwargs": {"include": []}}
    async with RESPONSES.talking(lambda _: scripted(1), model=changes) as (server, model):
        await converse(model, list(START), notes, 3)
    assert [one.status for one in server.requests] == [200] * 3


async def test_a_last_event_without_the_output(notes: Notes) -> None:
    async with RESPONSES.talking(lambda _: scripted(2), completed=False) as (_, model):
        completion = await model.complete(START, TOOLS, note=notes)
    assert completion.message.tool_calls == scripted(2).tool_calls
    assert completion.message.content == scripted(2).content


async def test_a_server_that_does_not_stream(notes: Notes) -> None:
    changes = {"completion_kwargs": {"stream": False}}
    async with RESPONSES.talking(lambda _: scripted(2), model=changes) as (server, model):
        completion = await model.complete(START, TOOLS, note=notes)
    assert completion.message.tool_calls == scripted(2).tool_calls
    assert server.requests[0].body["stream"] is False


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        ({"code": "context_length_exceeded", "message": "Your input is too big."}, ContextOverflow),
        ({"code": "insufficient_quota", "message": "You exceeded your quota."}, ProviderRejected),
        (
            {"code": "invalid_prompt", "message": "It may be violating our usage policy."},
            Refused,
        ),
    ],
)
async def test_an_answer_that_fails_for_good(
    error: dict[str, Any], raised: type[AttemptError], notes: Notes
) -> None:
    failed = AssistantMessage("", provider={"error": error})
    async with RESPONSES.talking(lambda _: failed) as (server, model):
        with pytest.raises(raised, match=error["message"]):
            await model.complete(START, TOOLS, note=notes)
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["failed", "event", "nested"])
async def test_an_answer_that_fails_in_the_middle_is_tried_again(kind: str, notes: Notes) -> None:
    error = {"code": "server_error", "message": "An error occurred."}
    kinds: dict[str, dict[str, Any]] = {
        "failed": {"error": error},
        "event": {"event_error": error},
        "nested": {"event_error": {"error": error}},
    }
    extra = kinds[kind]

    def play(_: Request) -> Reply:
        if len(server.requests) == 1:
            return AssistantMessage("half", CALLS, provider=extra)
        return scripted(0)

    async with RESPONSES.talking(play) as (server, model):
        completion = await model.complete(START, TOOLS, note=notes)
    assert completion.retries == 1
    assert notes.codes[0] == "llm_retry"
    assert "An error occurred." in notes[0][1]


async def test_a_busy_stream(notes: Notes) -> None:
    busy = {"code": "rate_limit_exceeded", "message": "Rate limit reached. Try again in 1s."}
    event = b"event: error\ndata: " + orjson.dumps({"type": "error", **busy}) + b"\n\n"
    async with RESPONSES.talking(lambda _: scripted(0)) as (server, model):
        server.faults.append(Fault(headers={"content-type": "text/event-stream"}, body=event))
        await model.complete(START, TOOLS, note=notes)
    assert notes[0][2]["status"] == 429


async def test_the_content_filter_in_the_middle(notes: Notes) -> None:
    filtered = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    answer = AssistantMessage("half", provider=filtered)
    async with RESPONSES.talking(lambda _: answer) as (_, model):
        with pytest.raises(Refused, match="content filter"):
            await model.complete(START, TOOLS, note=notes)


async def test_arguments_are_sent_back_as_written(notes: Notes) -> None:
    text = '{"command":   "ls" }'
    answer = AssistantMessage("", (ToolCall("call_1", "execute_bash", text),))
    async with RESPONSES.talking(lambda _: answer) as (server, model):
        done = await converse(model, list(START), notes, 2)
    assert done[0].message.tool_calls[0].arguments == text
    (call,) = [one for one in server.requests[1].messages if one.get("type") == "function_call"]
    assert call["arguments"] == text


async def test_images_are_part_of_the_output_until_they_are_refused(notes: Notes) -> None:
    def play(request: Request) -> Reply:
        if "input_image" in str(request.body) and len(server.requests) > 1:
            return Refusal(400, "Image inputs are not supported by this model.")
        return scripted(0)

    image = Image("image/png", "iVBORw0KGgo=")
    messages: list[Message] = [*START, AssistantMessage("", CALLS)]
    messages += [
        ToolMessage("call_a", "execute_bash", "see", (image,)),
        ToolMessage("call_b", "finish", "ok"),
    ]
    async with RESPONSES.talking(play) as (server, model):
        for _ in range(3):
            await model.complete(messages, TOOLS, note=notes)
    outputs = [
        one["output"]
        for one in server.requests[0].messages
        if one.get("type") == "function_call_output"
    ]
    url = "data:image/png;base64,iVBORw0KGgo="
    assert outputs == [
        [
            {"type": "input_text", "text": "see"},
            {"type": "input_image", "image_url": url, "detail": "auto"},
        ],
        "ok",
    ]
    assert [one.status for one in server.requests] == [200, 400, 200, 200]
    assert notes.codes == ["images_not_shown"]


@pytest.mark.parametrize(
    ("model", "changes", "expected"),
    [
        ("gpt-5", {}, True),
        ("gpt-5.2-codex", {}, True),
        ("o3-mini", {}, True),
        ("codex-mini-latest", {}, True),
        ("ft:gpt-5:org", {}, True),
        ("gpt-5-chat-latest", {}, False),
        ("gpt-4o", {}, False),
        ("gpt-oss-120b", {}, False),
        ("o1-mini", {}, False),
        ("gpt-5", {"base_url": "http://localhost:8000/v1"}, False),
        ("gpt-5", {"base_url": "https://api.openai.com/v1"}, True),
        ("gpt-5", {"api_mode": "chat"}, False),
        ("qwen3", {"base_url": "http://localhost:8000/v1", "api_mode": "responses"}, True),
    ],
)
def test_which_api(model: str, changes: dict[str, Any], expected: bool) -> None:
    assert use_responses(settings("", **changes), model) is expected


@pytest.mark.parametrize("api", [RESPONSES, GPT], ids=lambda api: api.name)
async def test_openais_own_endpoint_is_told_the_conversation(api: Api, notes: Notes) -> None:
    """By it OpenAI finds the machine that holds the beginning of a prompt in its cache."""
    async with api.serve(lambda _: scripted(0)) as server:
        model = api.make("")
        client = cast("Any", model._lanes.all[0].backend)._client
        if api is RESPONSES:
            vars(client)["responses"]._url = f"{server.url}/responses"
        else:
            client.base_url = server.url
        await model.complete(START, TOOLS, note=notes, conversation="django-1/1")
        await model.close()
    assert server.requests[0].body["prompt_cache_key"] == "django-1/1"


async def test_the_settings_lead_to_this_api(notes: Notes) -> None:
    async with RESPONSES.serve(lambda _: scripted(0)) as server:
        model = build(settings(server.url, model="openai/gpt-5", api_mode="responses"))
        completion = await model.complete(START, TOOLS, note=notes)
        await model.close()
    assert completion.message.tool_calls == scripted(0).tool_calls
    assert completion.cost
    assert server.requests[0].path == "/v1/responses"
