"""One process from start to end over a `LocalStream`: feed it, gather what it prints, time it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import BinaryIO

from velora.sandbox.process import LocalStream
from velora.sandbox.protocol import ExecResult, ExecTimeout
from velora.sandbox.stream import STDOUT


async def run(
    stream: LocalStream,
    *,
    stdin: bytes = b"",
    timeout: float | None = None,
    output: BinaryIO | None = None,
) -> ExecResult:
    """Run a started process to its end; the arguments are those of `Sandbox.exec`.

    However this ends, the process and all of its session are dead or over afterwards; what it
    left behind on purpose, in the background, lives on if it ended by itself.
    """
    out, err = bytearray(), bytearray()

    async def gather() -> None:
        while True:
            where, data = await stream.read()
            if not data:
                return
            if output is not None:
                output.write(data)  # to the page cache, as it comes
            else:
                (out if where == STDOUT else err).extend(data)

    feeding = asyncio.create_task(_feed(stream, stdin))
    try:
        async with asyncio.timeout(timeout):
            await gather()
    except TimeoutError:
        stream.kill()
        raise ExecTimeout(timeout or 0.0, bytes(out), bytes(err)) from None
    except BaseException:
        stream.kill()
        raise
    finally:
        feeding.cancel()
        await asyncio.wait([feeding])
        await stream.close()
    return ExecResult(await stream.exit_code(), bytes(out), bytes(err))


async def _feed(stream: LocalStream, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # it need not read what it is given
        await stream.write(data)
    stream.write_eof()
