"""One comparison of a container with its image, made from the engine's lists and archives.

Nothing of the container is unpacked on this machine: files stay in memory and go into git's object
store as blobs; only the names of directories are laid out, for git to judge ignored files by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from shlex import quote

from velora.patch import archive
from velora.patch.archive import File
from velora.patch.changes import (
    Changed,
    directories,
    plan,
    probe_script,
    probed,
    relevant,
)
from velora.patch.difference import difference
from velora.patch.entries import SYMLINK, Entries, Entry, blob_id
from velora.patch.git import TIMEOUT, Git, GitError, SandboxRunner, fields
from velora.patch.hygiene import clean, git_directories
from velora.patch.ignore import freeze
from velora.patch.protocol import PatchResult, PatchStatus
from velora.patch.quoting import c_quote, c_unquote, listed
from velora.sandbox.protocol import Sandbox

_AT_ONCE = 8  # exports


class Extraction:
    """Makes one diff."""

    def __init__(self, sandbox: Sandbox, workdir: str, git: Git, repository: bool) -> None:
        """Prepare it.

        Args:
            git: an empty store on this machine, its working directory an empty directory.
            repository: the image has a directory `.git` in `workdir`.
        """
        self._sandbox = sandbox
        self._root = workdir.rstrip("/")
        self._git = git
        self._repository = repository
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._special: set[bytes] = set()

    async def run(self, junk: Sequence[str]) -> PatchResult:
        """The result; `junk` as in `hygiene`.

        Raises:
            GitError, OSError, tarfile.TarError: a part failed.
        """
        changes = await self._sandbox.changes()
        if changes is None:
            raise GitError(f"the {self._sandbox.backend} sandbox cannot tell what changed")
        changed = relevant(changes, self._root)
        modified = sorted(changed.modified)
        kinds = probed(modified, await self._script(probe_script(modified)))
        await self._lay_out_rules(changed)
        tracked = await self._tracked()
        ignored = await self._ignored(changed.added)
        if tracked is not None:
            old = changed.modified | changed.deleted
            named = tracked | directories(tracked)
            ignored |= await self._ignored(path for path in old if path not in named)
        todo = plan(changed, kinds, ignored.__contains__)
        before = await self._export(todo.original, original=True)
        after = await self._export(todo.current, original=False)
        late = await self._late_ignored(before, after, tracked)
        for path in list(before):
            if path in late or before[path] == after.get(path):
                del before[path]
                after.pop(path, None)
        for path in late & after.keys():
            del after[path]

        notes = []
        moved = await self._moved_git(path for path in after if path not in before)
        if moved:
            notes.append(f"git_directory_moved: not in the diff: {listed(list(moved))}")
            after = {path: file for path, file in after.items() if not path.startswith(moved)}
        new = sorted(path for path in ignored | late if path not in before)
        if new:
            notes.append(f"ignored_left_out: {len(new)} not in the diff: {listed(new)}")
        if self._special:
            notes.append(f"special_files: not in the diff: {listed(sorted(self._special))}")
        if not before and not after:
            return PatchResult(PatchStatus.EMPTY, notes=tuple(notes))
        entries = [await self._store(before), await self._store(after)]
        diff, files, more = clean(await difference(self._git, *entries), junk)
        status = PatchStatus.PATCH if diff else PatchStatus.EMPTY
        return PatchResult(status, diff, files=files, notes=(*notes, *more))

    async def _script(self, source: str) -> bytes:
        script = f"cd {quote(self._root)} || exit\n{source}"
        result = await SandboxRunner(self._sandbox)(script, TIMEOUT)
        if result.exit_code:
            raise GitError(f"{self._root}: {result.stderr.decode('utf-8', 'replace').strip()}")
        return result.stdout

    async def _lay_out_rules(self, changed: Changed) -> None:
        """Give the store the image's ignore rules, and the names of directories to judge."""
        paths = changed.added | changed.modified | changed.deleted
        folders = directories(paths) | changed.whole | changed.deleted
        rules = await self._unchanged_rules(changed, directories(paths) | changed.whole)
        changed_rules = [
            path
            for path in changed.modified | changed.deleted
            if path.rpartition(b"/")[2] == b".gitignore"
        ]
        files = await self._export(rules, original=False)
        files |= await self._export(changed_rules, original=True)
        exclude = await self._export_git(b"info/exclude")
        text = freeze(
            {path: file.data for path, file in files.items() if file.mode != SYMLINK},
            exclude or b"",
        )

        def lay_out() -> None:
            Path(self._git.store, "info", "exclude").write_bytes(text)
            for folder in folders:
                name = folder.decode("utf-8", "surrogateescape")
                Path(self._git.work_tree, name).mkdir(parents=True, exist_ok=True)

        await asyncio.to_thread(lay_out)

    async def _unchanged_rules(self, changed: Changed, folders: Collection[bytes]) -> list[bytes]:
        """The `.gitignore` files in `folders` that are as the image has them."""
        paths = [f + b"/.gitignore" if f else b".gitignore" for f in sorted(folders)]
        fresh = changed.added | changed.modified
        kinds = probed(paths, await self._script(probe_script(paths)))
        return [path for path in paths if kinds[path][0] == b"f" and path not in fresh]

    async def _tracked(self) -> frozenset[bytes] | None:
        """What the image's repository tracks; None where there is none that can be read."""
        index = await self._export_git(b"index")
        if index is None:
            return None
        path = Path(self._git.store, "tracked")
        await asyncio.to_thread(path.write_bytes, index)
        result = await self._git("ls-files", "-z", index="tracked")
        return frozenset(fields(result.stdout))

    async def _export_git(self, name: bytes) -> bytes | None:
        """A file of the image's git directory; None where there is none."""
        if not self._repository:
            return None
        files = await self._export([b".git/" + name], original=True)
        return b"".join(file.data for file in files.values()) if files else None

    async def _moved_git(self, new: Iterable[bytes]) -> tuple[bytes, ...]:
        """Where the repository's own `.git` went, if it is no longer in its place."""
        if not self._repository or not (found := git_directories(new)):
            return ()
        there = await self._script("[ -e .git ] && echo yes || :")
        return () if there else found

    async def _ignored(self, paths: Iterable[bytes]) -> set[bytes]:
        lines = "".join(f"{c_quote(path)}\n" for path in paths)
        if not lines:
            return set()
        source = (
            f"git check-ignore --no-index --stdin <<'VELORA_END' || [ $? -eq 1 ]\n{lines}VELORA_END"
        )
        result = await self._git.sh(source, what="git check-ignore")
        return {c_unquote(line) for line in result.stdout.split(b"\n")[:-1]}

    async def _late_ignored(
        self,
        before: Collection[bytes],
        after: Collection[bytes],
        tracked: Collection[bytes] | None,
    ) -> set[bytes]:
        """Ignored files that came in with whole directories: the new ones, and the old ones that
        the repository does not track."""
        doubtful = set(after) - set(before)
        if tracked is not None:
            doubtful = {*before, *after} - set(tracked)
        return await self._ignored(doubtful)

    async def _export(self, paths: Sequence[bytes], *, original: bool) -> dict[bytes, File]:
        """All files at and below `paths`; a path that is not there adds nothing."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._export_one(path, original)) for path in paths]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        files: dict[bytes, File] = {}
        for task in tasks:
            contents = task.result()
            files.update(contents.files)
            self._special.update(contents.special)
        return files

    async def _export_one(self, path: bytes, original: bool) -> archive.Contents:
        name = f"{self._root}/{path.decode()}".rstrip("/")
        async with self._slots:
            try:
                data = await self._sandbox.export(name, original=original)
            except (FileNotFoundError, NotADirectoryError):
                return archive.Contents()
        if data is None:
            raise GitError(f"the {self._sandbox.backend} sandbox cannot export {name}")
        return await asyncio.to_thread(archive.read, data, path)

    async def _store(self, files: dict[bytes, File]) -> Entries:
        """Put the files' bytes into the store as blobs."""
        blobs = {blob_id(file.data): file.data for file in files.values()}
        folder = Path(self._git.store, "blobs")

        def write() -> None:
            folder.mkdir(exist_ok=True)
            for oid, data in blobs.items():
                (folder / oid).write_bytes(data)

        await asyncio.to_thread(write)
        lines = [str(folder / oid) for oid in blobs]
        await self._git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=lines)
        return {path: Entry(file.mode, blob_id(file.data)) for path, file in files.items()}
