"""An OpenAI-compatible chat server on loopback: real HTTP/1.1, scripted answers, faults on demand.

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
import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson

from tests.servers.chat import Refusal, Rules, completion, events
from velora.journal.messages import AssistantMessage
from velora.llm.script import Script, Turn, choose, load, parse
from velora.llm.scripted import answer


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request. Parts that are not set are as they should be.

    Attributes:
        status: in place of 200, with an error body unless `body` is set.
        headers: added to the answer's.
        body: sent in place of the answer; b"" is an empty one.
        cut_after: the connection is cut after this many bytes of the body.
        hang: nothing is ever answered.
        hang_after: after this many bytes of the body nothing more comes.
        drip: seconds between two pieces of the body.
        delay: seconds before the first byte.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut_after: int | None = None
    hang: bool = False
    hang_after: int | None = None
    drip: float = 0.0
    delay: float = 0.0


@dataclass(slots=True)
class Request:
    """One request as received. Times are unix seconds: the last byte in, the last byte out."""

    received: float
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    answered: float = 0.0
    status: int = 0

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation sent."""
        return list(self.body["messages"])

    @property
    def prompt(self) -> str:
        """The first user message."""
        users = (one["content"] for one in self.messages if one["role"] == "user")
        return str(next(users, ""))

    @property
    def turn(self) -> int:
        """How many answers the conversation already holds."""
        return sum(one["role"] == "assistant" for one in self.messages)


Reply = Turn | AssistantMessage | Refusal | Fault
Play = Callable[[Request], Reply]


class Server:
    """Answers on 127.0.0.1 while its context is open.

    Args:
        play: scripts, a YAML file's content as Python data, or a function from a request.
        rules: what requests must keep to.
        piece: characters of a text in one streamed delta.
        keep: keep requests in `requests`; a long benchmark does not want that.
        log: gets one line of JSON a request.
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
        self.requests: list[Request] = []
        self.faults: deque[Fault] = deque()
        self.connections = 0
        self.served = 0
        self.url = ""
        self._play = play if callable(play) else _scripted(play)
        self._rules = rules or Rules()
        self._piece = piece
        self._keep = keep
        self._log = log
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self, port: int = 0) -> None:
        """Listen on a free port, or on the given one."""
        self._server = await asyncio.start_server(
            self._client, "127.0.0.1", port, limit=2**26, backlog=1024
        )
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        assert self._server is not None
        self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._clients.discard(task)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False ends the connection."""
        request = await _read(reader)
        if self._keep:
            self.requests.append(request)
        self.served += 1
        refusal = self._refused(request)
        if refusal is None and self.faults:
            reply: Reply = self.faults.popleft()
        else:
            reply = refusal or self._play(request)
        try:
            return await self._send(request, reply, writer)
        finally:
            request.answered = time.time()
            if self._log:
                self._log.write(_line(request))

    def _refused(self, request: Request) -> Refusal | None:
        if not request.path.endswith("/chat/completions"):
            return Refusal(404, f"Invalid URL ({request.method} {request.path})")
        if request.method != "POST":
            return Refusal(405, f"Not allowed to {request.method} on this path")
        return self._rules.check(request.headers.get("authorization", ""), request.body)

    async def _send(self, request: Request, reply: Reply, writer: asyncio.StreamWriter) -> bool:
        fault = reply if isinstance(reply, Fault) else Fault()
        await asyncio.sleep(fault.delay)
        if fault.hang:
            await asyncio.sleep(3600)
        if isinstance(reply, Fault) and fault.body is None and fault.status >= 400:
            kind = "server_error" if fault.status >= 500 else "invalid_request_error"
            reply = Refusal(fault.status, f"scripted fault {fault.status}", type=kind)
        streamed = False
        if isinstance(reply, Refusal):
            pieces = [reply.body()]
            request.status = reply.status
        elif fault.body is not None:
            pieces = [fault.body]
            request.status = fault.status
        else:
            message = self._message(request, reply)
            streamed = bool(request.body.get("stream"))
            request.status = fault.status
            if streamed:
                pieces = list(events(message, request.body, self.served, piece=self._piece))
            else:
                pieces = [orjson.dumps(completion(message, request.body, self.served))]
        kind = "text/event-stream; charset=utf-8" if streamed else "application/json"
        headers = {"content-type": kind, "x-request-id": f"req_{self.served}", **fault.headers}
        writer.write(_head(request.status, headers))
        return await _body(writer, pieces, fault)

    def _message(self, request: Request, reply: Reply) -> AssistantMessage:
        if isinstance(reply, Fault):
            reply = self._play(request)
        if isinstance(reply, Turn):
            return answer(reply, request.turn)
        assert isinstance(reply, AssistantMessage), f"no answer: {reply}"
        return reply


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    data = await reader.readexactly(int(headers.get("content-length", "0")))
    received = time.time()
    try:
        body = orjson.loads(data) if data else None
    except orjson.JSONDecodeError:
        body = None
    return Request(received, method, path, headers, body)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", "transfer-encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _body(writer: asyncio.StreamWriter, pieces: list[bytes], fault: Fault) -> bool:
    limit = fault.hang_after if fault.hang_after is not None else fault.cut_after
    if limit is not None:
        writer.write(_chunk(b"".join(pieces)[:limit]))
        await writer.drain()
        if fault.hang_after is not None:
            await asyncio.sleep(3600)
        return False
    if fault.drip:
        for piece in pieces:
            writer.write(_chunk(piece))
            await writer.drain()
            await asyncio.sleep(fault.drip)
        writer.write(b"0\r\n\r\n")
    else:
        writer.write(b"".join([*map(_chunk, pieces), b"0\r\n\r\n"]))
    await writer.drain()
    return True


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _line(request: Request) -> bytes:
    known = isinstance(request.body, dict) and isinstance(request.body.get("messages"), list)
    line = {
        "received": request.received,
        "answered": request.answered,
        "status": request.status,
        # Tells one conversation from another without holding any of it.
        "conversation": hashlib.sha256(request.prompt.encode()).hexdigest()[:16] if known else "",
        "turn": request.turn if known else 0,
        "messages": len(request.messages) if known else 0,
        "bytes": int(request.headers.get("content-length", "0")),
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _scripted(scripts: Sequence[Script] | Mapping[str, Any]) -> Play:
    known = parse(dict(scripts), "script") if isinstance(scripts, Mapping) else tuple(scripts)

    def play(request: Request) -> Reply:
        script = choose(known, request.prompt)
        if script is None:
            return Refusal(500, "no script suits this task prompt", type="server_error")
        return script.turn(request.turn, request.prompt)

    return play


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
