"""Every API that a model is spoken to by, with its scripted server.

An `Api` gives a server that refuses what the provider refuses, a model that talks to it, and says
how the provider would count and spell what a test scripts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from tests.llm.claude import BUDGET
from tests.llm.conftest import KEY, settings
from tests.servers import chat, google, google_rules, http, openai, responses, responses_rules
from tests.servers.anthropic import OVERLOADED, Messages
from tests.servers.bedrock import Converse, frame
from tests.servers.claude import output_tokens
from tests.servers.http import Fault, Play, Request
from velora.config.settings import LLMSettings
from velora.journal.messages import AssistantMessage, Usage
from velora.llm.backend import Backend
from velora.llm.endpoint import EndpointModel
from velora.llm.providers.anthropic import Anthropic
from velora.llm.providers.bedrock import Bedrock
from velora.llm.providers.google import Google
from velora.llm.providers.openai_chat import OpenAIChat
from velora.llm.providers.openai_responses import OpenAIResponses


@dataclass(frozen=True, slots=True)
class Api:
    """One API.

    Attributes:
        name: for the test's id.
        model: asked for.
        backend: speaks the API.
        serve: starts a server that plays; its other arguments are the server's own.
        usage: from the server's token counts of an answer to a request.
        refusal: what an answer's `provider` holds for the server to refuse.
        cut: likewise for an answer that ran into the limit.
        overloaded: a 200 that turns out to be an error, for which another try helps.
        busy: a refusal that asks to wait; the seconds are to be put in for `SECONDS`.
        changes: settings.
        counted: reasoning is counted apart.
    """

    name: str
    model: str
    backend: Callable[[LLMSettings, str, str], Backend]
    serve: Callable[..., http.Server]
    usage: Callable[[AssistantMessage, Request], Usage]
    refusal: Mapping[str, Any]
    cut: Mapping[str, Any]
    overloaded: Fault
    busy: Fault
    changes: Mapping[str, Any] = field(default_factory=dict)
    counted: bool = True

    def make(self, url: str, key: str = KEY, **changes: Any) -> EndpointModel:
        """A model that talks to the server at `url`."""
        given = settings(url, model=self.model, **{**self.changes, **changes})
        return EndpointModel(given, self.model, [self.backend(given, self.model, key)])

    @asynccontextmanager
    async def talking(
        self, play: Play, *, model: Mapping[str, Any] | None = None, **options: Any
    ) -> AsyncIterator[tuple[http.Server, EndpointModel]]:
        """A server of its own and a model that talks to it; `model` holds settings' changes."""
        async with self.serve(play, **options) as server:
            made = self.make(server.url, **(model or {}))
            try:
                yield server, made
            finally:
                await made.close()


def _chat_usage(message: AssistantMessage, request: Request) -> Usage:
    counted = chat.usage(message, request.body)
    return Usage(
        prompt=counted["prompt_tokens"],
        completion=counted["completion_tokens"],
        cache_read=counted["prompt_tokens_details"]["cached_tokens"],
        reasoning=counted["completion_tokens_details"]["reasoning_tokens"],
    )


def _responses_usage(message: AssistantMessage, request: Request) -> Usage:
    counted = responses.usage(message, request.body)
    return Usage(
        prompt=counted["input_tokens"],
        completion=counted["output_tokens"],
        cache_read=counted["input_tokens_details"]["cached_tokens"],
        reasoning=counted["output_tokens_details"]["reasoning_tokens"],
    )


def _google_usage(message: AssistantMessage, request: Request) -> Usage:
    counted = google.usage(message, request.body)
    thought = counted.get("thoughtsTokenCount", 0)
    return Usage(
        prompt=counted["promptTokenCount"],
        completion=counted["candidatesTokenCount"] + thought,
        cache_read=counted.get("cachedContentTokenCount", 0),
        reasoning=thought,
    )


def _chat_server(field_: str, *, required: bool = False) -> Callable[..., http.Server]:
    def serve(play: Play, **options: Any) -> http.Server:
        rules = chat.Rules(key=KEY, strict=False, reasoning=field_, required=required)
        return openai.Server(play, **{"rules": rules, **options})

    return serve


def _responses_server(play: Play, **options: Any) -> http.Server:
    return responses.Server(play, **{"rules": responses_rules.Rules(key=KEY), **options})


def _google_server(play: Play, **options: Any) -> http.Server:
    return google.Server(play, **{"rules": google_rules.Rules(key=KEY), **options})


def _claude_usage(message: AssistantMessage, request: Request) -> Usage:
    assert isinstance(request.wire, Messages | Converse)
    counts = request.wire.cache.counts[request.number]
    return Usage(
        prompt=sum(counts.values()),
        completion=output_tokens(message),
        cache_read=counts["cache_read_input_tokens"],
        cache_write=counts["cache_creation_input_tokens"],
        reasoning=len(message.reasoning) // 4 if isinstance(request.wire, Messages) else 0,
    )


def _anthropic_server(play: Play, **options: Any) -> http.Server:
    return http.Server(Messages(key=KEY, **options), play)


def _bedrock_server(play: Play, **options: Any) -> http.Server:
    return http.Server(Converse(bearer=KEY, **options), play)


def _stream(*events: bytes) -> Fault:
    return Fault(headers={"content-type": "text/event-stream"}, body=b"".join(events))


_OVERLOADED = orjson.dumps(
    {"error": {"message": "Overloaded", "type": "server_error", "code": 503}}
)
_GOOGLE_OVERLOADED = orjson.dumps(
    {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
)
_FAILED = orjson.dumps(
    {
        "type": "response.failed",
        "response": {
            "id": "resp_x",
            "status": "failed",
            "error": {"code": "server_error", "message": "The model failed."},
            "output": [],
        },
    }
)
_BUSY = orjson.dumps(
    {"error": {"message": "Rate limit reached.", "code": "rate_limit_exceeded", "type": "tokens"}}
)
_GOOGLE_BUSY = orjson.dumps(
    {
        "error": {
            "code": 429,
            "message": "You exceeded your current quota.",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.05s"},
            ],
        }
    }
)


def _chat(name: str, model: str, reasoning: str, *, required: bool = False) -> Api:
    return Api(
        name=name,
        model=model,
        backend=OpenAIChat,
        serve=_chat_server(reasoning, required=required),
        usage=_chat_usage,
        refusal={"refusal": "I cannot help with that."},
        cut={"finish_reason": "length"},
        overloaded=_stream(b"data: ", _OVERLOADED, b"\n\n"),
        busy=Fault(429, {"retry-after": "0.05"}, _BUSY),
    )


GPT = _chat("chat", "gpt-4o", "reasoning_content")
KIMI = _chat("kimi", "moonshotai/Kimi-K2-Thinking", "reasoning_content", required=True)
OPENROUTER = _chat("openrouter", "anthropic/claude-opus-4.5", "reasoning_details")
RESPONSES = Api(
    name="responses",
    model="gpt-5",
    backend=OpenAIResponses,
    serve=_responses_server,
    usage=_responses_usage,
    refusal={"refusal": "I cannot help with that."},
    cut={"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    overloaded=_stream(b"event: response.failed\ndata: ", _FAILED, b"\n\n"),
    busy=Fault(429, {"retry-after": "0.05"}, _BUSY),
    changes={"completion_kwargs": {"reasoning": {"summary": "auto"}}},
)
GEMINI = Api(
    name="gemini",
    model="gemini-3-pro-preview",
    backend=Google,
    serve=_google_server,
    usage=_google_usage,
    refusal={"finishReason": "PROHIBITED_CONTENT"},
    cut={"finishReason": "MAX_TOKENS"},
    overloaded=_stream(b"data: ", _GOOGLE_OVERLOADED, b"\r\n\r\n"),
    busy=Fault(429, body=_GOOGLE_BUSY),
)
_DECLINED = {"type": "refusal", "category": "cyber", "explanation": "I cannot help with that."}
CLAUDE = Api(
    name="anthropic",
    model="claude-opus-4-7",
    backend=Anthropic,
    serve=_anthropic_server,
    usage=_claude_usage,
    refusal={"stop_reason": "refusal", "stop_details": _DECLINED},
    cut={"stop_reason": "max_tokens"},
    overloaded=_stream(OVERLOADED),
    busy=Fault(429, {"retry-after": "0.05"}),
    changes={"reasoning_effort": "high"},
)
BEDROCK = Api(
    name="bedrock",
    model="us.anthropic.claude-opus-4-7",
    backend=Bedrock,
    serve=_bedrock_server,
    usage=_claude_usage,
    refusal={"stop_reason": "refusal"},
    cut={"stop_reason": "max_tokens"},
    overloaded=Fault(
        headers={"content-type": "application/vnd.amazon.eventstream"},
        body=frame("serviceUnavailableException", {"message": "Overloaded"}, exception=True),
    ),
    busy=Fault(429, {"retry-after": "0.05"}),
    changes={"reasoning_effort": "high", "aws_region_name": "us-east-1"},
    counted=False,
)
APIS = (GPT, KIMI, OPENROUTER, RESPONSES, GEMINI, CLAUDE, BEDROCK)
EVERY = (*APIS, replace(CLAUDE, name="budget", model="claude-sonnet-4-5", changes=BUDGET))
"""With a model that thinks by a budget, and so not in a turn that another one began."""
