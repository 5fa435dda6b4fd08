"""What the patch room gives: a snapshot before the first step, a result after the last."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class PatchStatus(StrEnum):
    """How an extraction ended. There is no fourth way."""

    PATCH = "patch"
    EMPTY = "empty"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PatchResult:
    """The final diff.

    Attributes:
        status: `EMPTY` means that start and end were compared and are the same.
        diff: git's binary patch format, byte-exact, ends with a newline; b"" unless `PATCH`.
        detail: the failing command's stderr where `FAILED`.
        files: paths that the diff touches, relative to the working directory.
        notes: what hygiene left out, nested repositories found, and so on; one sentence each.
    """

    status: PatchStatus
    diff: bytes = b""
    detail: str = ""
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Snapshot(Protocol):
    """The state of the working directory before the agent's first step.

    Attributes:
        method: `git` (a private index and object store in the container), `host-git` (the
            machine's git on a shared directory) or `engine` (the image is the snapshot).
        tree: git's tree id, or "".
        base_commit_found: the row's base commit is in the repository; None where it names none.
        warnings: such as `base_commit_missing: …`.
    """

    method: str
    tree: str
    base_commit_found: bool | None
    warnings: tuple[str, ...]

    async def diff(self) -> PatchResult:
        """Compare the working directory with the snapshot. May be called several times.

        Raises:
            SandboxLost: the sandbox is gone.
        """
        ...

    async def close(self) -> None:
        """Remove what the snapshot keeps outside the working directory. May be called twice."""
        ...
