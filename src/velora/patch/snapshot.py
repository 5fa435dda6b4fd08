"""Taking the snapshot: which of the three ways serves, and the two that use git.

`git`: the container's own git. `host-git`: this machine's git on a directory that the sandbox
shares with it. `engine`: no git at all is needed there, because the image is the snapshot (see
`velora.patch.engine`). The engine's way also steps in at the end where it can and the
container's git no longer works; the result's notes say so.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from velora.errors import PatchFailed, SandboxLost
from velora.patch.capture import Captured, Repository, capture, find_repository
from velora.patch.compare import compare
from velora.patch.engine import EngineSnapshot, engine_snapshot
from velora.patch.git import Git, GitError, HostRunner, Runner, SandboxRunner
from velora.patch.hygiene import clean
from velora.patch.protocol import PatchResult, PatchStatus, Snapshot
from velora.patch.store import NoGit, open_store, remove_store
from velora.sandbox.protocol import Sandbox

METHODS = ("git", "host-git", "engine")
GIT_METHODS = METHODS[:2]
"""Those that compare with a state taken in here, not with the image."""

_COMMIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]*")


@dataclass(slots=True)
class GitSnapshot:
    """A snapshot in a private store; see `velora.patch.protocol.Snapshot`."""

    method: str
    tree: str
    base_commit_found: bool | None
    warnings: tuple[str, ...]
    git: Git
    captured: Captured
    junk: tuple[str, ...]
    rescue: EngineSnapshot | None

    async def diff(self) -> PatchResult:
        """See `Snapshot.diff`."""
        try:
            comparison = await compare(self.git, self.captured)
        except GitError as error:
            if self.rescue is None:
                return PatchResult(PatchStatus.FAILED, detail=str(error))
            result = await self.rescue.diff()
            if result.status is PatchStatus.FAILED:
                return PatchResult(PatchStatus.FAILED, detail=f"{error}; {result.detail}")
            note = f"engine_used: {error}; the container was compared with its image instead"
            return replace(result, notes=(note, *result.notes))
        diff, files, notes = clean(comparison.diff, self.junk)
        status = PatchStatus.PATCH if diff else PatchStatus.EMPTY
        return PatchResult(status, diff, files=files, notes=(*comparison.notes, *notes))

    async def close(self) -> None:
        """See `Snapshot.close`."""
        with contextlib.suppress(SandboxLost):  # with the sandbox the store is gone
            await remove_store(self.git)


async def take(
    sandbox: Sandbox,
    workdir: str,
    *,
    base_commit: str = "",
    junk: Sequence[str] = (),
    methods: Sequence[str] = METHODS,
) -> Snapshot:
    """Take the snapshot of `workdir` before the agent's first step.

    Args:
        workdir: absolute and real (no link in it), as `find_workdir` gives it.
        base_commit: the row's; only looked up, the diff never depends on it.
        junk: patterns of build products that the final diff leaves out (see `hygiene`).
        methods: the ways to try, in this order.

    Raises:
        PatchFailed: none of the ways serves; the text says why for each.
        SandboxLost: the sandbox is gone.
    """
    reasons: dict[str, str] = {}
    for method in methods:
        # What was tried before is worth a warning, but for a way that is simply not there.
        warnings = tuple(f"{m}_unusable: {why}" for m, why in reasons.items() if why)
        try:
            if method == "engine":
                if base_commit:
                    warnings += (f"base_commit_unknown: no git to look {base_commit} up with",)
                return await engine_snapshot(sandbox, workdir, junk=tuple(junk), warnings=warnings)
            snapshot = await _with_git(method, sandbox, workdir, base_commit, tuple(junk), warnings)
            return snapshot if "engine" in methods else replace(snapshot, rescue=None)
        except NoGit as error:
            reasons[method] = str(error)
        except GitError as error:
            reasons[method] = str(error)
    tried = "; ".join(f"{method}: {why}" for method, why in reasons.items())
    raise PatchFailed(f"no way to take a snapshot of {workdir} ({tried})")


async def _with_git(
    method: str,
    sandbox: Sandbox,
    workdir: str,
    base_commit: str,
    junk: tuple[str, ...],
    warnings: tuple[str, ...],
) -> GitSnapshot:
    runner: Runner = SandboxRunner(sandbox)
    place = workdir
    if method == "host-git":
        shared = sandbox.local(workdir)
        if shared is None:
            raise NoGit("")
        runner, place = HostRunner(), str(shared)
    git = await open_store(runner, place)
    try:
        repository, captured, broken = await _capture(git)
        found, more = await _look_up(git, repository, base_commit)
    except BaseException:
        await remove_store(git)
        raise
    own = repository is not None and repository.git_dir == f"{place}/.git"
    return GitSnapshot(
        method=method,
        tree=captured.tree,
        base_commit_found=found,
        warnings=(*warnings, *broken, *captured.warnings, *more),
        git=git,
        captured=captured,
        junk=junk,
        rescue=EngineSnapshot(sandbox, workdir, own, junk),
    )


async def _capture(git: Git) -> tuple[Repository | None, Captured, tuple[str, ...]]:
    """Take in the working directory by its repository, or whole where that cannot be used."""
    warnings: tuple[str, ...] = ()
    try:
        repository = await find_repository(git)
        if repository is not None:
            return repository, await capture(git, repository), ()
    except GitError as error:
        warnings = (f"repository_unusable: every file was taken in instead: {error}",)
        await git.sh('rm -f "$S/index" "$S/tracked" "$S/written" "$S/listing"')
    return None, await capture(git, None), warnings


async def _look_up(
    git: Git, repository: Repository | None, base_commit: str
) -> tuple[bool | None, tuple[str, ...]]:
    """Whether the base commit is in the repository, and what there is to say about it."""
    if not base_commit:
        return None, ()
    missing = f"base_commit_missing: {base_commit} is not in the repository of the image"
    if repository is None:
        return False, (f"{missing}, which has none; the patch is against the image's files",)
    if not _COMMIT.fullmatch(base_commit):
        return False, (f"{missing}; the patch is against the image's files",)
    check = 'git rev-parse -q --verify "$name^{commit}" || echo -'
    source = f"for name in HEAD {base_commit}; do {check}; done"
    result = await git.sh(source, {"GIT_DIR": repository.git_dir}, what="git rev-parse")
    head, base = result.stdout.decode().split()
    if base == "-":
        return False, (f"{missing}; HEAD is {head}; the patch is against the image's files",)
    if base != head:
        return True, (f"base_commit_not_head: HEAD is {head}, the row's base is {base}",)
    return True, ()
