"""Where sandboxes start: private copies of a directory, and what is missing."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fixtures_docker import busybox_root
from velora.config.settings import SandboxSettings
from velora.engine.places import DirectoryPlace, directory_of, spec
from velora.errors import ImageMissing, TaskInvalid
from velora.instances.model import Instance
from velora.sandbox.bubblewrap import BubblewrapSandbox
from velora.sandbox.host import HostSandbox


def instance(tmp_path: Path, image: str = "repository") -> Instance:
    source = f"{tmp_path / 'tasks.jsonl'}:1"
    return Instance("a-1", "Mend it.", image=image, source=source)


@pytest.fixture
def place(tmp_path: Path) -> DirectoryPlace:
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "a.txt").write_text("as it was\n")
    return DirectoryPlace("host", HostSandbox, SandboxSettings(), "run")


async def test_each_sandbox_has_a_copy_of_its_own(place: DirectoryPlace, tmp_path: Path) -> None:
    one = instance(tmp_path)
    async with place.sandbox(one, attempt=1) as first, place.sandbox(one, attempt=2) as second:
        assert first.fixed
        assert first.workdir != second.workdir
        await first.sandbox.write_file(f"{first.workdir}/a.txt", b"changed\n")
        assert await second.sandbox.read_file(f"{second.workdir}/a.txt") == b"as it was\n"
    assert (tmp_path / "repository" / "a.txt").read_text() == "as it was\n"
    assert not Path(first.workdir).exists()
    assert not Path(second.workdir).exists()


async def test_the_copy_is_removed_when_the_attempt_fails(
    place: DirectoryPlace, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError):
        async with place.sandbox(instance(tmp_path), attempt=1) as started:
            raise RuntimeError
    assert not Path(started.workdir).exists()


@pytest.mark.parametrize(("image", "words"), [("", "is empty"), ("elsewhere", "'elsewhere'")])
async def test_no_such_directory(
    place: DirectoryPlace, tmp_path: Path, image: str, words: str
) -> None:
    with pytest.raises(ImageMissing, match=words) as error:
        await place.check(instance(tmp_path, image))
    assert "tasks.jsonl:1" in str(error.value)


def test_a_directory_is_found_from_the_dataset(place: DirectoryPlace, tmp_path: Path) -> None:
    assert directory_of(instance(tmp_path)) == (tmp_path / "repository").resolve()
    assert directory_of(instance(tmp_path, ""), "repository") == tmp_path / "repository"
    assert directory_of(instance(tmp_path, "elsewhere")) is None


def test_settings_become_a_spec() -> None:
    settings = SandboxSettings(memory="512m", cpus=1.5, pids=64, use_host_network=True)
    made = spec(settings, image="i", run="r", instance_id="a-1", attempt=3)
    assert made.limits.memory == 512 * 1024**2
    assert (made.limits.cpus, made.limits.pids) == (1.5, 64)
    assert made.network
    assert dict(made.labels) == {
        "velora.run": "r",
        "velora.instance": "a-1",
        "velora.attempt": "3",
    }
    cut_off = spec(settings, image="i", run="r", instance_id="a", attempt=1, network=False)
    assert not cut_off.network


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """An unpacked BusyBox image with a repository in /testbed."""
    root = tmp_path / "root"
    with tarfile.open(fileobj=io.BytesIO(busybox_root())) as archive:
        archive.extractall(root, filter="tar")
    (root / "testbed" / "a.txt").write_text("as it was\n")
    return root


@pytest.mark.bubblewrap
async def test_an_unpacked_image(bubblewrap_here: None, unpacked: Path, tmp_path: Path) -> None:
    place = DirectoryPlace("bubblewrap", BubblewrapSandbox, SandboxSettings(), "run")
    one = replace(instance(tmp_path, "root"), repo_path="/testbed")
    async with place.sandbox(one, attempt=1) as started:
        assert started.workdir == "/testbed"
        done = await started.sandbox.exec(["sh", "-c", "echo more >> a.txt; busybox | head -n 1"])
        assert done.stdout.startswith(b"BusyBox")
        assert await started.sandbox.read_file("/testbed/a.txt") == b"as it was\nmore\n"
    assert (unpacked / "testbed" / "a.txt").read_text() == "as it was\n"


async def test_an_unpacked_image_needs_a_repo_path(unpacked: Path, tmp_path: Path) -> None:
    place = DirectoryPlace("bubblewrap", BubblewrapSandbox, SandboxSettings(), "run")
    with pytest.raises(TaskInvalid, match="set repo_path"):
        await place.check(instance(tmp_path, "root"))
