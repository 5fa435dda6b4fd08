"""Image archives made by hand, in both layouts, small enough to read."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import zstandard


def layer(content: str) -> bytes:
    """A file system of one file."""
    return packed({"content": content.encode()})


def configuration(layer_tar: bytes, architecture: str = "amd64") -> bytes:
    return json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"WorkingDir": "/w", "Env": ["A=1"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer_tar)]},
        }
    ).encode()


def docker_archive(content: str, tags: list[str] | None, *, drop: str = "") -> dict[str, bytes]:
    """The members of a `docker save` archive; `drop` leaves one out."""
    tar = layer(content)
    config = configuration(tar)
    name = digest(config)[7:] + ".json"
    manifest = [{"Config": name, "RepoTags": tags, "Layers": ["abc/layer.tar"]}]
    members = {
        "abc/layer.tar": tar,
        name: config,
        "manifest.json": json.dumps(manifest).encode(),
    }
    members.pop(drop, None)
    return members


def oci_archive(content: str, name: str = "") -> dict[str, bytes]:
    """The members of an OCI layout with an index of one image and an attestation."""
    tar = layer(content)
    config = configuration(tar)
    members: dict[str, bytes] = {}

    def blob(data: bytes) -> dict[str, object]:
        members["blobs/" + digest(data).replace(":", "/")] = data
        return {"digest": digest(data), "size": len(data), "mediaType": "application/x"}

    manifest = json.dumps(
        {"schemaVersion": 2, "config": blob(config), "layers": [blob(tar)]}
    ).encode()
    inner = json.dumps(
        {
            "manifests": [
                {**blob(manifest), "platform": {"os": "linux", "architecture": "amd64"}},
                {"digest": "sha256:" + "0" * 64, "platform": {"os": "unknown"}},
            ]
        }
    ).encode()
    descriptor = blob(inner)
    if name:
        descriptor["annotations"] = {"org.opencontainers.image.ref.name": name}
    members["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    members["index.json"] = json.dumps({"manifests": [descriptor]}).encode()
    return members


def packed(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def written(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write the archive, compressed as the name's ending says."""
    data = packed(members)
    if path.suffix == ".gz":
        data = gzip.compress(data)
    elif path.suffix == ".zst":
        data = zstandard.ZstdCompressor().compress(data)
    path.write_bytes(data)
    return path


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
