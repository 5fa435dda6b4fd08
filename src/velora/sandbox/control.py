"""The standing control channel: one POSIX `sh` without a terminal that runs Velora's own scripts.

Each script is handed over as one quoted word to `eval` in a subshell, so that a syntax error, an
`exit` or a `cd` in it stays in it. What it prints is framed on both streams by a nonce that is
new for each call; the closing frame on standard output carries the exit status. Nothing is ever
left on the channel for a child to read, because a shell may read ahead: data travels inside the
script as `printf` words.

A channel whose script ran into its time limit, or whose caller went away, is not used again: a
new one is opened and the old one's processes are killed through it. One that ended (an agent's
`pkill sh` hits it too) is opened again and the script is run once more, so a script must bear
being run twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Protocol

from velora.errors import SandboxLost
from velora.sandbox import files, procfs
from velora.sandbox.protocol import ExecResult, ExecTimeout
from velora.sandbox.source import encode, quote
from velora.sandbox.stream import STDOUT, Stream

_AT_ONCE = 4096  # bytes that fit into an idle pipe
_CLOSING = re.compile(rb"(\d+)\.\Z")
_KILL_TIMEOUT = 10.0  # s


class OpenStream(Protocol):
    """What a driver gives to `Control` and to `PersistentShell`: start a process in the sandbox.

    All processes started through it must see the same files and the same `/proc`.
    """

    async def __call__(
        self, argv: Sequence[str], *, tty: bool, cwd: str, env: Mapping[str, str]
    ) -> Stream:
        """Start `argv` as the sandbox's user.

        Args:
            argv: program and arguments.
            tty: on a PTY, as wide as `process.COLUMNS`; else with stdout and stderr apart.
            cwd: an absolute directory in the sandbox.
            env: added to the sandbox's environment.

        Raises:
            SandboxLost: the sandbox is gone; the text should say why where the driver knows.
        """
        ...


class Control:
    """Runs scripts over one standing `sh`, one at a time; about a millisecond each.

    A driver makes one for each sandbox, with its own `OpenStream`, answers `Sandbox.script`,
    `read_file` and `write_file` with it, and passes it on to `PersistentShell.open`. The channel
    is opened by the first call.
    """

    def __init__(self, open_stream: OpenStream, *, program: str = "/bin/sh") -> None:
        """Use `program`, a POSIX shell that reads its script from standard input."""
        self._open_stream = open_stream
        self._program = program
        self._lock = asyncio.Lock()
        self._channel: _Channel | None = None
        self._abandoned: list[procfs.Ids] = []
        self._closed = False

    async def run(self, source: str | bytes, timeout: float = 60.0) -> ExecResult:
        """Run a script in a subshell, in `/`, with stdin from /dev/null and `LC_ALL=C`.

        Args:
            source: any length, any bytes but NUL.
            timeout: seconds, from when the channel is free.

        Raises:
            ExecTimeout: the script was killed with all that it started.
            SandboxLost: the sandbox is gone.
            ValueError: a NUL byte in the script.
        """
        script = encode(source) if isinstance(source, str) else source
        if b"\0" in script:
            raise ValueError("a shell script cannot hold NUL bytes")
        async with self._lock:
            return await self._run(script, timeout)

    async def read_file(
        self, path: str, *, limit: int | None = None, timeout: float = 120.0
    ) -> bytes:
        """See `Sandbox.read_file`."""
        result = await self.run(files.read_script(path, limit), timeout)
        return files.read_result(path, limit, result)

    async def write_file(self, path: str, data: bytes, *, timeout: float = 120.0) -> None:
        """See `Sandbox.write_file`."""
        async with self._lock:  # nobody may see or change the half of it
            for script in files.write_scripts(path, data):
                files.check(path, await self._run(script, timeout))

    async def close(self) -> None:
        """Let go of the channel; the sandbox's end takes what still runs on it."""
        self._closed = True
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.stream.close()

    async def _run(self, script: bytes, timeout: float) -> ExecResult:
        for last in (False, True):
            channel = self._channel or await self._open()
            try:
                async with asyncio.timeout(timeout):
                    return await channel.run(script)
            except TimeoutError:
                await self._replace(channel)
                raise ExecTimeout(timeout, channel.stdout, channel.stderr) from None
            except (EOFError, BrokenPipeError):
                await self._discard(channel)
                if last:
                    raise SandboxLost(await _epitaph(channel)) from None
            except BaseException:
                await self._discard(channel)
                raise
        raise AssertionError("unreachable")

    async def _open(self) -> _Channel:
        if self._closed:
            raise SandboxLost("the sandbox has been stopped")
        stream = await self._open_stream(
            [self._program], tty=False, cwd="/", env={"LC_ALL": "C", "ENV": "", "PS4": "+ "}
        )
        channel = _Channel(stream)
        try:
            async with asyncio.timeout(_KILL_TIMEOUT):
                seen = await channel.run(b"{ read -r l </proc/$$/stat; } 2>/dev/null; echo $$ $l")
                pid, _, stat = seen.stdout.decode(errors="replace").strip().partition(" ")
                channel.ids = procfs.ids(stat) if stat else procfs.Ids(int(pid))
                while self._abandoned:
                    await channel.run(encode(procfs.kill_all(self._abandoned[-1])))
                    self._abandoned.pop()
        except (EOFError, BrokenPipeError):
            await stream.close()
            raise SandboxLost(await _epitaph(channel)) from None
        except TimeoutError:
            await stream.close()
            raise SandboxLost(f"{self._program} does not answer in the sandbox") from None
        except BaseException:
            await stream.close()
            raise
        self._channel = channel
        return channel

    async def _replace(self, channel: _Channel) -> None:
        """Kill what runs on a channel, through a new one."""
        await self._discard(channel)
        await self._open()

    async def _discard(self, channel: _Channel) -> None:
        self._channel = None
        if channel.ids is not None:
            self._abandoned.append(channel.ids)
        await channel.stream.close()


class _Channel:
    """One `sh` and the framing of what it prints."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.ids: procfs.Ids | None = None
        self.stdout = b""
        self.stderr = b""

    async def run(self, script: bytes) -> ExecResult:
        """Run one script; `stdout` and `stderr` hold what there is if this does not return."""
        nonce = secrets.token_hex(16).encode()
        begin, end = b"<%s>" % nonce, b"</%s>" % nonce
        text = (
            b"printf '<%%s>' %s; printf '<%%s>' %s >&2; (eval %s) </dev/null; "
            b"printf '</%%s>%%s.' %s $?; printf '</%%s>' %s >&2\n"
        ) % (nonce, nonce, quote(script), nonce, nonce)
        if len(text) <= _AT_ONCE:
            await self.stream.write(text)
            return await self._read(begin, end)
        # The shell may print while it still reads: neither side may wait for the other.
        writing = asyncio.create_task(self._write(text))
        try:
            return await self._read(begin, end)
        finally:
            writing.cancel()
            await asyncio.wait([writing])

    async def _write(self, text: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, SandboxLost):  # the reader says so
            await self.stream.write(text)

    async def _read(self, begin: bytes, end: bytes) -> ExecResult:
        out, err = bytearray(), bytearray()
        status: int | None = None
        stop: int | None = None
        try:
            while status is None or not err.endswith(end):
                where, data = await self.stream.read()
                if not data:
                    raise EOFError
                if where != STDOUT:
                    err += data
                    continue
                out += data
                found = _CLOSING.search(out, max(0, len(out) - len(end) - 8))
                if found and out.endswith(end, 0, found.start()):
                    status, stop = int(found[1]), found.start() - len(end)
        finally:
            self.stdout = bytes(out[:stop]).partition(begin)[2]
            self.stderr = bytes(err).partition(begin)[2].removesuffix(end)
        return ExecResult(status, self.stdout, self.stderr)


async def _epitaph(channel: _Channel) -> str:
    code = await channel.stream.exit_code()
    words = channel.stderr.decode(errors="replace").strip()
    ended = "the sandbox's control shell ended" + (f" with status {code}" if code else "")
    return f"{ended}: {words}" if words else ended
