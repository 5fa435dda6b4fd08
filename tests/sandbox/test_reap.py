from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from velora.images.engine import Engine
from velora.sandbox import owner
from velora.sandbox.docker import DockerSandbox
from velora.sandbox.protocol import SandboxSpec
from velora.sandbox.reap import reap
from velora.sandbox.vitals import remove


def label_of_an_ended_process() -> str:
    line = "from velora.sandbox.owner import identity; print(identity())"
    ended = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    return ended.stdout.strip()


class TestOwner:
    def test_this_process_lives(self) -> None:
        assert not owner.gone(owner.identity())

    def test_an_ended_process_is_gone(self) -> None:
        assert owner.gone(label_of_an_ended_process())

    def test_a_pid_given_away_is_gone(self) -> None:
        host, boot, namespace, pid, _ = owner.identity().split("/")
        assert owner.gone("/".join((host, boot, namespace, pid, "1")))

    def test_an_earlier_boot_is_gone(self) -> None:
        host, _, *rest = owner.identity().split("/")
        assert owner.gone("/".join((host, "another-boot", *rest)))

    @pytest.mark.parametrize("label", ["", "x", "a/b/c/d/e", "elsewhere/b/n/1/2"])
    def test_what_cannot_be_judged_is_left_alone(self, label: str) -> None:
        assert not owner.gone(label)

    def test_another_namespace_is_left_alone(self) -> None:
        host, boot, _, pid, started = owner.identity().split("/")
        assert not owner.gone("/".join((host, boot, "pid:[1]", pid, started)))


@pytest.mark.docker
class TestReap:
    async def left(self, engine: Engine, image: str, **labels: str) -> str:
        """A container as a crash leaves it: made, never started."""
        body = {"Image": image, "Entrypoint": ["/bin/sh"], "Labels": labels}
        made: dict[str, Any] = await engine.call("POST", "containers/create", body=body)
        return str(made["Id"])

    async def test_only_what_nobody_owns(self, docker_engine: Engine, busybox_image: str) -> None:
        run = {"velora.run": "reaped"}
        ended = await asyncio.to_thread(label_of_an_ended_process)
        dead = {"velora": "1", owner.LABEL: ended}
        made = {
            "dead": await self.left(docker_engine, busybox_image, **dead, **run),
            "other run": await self.left(
                docker_engine, busybox_image, **dead, **{"velora.run": "another"}
            ),
            "stranger": await self.left(docker_engine, busybox_image, **run),
        }
        live = DockerSandbox(docker_engine, SandboxSpec(busybox_image, labels=run))
        try:
            await live.start()
            assert len(await reap(docker_engine, run="reaped")) == 1
            assert await self.there(docker_engine, made) == {"other run", "stranger"}
            assert (await live.script("echo on")).stdout == b"on\n"
            assert await reap(docker_engine, run="reaped", own=True) == [live.name]
        finally:
            await live.stop()
            for ident in made.values():
                await remove(docker_engine, ident)

    async def there(self, engine: Engine, made: dict[str, str]) -> set[str]:
        found = await engine.call("GET", "containers/json", params={"all": "1"})
        idents = {item["Id"] for item in found}
        return {name for name, ident in made.items() if ident in idents}
