"""Putting the repository's future and its origin out of the agent's reach.

What the agent may see is HEAD's own history: everything that `git log`, `git blame` and
`git diff HEAD` need. Remotes, other branches, stashes, notes, replacements, reflogs and the names
git leaves behind (FETCH_HEAD, ORIG_HEAD, ...) are removed, and objects that HEAD's history and the
index do not reach leave the object store. Tags on HEAD's history stay: they say nothing that the
history does not, and version numbers are often made from them. Working directory and index are
not touched.

Whether there is anything to remove from the object store is found by counting: the objects that
can be reached against those that are there. Only if the numbers differ is a new pack written, and
the old store is deleted only when the new one is complete.
"""

from __future__ import annotations

import re
from shlex import quote

from velora.patch.git import NEUTRAL, TIMEOUT, HostRunner, Runner, SandboxRunner
from velora.patch.sealing import FIND, NO_GIT, NO_REPOSITORY, SEAL, STRIP
from velora.sandbox.protocol import Sandbox

_COMMIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]*")


async def seal_history(sandbox: Sandbox, workdir: str, base_commit: str = "") -> tuple[str, ...]:
    """Seal the repository that `workdir` is in, before the snapshot is taken.

    Args:
        base_commit: the row's; a note says if it is there but no part of HEAD's history.

    Returns:
        notes, a stable word and a sentence each. One that starts with `history_not_sealed` says
        what is still within reach and why.

    Raises:
        SandboxLost: the sandbox is gone.
    """
    base = base_commit if _COMMIT.fullmatch(base_commit) else ""
    notes = await _seal(SandboxRunner(sandbox), workdir, base)
    if notes is not None:
        return notes
    shared = sandbox.local(workdir)
    if shared is not None:
        notes = await _seal(HostRunner(), str(shared), base)
        if notes is not None:
            return notes
    return await _strip(sandbox, workdir)


async def _seal(runner: Runner, workdir: str, base: str) -> tuple[str, ...] | None:
    """Seal with the git where `runner` runs; None if it has none."""
    source = f"{NEUTRAL}W={quote(workdir)}\nbase={quote(base)}\n{FIND}{SEAL}"
    result = await runner(source, TIMEOUT)
    notes = [line for line in result.stdout.decode("utf-8", "replace").splitlines() if line]
    if result.exit_code == NO_GIT:
        return None
    if result.exit_code == NO_REPOSITORY:
        return ()
    if result.exit_code:
        words = result.stderr.decode("utf-8", "replace").strip()
        notes.append(f"history_not_sealed: {words or f'exit status {result.exit_code}'}")
    return tuple(notes)


async def _strip(sandbox: Sandbox, workdir: str) -> tuple[str, ...]:
    """What can be done without git: remove names, so that nothing points at the other objects."""
    result = await sandbox.script(f"W={quote(workdir)}\n{FIND}{STRIP}")
    if result.exit_code == NO_REPOSITORY:
        return ()
    if result.exit_code:
        words = result.stderr.decode("utf-8", "replace").strip()
        return (f"history_not_sealed: no git, and {words}",)
    folder = result.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    for name, keep in (("config", without_remotes), ("packed-refs", _head_only)):
        try:
            text = await sandbox.read_file(f"{folder}/{name}")
        except FileNotFoundError:
            continue
        head = await sandbox.read_file(f"{folder}/HEAD")
        await sandbox.write_file(f"{folder}/{name}", keep(text, head))
    return (
        "history_not_sealed: there is no git to remove objects with; remotes, branches, tags and "
        "reflogs are gone, but objects of later commits may lie in .git/objects",
    )


def without_remotes(config: bytes, _head: bytes = b"") -> bytes:
    """A git configuration without its `remote` and `branch` sections."""
    kept = []
    dropping = False
    for line in config.splitlines(keepends=True):
        if line.lstrip().startswith(b"["):
            dropping = re.match(rb"\s*\[\s*(remote|branch)\b", line, re.IGNORECASE) is not None
        if not dropping:
            kept.append(line)
    return b"".join(kept)


def _head_only(packed_refs: bytes, head: bytes) -> bytes:
    """`packed-refs` with HEAD's branch alone."""
    name = head.removeprefix(b"ref: ").strip()
    lines = packed_refs.splitlines(keepends=True)
    return b"".join(line for line in lines if line.rstrip().endswith(b" " + name))
