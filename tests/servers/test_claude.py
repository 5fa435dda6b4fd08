"""The scripted servers of Claude's APIs: what they refuse, and with which words."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.servers.anthropic import Messages
from tests.servers.bedrock import Converse, frame
from tests.servers.claude import signature
from tests.servers.http import Server
from velora.llm.script import Turn

TASK = {"role": "user", "content": [{"type": "text", "text": "Mend it."}]}
THOUGHT = {
    "type": "thinking",
    "thinking": "T",
    "signature": signature("T", "claude-sonnet-4-5", []),
}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
THINKING = {"type": "enabled", "budget_tokens": 2048}
GOOD: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 4096,
    "thinking": THINKING,
    "system": "You are an agent.",
    "tools": [{"name": "f", "description": "F.", "input_schema": {"type": "object"}}],
    "messages": [
        TASK,
        {"role": "assistant", "content": [THOUGHT, USE]},
        {"role": "user", "content": [RESULT]},
    ],
}
MARK = {"cache_control": {"type": "ephemeral"}}


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of a body: the value at a path."""

    def change(body: dict[str, Any]) -> None:
        at: Any = body
        for step in path[:-1]:
            at = at[step]
        if isinstance(at, list) and path[-1] == len(at):
            at.append(value)
        else:
            at[path[-1]] = value

    return change


def drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A change of a body: without what stands at a path."""

    def change(body: dict[str, Any]) -> None:
        at: Any = body
        for step in path[:-1]:
            at = at[step]
        del at[path[-1]]

    return change


async def post(
    body: dict[str, Any], wire: Messages | None = None, **headers: str
) -> tuple[int, str]:
    async with (
        Server(wire or Messages(), lambda _: Turn("hi")) as server,
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.url}/v1/messages",
            json=body,
            headers={"anthropic-version": "2023-06-01", **headers},
        ) as answer,
    ):
        return answer.status, await answer.text()


async def test_a_good_request_is_answered() -> None:
    status, text = await post(copy.deepcopy(GOOD))
    assert status == 200, text


MANY = [{"type": "text", "text": str(number), **MARK} for number in range(5)]
BLANK = {"type": "text", "text": " \n"}
EMPTY = {"type": "text", "text": ""}
STRANGE = {**USE, "id": "call|1"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop("max_tokens"), "max_tokens: Field required"),
        (
            put("max_tokens", value=70_000),
            "max_tokens: 70000 > 64000, which is the maximum allowed",
        ),
        (put("max_tokens", value=2048), "must be greater than `thinking.budget_tokens`"),
        (put("thinking", "budget_tokens", value=5), "greater than or equal to 1024"),
        (put("temperature", value=0.5), "may only be set to 1 when thinking is enabled"),
        (put("top_p", value=0.5), "greater than or equal to 0.95"),
        (put("top_k", value=5), "`top_k` must be unset"),
        (put("seed", value=5), "seed: Extra inputs are not permitted"),
        (put("model", value="claude-opus-4-7"), "is not supported for this model"),
        (put("tools", 0, "name", value="a b"), "String should match pattern"),
        (put("tools", 1, value=GOOD["tools"][0]), "Tool names must be unique"),
        (put("tools", 0, "input_schema", value={}), "Input should be 'object'"),
        (put("system", value=MANY), "A maximum of 4 blocks with cache_control"),
        (put("messages", value=[]), "at least one message"),
        (drop("messages", 0), 'must use the \\"user\\" role'),
        (put("messages", 1, value=TASK), "roles must alternate"),
        (put("messages", 0, "content", value=[]), "must have non-empty content"),
        (put("messages", 0, "content", value=[BLANK]), "non-whitespace text"),
        (put("messages", 2, "content", 0, "content", value=[EMPTY]), "must be non-empty"),
        (drop("messages", 2), "without `tool_result` blocks immediately after: toolu_1"),
        (put("messages", 2, "content", value=TASK["content"]), "immediately after: toolu_1"),
        (put("messages", 2, "content", 1, value=RESULT), "multiple `tool_result` blocks"),
        (put("messages", 2, "content", value=[*TASK["content"], RESULT]), "must come first"),
        (put("messages", 0, "content", 1, value=RESULT), "unexpected `tool_use_id`"),
        (put("messages", 1, "content", 1, value=STRANGE), "tool_use.id: String should match"),
        (put("messages", 1, "content", 1, "input", value="{}"), "a valid dictionary"),
        (put("messages", 1, "content", 2, value=USE), "ids must be unique"),
        (put("messages", 1, "content", value=[THOUGHT]), "final block in an assistant message"),
        (put("messages", 1, "content", value=[USE]), "Expected `thinking` or `redacted_thinking`"),
        (put("messages", 1, "content", value=[*TASK["content"], THOUGHT, USE]), "Found `text`"),
        (put("messages", 1, "content", 0, "thinking", value="U"), "Invalid `signature`"),
        (put("messages", 1, "content", 0, value={**THOUGHT, **MARK}), "Extra inputs"),
        (drop("thinking"), "When thinking is disabled"),
        (put("messages", 0, "content", value=[{"type": "text", "text": "x" * 9000}]), "too long"),
    ],
)
async def test_what_is_refused(change: Callable[[dict[str, Any]], None], words: str) -> None:
    body = copy.deepcopy(GOOD)
    change(body)
    status, text = await post(body, Messages(context=2000))
    assert (status, words in text) == (400, True), text


async def test_the_key_and_the_version_are_checked() -> None:
    assert (await post(GOOD, Messages(key="right")))[0] == 401
    assert (await post(GOOD, Messages(key="right"), **{"x-api-key": "right"}))[0] == 200
    assert (await post(GOOD, Messages(key="right"), authorization="Bearer right"))[0] == 200
    assert (await post(GOOD, Messages(models=frozenset({"claude-x"}))))[0] == 404


@pytest.mark.parametrize(
    ("model", "change", "status", "words"),
    [
        ("us.anthropic.claude-sonnet-4-5-v1:0", {}, 200, ""),
        ("us.anthropic.claude-sonnet-4-5-v1:0", {"seed": 1}, 400, "Unknown parameter in input"),
        ("nobody.claude", {}, 400, "The provided model identifier is invalid"),
        (
            "us.anthropic.claude-sonnet-4-5-v1:0",
            {"messages": [{"role": "user", "content": [{"text": " "}]}]},
            400,
            "The text field in the ContentBlock object at messages.0.content.0 is blank",
        ),
        (
            "us.anthropic.claude-sonnet-4-5-v1:0",
            {"inferenceConfig": {"temperature": 0.5, "topP": 0.5}},
            400,
            "cannot both be specified",
        ),
    ],
)
async def test_what_bedrock_refuses(
    model: str, change: dict[str, Any], status: int, words: str
) -> None:
    body = {"messages": [{"role": "user", "content": [{"text": "Mend it."}]}], **change}
    async with (
        Server(Converse(bearer="right"), lambda _: Turn("hi")) as server,
        aiohttp.ClientSession() as session,
    ):
        url = f"{server.url}/model/{model}/converse-stream"
        for key, wanted in (("wrong", 403), ("right", status)):
            headers = {"authorization": f"Bearer {key}"}
            async with session.post(url, json=body, headers=headers) as answer:
                assert answer.status == wanted
                assert wanted != status or words.encode() in await answer.read()


def test_a_frame_is_one_of_awss() -> None:
    eventstream = pytest.importorskip("botocore.eventstream")
    buffer = eventstream.EventStreamBuffer()
    buffer.add_data(frame("messageStart", {"role": "assistant"}))
    (message,) = buffer
    assert message.headers[":event-type"] == "messageStart"
    assert message.payload == b'{"role":"assistant"}'
