"""What the drivers share: everything that goes through the standing control channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from velora.sandbox import contained
from velora.sandbox.control import Control, OpenStream
from velora.sandbox.protocol import ExecResult
from velora.sandbox.shell import PersistentShell


class Controlled:
    """The part of a `Sandbox` that needs nothing of its driver but streams."""

    def __init__(self, open_stream: OpenStream) -> None:
        """Nothing is opened before it is used."""
        self._opened_by = open_stream
        self._control = Control(open_stream)
        self._shells: list[PersistentShell] = []

    async def script(self, source: str, *, timeout: float = 60.0) -> ExecResult:
        """See `Sandbox.script`."""
        return await self._control.run(source, timeout)

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """See `Sandbox.read_file`."""
        return await self._control.read_file(path, limit=limit)

    async def write_file(self, path: str, data: bytes) -> None:
        """See `Sandbox.write_file`."""
        await self._control.write_file(path, data)

    async def shell(
        self,
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        max_output: int = 30_000,
        spill_dir: Path | None = None,
        program: Sequence[str] = (),
    ) -> PersistentShell:
        """See `Sandbox.shell`; `program` is as in `PersistentShell.open`."""
        shell = await PersistentShell.open(
            self._control,
            self._opened_by,
            cwd=cwd,
            env=env,
            max_output=max_output,
            spill_dir=spill_dir,
            program=program,
        )
        self._shells.append(shell)
        return shell


class Contained(Controlled):
    """A `Controlled` whose processes run in namespaces of their own, out of a signal's reach."""

    def __init__(self, open_stream: OpenStream, exec_stream: OpenStream) -> None:
        """`exec_stream` opens what `exec` runs; its streams can end their input by themselves."""
        super().__init__(open_stream)
        self._executed_by = exec_stream

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
        """See `Sandbox.exec`; a program that is not there ends with 127, a missing `cwd` is
        `FileNotFoundError`."""
        return await contained.run(
            self._executed_by,
            self._control,
            argv,
            cwd=cwd,
            env=env,
            stdin=stdin,
            timeout=timeout,
            output=output,
        )
