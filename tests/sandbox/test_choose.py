from __future__ import annotations

from pathlib import Path

import pytest

from velora.errors import UsageError
from velora.images.engine import Engine
from velora.sandbox.choose import NAMES, available, choose


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")


@pytest.mark.usefixtures("no_engine")
class TestWithoutAnEngine:
    async def test_an_image_is_an_error_that_names_each_reason(self) -> None:
        with pytest.raises(UsageError) as caught:
            await choose("auto", image="a/b:c")
        message = str(caught.value)
        assert "image a/b:c cannot be run here" in message
        assert "- docker:" in message
        assert "- podman:" in message
        assert "none.sock" in message

    async def test_without_an_image_the_next_best(self) -> None:
        assert (await choose("auto")).name in {"bubblewrap", "host"}

    async def test_a_named_backend_is_not_replaced(self) -> None:
        with pytest.raises(UsageError, match="sandbox backend docker cannot be used"):
            await choose("docker")
        assert (await choose("host", image="a/b:c")).name == "host"

    async def test_all_are_listed_with_a_reason(self) -> None:
        found = await available()
        assert tuple(backend.name for backend in found) == NAMES
        assert not found[0].usable
        assert "no docker engine answers" in found[0].problem
        assert found[-1].usable


@pytest.mark.bubblewrap
@pytest.mark.usefixtures("bubblewrap_here", "no_engine")
async def test_an_unpacked_image_needs_no_engine(tmp_path: Path) -> None:
    assert (await choose("auto", image=str(tmp_path))).name == "bubblewrap"


@pytest.mark.docker
async def test_with_an_engine(docker_engine: Engine) -> None:
    chosen = await choose("auto", image="a/b:c")
    assert chosen.name == docker_engine.kind
    assert chosen.facts["version"] == docker_engine.version


async def test_unknown_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'docker'"):
        await choose("dokcer")
