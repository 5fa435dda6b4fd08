from __future__ import annotations

from pathlib import Path

import pytest

from tests.images.archives import (
    configuration,
    digest,
    docker_archive,
    layer,
    oci_archive,
    packed,
    written,
)
from velora.images.archive import ArchiveError, read

CONFIG = digest(configuration(layer("x")))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tar.zst", "misnamed.bin"])
def test_docker_layout(tmp_path: Path, name: str) -> None:
    archive = read(written(tmp_path / name, docker_archive("x", ["a/b:c", "d:e"])))
    (image,) = archive.images
    assert archive.docker_layout
    assert (image.config, image.tags, image.platform) == (CONFIG, ("a/b:c", "d:e"), "linux/amd64")


def test_untagged(tmp_path: Path) -> None:
    (image,) = read(written(tmp_path / "a.tar", docker_archive("x", None))).images
    assert (image.config, image.tags) == (CONFIG, ())


@pytest.mark.parametrize("name", ["a.tar", "a.tar.zst"])
def test_oci_layout_behind_an_index(tmp_path: Path, name: str) -> None:
    archive = read(written(tmp_path / name, oci_archive("x", "a/b:c")))
    (image,) = archive.images
    assert not archive.docker_layout
    assert (image.config, image.tags) == (CONFIG, ("a/b:c",))
    assert image.manifest.startswith("sha256:")


def test_a_bare_tag_names_nothing(tmp_path: Path) -> None:
    (image,) = read(written(tmp_path / "a.tar", oci_archive("x", "latest"))).images
    assert image.tags == ()


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tar.zst"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_truncated(tmp_path: Path, name: str, kept: float) -> None:
    path = written(tmp_path / name, docker_archive("x" * 5000, ["a:b"]))
    data = path.read_bytes()
    if name == "a.tar":
        data = data[: data.rindex(b"ustar")]  # what follows the last member is padding
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ArchiveError, match=r"a\.tar.*(truncated|not a tar|manifest)"):
        read(path)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a tar archive"),
        (b"hello" * 200, "not a tar archive"),
        (b"\x1f\x8bnot gzip at all", "damaged"),
        (packed({}), "empty"),
        (packed({"etc/passwd": b"root"}), "neither manifest.json nor index.json"),
        (packed({"manifest.json": b'[{"Config": "c"}]'}), "missing"),
        (packed({"manifest.json": b"{"}), "cannot be understood"),
        (packed({"manifest.json": b"[]"}), "no image"),
        (packed(docker_archive("x", None, drop="abc/layer.tar")), "abc/layer.tar"),
    ],
)
def test_not_an_image(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "bad.tar"
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=problem) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_no_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no such file"):
        read(tmp_path / "none.tar")
    with pytest.raises(ArchiveError, match="is a directory"):
        read(tmp_path)
