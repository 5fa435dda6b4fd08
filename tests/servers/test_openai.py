"""The scripted server: what it refuses, what it records, how it misbehaves, and as a process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.servers.chat import Rules
from tests.servers.openai import Fault, Server

SCRIPT = {
    "scripts": [
        {"when": "alpha", "turns": [{"say": "A1"}, {"say": "A2"}]},
        {"when": "beta", "turns": [{"calls": [{"tool": "f", "arguments": {"x": 1}}]}]},
    ]
}
USER = {"role": "user", "content": "alpha"}
CALLS = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
ASKING = {"role": "assistant", "content": None, "tool_calls": CALLS}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "ok"}


def tool(parameters: Any, name: str = "f") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


async def post(
    server: Server, body: dict[str, Any], **headers: str
) -> tuple[int, dict[str, str], str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.url}/chat/completions",
            json={"model": "gpt-4o", "messages": [USER], **body},
            headers=headers,
        ) as answer,
    ):
        received = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, received, await answer.text()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 200, "A1"),
        ({"messages": [USER, {"role": "assistant", "content": "x"}, USER]}, 200, "A2"),
        ({"messages": [USER, ASKING, ANSWER]}, 200, "A2"),
        ({"messages": [USER, ASKING]}, 400, "did not have response messages: c1"),
        ({"messages": [USER, ASKING, USER, ANSWER]}, 400, "did not have response messages: c1"),
        ({"messages": [USER, ANSWER]}, 400, "must be a response to a preceding message"),
        ({"messages": [USER, ASKING, ANSWER, ANSWER]}, 400, "must be a response"),
        ({"messages": []}, 400, "empty array"),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400, "Invalid value: 'robot'"),
        ({"messages": [{"role": "user", "content": None}]}, 400, "expected a string"),
        ({"tools": [tool({"type": "object", "properties": {}})]}, 200, "A1"),
        ({"tools": [tool({"type": "string"})]}, 400, "invalid_function_parameters"),
        ({"tools": [tool({"type": "object", "required": ["x"]})]}, 400, "'required' names"),
        ({"tools": [tool({"type": "object"}, "bad name")]}, 400, "function.name"),
        ({"tools": [tool({"type": "object"})] * 2}, 400, "function.name"),
        ({"max_tokens": 65536}, 400, "supports at most 16384 completion tokens"),
        ({"max_completion_tokens": 16384}, 200, "A1"),
        ({"max_tokens": 0}, 400, "below minimum"),
        ({"model": "o3", "max_tokens": 5}, 400, "Use 'max_completion_tokens' instead"),
        ({"model": "o3", "temperature": 0.1}, 400, "unsupported_value"),
        ({"model": "nope"}, 404, "model_not_found"),
        ({"top_k": 5}, 400, "Unrecognized request argument supplied: top_k"),
        ({"stream_options": {}}, 400, "only allowed when 'stream' is enabled"),
        ({"messages": [USER, {"role": "user", "content": "x" * 9000}]}, 400, "context_length_exc"),
    ],
)
async def test_requests_are_checked(body: dict[str, Any], status: int, words: str) -> None:
    rules = Rules(models=frozenset({"gpt-4o", "o3"}), context=2000)
    async with Server(SCRIPT, rules=rules) as server:
        found, _, text = await post(server, body)
    assert (found, words in text) == (status, True), text


async def test_the_key_is_checked() -> None:
    async with Server(SCRIPT, rules=Rules(key="right")) as server:
        assert (await post(server, {}, authorization="Bearer right"))[0] == 200
        status, _, text = await post(server, {}, authorization="Bearer wrong")
    assert (status, json.loads(text)["error"]["code"]) == (401, "invalid_api_key")


async def test_a_stream_ends_with_its_usage() -> None:
    body = {"stream": True, "stream_options": {"include_usage": True}}
    async with Server(SCRIPT, piece=1) as server:
        status, headers, text = await post(server, body)
    events = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert events[-1] == "[DONE]"
    chunks = [json.loads(one) for one in events[:-1]]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    deltas = [one["choices"][0]["delta"].get("content") for one in chunks[:-1]]
    assert deltas == ["", "A", "1", None]


async def test_what_is_recorded_and_faults_in_their_order() -> None:
    async with Server(SCRIPT) as server:
        server.faults += [Fault(status=503, headers={"retry-after": "9"}), Fault(cut_after=5)]
        status, headers, _ = await post(server, {})
        assert (status, headers["retry-after"]) == (503, "9")
        with pytest.raises(aiohttp.ClientError):
            await post(server, {})
        assert (await post(server, {}))[0] == 200
        assert (await post(server, {"messages": [{"role": "user", "content": "?"}]}))[0] == 500
    first = server.requests[0]
    assert (first.status, first.turn, first.prompt) == (503, 0, "alpha")
    assert 0 < first.received <= first.answered < server.requests[2].received
    assert server.served == 4


async def test_as_a_process_of_its_own(tmp_path: Path) -> None:
    script, log = tmp_path / "s.yaml", tmp_path / "log.jsonl"
    script.write_text(json.dumps(SCRIPT))
    argv = [sys.executable, "-m", "tests.servers.openai", "--script", str(script)]
    process = await asyncio.create_subprocess_exec(
        *argv, "--log", str(log), stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                body = {"model": "m", "messages": [USER]}
                async with session.post(f"{url}/chat/completions", json=body) as answer:
                    assert answer.status == 200
        while log.read_bytes().count(b"\n") < 3:  # a line is written when its answer is out
            await asyncio.sleep(0.01)
    finally:
        process.terminate()
        await process.wait()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one["status"] for one in lines] == [200] * 3
    assert len({one["conversation"] for one in lines}) == 1
    assert all(one["received"] <= one["answered"] for one in lines)
