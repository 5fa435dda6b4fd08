"""The host driver: processes right on this machine, without any isolation.

A command of the agent can read, change and delete whatever the user who runs Velora can; the
network cannot be cut off and no limit is enforced. It is for the demo, for tests and for
machines that are themselves thrown away.

Every process started leads a session of its own; `stop` kills all the sessions. Only a process
that makes itself a new session (`setsid`) is out of its reach. The environment is not handed on
whole, for it may hold keys: only the variables in `INHERITED` are.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import secrets
import tarfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, TypeVar

from velora.errors import SandboxFailed, SandboxLost
from velora.sandbox import execute
from velora.sandbox.controlled import Controlled
from velora.sandbox.process import LocalStream, kill_sessions
from velora.sandbox.protocol import Change, ExecResult, SandboxSpec

T = TypeVar("T")

INHERITED = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER")


class HostSandbox(Controlled):
    """A directory of this machine as a sandbox; see `velora.sandbox.protocol.Sandbox`."""

    backend = "host"

    def __init__(self, spec: SandboxSpec) -> None:
        """`spec.workdir` is where processes start; it is made if it is not there."""
        self.id = f"host-{secrets.token_hex(6)}"
        self._spec = spec
        super().__init__(self._open)
        self._sessions: set[int] = set()
        self._threads: ThreadPoolExecutor | None = None
        self._stopped = False

    async def start(self) -> None:
        """See `Sandbox.start`."""
        if self._spec.image:
            raise SandboxFailed(
                f"the host sandbox runs on the machine's own files, not on {self._spec.image!r}; "
                "use docker or bubblewrap for an image"
            )
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="velora-host")
        try:
            await self._blocking(lambda: self._workdir.mkdir(parents=True, exist_ok=True))
        except OSError as error:
            raise SandboxFailed(f"the working directory cannot be made: {error}") from error

    async def stop(self) -> None:
        """See `Sandbox.stop`."""
        self._stopped = True
        for shell in self._shells:
            await shell.close()
        await self._control.close()
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.get_running_loop().run_in_executor(
                threads, kill_sessions, frozenset(self._sessions)
            )
            threads.shutdown(wait=False)

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
        output: BinaryIO | None = None,
    ) -> ExecResult:
        """See `Sandbox.exec`; a program that is not there ends with 127, one that may not be
        run with 126; a missing `cwd` is `FileNotFoundError`.
        """
        where = cwd or str(self._workdir)
        if not await self._blocking(lambda: Path(where).is_dir()):
            raise FileNotFoundError(errno.ENOENT, "no such directory", where)
        try:
            stream = await self._start(argv, where, env or {}, merge=output is not None)
        except (FileNotFoundError, PermissionError) as error:
            code = 127 if isinstance(error, FileNotFoundError) else 126
            return ExecResult(code, b"", f"{argv[0]}: {error.strerror}\n".encode())
        return await execute.run(stream, stdin=stdin, timeout=timeout, output=output)

    async def changes(self) -> list[Change] | None:
        """None: there is no image to compare with."""
        return None

    async def export(self, path: str, *, original: bool = False) -> bytes | None:
        """See `Sandbox.export`; there are no originals."""
        if original:
            return None
        return await self._blocking(lambda: _tar(Path(path)))

    def local(self, path: str) -> Path | None:
        """The path itself."""
        return Path(path)

    @property
    def _workdir(self) -> Path:
        return Path(self._spec.workdir or "/")

    async def _open(
        self, argv: Sequence[str], *, tty: bool, cwd: str, env: Mapping[str, str]
    ) -> LocalStream:
        return await self._start(argv, cwd, env, tty=tty)

    async def _start(
        self,
        argv: Sequence[str],
        cwd: str,
        env: Mapping[str, str],
        *,
        tty: bool = False,
        merge: bool = False,
    ) -> LocalStream:
        if self._stopped or self._threads is None:
            raise SandboxLost("the sandbox is not running")
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        stream = await LocalStream.start(
            argv, tty=tty, merge=merge, cwd=cwd, env={**inherited, **self._spec.env, **env}
        )
        self._sessions.add(stream.pid)
        return stream

    async def _blocking(self, work: Callable[[], T]) -> T:
        if self._threads is None:
            raise SandboxLost("the sandbox is not running")
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _tar(path: Path) -> bytes:
    if not path.is_symlink() and not path.exists():
        raise FileNotFoundError(path)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(path, arcname=path.name or ".")
    return buffer.getvalue()
