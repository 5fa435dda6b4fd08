"""A process on this machine as a `Stream`, over three pipes or on a PTY.

Each process leads a session of its own, so that everything it started can be found again and
killed. The descriptors are read and written without a thread: the event loop is asked to watch
them only while someone waits. Linux only (`/proc`, and how a session leader gets its terminal).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from velora.sandbox.stream import STDERR, STDOUT

CHUNK = 65536
COLUMNS = 200
ROWS = 50
_DRAIN = 0.2  # s; what a dead process wrote to its PTY gets to the other end a little later
_GRACE = 0.3  # s that a closed process has to end by itself

# A session leader without a terminal gets the first one that it opens.
_TAKE_TERMINAL = 'exec "$@" <>"$0" >&0 2>&1'


class LocalStream:
    """A started process; see `velora.sandbox.stream.Stream`.

    `read` reports the end when the process itself has ended: a child of it that still holds the
    pipe or the terminal does not keep the stream open.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, stdin: int, sources: dict[int, int], tty: bool
    ) -> None:
        self._process = process
        self._stdin: int | None = stdin
        self._sources = sources
        self._tty = tty
        self._exit = asyncio.create_task(process.wait())
        self._closed = False

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        tty: bool = False,
        merge: bool = False,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> LocalStream:
        """Start `argv` in a session of its own.

        Args:
            argv: program and arguments.
            tty: on a PTY of `COLUMNS` by `ROWS` that does not echo; else on three pipes.
            merge: without a PTY: stderr goes where stdout does, so that their order is kept.
            cwd: working directory; None is this process's.
            env: the whole environment; None is this process's.

        Raises:
            OSError: the program or the directory is not there or not allowed.
        """
        if tty:
            master, slave = os.openpty()
            _prepare(slave)
            argv = ["/bin/sh", "-c", _TAKE_TERMINAL, os.ttyname(slave), *argv]
            ours, theirs, sources = [master], [slave, slave, slave], {master: STDOUT}
        else:
            (in_r, in_w), (out_r, out_w), (err_r, err_w) = os.pipe(), os.pipe(), os.pipe()
            ours, theirs = [in_w, out_r, err_r], [in_r, out_w, err_w]
            sources = {out_r: STDOUT, err_r: STDERR}
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=theirs[0],
                stdout=theirs[1],
                stderr=theirs[1 if merge else 2],
                cwd=cwd,
                env=env,
                start_new_session=True,
            )
        except BaseException:
            for fd in ours:
                os.close(fd)
            raise
        finally:
            for fd in set(theirs):
                os.close(fd)
        for fd in ours:
            os.set_blocking(fd, False)
        return cls(process, ours[0], sources, tty)

    @property
    def pid(self) -> int:
        """The process's id, which is also its session's and its process group's."""
        return self._process.pid

    async def read(self) -> tuple[int, bytes]:
        """See `Stream.read`."""
        quiet = False
        while not self._closed:
            ended = self._exit.done()
            for fd, where in list(self._sources.items()):
                try:
                    data = os.read(fd, CHUNK)
                except BlockingIOError:
                    continue
                except OSError as error:
                    if error.errno != errno.EIO:  # a PTY whose other end is closed
                        raise
                    data = b""
                if data:
                    if len(self._sources) > 1:  # the other one is first next time
                        self._sources[fd] = self._sources.pop(fd)
                    return where, data
                self._drop(fd)
            if not self._sources:
                await asyncio.shield(self._exit)
                break
            if ended and (quiet or not self._tty):
                break
            quiet = ended
            await self._wait(self._sources, asyncio.get_running_loop().add_reader, ended)
        return 0, b""

    async def write(self, data: bytes) -> None:
        """See `Stream.write`."""
        view = memoryview(data)
        while view:
            if self._stdin is None or self._exit.done():
                raise BrokenPipeError(errno.EPIPE, "the process no longer reads")
            try:
                view = view[os.write(self._stdin, view) :]
            except BlockingIOError:
                await self._wait([self._stdin], asyncio.get_running_loop().add_writer, False)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                raise BrokenPipeError(errno.EPIPE, "the terminal is closed") from error

    def write_eof(self) -> None:
        """Close its standard input (pipes only)."""
        if self._stdin is not None and not self._tty:
            os.close(self._stdin)
            self._stdin = None

    async def exit_code(self) -> int:
        """Wait for the end; 128 + n for a signal."""
        code = await asyncio.shield(self._exit)
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        """SIGKILL the process, its group and all of its session."""
        if not self._exit.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        kill_sessions([self.pid])

    async def close(self) -> None:
        """See `Stream.close`; a process that does not end by itself is killed."""
        if not self._closed:
            self._closed = True
            self.write_eof()
            for fd in list(self._sources):
                self._drop(fd)
            self._stdin = None
        try:
            async with asyncio.timeout(_GRACE):
                await asyncio.shield(self._exit)
        except TimeoutError:
            self.kill()
        await asyncio.shield(self._exit)

    def _drop(self, fd: int) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(fd)
        if self._tty:
            loop.remove_writer(fd)
            self._stdin = None
        del self._sources[fd]
        os.close(fd)

    async def _wait(
        self,
        fds: Sequence[int] | dict[int, int],
        add: Callable[..., object],
        ended: bool,
    ) -> None:
        """Until a descriptor is ready or the process ends; not long if it has."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        remove = loop.remove_reader if add == loop.add_reader else loop.remove_writer
        watched = list(fds)

        def wake(_: object = None) -> None:
            if not ready.done():
                ready.set_result(None)

        for fd in watched:
            add(fd, wake)
        if not ended:
            self._exit.add_done_callback(wake)
        try:
            async with asyncio.timeout(_DRAIN if ended else None):
                await ready
        except TimeoutError:
            pass
        finally:
            self._exit.remove_done_callback(wake)
            if not self._closed:
                for fd in watched:
                    remove(fd)


def kill_sessions(sessions: Collection[int]) -> None:
    """SIGKILL every process of these sessions, as far as `/proc` shows them to us."""
    for _ in range(8):  # a process may fork while we look
        members = session_members(sessions)
        if not members:
            return
        for pid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def session_members(sessions: Collection[int]) -> list[int]:
    """The ids of the living processes of these sessions."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_bytes()
        except OSError:
            continue
        fields = stat[stat.rindex(b")") + 2 :].split()
        if int(fields[3]) in sessions and fields[0] not in (b"Z", b"X"):
            found.append(int(entry.name))
    return found


def _prepare(slave: int) -> None:
    """Give a new PTY its size and switch its echo off."""
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    attributes = termios.tcgetattr(slave)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
