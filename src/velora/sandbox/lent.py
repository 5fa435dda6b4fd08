"""The keeper's standard streams, lent to the first control shell (see `container`)."""

from __future__ import annotations

import asyncio
import contextlib

from velora.errors import SandboxLost
from velora.sandbox.hijack import EngineStream
from velora.sandbox.stream import STDOUT


class LentStream:
    """A `Stream` that ends with the shell that the streams are lent to, not with the container.

    After `close` the connection stays open, for the keeper lives on it, and what still arrives is
    thrown away until `release`.
    """

    def __init__(self, keeper: EngineStream, marker: bytes) -> None:
        self._keeper = keeper
        self._marker = marker
        self._tail = b""
        self._over = False
        self._emptying: asyncio.Task[None] | None = None

    async def read(self) -> tuple[int, bytes]:
        """See `Stream.read`."""
        if self._over:
            return 0, b""
        where, data = await self._keeper.read()
        if where == STDOUT:
            self._tail = (self._tail + data)[-len(self._marker) :]
            if self._tail == self._marker:
                self._over = True
                data = data.removesuffix(self._marker)
                return (where, data) if data else (0, b"")
        return where, data

    async def write(self, data: bytes) -> None:
        """See `Stream.write`."""
        if self._over or self._emptying:
            raise BrokenPipeError("the control shell has ended")
        await self._keeper.write(data)

    async def exit_code(self) -> int | None:
        """None: nobody asks the keeper."""
        return None

    async def close(self) -> None:
        """Stop using it."""
        self._over = True
        if self._emptying is None:
            self._emptying = asyncio.create_task(self._empty())

    async def release(self) -> None:
        """The container is gone, or about to go."""
        await self.close()
        if self._emptying is not None:
            self._emptying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._emptying
        await self._keeper.close()

    async def _empty(self) -> None:
        # A full connection would hide the container's end.
        with contextlib.suppress(SandboxLost):
            while (await self._keeper.read())[1]:
                pass
