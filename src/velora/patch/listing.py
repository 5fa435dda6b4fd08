"""Which files the working directory holds, nested repositories included, and hashing them.

`git ls-files` stops at a directory that is a repository of its own. It walks on where the index
has an entry below such a directory, so the listing is repeated over a scratch index with a
placeholder in each nested repository until there is none left to enter. Directories named `.git`
are never listed. Files come into an index by `git update-index`, which takes any path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from shlex import quote

from velora.patch.entries import EMPTY_BLOB, REGULAR, Entries, Entry, index_info
from velora.patch.git import Git, GitError, fields, quoted
from velora.patch.quoting import printf, shown
from velora.sandbox.protocol import ExecResult

_PLACEHOLDER = b".velora-placeholder"
_IGNORING = b"Ignoring path "


@dataclass(slots=True)
class Listing:
    """Untracked files.

    Attributes:
        nested: the repositories (without a final slash) that were entered.
        warnings: what git could not look into.
    """

    files: list[bytes] = field(default_factory=list)
    nested: list[bytes] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


async def others(
    git: Git, *, index: str, excludes: Sequence[str], known: Iterable[bytes] = ()
) -> Listing:
    """The files that `index` does not name.

    Args:
        git: the store.
        index: the name of an index file in the store; it is not changed.
        excludes: git's options that say what is ignored.
        known: nested repositories that are to be entered from the start.
    """
    nested = list(known)
    scratch = ""
    while True:
        if nested:
            scratch = "listing"
            await copy_index(git, index, scratch)
            places: Entries = {
                path + b"/" + _PLACEHOLDER: Entry(REGULAR, EMPTY_BLOB) for path in nested
            }
            await git(
                "update-index", "--replace", "--index-info", stdin=index_info(places), index=scratch
            )
        result = await git("ls-files", "-o", "-z", *excludes, index=scratch or index)
        files = fields(result.stdout)
        found = [path[:-1] for path in files if path.endswith(b"/")]
        if not found:
            return Listing(files, nested, warnings(result))
        entered = set(nested)
        if entered.issuperset(found):
            raise GitError(f"ls-files: cannot list {found[0]!r}")
        nested += [path for path in found if path not in entered]


async def directories(git: Git, *, index: str, options: Sequence[str]) -> frozenset[bytes]:
    """What `index` does not name, a directory without any named file as one path with a slash."""
    command = ("ls-files", "-o", "-z", "--directory", *options)
    return frozenset(fields((await git(*command, index=index)).stdout))


def warnings(result: ExecResult) -> list[str]:
    """What a git command that ended well said on stderr, a note each."""
    words = result.stderr.decode("utf-8", "backslashreplace")
    return [f"git_warning: {line}" for line in words.splitlines() if line.strip()]


async def copy_index(git: Git, source: str, target: str) -> None:
    """Make index file `target` a copy of `source`, time of modification included."""
    # -p: git takes an entry for doubtful if it is not older than the index.
    await git.sh(
        f'if [ -e "$S"/{quote(source)} ]; then cp -p "$S"/{quote(source)} "$S"/{quote(target)}\n'
        f'else rm -f "$S"/{quote(target)}; fi',
        what="copy of the index",
    )


async def update(
    git: Git, paths: Sequence[bytes], *, index: str, options: Sequence[str] = ()
) -> dict[bytes, str]:
    """Bring `paths` into `index` as they are in the working directory; missing ones leave it.

    Returns:
        the paths that could not be taken in (special files, unreadable files, names that git
        refuses) with a sentence on each; the index has of them what it had before.

    Raises:
        GitError: for any other reason.
    """
    command = ("update-index", "--add", "--remove", "--replace", *options, "--stdin")
    bad: dict[bytes, str] = {}
    try:
        result = await git(*command, stdin=quoted(paths), index=index)
    except GitError:
        # Something is in the way. Find out what, leave it out, and try once more.
        bad = await _unfit(git, paths)
        rest = [path for path in paths if path not in bad]
        result = await git(*command, stdin=quoted(rest), index=index)
    for line in result.stderr.split(b"\n"):
        if line.startswith(_IGNORING):
            path = line[len(_IGNORING) :]
            bad[path] = f"{shown(path)} has a name that git refuses"
    return bad


async def _unfit(git: Git, paths: Sequence[bytes]) -> dict[bytes, str]:
    """The paths that git cannot take in, with a sentence on each."""
    parents = {path[:at] for path in paths for at, byte in enumerate(path) if byte == 0x2F}
    asked = [*sorted(parents), *paths]
    lines = [_FIT]
    for number, path in enumerate(asked):
        check = "link" if number < len(parents) else "fit"
        # The added x keeps a name's final newline through the substitution.
        lines.append(f'{check} "$({printf(path + b"x")})" || echo "{number} $why"')
    result = await git.sh("\n".join(lines) + "\n:", what="file check")
    links: set[bytes] = set()
    bad: dict[bytes, str] = {}
    for line in result.stdout.decode().splitlines():
        position, why = line.split(" ", 1)
        path = asked[int(position)]
        if int(position) < len(parents):
            links.add(path)
        else:
            bad[path] = f"{shown(path)} {why}"
    for path in paths:
        if any(path[:at] in links for at, byte in enumerate(path) if byte == 0x2F):
            bad[path] = f"{shown(path)} lies behind a symbolic link"
    return bad


_FIT = """link() { [ ! -h "./${1%x}" ]; }
fit() {
  f="./${1%x}"
  [ -h "$f" ] && return 0
  [ -e "$f" ] || return 0
  why="is neither a file, a link nor a directory"
  [ -d "$f" ] && why="is a directory"
  [ -f "$f" ] || return 1
  why="cannot be read"
  [ -r "$f" ]
}"""
