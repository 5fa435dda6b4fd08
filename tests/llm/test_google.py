"""Gemini: signatures, thinking settings, schemas, answers that end oddly, errors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.llm.apis import GEMINI
from tests.llm.conftest import BASH, KEY, START, TOOLS, Notes, settings
from tests.llm.test_apis import converse, scripted
from tests.servers.google_rules import DUMMY, Refusal, Rules
from tests.servers.http import Fault, Request
from velora.errors import ContextOverflow, ProviderRejected, Refused, UsageError
from velora.journal.messages import (
    AssistantMessage,
    Image,
    Message,
    ToolCall,
    ToolMessage,
    ToolSpec,
)
from velora.llm.factory import build
from velora.llm.providers.google import Google
from velora.llm.providers.google_wire import Assembler, endpoint

CALLS = (
    ToolCall("call_1", "execute_bash", '{"command":"a"}'),
    ToolCall("call_2", "execute_bash", '{"command":"b"}'),
)


async def test_the_signature_goes_back_on_the_part_that_it_came_with(notes: Notes) -> None:
    async with GEMINI.talking(lambda _: AssistantMessage("I look.", CALLS)) as (server, model):
        await converse(model, list(START), notes, 2)
    parts = server.requests[1].messages[1]["parts"]
    signed = [part.get("thoughtSignature", "") for part in parts]
    assert [bool(one) for one in signed] == [False, True, False]
    assert len(signed[1]) == 88
    results = server.requests[1].messages[2]["parts"]
    assert [one["functionResponse"]["id"] for one in results] == ["call_1", "call_2"]


async def test_a_signed_text_stays_apart_from_the_text_before_it(notes: Notes) -> None:
    async with GEMINI.talking(lambda _: AssistantMessage("All done."), piece=3) as (server, model):
        done = await converse(model, list(START), notes, 2)
    assert done[0].message.content == "All done."
    first, last = server.requests[1].messages[1]["parts"]
    assert first == {"text": "All done."}
    assert last["text"] == ""
    assert last["thoughtSignature"]


async def test_a_foreign_call_gets_the_stand_in(notes: Notes) -> None:
    messages: list[Message] = [*START, AssistantMessage("", CALLS)]
    messages += [ToolMessage(one.id, one.name, "ok") for one in CALLS]
    async with GEMINI.talking(lambda _: scripted(0)) as (server, model):
        await model.complete(messages, TOOLS, note=notes)
    parts = server.requests[0].messages[1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [DUMMY, None]


async def test_calls_without_ids_get_some_and_keep_their_order(notes: Notes) -> None:
    async with GEMINI.talking(lambda _: AssistantMessage("", CALLS), ids=False) as (server, model):
        done = await converse(model, list(START), notes, 3)
    ids = [call.id for one in done for call in one.message.tool_calls]
    assert len(set(ids)) == 6
    sent = [
        part["functionResponse"]["id"]
        for content in server.requests[2].messages
        for part in content["parts"]
        if "functionResponse" in part
    ]
    assert sent == ids[:4]


@pytest.mark.parametrize(
    ("model", "changes", "expected"),
    [
        ("gemini-3-pro-preview", {"reasoning_effort": "high"}, {"thinkingLevel": "HIGH"}),
        ("gemini-3-pro-preview", {"reasoning_effort": "minimal"}, {"thinkingLevel": "LOW"}),
        ("gemini-2.5-pro", {"reasoning_effort": "high"}, {"thinkingBudget": 24576}),
        ("gemini-2.5-pro", {"reasoning_effort": "none"}, {"thinkingBudget": 128}),
        ("gemini-2.5-flash", {"reasoning_effort": "none"}, {"thinkingBudget": 0}),
        ("gemini-2.5-flash", {}, {}),
        (
            "gemini-2.5-flash",
            {"completion_kwargs": {"thinking_budget": 99}},
            {"thinkingBudget": 99},
        ),
        (
            "gemini-3-pro-preview",
            {"completion_kwargs": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
            {"thinkingLevel": "LOW"},
        ),
        (
            "gemini-3-pro-preview",
            {"reasoning_effort": "low", "completion_kwargs": {"thinking_level": "HIGH"}},
            {"thinkingLevel": "HIGH"},
        ),
    ],
)
async def test_thinking(
    model: str, changes: dict[str, Any], expected: dict[str, Any], notes: Notes
) -> None:
    async with GEMINI.serve(lambda _: scripted(0)) as server:
        given = settings(server.url, **changes)
        google = Google(given, model, KEY)
        from velora.llm.endpoint import EndpointModel

        await EndpointModel(given, model, [google]).complete(START, TOOLS, note=notes)
        await google.close()
    thinking = dict(server.requests[0].body["generationConfig"].get("thinkingConfig") or {})
    assert {k: v for k, v in thinking.items() if k != "includeThoughts"} == expected


async def test_a_model_that_does_not_think_is_not_told_to(notes: Notes) -> None:
    given = settings("http://127.0.0.1:1", reasoning_effort="high")
    google = Google(given, "gemini-2.0-flash", KEY)
    assert [code for code, _, _ in google.notices] == ["reasoning_effort_not_sent"]
    await google.close()


def test_an_unknown_effort_is_named() -> None:
    with pytest.raises(UsageError, match="reasoning_effort 'hihg' is unknown"):
        Google(settings("", reasoning_effort="hihg"), "gemini-3-pro-preview", KEY)


async def test_settings_reach_the_request(notes: Notes) -> None:
    safety = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_NONE"}]
    changes = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 20,
        "seed": 7,
        "max_output_tokens": 5000,
        "extra_headers": {"X-Tenant": "t1"},
        "completion_kwargs": {
            "safety_settings": safety,
            "generationConfig": {"stopSequences": ["END"]},
            "labels": {"my_team": "a"},
        },
    }
    async with GEMINI.talking(lambda _: scripted(0), model=changes) as (server, model):
        await model.complete(START, TOOLS, note=notes)
    request = server.requests[0]
    assert request.body["safetySettings"] == safety
    assert request.body["labels"] == {"my_team": "a"}
    assert request.body["generationConfig"] == {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 20,
        "seed": 7,
        "maxOutputTokens": 5000,
        "stopSequences": ["END"],
        "thinkingConfig": {"includeThoughts": True},
    }
    assert request.headers["x-tenant"] == "t1"
    assert request.headers["x-goog-api-key"] == KEY
    assert request.path == "/v1beta/models/gemini-3-pro-preview:streamGenerateContent?alt=sse"


def test_endpoints() -> None:
    tail = "models/gemini-3-pro:streamGenerateContent?alt=sse"
    own = "https://generativelanguage.googleapis.com/v1beta"
    assert endpoint("", "gemini-3-pro") == f"{own}/{tail}"
    assert endpoint("http://proxy/gemini/", "gemini-3-pro") == f"http://proxy/gemini/v1beta/{tail}"
    assert endpoint("http://proxy/v1", "models/gemini-3-pro") == f"http://proxy/v1/{tail}"


async def test_any_schema_is_made_fit(notes: Notes) -> None:
    odd = ToolSpec(
        "odd",
        "A tool of some MCP server.",
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "mode": {"const": "fast"},
                "count": {"type": "integer", "exclusiveMinimum": 0, "examples": [1]},
                "not": {"type": "string", "not": {"const": "x"}, "format": "date-time"},
                "deep": {
                    "type": "array",
                    "uniqueItems": True,
                    "items": {
                        "allOf": [
                            {"type": "object", "properties": {"a": {"type": "string"}}},
                            {"properties": {"b": {"type": "null"}}, "required": ["b"]},
                        ],
                        "patternProperties": {"^x": {"type": "string"}},
                    },
                },
                "either": {"anyOf": [{"type": "string"}, {"type": "object", "if": {}}]},
                "anything": True,
            },
            "required": ["mode"],
        },
    )
    before = repr(odd.parameters)
    async with GEMINI.talking(lambda _: scripted(0)) as (server, model):
        await model.complete(START, (BASH, odd), note=notes)
    assert repr(odd.parameters) == before
    declared = server.requests[0].body["tools"][1]["functionDeclarations"][0]
    sent = declared["parametersJsonSchema"]["properties"]
    assert sent["mode"] == {"enum": ["fast"], "type": "string"}
    assert sent["not"]["description"] == "Format: date-time"
    assert sent["deep"]["items"] == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "null"}},
        "required": ["b"],
    }


async def test_a_malformed_call_is_an_answer_without_one(notes: Notes) -> None:
    said = "Malformed function call: print(default_api.execute_bash(command='ls'))"
    broken = {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": said}

    def play(request: Request) -> AssistantMessage:
        if len(server.requests) == 2:
            return AssistantMessage("", provider=broken)
        return scripted(request.turn)

    async with GEMINI.talking(play) as (server, model):
        done = await converse(model, list(START), notes, 3)
    assert done[1].message == AssistantMessage("")
    assert done[1].usage.prompt > 0
    assert [data for code, _, data in notes if code == "answer_broken_off"] == [
        {"finish_reason": "MALFORMED_FUNCTION_CALL", "message": said}
    ]


async def test_a_blocked_prompt_is_a_refusal(notes: Notes) -> None:
    blocked = AssistantMessage("", provider={"promptFeedback": {"blockReason": "OTHER"}})
    async with GEMINI.talking(lambda _: blocked) as (_, model):
        with pytest.raises(Refused, match="the prompt was blocked: OTHER"):
            await model.complete(START, TOOLS, note=notes)


async def test_no_candidate_at_all_is_tried_again(notes: Notes) -> None:
    def play(_: Request) -> AssistantMessage:
        if len(server.requests) == 1:
            return AssistantMessage("", provider={"empty": True})
        return scripted(0)

    async with GEMINI.talking(play) as (server, model):
        assert (await model.complete(START, TOOLS, note=notes)).retries == 1


async def test_a_server_that_answers_with_a_list(notes: Notes) -> None:
    """As Google does where `alt=sse` is lost on the way."""
    events = b'[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},'
    events += b'{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]}]'
    async with GEMINI.talking(lambda _: Fault(body=events)) as (_, model):
        assert (await model.complete(START, TOOLS, note=notes)).message.content == "ab"


async def test_a_prompt_that_is_too_long(notes: Notes) -> None:
    async with GEMINI.talking(lambda _: scripted(0), rules=Rules(context=5)) as (_, model):
        with pytest.raises(ContextOverflow, match="exceeds the maximum number of tokens"):
            await model.complete(START, TOOLS, note=notes)


async def test_other_refusals_end_the_attempt(notes: Notes) -> None:
    refusal = Refusal(403, "Your project has been denied access.", "PERMISSION_DENIED")
    async with GEMINI.talking(lambda _: refusal) as (server, model):
        with pytest.raises(ProviderRejected, match="denied access"):
            await model.complete(START, TOOLS, note=notes)
    assert len(server.requests) == 1


def test_signatures_in_either_alphabet_keep_their_bytes() -> None:
    assembler = Assembler()
    assembler.feed(
        b'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"},'
        b'"thoughtSignature":"_-8"}]},"finishReason":"STOP"}]}\r\n'
    )
    from velora.llm.providers.google import _part

    (part,) = assembler.result()["candidates"][0]["parts"]
    made = _part(part)
    assert made is not None
    assert made.provider_details == {"thought_signature": "/+8="}


async def test_the_settings_lead_to_this_api(notes: Notes) -> None:
    async with GEMINI.serve(lambda _: scripted(0)) as server:
        model = build(settings(server.url, model="gemini/gemini-3-pro-preview"))
        completion = await model.complete(START, TOOLS, note=notes)
        await model.close()
    assert completion.message.tool_calls == scripted(0).tool_calls
    assert model.name == "gemini-3-pro-preview"


PNG = "iVBORw0KGgo="


async def test_images_are_part_of_the_result(notes: Notes) -> None:
    messages: list[Message] = [*START, AssistantMessage("", CALLS)]
    messages += [
        ToolMessage("call_1", "execute_bash", "see", (Image("image/png", PNG),)),
        ToolMessage("call_2", "execute_bash", "ok"),
    ]
    async with GEMINI.talking(lambda _: scripted(0)) as (server, model):
        await model.complete(messages, TOOLS, note=notes)
    seen, plain = server.requests[0].messages[2]["parts"]
    inline = {"data": PNG, "mimeType": "image/png"}
    assert seen["functionResponse"]["parts"] == [{"inlineData": inline}]
    assert "see" in str(seen["functionResponse"]["response"])
    assert "parts" not in plain["functionResponse"]


async def test_images_can_be_left_out(notes: Notes) -> None:
    messages: list[Message] = [*START, AssistantMessage("", CALLS[:1])]
    messages += [ToolMessage("call_1", "execute_bash", "see", (Image("image/png", PNG),))]
    blind = {"disable_vision": True}
    async with GEMINI.talking(lambda _: scripted(0), model=blind) as (server, model):
        await model.complete(messages, TOOLS, note=notes)
    sent = server.requests[0].data.decode()
    assert "Images are left out" in sent
    assert PNG not in sent
