"""The scripted Responses server refuses what OpenAI refuses, and streams as it does."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tests.servers.responses import Server
from tests.servers.responses_rules import Rules
from velora.journal.messages import AssistantMessage, ToolCall

ANSWER = AssistantMessage("Look.", (ToolCall("c1", "f", '{"x": 1}'),), "Why.")
USER = {"role": "user", "content": "go"}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
STATELESS = {"store": False, "include": ["reasoning.encrypted_content"]}


def tool(**more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {}}
    return {"type": "function", "name": "f", "parameters": schema, "strict": False, **more}


async def post(server: Server, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.url}/responses",
            json={"model": "gpt-5", "input": [USER], **body},
            headers=headers,
        ) as answer,
    ):
        text = await answer.text()
        return answer.status, text if body.get("stream") else json.loads(text)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ""),
        ({"input": [USER, CALL, OUTPUT]}, ""),
        ({"input": [USER, CALL]}, "No tool output found for function call c1"),
        ({"input": [USER, OUTPUT]}, "No tool call found for function call output"),
        ({"input": [USER, OUTPUT, CALL]}, "No tool call found for function call output"),
        ({"input": []}, "Missing required parameter: 'input'"),
        ({"input": [{"role": "tool", "content": "x"}]}, "Invalid value: 'tool'"),
        ({"input": [{**USER, "tool_calls": []}]}, "Unknown parameter: 'input[0].tool_calls'"),
        ({"input": [USER, {**CALL, "call_id": "x" * 65}]}, "string too long"),
        ({"messages": []}, "Unknown parameter: 'messages'"),
        ({"max_tokens": 5}, "Unknown parameter: 'max_tokens'"),
        ({"max_output_tokens": 5}, "below minimum value"),
        ({"temperature": 0.5}, "'temperature' is not supported"),
        (
            {"model": "gpt-4o", "reasoning": {"effort": "low"}},
            "'reasoning.effort' is not supported",
        ),
        ({**STATELESS, "previous_response_id": "resp_1"}, "cannot be used"),
        ({"previous_response_id": "resp_1"}, "not found"),
        ({"tools": [tool()]}, ""),
        ({"tools": [tool(strict=True)]}, "Invalid schema for function 'f'"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].name"),
        ({"input": [USER, {"type": "reasoning", "id": "rs_9", "summary": []}]}, "not persisted"),
        (
            {"input": [USER, {"type": "reasoning", "id": "rs_9", "encrypted_content": "x"}]},
            "could not be verified",
        ),
        ({"input": [{**USER, "content": "x" * 9000}]}, "exceeds the context window"),
    ],
)
async def test_requests_are_checked(body: dict[str, Any], words: str) -> None:
    async with Server(lambda _: ANSWER, rules=Rules(context=2000)) as server:
        status, answer = await post(server, body)
    assert (status >= 400, words in json.dumps(answer)) == (bool(words), True), answer


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("nothing", ""),
        ("no reasoning", "was provided without its required 'reasoning' item: 'rs_1_0'"),
        ("nothing after it", "was provided without its required following item"),
        ("other secret", "could not be verified"),
        ("no secret", "Items are not persisted"),
    ],
)
async def test_reasoning_comes_back_whole(change: str, words: str) -> None:
    async with Server(lambda _: ANSWER) as server:
        _, answer = await post(server, STATELESS)
        reasoning, message, call = answer["output"]
        match change:
            case "no reasoning":
                items = [message, call, OUTPUT]
            case "nothing after it":
                items = [reasoning]
            case "other secret":
                items = [{**reasoning, "encrypted_content": "xyz"}, message, call, OUTPUT]
            case "no secret":
                items = [{**reasoning, "encrypted_content": None}, message, call, OUTPUT]
            case _:
                items = [reasoning, message, call, OUTPUT]
        status, answer = await post(server, {**STATELESS, "input": [USER, *items]})
    assert (status >= 400, words in json.dumps(answer)) == (bool(words), True), answer


async def test_the_events_of_a_stream() -> None:
    async with Server(lambda _: ANSWER, piece=100) as server:
        body = {**STATELESS, "stream": True, "reasoning": {"summary": "auto"}}
        _, text = await post(server, body)
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert [one["sequence_number"] for one in events] == list(range(len(events)))
    assert [one["type"].removeprefix("response.") for one in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert events[-1]["response"]["usage"]["output_tokens_details"]["reasoning_tokens"] == 1


async def test_the_key_is_checked() -> None:
    async with Server(lambda _: ANSWER, rules=Rules(key="right")) as server:
        assert (await post(server, {}, authorization="Bearer right"))[0] == 200
        assert (await post(server, {}, authorization="Bearer wrong"))[0] == 401
