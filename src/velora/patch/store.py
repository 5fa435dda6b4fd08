"""Opening a private store next to a working directory, and removing it.

It lies in a directory of its own that only its user can enter, outside the working directory, and
preferably not in /tmp, which agents like to empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from shlex import quote

from velora.patch.git import CREATE_STORE, NEUTRAL, TIMEOUT, Git, GitError, Runner

_VERSION = re.compile(r"git version (\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class NoGit(Exception):
    """There is no git that works; `reason` says what was found instead."""

    reason: str


async def open_store(runner: Runner, work_tree: str) -> Git:
    """Make an empty store for `work_tree` (an absolute path) where `runner` runs.

    Raises:
        NoGit: no git, or one that does not start.
        GitError: the store cannot be made.
    """
    result = await runner(_OPEN.format(neutral=NEUTRAL, work_tree=quote(work_tree)), TIMEOUT)
    lines = result.stdout.decode("utf-8", "replace").splitlines()
    words = result.stderr.decode("utf-8", "replace").strip()
    if result.exit_code == _NO_GIT:
        raise NoGit(words or "there is no git")
    if result.exit_code or len(lines) < 3:
        raise GitError(f"the snapshot's store cannot be made: {words}")
    program, version, store = lines[:3]
    found = _VERSION.match(version)
    if found is None:
        raise NoGit(f"`{program} --version` says {version!r}")
    return Git(runner, store, work_tree, program, (int(found[1]), int(found[2])))


async def remove_store(git: Git) -> None:
    """Delete the store."""
    await git.runner(f"rm -rf {quote(git.store)}", TIMEOUT)


_NO_GIT = 3
_OPEN = (
    """{neutral}umask 077
W={work_tree}
git=$(command -v git) || exit 3
version=$("$git" --version) || exit 3
[ -d "$W" ] || {{ echo "there is no directory $W" >&2; exit 1; }}
S=
for base in /var/tmp /tmp /dev/shm "$HOME"; do
  case "$base/" in "$W"/*) continue ;; esac
  S=$(mktemp -d "$base/.velora-XXXXXX" 2>/dev/null) && break
  S=
done
[ -n "$S" ] || {{ echo "no directory to write to: /var/tmp, /tmp, /dev/shm" >&2; exit 1; }}
"""
    + CREATE_STORE.replace("{", "{{").replace("}", "}}")
    + """printf '%s\\n' "$git" "$version" "$S"
"""
)
