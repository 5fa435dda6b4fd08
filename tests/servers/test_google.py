"""The scripted Gemini server refuses what Gemini refuses."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tests.servers.google import Server
from tests.servers.google_rules import DUMMY, Rules

SCRIPT = {"turns": [{"calls": [{"tool": "f", "arguments": {"x": 1}}]}, {"say": "done"}]}
USER = {"role": "user", "parts": [{"text": "go"}]}
CALL = {"functionCall": {"name": "f", "args": {"x": 1}, "id": "c1"}}
SIGNED = {**CALL, "thoughtSignature": DUMMY}
RESULT = {"functionResponse": {"name": "f", "response": {"output": "ok"}, "id": "c1"}}


def model(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def tool(schema: Any, name: str = "f") -> dict[str, Any]:
    return {"functionDeclarations": [{"name": name, "parametersJsonSchema": schema}]}


async def post(
    server: Server, body: dict[str, Any], *, name: str = "gemini-3-pro", **headers: str
) -> tuple[int, str]:
    url = f"{server.url}/v1beta/models/{name}:streamGenerateContent?alt=sse"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json={"contents": [USER], **body}, headers=headers) as answer,
    ):
        return answer.status, (await answer.text()).replace('\\"', '"')


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ""),
        ({"contents": [USER, model(SIGNED), user(RESULT)]}, ""),
        ({"contents": [USER, model(SIGNED), user(RESULT), user({"text": "and"})]}, ""),
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "system", "parts": [{"text": "x"}]}]}, "valid role: user, model"),
        ({"contents": [USER, model()]}, "parts must not be empty"),
        ({"contents": [user({})]}, "required oneof field 'data'"),
        ({"contents": [USER, model(CALL), user(RESULT)]}, "missing a thought_signature"),
        (
            {"contents": [USER, model({**CALL, "thoughtSignature": "AAAA"}), user(RESULT)]},
            "Invalid thought signature",
        ),
        ({"contents": [USER, model(SIGNED)]}, "number of function response parts is equal"),
        ({"contents": [USER, model(SIGNED, CALL), user(RESULT)]}, "response parts is equal"),
        (
            {"contents": [USER, model(SIGNED, CALL), user(RESULT), user(RESULT)]},
            "response parts is equal",
        ),
        ({"contents": [USER, user(RESULT)]}, "immediately after a function call turn"),
        ({"contents": [model(SIGNED), user(RESULT)]}, "immediately after a user turn"),
        ({"contents": [USER, model({"text": "a"}), model(SIGNED), user(RESULT)]}, "after a user"),
        ({"tools": [tool({"type": "object", "properties": {"x": {"type": "string"}}})]}, ""),
        ({"tools": [tool({"$schema": "x", "type": "object"})]}, 'Unknown name "$schema"'),
        (
            {"tools": [tool({"properties": {"x": {"items": {"const": 1}}}})]},
            'Unknown name "const" at',
        ),
        ({"tools": [tool({}), tool({})]}, "Duplicate function declaration"),
        ({"tools": [tool({}, "9 f")]}, "Invalid function name"),
        ({"max_tokens": 5}, 'Unknown name "max_tokens"'),
        ({"generationConfig": {"maxTokens": 5}}, "Unknown name"),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}},
            "only one of thinking budget and thinking level",
        ),
        ({"safetySettings": [{"category": "X", "threshold": "OFF"}]}, "safety_settings[0]"),
        ({"contents": [user({"text": "x" * 9000})]}, "exceeds the maximum number of tokens"),
    ],
)
async def test_requests_are_checked(body: dict[str, Any], words: str) -> None:
    async with Server(SCRIPT, rules=Rules(context=2000)) as server:
        status, text = await post(server, body)
    assert (status, words in text) == (400 if words else 200, True), text


@pytest.mark.parametrize(
    ("name", "thinking", "words"),
    [
        ("gemini-2.5-pro", {"thinkingBudget": 0}, "only works in thinking mode"),
        ("gemini-2.5-flash", {"thinkingLevel": "LOW"}, "level is not supported"),
        ("gemini-2.0-flash", {"includeThoughts": True}, "Thinking is not enabled"),
    ],
)
async def test_thinking_is_checked(name: str, thinking: Any, words: str) -> None:
    async with Server(SCRIPT) as server:
        config = {"generationConfig": {"thinkingConfig": thinking}}
        status, text = await post(server, config, name=name)
    assert (status, words in text) == (400, True), text


async def test_a_signature_holds_for_its_part_alone() -> None:
    async with Server(SCRIPT) as server:
        _, text = await post(server, {})
        first = json.loads(text.partition("data: ")[2].splitlines()[0])
        (part,) = first["candidates"][0]["content"]["parts"]
        result = {"functionResponse": {**RESULT["functionResponse"], "id": "call_1_1"}}
        right = await post(server, {"contents": [USER, model(part), user(result)]})
        part["functionCall"]["args"] = {"x": 2}
        wrong = await post(server, {"contents": [USER, model(part), user(result)]})
    assert right[0] == 200
    assert "done" in right[1]
    assert (wrong[0], "Invalid thought signature" in wrong[1]) == (400, True)


async def test_the_key_and_the_path_are_checked() -> None:
    async with Server(SCRIPT, rules=Rules(key="right")) as server:
        assert (await post(server, {}, **{"x-goog-api-key": "right"}))[0] == 200
        status, text = await post(server, {}, **{"x-goog-api-key": "wrong"})
        assert (status, "API_KEY_INVALID" in text) == (400, True)
        assert (await post(server, {}, name="a/b"))[0] == 404
