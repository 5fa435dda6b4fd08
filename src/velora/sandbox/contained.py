"""`exec` for drivers whose processes live in a namespace of their own.

The process is started by a line of `sh` that changes to the directory and tells its pid before it
becomes the program. With the pid, everything it started can be killed from inside, through the
control channel: an engine offers no way to kill an exec, and cutting its stream leaves it running.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from velora.errors import SandboxLost
from velora.sandbox import procfs
from velora.sandbox.control import Control, OpenStream
from velora.sandbox.protocol import ExecResult, ExecTimeout
from velora.sandbox.stream import STDOUT, Stream

_START = 'cd -- "$1" 2>/dev/null || { echo "!"; exit 126; }; shift; echo "$$"; exec "$@"'
_NO_DIRECTORY = b"!"
_CHUNK = 64 * 1024
_DRAIN = 2.0
_KILL = 20.0


class ClosableStream(Stream, Protocol):
    """A stream whose input can be ended by itself."""

    def write_eof(self) -> None:
        """End the process's input."""
        ...


async def run(
    open_stream: OpenStream,
    control: Control,
    argv: Sequence[str],
    *,
    cwd: str = "",
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float | None = None,
    output: BinaryIO | None = None,
) -> ExecResult:
    """See `Sandbox.exec`.

    Args:
        open_stream: opens `ClosableStream`s; "" for its `cwd` is the sandbox's own.

    Raises:
        FileNotFoundError: there is no directory `cwd`.
    """
    if not argv:
        raise ValueError("nothing to run: argv is empty")
    # One pipe for both is what keeps their order.
    script = _START + (" 2>&1" if output is not None else "")
    words = ["/bin/sh", "-c", script, "sh", cwd or ".", *argv]
    stream = await open_stream(words, tty=False, cwd="", env=env or {})
    return await _Process(stream, control, output).run(cwd, stdin, timeout)  # type: ignore[arg-type]


class _Process:
    def __init__(self, stream: ClosableStream, control: Control, output: BinaryIO | None) -> None:
        self._stream = stream
        self._control = control
        self._output = output
        self._first = b""
        self._pid = 0
        self._started = asyncio.Event()
        self._stdout = bytearray()
        self._stderr = bytearray()

    async def run(self, cwd: str, stdin: bytes, timeout: float | None) -> ExecResult:
        try:
            async with asyncio.timeout(timeout), asyncio.TaskGroup() as group:
                feeding = group.create_task(self._feed(stdin))
                await self._gather()
                feeding.cancel()
                # A process may close its output long before it ends.
                status = await self._stream.exit_code()
        except TimeoutError:
            await uninterrupted(self._kill())
            out, err = bytes(self._stdout), bytes(self._stderr)
            raise ExecTimeout(timeout or 0.0, out, err) from None
        except BaseExceptionGroup as group_error:
            raise group_error.exceptions[0] from None
        except asyncio.CancelledError:
            with contextlib.suppress(SandboxLost):  # then there is nothing left to kill
                await uninterrupted(self._kill())
            raise
        finally:
            await self._stream.close()
        if self._first == _NO_DIRECTORY:
            raise FileNotFoundError(errno.ENOENT, "no such directory", cwd)
        if status is None:
            raise SandboxLost("the engine does not know how the process ended")
        return ExecResult(status, bytes(self._stdout), bytes(self._stderr))

    async def _gather(self) -> None:
        while True:
            where, data = await self._stream.read()
            if not where:
                return
            if where == STDOUT and not self._pid:
                self._first += data
                line, found, data = self._first.partition(b"\n")
                if not found:
                    continue
                self._first = line
                if line.isdigit():
                    self._pid = int(line)
                    self._started.set()
            if self._output is not None:
                self._output.write(data)
            elif where == STDOUT:
                self._stdout += data
            else:
                self._stderr += data

    async def _feed(self, data: bytes) -> None:
        try:
            for start in range(0, len(data), _CHUNK):
                await self._stream.write(data[start : start + _CHUNK])
        except BrokenPipeError:
            return  # it need not read what it is given
        self._stream.write_eof()

    async def _kill(self) -> None:
        """Kill the process and its session, and take what they had still written."""
        try:
            async with asyncio.timeout(_KILL):
                gathering = asyncio.create_task(self._gather())
                try:
                    starting = asyncio.create_task(self._started.wait())
                    await asyncio.wait([starting, gathering], return_when=asyncio.FIRST_COMPLETED)
                    starting.cancel()
                    if self._pid:
                        await self._control.run(procfs.kill_all(procfs.Ids(self._pid, self._pid)))
                    await asyncio.wait([gathering], timeout=_DRAIN)
                finally:
                    gathering.cancel()
                    await asyncio.gather(gathering, return_exceptions=True)
        except TimeoutError:
            raise SandboxLost(f"process {self._pid} could not be killed in {_KILL:g} s") from None


async def uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Finish `work`, which must be short, and only then give way to a cancellation."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
    if cancelled is not None:
        task.exception()  # seen; the cancellation goes first
        raise cancelled
    task.result()
