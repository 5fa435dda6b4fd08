"""A scripted model server on loopback: real HTTP/1.1, any provider's wire format, faults on demand.

The server reads requests, records them, asks a script for the answer and misbehaves where a
`Fault` says so. What a request and an answer look like is the `Wire`'s business: one subclass a
provider, which also refuses what the provider refuses.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol, Self

import orjson

from velora.journal.messages import AssistantMessage
from velora.llm.script import Script, Turn, choose, parse
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


class Refused(Protocol):
    """An error answer in a provider's form."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Added to the answer's."""
        ...

    def body(self) -> bytes:
        """The error object."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """The body of an answer, in the pieces that a slow connection (`Fault.drip`) sends apart."""

    content_type: str
    pieces: Sequence[bytes]


class Wire:
    """One provider's wire format. Subclasses say what a request is, and check it.

    Attributes:
        root: what follows the server's address in its `url`.
    """

    root = ""

    def messages(self, body: Any) -> list[dict[str, Any]]:
        """The conversation that a request holds; raises LookupError or TypeError for none."""
        return list(body["messages"])

    def prompt(self, messages: list[dict[str, Any]]) -> str:
        """The text of the first user message."""
        raise NotImplementedError

    def turn(self, messages: list[dict[str, Any]]) -> int:
        """How many answers a conversation already holds."""
        return sum(one["role"] == "assistant" for one in messages)

    def check(self, request: Request) -> Refused | None:
        """What is wrong with a request, if anything: path, method, key, body."""
        raise NotImplementedError

    def failure(self, status: int, message: str) -> Refused:
        """An error answer of this status."""
        raise NotImplementedError

    def answer(self, message: AssistantMessage, request: Request, number: int) -> Sent:
        """The body that answers a request, streamed if it asks for that."""
        raise NotImplementedError


@dataclass(slots=True)
class Request:
    """One request as received, numbered from 1. Times are unix seconds: the last byte in, the last
    byte out."""

    received: float
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    wire: Wire = field(repr=False, default_factory=Wire)
    data: bytes = b""
    answered: float = 0.0
    status: int = 0
    number: int = 0

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation sent."""
        return self.wire.messages(self.body)

    @property
    def prompt(self) -> str:
        """The first user message."""
        return self.wire.prompt(self.messages)

    @property
    def turn(self) -> int:
        """How many answers the conversation already holds."""
        return self.wire.turn(self.messages)


Reply = Turn | AssistantMessage | Refused | Fault
Play = Callable[[Request], Reply]


class Server:
    """Answers on 127.0.0.1 while its context is open.

    Args:
        wire: the provider's format and rules.
        play: scripts, a YAML file's content as Python data, or a function from a request. An
            `AssistantMessage` may say in `provider` what only this wire understands.
        keep: keep requests in `requests`; a long benchmark does not want that.
        log: gets one line of JSON a request.
    """

    def __init__(
        self,
        wire: Wire,
        play: Sequence[Script] | Mapping[str, Any] | Play,
        *,
        keep: bool = True,
        log: BinaryIO | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.faults: deque[Fault] = deque()
        self.connections = 0
        self.served = 0
        self.url = ""
        self.wire = wire
        self._play = play if callable(play) else _scripted(play, wire)
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
        self.url = f"http://127.0.0.1:{port}{self.wire.root}"

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
        request = await _read(reader, writer, self.wire)
        if self._keep:
            self.requests.append(request)
        self.served += 1
        request.number = self.served
        refusal = self.wire.check(request)
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

    async def _send(self, request: Request, reply: Reply, writer: asyncio.StreamWriter) -> bool:
        fault = reply if isinstance(reply, Fault) else Fault()
        await asyncio.sleep(fault.delay)
        if fault.hang:
            await asyncio.sleep(3600)
        if isinstance(reply, Fault):
            if fault.body is None and fault.status >= 400:
                reply = self.wire.failure(fault.status, f"scripted fault {fault.status}")
            elif fault.body is None:
                reply = self._play(request)
        headers: Mapping[str, str] = fault.headers
        request.status = fault.status
        if isinstance(reply, Fault):
            sent = Sent("application/json", [fault.body or b""])
        elif isinstance(reply, Turn | AssistantMessage):
            said = answer(reply, request.turn) if isinstance(reply, Turn) else reply
            sent = self.wire.answer(said, request, self.served)
        else:
            sent = Sent("application/json", [reply.body()])
            headers = {**reply.headers, **headers}
            request.status = reply.status
        names = {"content-type": sent.content_type, "x-request-id": f"req_{self.served}"}
        writer.write(_head(request.status, {**names, **headers}))
        return await _body(writer, sent.pieces, fault)


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: Wire) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    data = await reader.readexactly(int(headers.get("content-length", "0")))
    received = time.time()
    try:
        body = orjson.loads(data) if data else None
    except orjson.JSONDecodeError:
        body = None
    return Request(received, method, path, headers, body, wire, data)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", "transfer-encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _body(writer: asyncio.StreamWriter, pieces: Sequence[bytes], fault: Fault) -> bool:
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
    try:
        messages = request.messages
    except (LookupError, TypeError):
        messages = []
    line = {
        "received": request.received,
        "answered": request.answered,
        "status": request.status,
        # Tells one conversation from another without holding any of it.
        "conversation": hashlib.sha256(request.wire.prompt(messages).encode()).hexdigest()[:16]
        if messages
        else "",
        "turn": request.wire.turn(messages),
        "messages": len(messages),
        "bytes": int(request.headers.get("content-length", "0")),
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _scripted(scripts: Sequence[Script] | Mapping[str, Any], wire: Wire) -> Play:
    known = parse(dict(scripts), "script") if isinstance(scripts, Mapping) else tuple(scripts)

    def play(request: Request) -> Reply:
        script = choose(known, request.prompt)
        if script is None:
            return wire.failure(500, "no script suits this task prompt")
        return script.turn(request.turn, request.prompt)

    return play


def pieces(text: str, size: int) -> list[str]:
    """A text cut every `size` characters."""
    return [text[start : start + size] for start in range(0, len(text), size)]
