"""Taking the state of a working directory into a store, by git.

Every file is hashed as it is (no filter, no trust in the repository's own index). Blobs that the
repository has are copied from its packs, which costs a tenth of compressing them anew; the others
are written. Afterwards the store stands alone: the repository's `.git` may be repacked, broken or
deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from shlex import quote

from velora.patch.entries import (
    EMPTY_BLOB,
    GITLINK,
    REGULAR,
    SYMLINK,
    Entries,
    Entry,
    index_info,
    parse_stage,
    tree_id,
)
from velora.patch.git import Git, GitError, fields, quoted
from velora.patch.listing import Listing, directories, others, update, warnings

_STREAM = (2, 37)  # from here on update-index can put all blobs into one pack
_STREAM_FROM = 200  # files; a pack of few is not worth it


@dataclass(frozen=True, slots=True)
class Repository:
    """Where the repository in the working directory has its parts, as git names them."""

    git_dir: str
    index: str
    objects: str
    exclude: str


@dataclass(frozen=True, slots=True)
class Captured:
    """The state at the start; its entries are the store's index file `index`.

    Attributes:
        tree: the id of the tree that all files together make.
        repository: there is a `.git`.
        rules: blob ids of the `.gitignore` files by path.
        exclude: the repository's own `info/exclude`.
        ignored: what was ignored, a whole directory as one path with a final slash.
        empty: directories with nothing in them that can be taken in.
        unfit: paths that could not be taken in, with a sentence on each.
        warnings: what git could not look into.
    """

    tree: str
    repository: bool
    rules: dict[bytes, str]
    exclude: bytes
    ignored: frozenset[bytes]
    empty: frozenset[bytes]
    unfit: dict[bytes, str]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """What is in the working directory."""

    listing: Listing
    options: list[str] = field(default_factory=list)
    exclude: bytes = b""
    ignored: frozenset[bytes] = frozenset()


async def find_repository(git: Git) -> Repository | None:
    """The repository whose root the working directory is; None where there is no `.git`.

    Raises:
        GitError: there is one, but git cannot use it.
    """
    source = (
        'unset GIT_INDEX_FILE; export GIT_DIR="$GIT_WORK_TREE/.git"; [ -e "$GIT_DIR" ] || exit 0\n'
        "git rev-parse --absolute-git-dir && git rev-parse --git-path index"
        " && git rev-parse --git-path objects && git rev-parse --git-path info/exclude"
    )
    answer = (await git.sh(source, what="git rev-parse")).stdout.decode().splitlines()
    if not answer:
        return None
    return Repository(*(p if p.startswith("/") else f"{git.work_tree}/{p}" for p in answer))


async def capture(git: Git, repository: Repository | None) -> Captured:
    """Put the state of the working directory into the (empty) store.

    With a repository that is: all that its index names and all that is not ignored. Without one
    there is no telling what belongs to the project, so it is every file.

    Raises:
        GitError: a command failed, or the store is not complete afterwards.
    """
    found = await _find(git, repository)
    unfit = await update(git, found.listing.files, index="index", options=["--info-only"])
    entries = parse_stage((await git("ls-files", "-s", "-z")).stdout)
    links = [path for path, entry in entries.items() if entry.mode == GITLINK]
    if links:  # a directory with its own .git where the repository's index has a file
        await git("update-index", "--index-info", stdin=index_info({}, links))
        entries = {path: entry for path, entry in entries.items() if path not in links}
    await _store_blobs(git, repository, entries)
    rules = {
        path: entry.oid
        for path, entry in entries.items()
        if path.rpartition(b"/")[2] == b".gitignore" and entry.mode != SYMLINK
    }
    return Captured(
        tree=tree_id(entries),
        repository=repository is not None,
        rules=rules,
        exclude=found.exclude,
        ignored=found.ignored,
        empty=await directories(git, index="index", options=found.options),
        unfit=unfit,
        warnings=tuple(found.listing.warnings),
    )


async def _find(git: Git, repository: Repository | None) -> _Found:
    if repository is None:
        return _Found(await others(git, index="index", excludes=[]))
    env = {"GIT_DIR": repository.git_dir, "GIT_INDEX_FILE": repository.index}
    ours = ("-c", "core.fsmonitor=false", "-c", "core.excludesFile=/dev/null", "ls-files", "-z")
    tracked = parse_stage((await git(*ours, "-s", env=env)).stdout)
    standard = (*ours, "-o", "--exclude-standard")
    untracked = await git(*standard, env=env)
    ignored = fields((await git(*standard, "-i", "--directory", env=env)).stdout)
    exclude = (await git.sh(f"cat {quote(repository.exclude)} 2>/dev/null || :")).stdout
    rules = ["--exclude-per-directory=.gitignore"]
    if exclude:
        rules.insert(0, f"--exclude-from={repository.exclude}")
    names = [path for path, entry in tracked.items() if entry.mode != GITLINK]
    modules = [path for path, entry in tracked.items() if entry.mode == GITLINK]
    listing = Listing(fields(untracked.stdout), warnings=warnings(untracked))
    if modules or any(path.endswith(b"/") for path in listing.files):
        places = index_info({path: Entry(REGULAR, EMPTY_BLOB) for path in names})
        await git("update-index", "--index-info", stdin=places, index="tracked")
        listing = await others(git, index="tracked", excludes=rules, known=modules)
    listing.files[:0] = names
    return _Found(listing, rules, exclude, frozenset(ignored))


async def _store_blobs(git: Git, repository: Repository | None, entries: Entries) -> None:
    """Have the blobs of all entries in the store, whose index names them."""
    missing = set(await _copy_blobs(git, repository)) if repository else None
    paths = [p for p, entry in entries.items() if missing is None or entry.oid in missing]
    if paths:
        fast = len(paths) >= _STREAM_FROM and git.version >= _STREAM
        options = ("-c", "core.bigFileThreshold=1") if fast else ()
        command = ("update-index", "--add", "--remove", "--stdin")
        await git(*options, *command, stdin=quoted(paths), index="written")
    absent = await git.sh(_ABSENT, what="git cat-file")
    if absent.stdout:
        raise GitError(f"files changed while they were read: {absent.stdout.decode()[:200]}")


async def _copy_blobs(git: Git, repository: Repository) -> list[str]:
    """Copy what the repository has of the index's blobs; the ids of those that it has not."""
    path = repository.objects
    env = {"FROM": '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'}
    try:
        result = await git.sh(_COPY_BLOBS, env, what="git pack-objects")
    except GitError:
        # A damaged object in the repository; the working directory has the files.
        result = await git.sh(_LIST_BLOBS + 'cat "$S/oids"', what="git ls-files")
    return result.stdout.decode().split()


_LIST_BLOBS = "git ls-files -s | cut -d' ' -f2 | sort -u >\"$S/oids\" || exit\n"
_COPY_BLOBS = (
    _LIST_BLOBS
    + """export GIT_ALTERNATE_OBJECT_DIRECTORIES="$FROM"
git cat-file --batch-check <"$S/oids" >"$S/found" || exit
sed -n 's/ blob .*//p' "$S/found" >"$S/have"
if [ -s "$S/have" ]; then
  git pack-objects -q --window=0 "$S/objects/pack/pack" <"$S/have" >/dev/null || exit
fi
sed -n 's/ missing$//p' "$S/found"
"""
)
_ABSENT = _LIST_BLOBS + 'git cat-file --batch-check <"$S/oids" | grep " missing$" || :'
