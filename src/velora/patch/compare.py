"""The state at the end, compared with the one that was captured: the patch.

The start's index tells by its stat data which files may have changed; those are hashed again,
files that it does not name are looked for, and the two sets of changed entries become a diff.
That nothing was overlooked is checked: the end's tree, worked out from all its entries, may equal
the start's if and only if nothing changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from velora.patch.capture import Captured
from velora.patch.difference import difference, read_blobs
from velora.patch.entries import GITLINK, Entries, Entry, index_info, parse_stage, tree_id
from velora.patch.git import Git, GitError, fields
from velora.patch.hygiene import git_directories
from velora.patch.ignore import freeze
from velora.patch.listing import copy_index, directories, others, update, warnings
from velora.patch.quoting import listed, printf


@dataclass(slots=True)
class Comparison:
    """The raw diff (b"" for none) and notes about it."""

    diff: bytes
    notes: list[str] = field(default_factory=list)


async def compare(git: Git, captured: Captured) -> Comparison:
    """Compare the working directory with what `capture` took in.

    Raises:
        GitError: a command failed, or the parts contradict each other.
    """
    excludes = [f"--exclude-from={await _frozen_rules(git, captured)}"]
    changed = await git("diff-files", "--raw", "-z")
    raw = fields(changed.stdout)
    before: Entries = {}
    gone: list[bytes] = []
    touched: list[bytes] = []
    for head, path in zip(raw[::2], raw[1::2], strict=True):
        old_mode, new_mode, oid, _, status = head.removeprefix(b":").split(b" ")
        before[path] = Entry(int(old_mode, 8), oid.decode())
        # A directory with its own .git in the place of a file shows as mode 160000.
        removed = status == b"D" or int(new_mode, 8) == GITLINK
        (gone if removed else touched).append(path)

    await copy_index(git, "index", "end")
    if gone:
        await git("update-index", "--index-info", stdin=index_info({}, gone), index="end")
    listing = await others(git, index="end", excludes=excludes)
    moved = await _moved_git(git, captured, listing.files)
    new = [
        path for path in listing.files if path not in captured.unfit and not path.startswith(moved)
    ]
    bad = await update(git, touched + new, index="end") if touched or new else {}
    everything = parse_stage((await git("ls-files", "-s", "-z", index="end")).stdout)

    after = {path: everything[path] for path in (*touched, *new) if path in everything}
    for path in [p for p, entry in before.items() if after.get(p) == entry]:
        del before[path], after[path]
    if (tree_id(everything) == captured.tree) != (before == after):
        raise GitError("the trees of start and end contradict the list of changed files")
    notes = [f"left_out: {text}" for text in {**captured.unfit, **bad}.values()]
    notes += dict.fromkeys((*captured.warnings, *warnings(changed), *listing.warnings))
    if moved:
        notes.append(f"git_directory_moved: not in the diff: {listed(list(moved))}")
    if listing.nested:
        notes.append(f"nested_repository: entered {listed(listing.nested)}")
    notes += await _not_in_a_diff(git, captured, excludes)
    return Comparison(await difference(git, before, after) if before or after else b"", notes)


async def _moved_git(git: Git, captured: Captured, new: list[bytes]) -> tuple[bytes, ...]:
    """Where the repository's own `.git` went, if it is no longer in its place."""
    if not captured.repository or not (found := git_directories(new)):
        return ()
    there = await git.sh('[ -e "$GIT_WORK_TREE/.git" ] && echo yes || :')
    return () if there.stdout else found


async def _frozen_rules(git: Git, captured: Captured) -> str:
    """Write the start's ignore rules to a file in the store."""
    path = f"{git.store}/exclude"
    blobs = await read_blobs(git, set(captured.rules.values()))
    contents = {rule: blobs[oid] for rule, oid in captured.rules.items()}
    await git.sh(f'{printf(freeze(contents, captured.exclude))} >"$S/exclude"', what="exclude file")
    return path


async def _not_in_a_diff(git: Git, captured: Captured, excludes: list[str]) -> list[str]:
    """Notes about new things that no diff holds; the index `end` is finished."""
    ignored = await directories(git, index="end", options=["-i", *excludes]) - captured.ignored
    empty = await directories(git, index="end", options=excludes) - captured.empty
    special = fields((await git.sh(_SPECIAL, what="find")).stdout)
    found = {
        "ignored_left_out": ignored,
        "empty_directories": empty.difference(captured.unfit),
        "special_files": special,
    }
    return [
        f"{code}: {len(paths)} not in the diff: {listed(sorted(paths))}"
        for code, paths in found.items()
        if paths
    ]


# A find without -print0 only costs the note.
_SPECIAL = "find . -name .git -prune -o ! -type f ! -type d ! -type l -print0 2>/dev/null || :"
