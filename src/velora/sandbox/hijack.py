"""A process in a container as a `Stream`: the engine's attach and exec calls after the upgrade.

Such a call starts as HTTP and goes on as raw bytes both ways: on a terminal just the bytes,
otherwise frames of one byte of source, three of padding, four of length and the data. It runs on
a connection of its own and not through aiodocker's stream, because closing only the sending side
(the process's end of input), reading with back pressure and reading safely under cancellation
are all needed here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from velora.images.engine import Engine, EngineError
from velora.sandbox.stream import STDOUT

_CHUNK = 256 * 1024
_ANSWER_TIMEOUT = 60.0

Ended = Callable[[], Awaitable[int | None]]
"""Called once the stream has ended: the process's status; raises `SandboxLost` where the end is
the container's."""


class EngineStream:
    """See `velora.sandbox.stream.Stream`, whose methods these are."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        tty: bool,
        ended: Ended,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tty = tty
        self._ended = ended
        self._source = STDOUT
        self._left = 0
        self._over = False
        self._status: int | None = None
        self.closed = False

    async def read(self) -> tuple[int, bytes]:
        """See `Stream.read`. A cancelled call loses nothing."""
        try:
            if self._tty:
                data = await self._reader.read(_CHUNK)
            else:
                data = await self._framed()
        except (asyncio.IncompleteReadError, ConnectionError):
            data = b""
        if data:
            return self._source, data
        await self._finish()
        return 0, b""

    async def _framed(self) -> bytes:
        while not self._left:
            head = await self._reader.readexactly(8)
            self._source, self._left = head[0] or STDOUT, int.from_bytes(head[4:])
        data = await self._reader.read(min(self._left, _CHUNK))
        self._left -= len(data)
        return data

    async def write(self, data: bytes) -> None:
        """See `Stream.write`."""
        if self._writer.is_closing() or self._reader.at_eof():
            await self._finish()
            raise BrokenPipeError("the process has ended")
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            await self._finish()
            raise BrokenPipeError("the process has ended") from None

    def write_eof(self) -> None:
        """End the process's input; its output can still be read."""
        with contextlib.suppress(OSError, RuntimeError):  # it has ended already
            self._writer.write_eof()

    async def exit_code(self) -> int | None:
        """See `Stream.exit_code`; asks the engine once."""
        await self._finish()
        return self._status

    async def _finish(self) -> None:
        if not self._over:
            # Docker takes a process for running while input that it never read is under way.
            self._writer.close()
            self._writer.transport.abort()
            self._status = await self._ended()
            self._over = True

    async def close(self) -> None:
        """See `Stream.close`."""
        self.closed = True
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class WatchedReader(asyncio.StreamReader):
    """A reader that tells at once when the other side ends, whether or not anyone is reading."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        super().__init__(limit=_CHUNK)
        self._on_end = on_end

    def feed_eof(self) -> None:
        """The other side is done."""
        super().feed_eof()
        self._on_end()

    def set_exception(self, exc: BaseException) -> None:
        """The connection broke."""
        super().set_exception(exc)  # type: ignore[arg-type]
        self._on_end()


async def upgrade(
    engine: Engine,
    path: str,
    body: Any = None,
    *,
    tty: bool,
    ended: Ended,
    reader: asyncio.StreamReader | None = None,
) -> EngineStream:
    """POST `path` and go on with its bytes.

    Args:
        path: with its query, without the version, as `exec/ID/start`.
        tty: the process runs on a terminal, so nothing is framed.
        ended: see `Ended`.
        reader: takes what arrives, instead of a plain one.

    Raises:
        EngineError: the engine refuses, or cannot be reached.
    """
    reader = reader or asyncio.StreamReader(limit=_CHUNK)
    writer = await engine.open(reader)
    data = b"" if body is None else orjson.dumps(body)
    try:
        writer.write(
            f"POST /v{engine.api}/{path} HTTP/1.1\r\n"
            "Host: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            + data
        )
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status = int(head.split(None, 2)[1])
            if status not in {101, 200}:
                raise EngineError(status, await _refusal(reader, head))
    except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
        writer.close()
        raise EngineError(0, f"the engine broke off {path}: {error}") from None
    except TimeoutError:
        writer.close()
        raise EngineError(0, f"the engine did not answer {path}") from None
    except BaseException:
        writer.close()
        raise
    return EngineStream(reader, writer, tty=tty, ended=ended)


async def _refusal(reader: asyncio.StreamReader, head: str) -> str:
    """The engine's message; its errors are short JSON objects, in one chunk or by length."""
    raw = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            while b"}" not in raw and (more := await reader.read(_CHUNK)):
                raw += more
    start, end = raw.find(b"{"), raw.rfind(b"}")
    try:
        return str(orjson.loads(raw[start : end + 1])["message"])
    except (orjson.JSONDecodeError, KeyError):
        return raw.decode(errors="replace").strip() or head.splitlines()[0]
