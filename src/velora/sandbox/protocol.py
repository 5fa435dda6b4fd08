"""What a sandbox can do. Drivers (docker, bubblewrap, host, fake) implement it; one conformance
suite runs against them all.

A sandbox is a started container (or its nearest likeness) made from a task image, used as it is:
nothing is installed in it and no server runs in it. Every method raises `SandboxLost` as soon as
the sandbox is known to be gone, also in the middle of a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class ExecResult:
    """A finished process. `exit_code` is 128 + n where signal n ended it."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class ExecTimeout(Exception):
    """The process outlived its time limit and was killed with all its process group.

    Attributes:
        stdout, stderr: what it had written until then.
    """

    def __init__(self, seconds: float, stdout: bytes = b"", stderr: bytes = b"") -> None:
        super().__init__(f"timed out after {seconds:g} s")
        self.seconds = seconds
        self.stdout = stdout
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sandbox may use. Zero means no limit; sizes are in bytes."""

    memory: int = 8 * 1024**3
    cpus: float = 0.0
    pids: int = 4096


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """What to start.

    Attributes:
        image: an engine's image reference or id; for bubblewrap and host a directory to use as
            the root, or "" for the machine's own.
        network: False cuts the network off entirely.
        env: variables added to the image's own.
        labels: `velora.run`, `velora.instance`, `velora.attempt`, put on the container.
        user: "" is the image's.
        platform: as `linux/amd64`; "" is the image's.
        workdir: the directory that bubblewrap and host make writable; "" elsewhere.
    """

    image: str
    network: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    user: str = ""
    platform: str = ""
    workdir: str = ""


@dataclass(frozen=True, slots=True)
class ShellOutput:
    """What a shell has to say after a command, an input or a poll.

    Attributes:
        text: new output since the last call, decoded with replacement, `\\r\\n` made `\\n`; cut
            in the middle beyond the shell's cap.
        exit_code: of the finished command; None while it still runs.
        cwd: the shell's working directory.
        running: the command still runs (a soft timeout, or it waits for input).
        timed_out: "" or the limit that ended the wait: `no_change` or `hard`.
        dropped: bytes left out of `text` by the cap.
        spill: host file with the full output, where some was dropped.
        note: what happened to the shell itself: restarted, killed, why; "" as a rule.
        duration: seconds spent in this call.
    """

    text: str
    exit_code: int | None
    cwd: str
    running: bool = False
    timed_out: str = ""
    dropped: int = 0
    spill: Path | None = None
    note: str = ""
    duration: float = 0.0


class Shell(Protocol):
    """One persistent interactive shell on a PTY: bash, or `sh` where there is no bash.

    Variables, functions, the working directory and background jobs persist between commands.
    """

    async def run(
        self, command: str, *, no_change_timeout: float | None, timeout: float | None
    ) -> ShellOutput:
        """Run a command of any length and wait until it ends.

        Args:
            command: shell source, any bytes but NUL.
            no_change_timeout: seconds without new output after which the call returns with
                `running` set and the command left alone; None never.
            timeout: seconds after which the command's whole process group is killed; the shell
                survives, or is started anew in the same directory and `note` says so.

        Raises:
            ShellBusy: the previous command still runs.
            SandboxLost: the sandbox is gone.
        """
        ...

    async def send(
        self, text: str, *, no_change_timeout: float | None, timeout: float | None
    ) -> ShellOutput:
        """Give input to the running command and wait as `run` does.

        `C-c`, `C-d`, `C-z` (any `C-` and a letter) send that key; "" only waits for more output;
        anything else is typed with a newline at its end.
        """
        ...

    @property
    def busy(self) -> bool:
        """A command runs in the foreground."""
        ...

    @property
    def cwd(self) -> str:
        """The working directory after the last finished command."""
        ...

    async def close(self) -> None:
        """End the shell and everything in its session."""
        ...


class ShellBusy(Exception):
    """A new command was given while one still runs."""


class Sandbox(Protocol):
    """A started container.

    Attributes:
        backend: `docker`, `podman`, `bubblewrap`, `host` or `fake`.
        id: the engine's id of the container, or a made-up one.
    """

    backend: str
    id: str

    async def start(self) -> None:
        """Start it.

        Raises:
            SandboxFailed: with the engine's own words.
        """
        ...

    async def stop(self) -> None:
        """Remove it and all that runs in it, at once. May be called twice, or without `start`."""
        ...

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
        """Run one process of its own, without a terminal.

        Args:
            argv: program and arguments; no shell is involved.
            cwd: working directory; "" is the image's.
            env: variables added for this process.
            stdin: all of its standard input.
            timeout: seconds; None is no limit.
            output: a host file that gets stdout and stderr as they come, in order of arrival;
                the result's `stdout` and `stderr` are then empty.

        Raises:
            ExecTimeout: the limit passed; the process and its group are dead.
            SandboxLost: the sandbox is gone.
        """
        ...

    async def script(self, source: str, *, timeout: float = 60.0) -> ExecResult:
        """Run a short POSIX `sh` script of Velora's own through the standing channel.

        Costs about a millisecond where `exec` costs fifty. Runs in a subshell with stdin from
        /dev/null, as the container's user, in `/`. Not for commands of the model or the task.
        """
        ...

    async def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """The bytes of a file.

        Args:
            path: absolute.
            limit: bytes; a longer file raises `OSError` (`errno.EFBIG`) unread.

        Raises:
            FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError, OSError.
        """
        ...

    async def write_file(self, path: str, data: bytes) -> None:
        """Replace or create a file, making its parent directories; an existing file keeps its
        mode and owner and stays the same inode where it can.

        Raises:
            IsADirectoryError, NotADirectoryError, PermissionError, OSError.
        """
        ...

    async def shell(
        self,
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        max_output: int = 30_000,
        spill_dir: Path | None = None,
    ) -> Shell:
        """Open a persistent shell.

        Args:
            cwd: where it starts.
            env: variables exported in it.
            max_output: characters kept of one output: half from its head, half from its tail.
            spill_dir: host directory for the full text of cut outputs.
        """
        ...

    async def changes(self) -> list[Change] | None:
        """What differs from the image, by the engine's word; None where the engine cannot say."""
        ...

    async def export(self, path: str, *, original: bool = False) -> bytes | None:
        """A tar archive of `path` (a file, a link, a directory with all below it), made by the
        engine without running anything inside; with `original`, of what the image holds there.

        None where the engine cannot do it; `FileNotFoundError` where there is no such path.
        """
        ...

    def local(self, path: str) -> Path | None:
        """Where `path` lies on this machine, for sandboxes that share its file system."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs from the image: `kind` is `added`, `modified` or `deleted`."""

    path: str
    kind: str
