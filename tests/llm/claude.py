"""Claude behind both of its APIs: what the tests of them share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pydantic import SecretStr

from tests.llm.conftest import settings
from tests.servers.anthropic import Messages
from tests.servers.bedrock import ACCESS_KEY, SECRET_KEY, Converse
from tests.servers.http import Play, Server
from velora.journal.codec import decode, encode
from velora.journal.events import Answered, Record
from velora.journal.messages import AssistantMessage, Completion, Message, ToolMessage
from velora.llm.factory import build
from velora.llm.protocol import Model
from velora.llm.script import Call

LS = Call("execute_bash", '{"command":   "ls"}')
BUDGET = {"completion_kwargs": {"thinking": {"type": "enabled", "budget_tokens": 2048}}}

Wire = Messages | Converse


@dataclass(frozen=True, slots=True)
class Api:
    """One of the two APIs.

    Attributes:
        name: a model's name for the configuration.
        changes: what the settings need beside it.
    """

    wire: Callable[..., Wire]
    name: Callable[[str], str]
    changes: dict[str, Any] = field(default_factory=dict)


ANTHROPIC = Api(Messages, "anthropic/{}".format)
BEDROCK = Api(
    Converse,
    "bedrock/us.anthropic.{}-v1:0".format,
    {
        "api_key": None,
        "aws_access_key_id": SecretStr(ACCESS_KEY),
        "aws_secret_access_key": SecretStr(SECRET_KEY),
        "aws_region_name": "us-east-1",
    },
)
APIS = {"anthropic": ANTHROPIC, "bedrock": BEDROCK}


@dataclass(frozen=True, slots=True)
class Served:
    """A server of its own and how to build models that talk to it."""

    server: Server
    wire: Any
    connect: Callable[..., Model]


@asynccontextmanager
async def served(
    api: Api, play: Play, *, model: str = "claude-sonnet-4-5", **rules: Any
) -> AsyncIterator[Served]:
    """Serve one API; `rules` are the wire's."""
    wire = api.wire(**rules)
    made: list[Model] = []
    async with Server(wire, play) as server:

        def connect(**changes: Any) -> Model:
            values = {"model": api.name(model), **api.changes, **changes}
            made.append(build(settings(server.url, **values)))
            return made[-1]

        try:
            yield Served(server, wire, connect)
        finally:
            for one in made:
                await one.close()


def results(message: AssistantMessage, content: str = "ok") -> list[Message]:
    """An observation for each call of an answer."""
    return [ToolMessage(call.id, call.name, content) for call in message.tool_calls]


def reread(messages: Sequence[Message]) -> list[Message]:
    """A conversation as a journal gives it back."""
    return [_reread(one) if isinstance(one, AssistantMessage) else one for one in messages]


def _reread(message: AssistantMessage) -> AssistantMessage:
    event = decode(encode(Record(0, 0.0, Answered(Completion(message))))).event
    assert isinstance(event, Answered)
    return event.completion.message


def prefixes_hold(wire: Any) -> bool:
    """Whether each request began with all that the one before had up to its last breakpoint."""
    seen = wire.cache.seen
    return all(
        last and after[last - 1] == before[last - 1]
        for (before, last), (after, _) in pairwise(seen)
    )
