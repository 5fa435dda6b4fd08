"""From a row to the image that the engine has for it.

Resolvers are asked in a fixed order and the first that finds an image wins:

1. the row's `image_storage_uri`: a reference, or the path of a `docker save` archive;
2. the override of the command line or of `RUNTIME_CONTAINER_IMAGE`'s kind;
3. the row's other image fields (`names.FIELDS`);
4. the names that its dataset family and harnesses compute (`names.computed`).

Nothing is pulled unless asked for. What earlier resolvers had to say is kept in the image's
notes, so that an image found further down is never a silent stand-in.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from velora.errors import ImageMissing, UsageError
from velora.images import names
from velora.images.archive import SUFFIXES, ArchiveError
from velora.images.engine import Engine, EngineError
from velora.images.loading import load, split_tag
from velora.images.names import Candidate
from velora.instances.model import Instance


@dataclass(frozen=True, slots=True)
class Image:
    """An image ready to be started.

    Attributes:
        reference: the name it was found by, fit to show.
        digest: the engine's image id, fit to start: it cannot move as a tag can. For sandboxes
            without an engine the root directory, or "".
        resolver: what found it.
        workdir: its WORKDIR, or "".
        env: its ENV.
        user: its USER, or "".
        platform: as `linux/amd64`.
        notes: what else is worth knowing, one sentence each.
    """

    reference: str
    digest: str
    resolver: str
    workdir: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    platform: str = ""
    notes: tuple[str, ...] = ()


class _NotHere(Exception):
    """A resolver's name leads nowhere; the text is the reason."""


async def resolve(
    instance: Instance,
    *,
    engine: Engine,
    override: str = "",
    prefix: str = "mswebench",
    mapping: Mapping[str, str] | None = None,
    pull: bool = False,
) -> Image:
    """Find the image of `instance`.

    Args:
        override: an image for all instances whose row names none that is there.
        prefix: see `names.computed`.
        mapping: other names for `image_storage_uri`, as read by `read_mapping`.
        pull: ask registries for what is not there, after all else failed.

    Raises:
        ImageMissing: each resolver, the name it tried and why it failed.
        EngineError: the engine itself does not answer.
    """
    failed: list[tuple[Candidate, str]] = []
    tried = dict.fromkeys(_candidates(instance, override, prefix, mapping or {}))
    for candidate in tried:
        try:
            image = await _look(candidate, instance, engine)
        except _NotHere as reason:
            failed.append((candidate, str(reason)))
            continue
        return _with_doubts(image, failed)
    if pull:
        for candidate in tried:
            if candidate.name.startswith("s3://") or _is_archive(candidate.name, instance):
                continue
            try:
                image = await _pull(candidate, engine)
            except _NotHere as reason:
                failed.append((candidate, str(reason)))
                continue
            return _with_doubts(image, failed)
    lines = "".join(f"\n  - {c.resolver}: {c.name}: {reason}" for c, reason in failed)
    raise ImageMissing(
        f"{instance.instance_id}: no image found in {engine.kind} ({engine.address}); tried{lines}"
        "\n  load it with `velora images load TAR [TAG]`, or name it in the row's image_storage_uri"
    )


def read_mapping(path: Path) -> dict[str, str]:
    """Read a table of two columns, such as `internal_uri,ecr_uri`: another name for each URI.

    Raises:
        UsageError: the file is not there or a line has not two columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    for number, row in enumerate(rows, 1):
        if len(row) < 2:
            raise UsageError("expected two columns, internal_uri,ecr_uri", where=f"{path}:{number}")
    return {row[0].strip(): row[1].strip() for row in rows[1:]}


def _candidates(
    instance: Instance, override: str, prefix: str, mapping: Mapping[str, str]
) -> Iterator[Candidate]:
    if instance.image:
        if instance.image in mapping:
            yield Candidate("image_storage_uri, mapped", mapping[instance.image])
        yield Candidate("image_storage_uri", instance.image)
    if override:
        yield Candidate("override", override)
    yield from names.from_fields(instance.row)
    yield from names.computed(instance, prefix)


async def _look(candidate: Candidate, instance: Instance, engine: Engine) -> Image:
    name = candidate.name
    if name.startswith("s3://"):
        raise _NotHere("not loaded: needs the s3 extra; download it and `velora images load` it")
    if _is_archive(name, instance):
        return await _from_archive(candidate, instance, engine)
    found = await engine.image(_bare(name))
    if found is None:
        raise _NotHere("not in the engine")
    return _image(candidate.resolver, name, found, engine)


async def _from_archive(candidate: Candidate, instance: Instance, engine: Engine) -> Image:
    path = _nearby(candidate.name, instance)
    if path is None:
        raise _NotHere("no such file")
    try:
        loaded = await load(engine, path)
    except (ArchiveError, EngineError) as error:
        if isinstance(error, EngineError) and not error.status:
            raise
        raise _NotHere(str(error)) from None
    if len(loaded) > 1:
        held = ", ".join(one.reference for one in loaded)
        raise _NotHere(f"holds {len(loaded)} images ({held}); name one of them instead")
    found = await engine.image(loaded[0].digest)
    if found is None:
        raise _NotHere("was removed from the engine while it was being looked up")
    image = _image(f"{candidate.resolver}, archive", loaded[0].reference, found, engine)
    return replace(image, notes=(*image.notes, *loaded[0].notes))


async def _pull(candidate: Candidate, engine: Engine) -> Image:
    name = _bare(candidate.name)
    repository, tag = (name, "") if "@" in name else split_tag(name)
    params = {"fromImage": repository, "tag": tag}
    try:
        raw = await engine.call("POST", "images/create", params=params, timeout=3600)
    except EngineError as error:
        raise _NotHere(f"not pulled: {error}") from None
    found = await engine.image(name)
    if found is None:  # the stream's last line says why
        last = bytes(raw or b"").strip().rsplit(b"\n", 1)[-1].decode(errors="replace")
        raise _NotHere(f"not pulled: {last}")
    return _image(f"{candidate.resolver}, pulled", candidate.name, found, engine)


def _image(resolver: str, name: str, found: Mapping[str, Any], engine: Engine) -> Image:
    config = found.get("Config") or {}
    parts = (found.get("Os") or "linux", found.get("Architecture"), found.get("Variant"))
    notes: tuple[str, ...] = ()
    architecture = found.get("Architecture") or engine.architecture
    if architecture != engine.architecture:
        notes = (f"built for {architecture}, runs emulated on {engine.architecture}",)
    return Image(
        reference=name,
        digest=str(found["Id"]),
        resolver=resolver,
        workdir=config.get("WorkingDir") or "",
        env=dict(item.split("=", 1) for item in config.get("Env") or () if "=" in item),
        user=config.get("User") or "",
        platform="/".join(part for part in parts if part),
        notes=notes,
    )


def _with_doubts(image: Image, failed: list[tuple[Candidate, str]]) -> Image:
    """Note what was named before and not found; a computed name that missed is no news."""
    named = ("row field", "image_storage_uri", "override")
    doubts = tuple(
        f"{c.resolver} {c.name}: {reason}" for c, reason in failed if c.resolver.startswith(named)
    )
    return replace(image, notes=(*image.notes, *doubts))


def _bare(name: str) -> str:
    return name.removeprefix("docker://").removeprefix("docker-daemon:")


def _is_archive(name: str, instance: Instance) -> bool:
    if name.lower().endswith(SUFFIXES):
        return True
    path = _nearby(name, instance)
    return path is not None and path.is_file()


def _nearby(name: str, instance: Instance) -> Path | None:
    """`name` as a path from here or from where the dataset lies, if there is such a file."""
    here = Path(name.removeprefix("docker-archive:").removeprefix("file://")).expanduser()
    dataset = Path(instance.source.rpartition(":")[0] or ".").parent
    return next((path for path in (here, dataset / here) if path.exists()), None)
