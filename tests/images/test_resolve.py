"""Resolving and loading against a real engine, with images of a few bytes."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.images.archives import configuration, digest, docker_archive, layer, oci_archive, written
from velora.errors import ImageMissing, UsageError
from velora.images.archive import ArchiveError
from velora.images.engine import Engine, EngineError
from velora.images.loading import load, split_tag
from velora.images.resolve import read_mapping, resolve
from velora.instances.model import Instance

docker = pytest.mark.docker


def instance(image: str = "", **row: Any) -> Instance:
    return Instance("velora__none-1", "", repo="velora/none", image=image, row=row)


@pytest.fixture
async def content(docker_engine: Engine) -> AsyncIterator[str]:
    """Content that no image has yet; images with it are removed at the end."""
    unique = uuid.uuid4().hex
    yield unique
    try:
        ident = digest(configuration(layer(unique)))
        await docker_engine.call("DELETE", f"images/{ident}", params={"force": "1"})
    except EngineError as error:
        if error.status != 404:
            raise


@docker
class TestLoad:
    @pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.zst"])
    async def test_name_comes_from_the_archive(
        self, docker_engine: Engine, content: str, tmp_path: Path, suffix: str
    ) -> None:
        tag = f"velora-tests/{content}:1"
        path = written(tmp_path / f"i{suffix}", docker_archive(content, [tag]))
        (first,) = await load(docker_engine, path)
        assert (first.reference, first.sent, first.notes) == (tag, True, ())
        assert first.digest == digest(configuration(layer(content)))
        (again,) = await load(docker_engine, path)
        assert (again.reference, again.sent) == (tag, False)

    async def test_untagged_goes_by_its_id(
        self, docker_engine: Engine, content: str, tmp_path: Path
    ) -> None:
        (loaded,) = await load(
            docker_engine, written(tmp_path / "i.tar", docker_archive(content, None))
        )
        assert loaded.reference == loaded.digest

    async def test_oci_layout(self, docker_engine: Engine, content: str, tmp_path: Path) -> None:
        tag = f"velora-tests/{content}:oci"
        (loaded,) = await load(
            docker_engine, written(tmp_path / "i.tar", oci_archive(content, tag))
        )
        assert (loaded.reference, loaded.sent) == (tag, True)

    async def test_a_tag_of_another_image_stays_there(
        self, docker_engine: Engine, content: str, busybox_image: str, tmp_path: Path
    ) -> None:
        before = await docker_engine.image(busybox_image)
        path = written(tmp_path / "i.tar", docker_archive(content, [busybox_image]))
        (loaded,) = await load(docker_engine, path)
        assert await docker_engine.image(busybox_image) == before
        assert loaded.reference == loaded.digest
        assert "was left with it" in loaded.notes[0]

    async def test_further_tag(self, docker_engine: Engine, content: str, tmp_path: Path) -> None:
        path = written(tmp_path / "i.tar", docker_archive(content, None))
        (loaded,) = await load(docker_engine, path, tag=f"velora-tests/{content}")
        assert loaded.reference == f"velora-tests/{content}"
        found = await docker_engine.image(loaded.reference)
        assert found is not None
        assert found["Id"] == loaded.digest

    async def test_damaged(self, docker_engine: Engine, tmp_path: Path) -> None:
        path = tmp_path / "i.tar"
        path.write_bytes(b"x" * 2000)
        with pytest.raises(ArchiveError, match="not a tar"):
            await load(docker_engine, path)


@docker
class TestResolve:
    async def test_reference(self, docker_engine: Engine, busybox_image: str) -> None:
        image = await resolve(instance(busybox_image), engine=docker_engine)
        assert (image.reference, image.resolver) == (busybox_image, "image_storage_uri")
        assert image.digest.startswith("sha256:")
        assert (image.workdir, image.env["TASK"]) == ("/testbed", "image")
        assert image.platform.startswith("linux/")
        assert image.notes == ()

    async def test_archive_beside_the_dataset(
        self, docker_engine: Engine, content: str, tmp_path: Path
    ) -> None:
        written(tmp_path / "i.tar", docker_archive(content, None))
        row = Instance("a", "", image="i.tar", source=f"{tmp_path}/tasks.jsonl:3")
        image = await resolve(row, engine=docker_engine)
        assert image.resolver == "image_storage_uri, archive"
        assert (image.reference, image.workdir, image.env) == (image.digest, "/w", {"A": "1"})

    async def test_order_and_doubts(self, docker_engine: Engine, busybox_image: str) -> None:
        row = instance("velora-tests/none:1", docker_image=busybox_image)
        image = await resolve(row, engine=docker_engine)
        assert image.resolver == "row field docker_image"
        assert image.notes == ("image_storage_uri velora-tests/none:1: not in the engine",)
        image = await resolve(row, engine=docker_engine, override=busybox_image)
        assert image.resolver == "override"

    async def test_mapping(self, docker_engine: Engine, busybox_image: str) -> None:
        image = await resolve(
            instance("internal"), engine=docker_engine, mapping={"internal": busybox_image}
        )
        assert image.resolver == "image_storage_uri, mapped"

    async def test_missing_lists_everything_tried(
        self, docker_engine: Engine, tmp_path: Path
    ) -> None:
        bad = tmp_path / "bad.tar"
        bad.write_bytes(b"x" * 2000)
        row = instance("s3://bucket/x.tar", task_specific_image=str(bad), image_name="no.tar")
        with pytest.raises(ImageMissing) as caught:
            await resolve(row, engine=docker_engine, override="velora-tests/none:1")
        message = str(caught.value)
        for words in (
            "image_storage_uri: s3://bucket/x.tar: not loaded: needs the s3 extra",
            "override: velora-tests/none:1: not in the engine",
            "row field task_specific_image: " + f"{bad}: {bad}: not a tar archive",
            "row field image_name: no.tar: no such file",
            "Multi-SWE-bench: mswebench/velora_m_none:pr-1: not in the engine",
            "velora images load",
        ):
            assert words in message

    async def test_pull_is_tried_last_and_says_why_it_failed(self, docker_engine: Engine) -> None:
        row = Instance("free text, no names", "", image="127.0.0.1:1/none:1")
        with pytest.raises(ImageMissing, match=r"not pulled: .*127\.0\.0\.1:1"):
            await resolve(row, engine=docker_engine, pull=True)


class TestMapping:
    def test_reads_two_columns(self, tmp_path: Path) -> None:
        path = tmp_path / "m.csv"
        path.write_text("internal_uri,ecr_uri\na:1, b:1\n\nc:1,d:1,more\n")
        assert read_mapping(path) == {"a:1": "b:1", "c:1": "d:1"}

    def test_names_the_line(self, tmp_path: Path) -> None:
        path = tmp_path / "m.csv"
        path.write_text("internal_uri,ecr_uri\na:1\n")
        with pytest.raises(UsageError, match=r"m\.csv:2: expected two columns"):
            read_mapping(path)
        with pytest.raises(UsageError, match="cannot be read"):
            read_mapping(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("name", "parts"),
    [("a", ("a", "latest")), ("h:5000/a", ("h:5000/a", "latest")), ("h:5/a:b", ("h:5/a", "b"))],
)
def test_split_tag(name: str, parts: tuple[str, str]) -> None:
    assert split_tag(name) == parts
