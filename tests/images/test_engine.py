from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from velora.errors import UsageError
from velora.images.address import EngineUnavailable, candidates
from velora.images.engine import Engine, EngineError


class TestAddress:
    def test_docker_host_is_the_only_one(self) -> None:
        (only,) = candidates({"DOCKER_HOST": "tcp://h:1", "XDG_RUNTIME_DIR": "/r"})
        assert (only.url, only.source) == ("tcp://h:1", "DOCKER_HOST")

    def test_docker_before_podman(self) -> None:
        urls = [c.url for c in candidates({"XDG_RUNTIME_DIR": "/r", "HOME": "/h"})]
        assert urls == [
            "unix:///var/run/docker.sock",
            "unix:///r/docker.sock",
            "unix:///h/.docker/run/docker.sock",
            "unix:///run/podman/podman.sock",
            "unix:///r/podman/podman.sock",
        ]
        assert all("podman" in c.url for c in candidates({}, "podman"))

    @pytest.mark.parametrize(
        ("url", "words"),
        [("ssh://h", "forward the socket"), ("/a/b", "no scheme"), ("npipe://x", "not one of")],
    )
    async def test_what_cannot_be_spoken(self, url: str, words: str) -> None:
        with pytest.raises(EngineUnavailable, match=words):
            await Engine.connect(environ={"DOCKER_HOST": url})


class TestConnect:
    async def test_nobody_there(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError) as caught:
            await Engine.connect(environ={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
        assert "none.sock (DOCKER_HOST): no such socket" in str(caught.value)
        assert "apt-get install docker.io" in str(caught.value)

    async def test_nobody_listens(self) -> None:
        with pytest.raises(EngineUnavailable, match="DOCKER_HOST"):
            await Engine.connect(environ={"DOCKER_HOST": "tcp://127.0.0.1:1"})

    @pytest.mark.docker
    async def test_says_what_it_is(self, docker_engine: Engine) -> None:
        assert docker_engine.kind in {"docker", "podman"}
        assert docker_engine.version[0].isdigit()
        assert docker_engine.limits <= {"memory", "swap", "cpus", "pids"}

    @pytest.mark.docker
    async def test_errors_carry_the_engines_words(self, docker_engine: Engine) -> None:
        with pytest.raises(EngineError, match=r"[Nn]o such container") as caught:
            await docker_engine.call("GET", "containers/velora-none/json")
        assert caught.value.status == 404
        assert await docker_engine.image("Not A Reference!") is None


def test_import_is_cheap() -> None:
    line = (
        "import sys, velora.sandbox.docker, velora.images.resolve, velora.sandbox.choose;"
        "sys.exit(any(m in sys.modules for m in ('aiodocker', 'aiohttp', 'zstandard')))"
    )
    assert subprocess.run([sys.executable, "-c", line], check=False).returncode == 0
