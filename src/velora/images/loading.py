"""Puts a `docker save` archive into the engine and says what the image is now called.

What an image is called comes from the archive's own manifest, never from the engine's list. An
archive whose image the engine has already is not sent again. A tag of the archive that names
another image in the engine stays where it is: the loaded image is then known by its id. For that,
and for archives in the OCI layout alone, which older engines refuse, the archive is rewritten on
the way with a manifest of our own.
"""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from velora.errors import UsageError
from velora.images.archive import Archive, ArchivedImage, ArchiveError, opened, read
from velora.images.engine import Engine, EngineError

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image of an archive, now in the engine.

    Attributes:
        reference: the tag that names it, or its id where none does.
        digest: the engine's image id.
        sent: False where the engine had it already.
        notes: such as a tag of the archive that was left with another image.
    """

    reference: str
    digest: str
    sent: bool
    notes: tuple[str, ...] = ()


async def load(engine: Engine, path: Path, *, tag: str = "") -> tuple[Loaded, ...]:
    """Load all images of an archive.

    Args:
        tag: a further name for its image; moved there if another image has it.

    Raises:
        ArchiveError: the file is no image archive, or damaged.
        UsageError: `tag` with an archive of several images.
        EngineError: the engine would not take it.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="velora-images") as pool:
        loop = asyncio.get_running_loop()
        archive = await loop.run_in_executor(pool, read, path, engine.architecture)
        if tag and len(archive.images) > 1:
            names = ", ".join(
                image.tags[0] if image.tags else image.config for image in archive.images
            )
            raise UsageError(
                f"holds {len(archive.images)} images ({names}), so one tag will not do",
                where=str(path),
                hint="load it without a tag and name each with `docker tag`",
            )
        async with engine.loading:
            return await _load(engine, archive, tag, pool)


async def _load(
    engine: Engine, archive: Archive, tag: str, pool: ThreadPoolExecutor
) -> tuple[Loaded, ...]:
    before = [await _present(engine, image) for image in archive.images]
    owners = {t: await engine.image(t) for image in archive.images for t in image.tags}
    taken = {
        t
        for image, ident in zip(archive.images, before, strict=True)
        for t in image.tags
        if (owner := owners[t]) is not None
        and owner["Id"] not in {ident, image.config, image.manifest}
    }
    missing = not all(before)
    if missing:
        rewrite = bool(taken) or not archive.docker_layout
        source = _rewritten(archive, taken) if rewrite else _plain(archive)
        try:
            await engine.upload("images/load", _pumped(source, pool), params={"quiet": "1"})
        except EngineError as error:
            raise EngineError(
                error.status, f"{archive.path}: the engine refuses it: {error}"
            ) from None
    loaded = []
    for image in archive.images:
        ident = await _present(engine, image) or await _tagged(engine, image, taken)
        if ident is None:
            raise ArchiveError(archive.path, "the engine took it but does not show its image")
        names = [t for t in image.tags if t not in taken]
        if tag:
            names = [tag, *(t for t in names if t != tag)]
        for name in names:
            if name == tag or await engine.image(name) is None:
                repository, version = split_tag(name)
                params = {"repo": repository, "tag": version}
                await engine.call("POST", f"images/{ident}/tag", params=params)
        notes = tuple(
            f"{t} names another image here and was left with it" for t in image.tags if t in taken
        )
        loaded.append(Loaded(names[0] if names else ident, ident, missing, notes))
    return tuple(loaded)


async def _tagged(engine: Engine, image: ArchivedImage, taken: set[str]) -> str | None:
    """The id behind a tag just given, for an engine that computes ids in its own way."""
    for tag in image.tags:
        found = await engine.image(tag) if tag not in taken else None
        if found is not None:
            return str(found["Id"])
    return None


async def _present(engine: Engine, image: ArchivedImage) -> str | None:
    for ident in (image.config, image.manifest):
        found = await engine.image(ident) if ident else None
        if found is not None:
            return str(found["Id"])
    return None


def split_tag(name: str) -> tuple[str, str]:
    """`host:5000/a/b:c` as (`host:5000/a/b`, `c`); the tag is `latest` where there is none."""
    head, colon, last = name.rpartition(":")
    return (head, last) if colon and "/" not in last else (name, "latest")


def _plain(archive: Archive) -> Iterator[bytes]:
    with opened(archive.path, archive.compression) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _rewritten(archive: Archive, taken: set[str]) -> Iterator[bytes]:
    """The archive with a `manifest.json` of ours, which leaves the tags in `taken` out."""
    manifest = [
        {
            "Config": image.config_path,
            "RepoTags": [t for t in image.tags if t not in taken] or None,
            "Layers": list(image.layer_paths),
        }
        for image in archive.images
    ]
    with (
        opened(archive.path, archive.compression) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        for member in tar:
            # Each of these would bring the tags back.
            if member.name.removeprefix("./") in {"manifest.json", "repositories", "index.json"}:
                continue
            yield member.tobuf()
            content = tar.extractfile(member) if member.isreg() else None
            while content is not None and (chunk := content.read(_CHUNK)):
                yield chunk
            yield b"\0" * (-(member.size if content else 0) % tarfile.BLOCKSIZE)
    data = orjson.dumps(manifest)
    header = tarfile.TarInfo("manifest.json")
    header.size = len(data)
    yield header.tobuf() + data + b"\0" * (-len(data) % tarfile.BLOCKSIZE)
    yield b"\0" * tarfile.RECORDSIZE


async def _pumped(source: Iterator[bytes], pool: ThreadPoolExecutor) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end: Any = object()
    while (chunk := await loop.run_in_executor(pool, next, source, end)) is not end:
        if chunk:
            yield chunk
