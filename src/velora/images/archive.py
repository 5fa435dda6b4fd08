"""Reads what a `docker save` archive holds, without an engine.

Two layouts: Docker's (`manifest.json`) and OCI's (`index.json`); newer engines write both into
one archive. The archive may be plain or compressed with gzip, zstd, bzip2 or xz. All here is
blocking and belongs in a worker thread.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import orjson

from velora.errors import VeloraError

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.bz2", ".tar.xz", ".oci")

_LARGEST_JSON = 4 * 1024 * 1024
_BROKEN = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError)


class ArchiveError(VeloraError):
    """The file is not an image archive, or a damaged one; the text names it."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """One image of an archive.

    Attributes:
        config: digest of the image's configuration, `sha256:…`: the image id in most engines.
        manifest: digest of its OCI manifest, or "": the id in engines on containerd's store.
        tags: the references that the archive gives it, possibly none.
        config_path, layer_paths: members of the archive.
        platform: as `linux/amd64`.
    """

    config: str
    manifest: str
    tags: tuple[str, ...]
    config_path: str
    layer_paths: tuple[str, ...]
    platform: str


@dataclass(frozen=True, slots=True)
class Archive:
    """What `read` found. `compression` is "", `gzip`, `zstd`, `bzip2` or `xz`; `docker_layout`
    is False where only an OCI index is there."""

    path: Path
    compression: str
    docker_layout: bool
    images: tuple[ArchivedImage, ...]


def read(path: Path, architecture: str = "amd64") -> Archive:
    """Read the manifest and check that all it names is there in full.

    Args:
        architecture: picks the image where an OCI index has one for each platform.

    Raises:
        ArchiveError: not an archive, not of images, truncated or damaged.
    """
    try:
        compression = _compression(path)
        jsons, members = _members(path, compression)
    except ArchiveError:
        raise
    except FileNotFoundError:
        raise ArchiveError(path, "no such file") from None
    except IsADirectoryError:
        raise ArchiveError(path, "is a directory, not an archive") from None
    except PermissionError:
        raise ArchiveError(path, "may not be read by this user") from None
    except _BROKEN as error:
        raise ArchiveError(path, f"truncated or damaged ({error})") from None
    try:
        if "manifest.json" in jsons:
            images = _docker(jsons)
        elif "index.json" in jsons:
            images = _oci(jsons, architecture)
        elif members:
            raise ArchiveError(
                path,
                "holds neither manifest.json nor index.json: truncated, or not made by "
                "`docker save` (a root file system goes in with `docker import`)",
            )
        else:
            raise ArchiveError(path, "empty archive")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ArchiveError(path, f"its manifest cannot be understood ({error!r})") from None
    for image in images:
        for name in (image.config_path, *image.layer_paths):
            if name not in members:
                raise ArchiveError(path, f"truncated: {name}, named in its manifest, is missing")
    if not images:
        raise ArchiveError(path, "its manifest lists no image")
    return Archive(path, compression, "manifest.json" in jsons, tuple(images))


def opened(path: Path, compression: str) -> IO[bytes]:
    """The archive's tar as a stream."""
    if compression == "gzip":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if compression == "bzip2":
        return cast("IO[bytes]", bz2.open(path, "rb"))
    if compression == "xz":
        return cast("IO[bytes]", lzma.open(path, "rb"))
    if compression == "zstd":
        import zstandard

        reader = zstandard.ZstdDecompressor().stream_reader(
            path.open("rb"), read_across_frames=True, closefd=True
        )
        return cast("IO[bytes]", reader)
    return path.open("rb")


def _compression(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(512)
    for magic, name in (
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
    ):
        if head.startswith(magic):
            return name
    if len(head) < 512 or (head[257:262] != b"ustar" and any(head)):
        raise ArchiveError(path, "not a tar archive")
    return ""


def _members(path: Path, compression: str) -> tuple[dict[str, bytes], set[str]]:
    """The small JSON members by name, and the names of all."""
    jsons: dict[str, bytes] = {}
    names: set[str] = set()
    links: list[tuple[str, str]] = []
    with opened(path, compression) as stream, _tar(stream, compression) as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            if member.issym() or member.islnk():
                links.append((name, member.linkname))
                continue
            if not member.isreg():
                continue
            names.add(name)
            if member.size > _LARGEST_JSON:
                continue
            content = tar.extractfile(member)
            data = content.read() if content else b""
            if len(data) != member.size:
                raise ArchiveError(path, f"truncated in {name}")
            if data[:1] in {b"{", b"["}:
                jsons[name] = data
        if compression:
            # A cut compressed stream may end on a member's edge; reading on shows it.
            while stream.read(1 << 20):
                pass
    names.update(name for name, _ in links)  # `docker save` links equal layers to one another
    return jsons, names


def _tar(stream: IO[bytes], compression: str) -> tarfile.TarFile:
    # Seeking over the layers of a plain archive makes reading gigabytes a matter of milliseconds.
    if compression:
        return tarfile.open(fileobj=stream, mode="r|")
    return tarfile.open(fileobj=stream, mode="r:")


def _docker(jsons: Mapping[str, bytes]) -> list[ArchivedImage]:
    images = []
    for entry in orjson.loads(jsons["manifest.json"]):
        path = entry["Config"].removeprefix("./")
        if path not in jsons:
            raise ValueError(f"configuration {path} is missing")
        images.append(
            ArchivedImage(
                config=_digest(jsons[path]),
                manifest="",
                tags=tuple(entry.get("RepoTags") or ()),
                config_path=path,
                layer_paths=tuple(entry.get("Layers") or ()),
                platform=_platform(orjson.loads(jsons[path])),
            )
        )
    return images


def _oci(jsons: Mapping[str, bytes], architecture: str) -> list[ArchivedImage]:
    images = []
    for descriptor in orjson.loads(jsons["index.json"])["manifests"]:
        digest, manifest = _chosen(jsons, descriptor["digest"], architecture)
        path = _blob(manifest["config"]["digest"])
        notes = descriptor.get("annotations") or {}
        name = notes.get("io.containerd.image.name") or notes.get(
            "org.opencontainers.image.ref.name", ""
        )
        images.append(
            ArchivedImage(
                config=manifest["config"]["digest"],
                manifest=digest,
                # A bare "latest" is a tag without a name, and names nothing.
                tags=(name,) if ":" in name or "/" in name else (),
                config_path=path,
                layer_paths=tuple(_blob(layer["digest"]) for layer in manifest["layers"]),
                platform=_platform(orjson.loads(jsons[path])),
            )
        )
    return images


def _chosen(
    jsons: Mapping[str, bytes], digest: str, architecture: str
) -> tuple[str, dict[str, Any]]:
    """The manifest behind a descriptor; of an index that with the wanted architecture."""
    manifest = orjson.loads(jsons[_blob(digest)])
    if "manifests" not in manifest:
        return digest, manifest
    real = [
        m
        for m in manifest["manifests"]
        if (m.get("platform") or {}).get("os", "linux") != "unknown" and _blob(m["digest"]) in jsons
    ]
    if not real:
        raise ValueError("no manifest of its index is in the archive")
    wanted = [m for m in real if (m.get("platform") or {}).get("architecture") == architecture]
    return _chosen(jsons, (wanted or real)[0]["digest"], architecture)


def _platform(config: Mapping[str, Any]) -> str:
    parts = (config.get("os", "linux"), config.get("architecture", ""), config.get("variant", ""))
    return "/".join(part for part in parts if part)


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")
