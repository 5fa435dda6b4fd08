"""A sandbox in memory, for tests of what uses one: files in a dictionary, answers given before.

    sandbox = FakeSandbox(files={"/work/a.py": b"x = 1\\n"})
    sandbox.on_shell("ls", "a.py\\n")
    sandbox.on_exec(["git", "status"], ExecResult(0, b"clean\\n", b""))

Nothing is run. A command without an answer raises `LookupError` with the known ones, so a test
fails where it should.
"""

from __future__ import annotations

import errno
import io
import os
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

from velora.errors import SandboxLost
from velora.sandbox.protocol import Change, ExecResult, SandboxSpec, ShellBusy, ShellOutput

K = TypeVar("K")
A = TypeVar("A")

ShellAnswer = str | ShellOutput | Callable[[str], ShellOutput]
ExecAnswer = ExecResult | Callable[[Sequence[str]], ExecResult]


class FakeSandbox:
    """See `velora.sandbox.protocol.Sandbox`.

    Attributes:
        files: absolute path to content; directories are where files lie below them.
        started, stopped: `start` and `stop` were called.
        shells: the shells opened so far.
        executed: argument vectors given to `exec`, in order.
        scripts: sources given to `script`, in order.
        changed: what `changes` answers.
        originals: what `export(original=True)` reads; the files at construction.
    """

    backend = "fake"

    def __init__(
        self, spec: SandboxSpec | None = None, *, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Hold these files."""
        self.id = "fake"
        self.spec = spec or SandboxSpec("")
        self.files: dict[str, bytes] = dict(files or {})
        self.originals = dict(self.files)
        self.started = False
        self.stopped = False
        self.shells: list[FakeShell] = []
        self.executed: list[list[str]] = []
        self.scripts: list[str] = []
        self.changed: list[Change] | None = None
        self._lost = ""
        self._shell_answers: dict[str, list[ShellAnswer]] = {}
        self._exec_answers: dict[tuple[str, ...], list[ExecAnswer]] = {}
        self._script_answers: dict[str, list[ExecResult]] = {}

    def on_shell(self, command: str, *answers: ShellAnswer) -> None:
        """Answer a shell command, or an input of that text, with each answer in turn; the last
        one stays. A string is the output of a command that ends with status 0.
        """
        self._shell_answers[command] = list(answers)

    def on_exec(self, argv: Sequence[str], *answers: ExecAnswer) -> None:
        """Answer `exec` of exactly these words, with each answer in turn; the last one stays."""
        self._exec_answers[tuple(argv)] = list(answers)

    def on_script(self, source: str, *answers: ExecResult) -> None:
        """Answer `script` of exactly this source, with each answer in turn; the last one stays."""
        self._script_answers[source] = list(answers)

    def lose(self, reason: str = "the container was killed") -> None:
        """From now on every call raises `SandboxLost`."""
        self._lost = reason

    async def start(self) -> None:
        """See `Sandbox.start`."""
        self.check()
        self.started = True

    async def stop(self) -> None:
        """See `Sandbox.stop`."""
        self.stopped = True

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
        """See `Sandbox.exec`."""
        self.check()
        self.executed.append(list(argv))
        answer = _next(self._exec_answers, tuple(argv))
        result = answer if isinstance(answer, ExecResult) else answer(argv)
        if output is None:
            return result
        output.write(result.stdout + result.stderr)
        return ExecResult(result.exit_code, b"", b"")

    async def script(self, source: str, *, timeout: float = 60.0) -> ExecResult:
        """See `Sandbox.script`."""
        self.check()
        self.scripts.append(source)
        return _next(self._script_answers, source)

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """See `Sandbox.read_file`."""
        self.check()
        if self._is_directory(path):
            raise _error(errno.EISDIR, path)
        self._check_parents(path)
        if path not in self.files:
            raise _error(errno.ENOENT, path)
        data = self.files[path]
        if limit is not None and len(data) > limit:
            raise _error(errno.EFBIG, path)
        return data

    async def write_file(self, path: str, data: bytes) -> None:
        """See `Sandbox.write_file`."""
        self.check()
        if self._is_directory(path):
            raise _error(errno.EISDIR, path)
        self._check_parents(path)
        self.files[path] = data

    async def shell(
        self,
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        max_output: int = 30_000,
        spill_dir: Path | None = None,
    ) -> FakeShell:
        """See `Sandbox.shell`; outputs are not cut."""
        self.check()
        shell = FakeShell(self, cwd)
        self.shells.append(shell)
        return shell

    async def changes(self) -> list[Change] | None:
        """See `Sandbox.changes`."""
        self.check()
        return self.changed

    async def export(self, path: str, *, original: bool = False) -> bytes | None:
        """See `Sandbox.export`."""
        self.check()
        files = self.originals if original else self.files
        top = PurePosixPath(path)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, data in sorted(files.items()):
                if not PurePosixPath(name).is_relative_to(top):
                    continue
                member = tarfile.TarInfo(str(PurePosixPath(name).relative_to(top.parent)))
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            if not archive.getmembers():
                raise _error(errno.ENOENT, path)
        return buffer.getvalue()

    def local(self, path: str) -> Path | None:
        """None: the files are in memory."""
        return None

    def check(self) -> None:
        """Raise `SandboxLost` after `lose`."""
        if self._lost:
            raise SandboxLost(self._lost)

    def answer(self, command: str, cwd: str) -> ShellOutput:
        """What a shell says to a command or an input."""
        answer = _next(self._shell_answers, command)
        if isinstance(answer, str):
            return ShellOutput(answer, 0, cwd)
        return answer if isinstance(answer, ShellOutput) else answer(command)

    def _is_directory(self, path: str) -> bool:
        below = path.rstrip("/") + "/"
        return any(name.startswith(below) for name in self.files)

    def _check_parents(self, path: str) -> None:
        for parent in PurePosixPath(path).parents:
            if str(parent) in self.files:
                raise _error(errno.ENOTDIR, path)


class FakeShell:
    """See `velora.sandbox.protocol.Shell`. It answers at once, as its sandbox was told.

    Attributes:
        commands: what was given to `run`, in order.
        inputs: what was given to `send`, in order.
        closed: `close` was called.
    """

    def __init__(self, sandbox: FakeSandbox, cwd: str) -> None:
        """Use `FakeSandbox.shell`."""
        self.commands: list[str] = []
        self.inputs: list[str] = []
        self.closed = False
        self._sandbox = sandbox
        self._cwd = cwd
        self._busy = False

    @property
    def busy(self) -> bool:
        """The last answer had `running` set."""
        return self._busy

    @property
    def cwd(self) -> str:
        """The last answer's."""
        return self._cwd

    async def run(
        self, command: str, *, no_change_timeout: float | None, timeout: float | None
    ) -> ShellOutput:
        """See `Shell.run`."""
        self._sandbox.check()
        if self._busy:
            raise ShellBusy("the previous command still runs")
        self.commands.append(command)
        return self._take(command)

    async def send(
        self, text: str, *, no_change_timeout: float | None, timeout: float | None
    ) -> ShellOutput:
        """See `Shell.send`."""
        self._sandbox.check()
        self.inputs.append(text)
        return self._take(text)

    async def close(self) -> None:
        """See `Shell.close`."""
        self.closed = True

    def _take(self, command: str) -> ShellOutput:
        output = self._sandbox.answer(command, self._cwd)
        if not output.cwd:
            output = replace(output, cwd=self._cwd)
        self._busy, self._cwd = output.running, output.cwd
        return output


def _next(answers: dict[K, list[A]], key: K) -> A:
    if not answers.get(key):
        raise LookupError(f"the fake sandbox has no answer to {key!r}; it has: {list(answers)}")
    queue = answers[key]
    return queue.pop(0) if len(queue) > 1 else queue[0]


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
