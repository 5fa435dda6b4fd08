"""The snapshot that needs no git in the container: the image itself.

Whether it can serve is found out before the first step: the engine must be able to say what
differs from the image, and the working directory must be part of the image (a volume or another
mount is not). The comparison is in `velora.patch.extraction`.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from shlex import quote

from velora.patch.changes import relevant
from velora.patch.extraction import Extraction
from velora.patch.git import GitError, HostRunner
from velora.patch.protocol import PatchResult, PatchStatus
from velora.patch.quoting import listed, shown
from velora.patch.store import NoGit, open_store, remove_store
from velora.sandbox.protocol import Sandbox

_OCTAL = re.compile(rb"\\([0-7]{3})")


@dataclass(slots=True)
class EngineSnapshot:
    """The image as the snapshot; see `velora.patch.protocol.Snapshot`.

    Attributes:
        repository: the image has a directory `.git` in `workdir`.
    """

    sandbox: Sandbox
    workdir: str
    repository: bool
    junk: tuple[str, ...] = ()
    base_commit_found: bool | None = None
    warnings: tuple[str, ...] = ()
    method: str = "engine"
    tree: str = ""

    async def diff(self) -> PatchResult:
        """See `Snapshot.diff`."""
        empty = await asyncio.to_thread(tempfile.mkdtemp, prefix="velora-engine-")
        try:
            git = await open_store(HostRunner(), empty)
            try:
                return await Extraction(self.sandbox, self.workdir, git, self.repository).run(
                    self.junk
                )
            finally:
                await remove_store(git)
        except (GitError, tarfile.TarError, OSError) as error:
            return PatchResult(PatchStatus.FAILED, detail=f"{type(error).__name__}: {error}")
        except NoGit as error:
            return PatchResult(PatchStatus.FAILED, detail=f"git on this machine: {error}")
        finally:
            await asyncio.to_thread(shutil.rmtree, empty, True)

    async def close(self) -> None:
        """See `Snapshot.close`; there is nothing to remove."""


async def engine_snapshot(
    sandbox: Sandbox, workdir: str, *, junk: tuple[str, ...] = (), warnings: tuple[str, ...] = ()
) -> EngineSnapshot:
    """Make sure that the image can serve as the snapshot of `workdir`.

    Args:
        junk: as in `hygiene`.
        warnings: those there are already; that the container differs from its image may be added.

    Raises:
        NoGit: this machine has no git.
        GitError: the engine cannot tell what changed there.
    """
    await remove_store(await open_store(HostRunner(), tempfile.gettempdir()))
    mounts = (await sandbox.script("cat /proc/self/mounts")).stdout
    mount = foreign_mount(mounts, workdir)
    if mount:
        raise GitError(f"{mount} is mounted and so no part of the image")
    changes = await sandbox.changes()
    if changes is None:
        raise GitError(f"the {sandbox.backend} sandbox cannot tell what differs from an image")
    changed = relevant(changes, workdir)
    dirty = sorted(changed.added | changed.modified | changed.deleted | changed.whole)
    if dirty:
        warnings += (
            f"dirty_start: {listed(dirty)} differed from the image before the first step; the "
            "patch will hold that too",
        )
    probe = await sandbox.script(f"[ -d {quote(workdir)}/.git ]")
    return EngineSnapshot(sandbox, workdir, probe.exit_code == 0, junk=junk, warnings=warnings)


def foreign_mount(mounts: bytes, workdir: str) -> str:
    """A mount point at, above (but the root) or below `workdir`, or "".

    Args:
        mounts: `/proc/self/mounts`.
    """
    here = workdir.rstrip("/").encode() + b"/"
    for line in mounts.splitlines():
        words = line.split(b" ")
        if len(words) < 2 or words[1] == b"/":
            continue
        point = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), words[1]) + b"/"
        if here.startswith(point) or point.startswith(here):
            return shown(point[:-1])
    return ""
