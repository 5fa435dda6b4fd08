"""An OpenAI-compatible chat server on loopback (`tests.servers.http` with the chat wire format).

In a test::

    async with Server(script) as server:
        server.faults.append(Fault(status=429, headers={"retry-after": "1"}))
        ...                     # talk to server.url
        assert len(server.requests) == 2

A script is what `velora.llm.script` reads, or a function from a request to a reply. Faults are
used up one a request before the script is asked. As a process of its own, for benchmarks::

    python -m tests.servers.openai --port 8000 --script F.yaml --log requests.jsonl
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tests.servers import http
from tests.servers.chat import Refusal, Rules, completion, events
from tests.servers.http import Fault, Play, Reply, Request, Sent
from velora.journal.messages import AssistantMessage
from velora.llm.script import Script, load

__all__ = ["Chat", "Fault", "Reply", "Request", "Server"]


class Chat(http.Wire):
    """The chat-completions wire format.

    Args:
        rules: what requests must keep to.
        piece: characters of a text in one streamed delta.
    """

    root = "/v1"

    def __init__(self, rules: Rules | None = None, *, piece: int = 24) -> None:
        self._rules = rules or Rules()
        self._piece = piece

    def prompt(self, messages: list[dict[str, Any]]) -> str:
        """The text of the first user message."""
        return str(next((one["content"] for one in messages if one["role"] == "user"), ""))

    def check(self, request: Request) -> Refusal | None:
        """What is wrong with a request, if anything."""
        if not request.path.partition("?")[0].endswith("/chat/completions"):
            return Refusal(404, f"Invalid URL ({request.method} {request.path})")
        if request.method != "POST":
            return Refusal(405, f"Not allowed to {request.method} on this path")
        return self._rules.check(request.headers.get("authorization", ""), request.body)

    def failure(self, status: int, message: str) -> Refusal:
        """An error answer of this status."""
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return Refusal(status, message, type=kind)

    def answer(self, message: AssistantMessage, request: Request, number: int) -> Sent:
        """The body that answers a request."""
        body = request.body
        if body.get("stream"):
            field = self._rules.reasoning
            pieces = list(events(message, body, number, piece=self._piece, reasoning=field))
            return Sent("text/event-stream; charset=utf-8", pieces)
        whole = completion(message, body, number, reasoning=self._rules.reasoning)
        return Sent("application/json", [orjson.dumps(whole)])


class Server(http.Server):
    """Speaks the chat API on 127.0.0.1 while its context is open.

    Args:
        play, keep, log: as of `http.Server`.
        rules, piece: as of `Chat`.
    """

    def __init__(
        self,
        play: Sequence[Script] | Mapping[str, Any] | Play,
        *,
        rules: Rules | None = None,
        piece: int = 24,
        keep: bool = True,
        log: BinaryIO | None = None,
    ) -> None:
        super().__init__(Chat(rules, piece=piece), play, keep=keep, log=log)


async def serve(arguments: argparse.Namespace) -> None:
    """Serve a script until the process is ended."""
    rules = Rules(key=arguments.key, strict=not arguments.lenient)
    with open(arguments.log, "ab", buffering=0) as log:  # noqa: PTH123
        server = Server(load(arguments.script), rules=rules, keep=False, log=log)
        await server.start(arguments.port)
        print(server.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="scripted OpenAI-compatible server on 127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and prints its URL")
    parser.add_argument("--script", type=Path, required=True, help="a YAML file of turns")
    parser.add_argument("--log", default="/dev/null", help="one JSON line a request")
    parser.add_argument("--key", default="", help="the only API key that is taken")
    parser.add_argument("--lenient", action="store_true", help="take unknown request fields")
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
