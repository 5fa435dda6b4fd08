"""What the tests of models share: settings with tiny waits, tools, notes taken down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from tests.servers.openai import Server
from velora.config.settings import LLMSettings
from velora.journal.messages import SystemMessage, ToolSpec, UserMessage
from velora.llm.factory import build
from velora.llm.protocol import Model

KEY = "sk-secret-0123456789"

BASH = ToolSpec(
    "execute_bash",
    "Runs a command.",
    {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)
FINISH = ToolSpec(
    "finish", "Ends.", {"type": "object", "properties": {"message": {"type": "string"}}}
)
TOOLS = (BASH, FINISH)
START = (SystemMessage("You are an agent."), UserMessage("Mend the bug in parse()."))

SCRIPT = {
    "turns": [
        {"say": "I look.", "calls": [{"tool": "execute_bash", "arguments": {"command": "ls"}}]},
        {"calls": [{"tool": "finish", "arguments": {"message": "done"}}]},
    ]
}


class Notes(list[tuple[str, str, dict[str, Any]]]):
    """Takes down what a model notes."""

    def __call__(self, code: str, text: str, data: dict[str, Any]) -> None:
        self.append((code, text, data))

    @property
    def codes(self) -> list[str]:
        return [code for code, _, _ in self]


def settings(url: str, **changes: Any) -> LLMSettings:
    values: dict[str, Any] = {
        "model": "gpt-4o",
        "base_url": url,
        "api_key": SecretStr(KEY),
        "num_retries": 3,
        "retry_min_wait": 0.001,
        "retry_max_wait": 0.01,
        "timeout": 60.0,
        "idle_timeout": 30.0,
    }
    return LLMSettings(**{**values, **changes})


class Connect(Protocol):
    """Builds a model that talks to the test's server."""

    def __call__(self, **changes: Any) -> Model: ...


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(SCRIPT) as started:
        yield started


@pytest.fixture
async def connect(server: Server) -> AsyncIterator[Connect]:
    """Builds models that talk to `server`, and closes them."""
    async with AsyncExitStack() as stack:

        def made(**changes: Any) -> Model:
            model = build(settings(server.url, **changes))
            stack.push_async_callback(model.close)
            return model

        yield made


@asynccontextmanager
async def talking(play: Any, **options: Any) -> AsyncIterator[tuple[Server, Model]]:
    """A server of its own and a model that talks to it; `model` holds settings' changes."""
    changes = options.pop("model", {})
    async with Server(play, **options) as started:
        model = build(settings(started.url, **changes))
        try:
            yield started, model
        finally:
            await model.close()
