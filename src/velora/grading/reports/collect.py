"""Asks for reports before the test command runs, and fetches them afterwards."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from shlex import quote

from velora.errors import GraderFailed
from velora.grading.parsers.tally import together
from velora.grading.protocol import Parsed, Status
from velora.grading.reports.recipes import Recipe
from velora.sandbox.protocol import Sandbox

File = tuple[str, bytes | int]
"""A report's path below the directory and its content, or only its size where that is too much."""

_FEW, _SMALL = 8, 256 * 1024
_LARGEST = 64 * 1024 * 1024
_MOST = 5000
_TIMEOUT = 120.0
_FAILURES = frozenset({Status.FAILED, Status.ERROR})


@dataclass(frozen=True, slots=True)
class Collected:
    """The reports of one framework, put together.

    Attributes:
        files: how many there were.
    """

    recipe: Recipe
    parsed: Parsed
    files: int

    @property
    def testimony(self) -> Parsed:
        """What of it is evidence: failures alone where its passes are none."""
        if self.recipe.vouches:
            return self.parsed
        failed = {n: r for n, r in self.parsed.results.items() if r.status in _FAILURES}
        return replace(self.parsed, results=failed)


async def prepare(sandbox: Sandbox, recipes: Sequence[Recipe], directory: str) -> tuple[str, ...]:
    """Make `directory`, which must not exist, ready for reports.

    Returns:
        The lines of shell that ask for them.

    Raises:
        GraderFailed: the directory cannot be made.
        SandboxLost: the sandbox is gone.
    """
    if not recipes:
        return ()
    made = [f"{directory}/{recipe.name}" for recipe in recipes]
    # A file is newer than the mark only if it was written after the mark's last second.
    script = f"mkdir -p {' '.join(map(quote, made))} && touch -d '1 second ago' {quote(directory)}"
    script += f"/mark 2>/dev/null || touch {quote(directory)}/mark"
    done = await sandbox.script(script)
    if done.exit_code:
        raise GraderFailed(f"no directory for reports: {done.stderr.decode(errors='replace')}")
    lines = []
    for recipe, place in zip(recipes, made, strict=True):
        for name, content in recipe.files.items():
            await sandbox.write_file(f"{place}/{name}", content.encode())
        for name, value in recipe.environment.items():
            said = quote(value.format(dir=place))
            lines.append(f"export {name}=${{{name}:+${name} }}{said}")
    return tuple(lines)


async def collect(
    sandbox: Sandbox,
    recipes: Sequence[Recipe],
    directory: str,
    workdir: str,
    pool: Executor | None = None,
) -> list[Collected]:
    """Fetch and read the reports that are there.

    Raises:
        GraderFailed: they are there and cannot be fetched.
        SandboxLost: the sandbox is gone.
    """
    if not recipes:
        return []
    script = "\n".join(_gather(recipe, directory, workdir) for recipe in recipes if recipe.written)
    done = await sandbox.script(f"{script}\nfind {quote(directory)} -type f", timeout=_TIMEOUT)
    own = {f"{directory}/{r.name}/{name}" for r in recipes for name in r.files}
    found = set(done.stdout.decode("utf-8", "replace").splitlines()) - own - {f"{directory}/mark"}
    if not found:
        return []
    files = await _few(sandbox, directory, sorted(found))
    if files is None:
        archive = await sandbox.export(directory)
        if archive is None:
            raise GraderFailed(f"the {sandbox.backend} sandbox does not hand out reports")
        files = _unpacked(archive)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(pool, _read, files, recipes)


async def _few(sandbox: Sandbox, directory: str, found: Sequence[str]) -> Iterable[File] | None:
    """Few small reports, one by one through the standing channel, where the engine's archive of
    the directory costs forty milliseconds; None where it is the better way."""
    if len(found) > _FEW:
        return None
    try:
        return [
            (path.removeprefix(f"{directory}/"), await sandbox.read_file(path, limit=_SMALL))
            for path in found
        ]
    except OSError:  # too large, or a name with a line's end in it
        return None


def _gather(recipe: Recipe, directory: str, workdir: str) -> str:
    """Copy what the framework has written since the mark beside the other reports."""
    paths = " -o ".join(f"-path {quote(pattern)}" for pattern in recipe.written)
    place = quote(f"{directory}/{recipe.name}")
    find = f"find {quote(workdir)} -type f -newer {quote(directory)}/mark"
    return (
        f"i=0; {find} -size -{_LARGEST // 512} \\( {paths} \\) 2>/dev/null | head -n {_MOST} | "
        f'while IFS= read -r f; do i=$((i + 1)); cp -- "$f" {place}/written-$i; done'
    )


def _unpacked(archive: bytes) -> Iterator[File]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        for member in tar:
            if not member.isreg():
                continue
            stream = tar.extractfile(member) if member.size <= _LARGEST else None
            yield member.name.partition("/")[2], member.size if stream is None else stream.read()


def _read(files: Iterable[File], recipes: Iterable[Recipe]) -> list[Collected]:
    by_name = {recipe.name: recipe for recipe in recipes}
    reports: dict[str, list[Parsed]] = {}
    for path, data in files:
        name, _, file = path.partition("/")
        recipe = by_name.get(name)
        if recipe is None or "/" in file or file in recipe.files:
            continue
        reports.setdefault(name, []).append(_one(recipe, data))
    return [Collected(by_name[name], together(all_), len(all_)) for name, all_ in reports.items()]


def _one(recipe: Recipe, data: bytes | int) -> Parsed:
    if isinstance(data, int):
        return Parsed(warnings=(f"a report of {data:,} bytes was not read",))
    return recipe.read(data)
