"""The one thing that a driver must supply for the shared machinery: bytes to and from a process.

`control.Control` and `shell.PersistentShell` are written against `Stream` alone; a driver opens
one without a terminal for the first and one on a PTY for the second.
"""

from __future__ import annotations

from typing import Protocol

STDOUT = 1
STDERR = 2


class Stream(Protocol):
    """A running process, seen through its standard streams."""

    async def read(self) -> tuple[int, bytes]:
        """The next bytes and where they come from: `STDOUT` or `STDERR` (on a PTY all is
        `STDOUT`). `(0, b"")` once the process has ended and everything was read.

        Raises:
            SandboxLost: the container behind it is gone.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Give it input; waits while the process does not take it.

        Raises:
            BrokenPipeError: the process no longer reads.
            SandboxLost: the container behind it is gone.
        """
        ...

    async def exit_code(self) -> int | None:
        """The ended process's status, 128 + n for a signal; None where it cannot be known."""
        ...

    async def close(self) -> None:
        """Let go of it; the process gets SIGHUP or end-of-file. May be called twice."""
        ...
