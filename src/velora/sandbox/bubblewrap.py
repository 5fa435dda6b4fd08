"""The bubblewrap driver: no engine, no root and no image needed.

The machine's root, or an unpacked image, is mounted read-only; writable are the working directory,
/tmp, /var/tmp and an empty home, all private directories of this machine. One `bwrap` holds the
sandbox open as the keeper does in a container; each further process is a `bwrap` of its own that
joins the first one's user and process namespaces and mounts the same directories, so that all see
each other and die together. A process's loopback device is its own where there is no network.

Limits of memory, CPU and processes are not enforced: that needs cgroups, which need root.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import sys
import tempfile
import termios
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from velora.errors import SandboxFailed, SandboxLost
from velora.sandbox.contained import uninterrupted
from velora.sandbox.controlled import Contained
from velora.sandbox.mounts import Mounts, sweep
from velora.sandbox.process import COLUMNS, ROWS, LocalStream
from velora.sandbox.protocol import Change, SandboxSpec
from velora.sandbox.stream import STDOUT
from velora.sandbox.tree import pack

T = TypeVar("T")

# It answers each line with an empty one: the sandbox lives.
_KEEPER = b"echo kept; while read -r _; do echo; done; exit\n"
# With --pidns, bwrap forks through a parent that exits, and --die-with-parent then kills the child
# now and then. The processes that join end with the first one's namespace anyway.
_ALONE = ("--unshare-user", "--unshare-pid", "--die-with-parent")
_ALWAYS = (
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--new-session",
    "--cap-drop",
    "ALL",
)
_NS_GET_USERNS = 0xB701  # linux/nsfs.h: the user namespace that owns a namespace
_START_TIMEOUT = 30.0
_ENDED = "the sandbox has ended: its first process was killed"

# bwrap takes namespaces as descriptors; the shell opens them for it from this process's table.
_JOIN = 'exec "$@" 3<"/proc/{pid}/fd/{user}" 4<"/proc/{pid}/fd/{inner}" 5<"/proc/{pid}/fd/{pids}"'

# bwrap shows the PTY as /dev/console; the new session's leader takes it as its terminal.
_ON_TERMINAL = ("/bin/sh", "-c", 'exec "$@" <>/dev/console >&0 2>&1', "sh")


class BubblewrapSandbox(Contained):
    """Processes in namespaces of their own; see `velora.sandbox.protocol.Sandbox`.

    Attributes:
        facts: what it does not do.
    """

    backend = "bubblewrap"

    def __init__(self, spec: SandboxSpec) -> None:
        """`spec.image` is a directory with an unpacked image, or "" for the machine's own root.
        On the machine's root `spec.workdir` is made writable itself; of an image's, a copy is."""
        self.id = f"bubblewrap-{secrets.token_hex(6)}"
        self.facts: dict[str, Any] = {"limits_not_enforced": ["memory", "cpus", "pids"]}
        self._spec = spec
        super().__init__(self.open_stream, self.open_stream)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="velora-bubblewrap")
        self._mounts: Mounts | None = None
        self._keeper: LocalStream | None = None
        self._streams: list[_Joined] = []
        self._namespaces: list[int] = []
        self._stopped = False
        self._ended = asyncio.Event()
        self._asking = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """See `Sandbox.start`."""
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                await self._start()
        except BaseException as error:
            await self.stop()
            if isinstance(error, TimeoutError):
                raise SandboxFailed(f"bwrap did not start within {_START_TIMEOUT:g} s") from None
            if isinstance(error, OSError):
                raise SandboxFailed(f"bubblewrap: {error}") from error
            raise

    async def _start(self) -> None:
        program = shutil.which("bwrap")
        if program is None:
            raise SandboxFailed("bwrap is not installed; `apt-get install bubblewrap`")
        self._mounts = await self._blocking(lambda: Mounts.make(self._spec))
        read, write = os.pipe()
        try:
            argv = [program, "--info-fd", "3", *_ALONE, *self._common(), "--chdir", "/"]
            argv += ["--", "/bin/sh"]
            # The descriptor's number is only known here, and LocalStream hands none on.
            words = ["/bin/sh", "-c", f'exec "$@" 3>"/proc/{os.getpid()}/fd/{write}"', "sh", *argv]
            self._keeper = keeper = await LocalStream.start(words, cwd="/", env=self._env({}))
            await keeper.write(_KEEPER)
            said = b""
            while b"kept\n" not in said:
                where, data = await keeper.read()
                if not where:
                    words_of_bwrap = said.decode(errors="replace").strip()
                    raise SandboxFailed(f"bubblewrap cannot start: {words_of_bwrap}")
                said += data
            child = _child(os.read(read, 65536))
        finally:
            os.close(read)
            os.close(write)
        self._watch = asyncio.create_task(self._watched(keeper))
        pids = os.open(f"/proc/{child}/ns/pid", os.O_RDONLY)
        self._namespaces.append(pids)
        # Where the caller is not root, bwrap ends in a second user namespace inside the first,
        # and only the first has the say over the process namespace.
        self._namespaces.append(fcntl.ioctl(pids, _NS_GET_USERNS))
        self._namespaces.append(os.open(f"/proc/{child}/ns/user", os.O_RDONLY))

    async def _watched(self, keeper: LocalStream) -> None:
        await keeper.exit_code()
        self._ended.set()

    def _common(self) -> list[str]:
        assert self._mounts is not None
        network = () if self._spec.network else ("--unshare-net",)
        return [*_ALWAYS, *network, *self._mounts.arguments()]

    def _env(self, more: Mapping[str, str]) -> dict[str, str]:
        assert self._mounts is not None
        return {**self._mounts.environment(), **self._spec.env, **more}

    async def stop(self) -> None:
        """See `Sandbox.stop`."""
        if not self._stopped:
            self._stopped = True
            await uninterrupted(self._stop())

    async def _stop(self) -> None:
        if self._keeper is not None:
            self._keeper.kill()  # and with its first process all of the namespace
            await self._keeper.close()
        if self._watch is not None:
            await self._watch
        for shell in self._shells:
            await shell.close()
        await self._control.close()
        for stream in self._streams:
            await stream.close()
        for descriptor in self._namespaces:
            os.close(descriptor)
        self._namespaces.clear()
        mounts = self._mounts
        if mounts is not None:
            await asyncio.get_running_loop().run_in_executor(self._threads, mounts.remove)
        self._threads.shutdown(wait=False)

    async def changes(self) -> list[Change] | None:
        """None: there is no engine that would know."""
        return None

    async def export(self, path: str, *, original: bool = False) -> bytes | None:
        """See `Sandbox.export`; originals there are only of an unpacked image."""
        if self._mounts is None or self._stopped:
            raise SandboxLost("the sandbox is not running")
        found = self._mounts.original(path) if original else self._mounts.local(path)
        return None if found is None else await self._blocking(lambda: pack(found))

    def local(self, path: str) -> Path | None:
        """See `Sandbox.local`: what is writable in the sandbox lies on this machine."""
        return None if self._mounts is None else self._mounts.local(path)

    async def open_stream(
        self, argv: Sequence[str], *, tty: bool, cwd: str, env: Mapping[str, str]
    ) -> _Joined:
        """See `control.OpenStream`; "" for `cwd` is the working directory."""
        self._check()
        assert self._mounts is not None
        pids, user, inner = self._namespaces
        nested = os.fstat(user).st_ino != os.fstat(inner).st_ino
        joined = [
            "/bin/sh",
            "-c",
            _JOIN.format(pid=os.getpid(), user=user, inner=inner, pids=pids),
            "sh",
            "bwrap",
            *("--userns", "3", *(("--userns2", "4") if nested else ()), "--pidns", "5"),
            *self._common(),
            *("--chdir", cwd or self._mounts.workdir),
            "--",
            *(_ON_TERMINAL if tty else ()),
            *argv,
        ]
        if tty:
            inside = await _on_terminal(joined, self._env(env))
        else:
            inside = await LocalStream.start(joined, cwd="/", env=self._env(env))
        self._streams = [stream for stream in self._streams if not stream.closed]
        self._streams.append(_Joined(inside, self._lost))
        return self._streams[-1]

    def _check(self) -> None:
        if self._stopped or self._keeper is None:
            raise SandboxLost("the sandbox is not running")
        if self._ended.is_set():
            raise SandboxLost(_ENDED)

    async def _lost(self) -> bool:
        """What kills everything in the sandbox kills the keeper too, which then answers no more."""
        if self._stopped or self._keeper is None or self._ended.is_set():
            return True
        async with self._asking:
            where = 0
            with contextlib.suppress(BrokenPipeError):
                await self._keeper.write(b"\n")
                where, _ = await self._keeper.read()
            if not where:
                self._ended.set()
            return not where

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


class _Joined:
    """A `Stream` that tells its own end from the sandbox's."""

    def __init__(self, inside: LocalStream, lost: Callable[[], Awaitable[bool]]) -> None:
        self._inside = inside
        self._lost = lost
        self.closed = False

    async def read(self) -> tuple[int, bytes]:
        where, data = await self._inside.read()
        if not where:
            # SIGKILL may have been meant for all; bwrap fails where there is nothing left to join.
            failed = self.closed or await self._inside.exit_code() != 0
            if failed and await self._lost():
                raise SandboxLost(_ENDED)
        return where, data

    async def write(self, data: bytes) -> None:
        await self._inside.write(data)

    def write_eof(self) -> None:
        self._inside.write_eof()

    async def exit_code(self) -> int | None:
        return await self._inside.exit_code()

    async def close(self) -> None:
        self.closed = True
        await self._inside.close()


async def _on_terminal(argv: Sequence[str], env: Mapping[str, str]) -> LocalStream:
    """Start on a PTY, but leave it to a process inside to take it as its terminal."""
    master, slave = os.openpty()
    try:
        termios.tcsetwinsize(slave, (ROWS, COLUMNS))
        attributes = termios.tcgetattr(slave)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=slave, stdout=slave, stderr=slave, cwd="/", env=env, start_new_session=True
        )
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    os.set_blocking(master, False)
    return LocalStream(process, master, {master: STDOUT}, True)


def _child(info: bytes) -> int:
    """The first process's pid as this machine sees it."""
    return int(json.loads(info)["child-pid"])


async def usable() -> str:
    """ "" where bubblewrap works here; else why not."""
    program = shutil.which("bwrap")
    if program is None:
        return "bwrap is not installed; `apt-get install bubblewrap`"
    if sys.platform != "linux":
        return "bubblewrap is for Linux"
    await asyncio.to_thread(sweep)
    with tempfile.TemporaryDirectory(prefix="velora-") as directory:
        sandbox = BubblewrapSandbox(SandboxSpec("", workdir=directory))
        try:
            await sandbox.start()
            await sandbox.script(":")
        except (SandboxFailed, SandboxLost) as error:
            return str(error)
        finally:
            await sandbox.stop()
    return ""
