"""The parts that need no network: limits, failures, retry-after, the assembly of streams."""

from __future__ import annotations

from contextlib import suppress
from email.utils import formatdate
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.chat import completion, events
from velora.errors import ContextOverflow, ProviderRejected, Refused
from velora.journal.messages import AssistantMessage, ToolCall
from velora.llm.failures import LONGEST, Failure, attribute_failure, retry_after
from velora.llm.limits import (
    context_window,
    output_limit,
    room_left,
    stated_limit,
    stated_window,
)
from velora.llm.providers.openai_stream import Assembler, filled, whole


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("gpt-4o", 16384),
        ("gpt-4o-2024-08-06", 16384),
        ("gpt-4o-2024-05-13", 4096),
        ("openai/GPT-4o-mini", 16384),
        ("gpt-4.1-nano", 32768),
        ("gpt-4-0613", 8192),
        ("gpt-4-turbo-preview", 4096),
        ("gpt-5-mini-2025-08-07", 128_000),
        ("gpt-5-chat-latest", 16384),
        ("gpt-5.1-codex-max", 128_000),
        ("gpt-5.2-codex", 128_000),
        ("o4-mini-high", 100_000),
        ("o3-2025-04-16", 100_000),
        ("Qwen/Qwen3-Coder", None),
        ("claude-opus-4-5", 64_000),
        ("claude-opus-4-5@20251101", 64_000),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 64_000),
        ("bedrock/anthropic.claude-3-haiku-20240307-v1:0", 4096),
        ("gpt-6", None),
    ],
)
def test_output_limit(model: str, limit: int | None) -> None:
    assert output_limit(model) == limit


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("gpt-4o-mini", 128_000),
        ("openai/gpt-5-mini-2025-08-07", 400_000),
        ("gpt-5.1-chat-latest", 128_000),
        ("anthropic/claude-haiku-4-5-20251001", 200_000),
        ("eu.anthropic.claude-opus-4-6-v1:0", 1_000_000),
        ("gemini/gemini-3-pro-preview", 1_048_576),
        ("deepseek/deepseek-chat", 131_072),
        ("moonshot/kimi-k2-0905-preview", 262_144),
        ("moonshotai/Kimi-K2-Thinking", 262_144),
        ("dashscope/qwen3-coder-plus", 1_000_000),
        ("hosted_vllm/Qwen/Qwen3-Coder-30B-A3B-Instruct", 262_144),
        ("zai-org/GLM-4.6", 200_000),
        ("openrouter/minimax/minimax-m2:free", 204_800),
        ("mistral/devstral-2512", 262_144),
        ("xai/grok-4-0709", 256_000),
        ("xai/grok-4-fast-reasoning", 2_000_000),
        ("ollama/qwen3:8b", None),
        ("some-model", None),
    ],
)
def test_context_window(model: str, window: int | None) -> None:
    assert context_window(model) == window


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("This model's maximum context length is 8,192 tokens. However, you requested", 8192),
        ("This model's maximum prompt length is 131072 but the request contains 140000", 131_072),
        ("The prompt is too long: 140000, model maximum context length: 131072", 131_072),
        (
            "Prompt contains 40000 tokens: too large for model with 32768 maximum context length",
            32_768,
        ),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200_000),
        ("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", 200_000),
        (
            "The input token count (9999999) exceeds the maximum number of tokens allowed "
            "(1048576)",
            1_048_576,
        ),
        ("request (5000 tokens) exceeds the available context size (4096 tokens), try", 4096),
        ("Range of input length should be [1, 129024]", 129_024),
        ("Your request exceeded model token limit: 262144 (requested: 300000)", 262_144),
        ("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193.", 8193),
        ("Input is too long for requested model.", None),
    ],
)
def test_stated_window(text: str, window: int | None) -> None:
    assert stated_window(text) == window


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (
            "max_tokens is too large: 65536. This model supports at most 16384 completion tokens, "
            "whereas you provided 65536.",
            16384,
        ),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("Range of max_tokens should be [1, 16384]", 16384),
        ("max_tokens: 65536 > 8192, which is the maximum allowed number of output tokens", 8192),
        ("`max_tokens` must be less than or equal to `32768`, the maximum value", 32768),
        (
            "The parameter `max_completion_tokens` specified in the request are not valid: "
            "integer above maximum value, expected a value <= 12288, but got 32000 instead.",
            12288,
        ),
        ("something else about 16384 tokens", None),
    ],
)
def test_stated_limit(text: str, limit: int | None) -> None:
    assert stated_limit(text) == limit


@pytest.mark.parametrize(
    ("prompt", "left"), [("1192", 7000), ("7,168", 1024), ("7169", None), ("9000", None)]
)
def test_room_left(prompt: str, left: int | None) -> None:
    text = (
        f"This model's maximum context length is 8192 tokens. However, you requested 17000 tokens "
        f"({prompt} in the messages, 8000 in the completion)."
    )
    assert room_left(text) == left
    newer = (
        f"This model's maximum context length is 8192 tokens and your request has {prompt} input "
        f"tokens (8000 > 8192 - {prompt})."
    )
    assert room_left(newer) == left


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure("cut"), None),
        (Failure("x", status=429), None),
        (Failure("x", status=502), None),
        (Failure("x", status=429, code="insufficient_quota"), ProviderRejected),
        (Failure("x", status=400), ProviderRejected),
        (Failure("x", status=400, code="context_length_exceeded"), ContextOverflow),
        (Failure("prompt is too long: 210000 tokens", status=400), ContextOverflow),
        (Failure("maximum context length", status=500), None),
        (Failure("x", status=400, code="content_filter"), Refused),
        (Failure.of_body({"error": {"message": "m", "code": "context_length_exceeded"}}), "over"),
        (Failure.of_body({"error": {"message": "m", "code": 503}}), None),
        (Failure.of_body({"error": {"message": "m", "code": "403"}}), ProviderRejected),
        (Failure.of_body({"error": "busy"}), None),
        (Failure.of_body(["odd"], status=400, text="<html>"), ProviderRejected),
    ],
)
def test_what_a_failure_means(failure: Failure, kind: Any) -> None:
    kind = ContextOverflow if kind == "over" else kind
    error = attribute_failure(failure)
    assert (type(error) if error else None) is kind


def test_a_web_page_is_cut_short() -> None:
    assert len(str(Failure("x" * 100_000, status=500))) < LONGEST + 20


def test_retry_after() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "1500", "retry-after": "7"}) == 1.5
    assert retry_after({"retry-after": formatdate(1000, usegmt=True)}, now=990) == 10
    assert retry_after({"retry-after": formatdate(1000, usegmt=True)}, now=2000) == 0
    assert retry_after({"retry-after": "-3"}) == 0
    assert retry_after({"retry-after": "soon"}) == 0
    assert retry_after({}) == 0


texts = st.text(max_size=60)
calls = st.builds(ToolCall, id=st.uuids().map(str), name=st.just("execute_bash"), arguments=texts)
answers = st.builds(
    AssistantMessage,
    content=texts,
    tool_calls=st.lists(calls, max_size=3).map(tuple),
    reasoning=texts,
)


@given(answers, st.integers(1, 20), st.integers(1, 50))
def test_a_stream_cut_anywhere_gives_the_whole_answer(
    message: AssistantMessage, piece: int, cut: int
) -> None:
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}],
        "stream_options": {"include_usage": True},
    }
    data = b"".join(events(message, body, 1, piece=piece))
    assembler = Assembler()
    for start in range(0, len(data), cut):
        assembler.feed(data[start : start + cut])
    built, sent = assembler.result(), completion(message, body, 1)
    choice, expected = built["choices"][0], sent["choices"][0]
    assert choice["finish_reason"] == expected["finish_reason"]
    assert built["usage"] == sent["usage"]
    assert built["id"] == sent["id"]
    assert (choice["message"].get("content") or "") == message.content
    assert choice["message"].get("reasoning_content", "") == message.reasoning
    assert choice["message"].get("tool_calls", []) == expected["message"].get("tool_calls", [])


def stream(*deltas: dict[str, Any]) -> dict[str, Any]:
    assembler = Assembler()
    for delta in deltas:
        assembler.feed(b"data:" + orjson.dumps({"choices": [{"delta": delta}]}) + b"\r\n\r\n")
    last = {"choices": [{"delta": None, "finish_reason": "tool_calls"}]}
    assembler.feed(b": a comment\n\ndata: " + orjson.dumps(last))
    message = assembler.result()["choices"][0]["message"]
    assert isinstance(message, dict)
    return message


def test_calls_that_are_numbered_wrongly_are_told_apart() -> None:
    def call(index: int | None, id_: str | None, arguments: str, **more: Any) -> dict[str, Any]:
        function = {"name": "f", "arguments": arguments}
        return {"tool_calls": [{"index": index, "id": id_, "function": function, **more}]}

    same_index = stream(call(0, "a", "{}"), call(0, "b", "{"), call(0, "b", "}"))
    no_index = stream(call(None, "a", "{}"), call(None, "b", "{"), call(None, None, "}"))
    for message in (same_index, no_index):
        found = [(one["id"], one["function"]["arguments"]) for one in message["tool_calls"]]
        assert found == [("a", "{}"), ("b", "{}")]
    signed = stream(call(0, "a", "{}", extra_content={"google": {"thought_signature": "s"}}))
    assert signed["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}


def test_a_stream_that_does_not_call_itself_one() -> None:
    body = {"model": "m", "messages": []}
    data = b"".join(events(AssistantMessage("hi"), body, 1, piece=1))
    assert whole(data)["choices"][0]["message"]["content"] == "hi"


keys = st.sampled_from(["choices", "delta", "message", "tool_calls", "function", "error", "id"])
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda part: st.lists(part, max_size=2) | st.dictionaries(keys, part, max_size=4),
    max_leaves=12,
)


@given(junk)
def test_junk_is_a_failure_and_nothing_else(value: Any) -> None:
    body = orjson.dumps(value)
    with suppress(Failure):
        filled(whole(body), "m")
    with suppress(Failure):
        assembler = Assembler()
        assembler.feed(b"data: " + body + b"\n\n")
        filled(assembler.result(), "m")


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"[]", b'{"choices":[null]}', b'{"error":"x"}'])
def test_a_body_that_is_no_answer(body: bytes) -> None:
    with pytest.raises(Failure):
        whole(body)
