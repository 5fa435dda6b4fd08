"""What is Docker's own: the container as the engine sees it, limits, losses, nothing left."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
import tarfile
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from velora.errors import SandboxFailed, SandboxLost
from velora.images.engine import Engine, EngineError
from velora.sandbox.container import CAPABILITIES
from velora.sandbox.docker import DockerSandbox
from velora.sandbox.protocol import Change, Limits, SandboxSpec
from velora.sandbox.reap import reap
from velora.sandbox.vitals import remove

pytestmark = pytest.mark.docker


@contextlib.asynccontextmanager
async def started(engine: Engine, image: str, **fields: Any) -> AsyncIterator[DockerSandbox]:
    sandbox = DockerSandbox(engine, SandboxSpec(image, **fields))
    try:
        await sandbox.start()
        yield sandbox
    finally:
        await sandbox.stop()


async def inspect(engine: Engine, sandbox: DockerSandbox) -> dict[str, Any]:
    found: dict[str, Any] = await engine.call("GET", f"containers/{sandbox.id}/json")
    return found


async def there(engine: Engine, name: str) -> bool:
    try:
        await engine.call("GET", f"containers/{name}/json")
    except EngineError as error:
        if error.status != 404:
            raise
        return False
    return True


class TestContainer:
    async def test_is_labelled_confined_and_named(
        self, docker_engine: Engine, busybox_image: str
    ) -> None:
        labels = {"velora.run": "r", "velora.instance": "i", "velora.attempt": "1"}
        limits = Limits(memory=256 * 1024**2, cpus=0.5, pids=64)
        async with started(docker_engine, busybox_image, labels=labels, limits=limits) as sandbox:
            found = await inspect(docker_engine, sandbox)
        assert labels.items() <= found["Config"]["Labels"].items()
        assert found["Config"]["Labels"]["velora"] == "1"
        host = found["HostConfig"]
        assert host["Memory"] == host["MemorySwap"] == 256 * 1024**2
        assert (host["NanoCpus"], host["PidsLimit"]) == (500_000_000, 64)
        assert host["CapDrop"] == ["ALL"]
        assert {name.removeprefix("CAP_") for name in host["CapAdd"]} == set(CAPABILITIES)
        assert host["SecurityOpt"] == ["no-new-privileges"]
        assert (host["NetworkMode"], host["AutoRemove"], host["Init"]) == ("none", True, True)
        assert host["LogConfig"]["Type"] == "none"
        assert sandbox.facts["limits_not_enforced"] == []

    async def test_uses_the_images_environment_and_workdir(
        self, docker_engine: Engine, debian_image: str
    ) -> None:
        async with started(docker_engine, debian_image, env={"MORE": "x"}) as sandbox:
            result = await sandbox.exec(["sh", "-c", "echo $TASK $MORE; pwd"])
            assert result.stdout == b"image x\n/testbed\n"

    async def test_proxies_are_cut_with_the_network(
        self, docker_engine: Engine, debian_image: str
    ) -> None:
        async with started(docker_engine, debian_image, env={"http_proxy": "mine"}) as sandbox:
            names = (await sandbox.exec(["env"])).stdout.decode().lower().splitlines()
            assert [line for line in names if "_proxy" in line] == ["http_proxy=mine"]

    async def test_runs_as_the_wanted_user(self, docker_engine: Engine, debian_image: str) -> None:
        async with started(docker_engine, debian_image, user="nobody") as sandbox:
            assert (await sandbox.exec(["id", "-un"])).stdout == b"nobody\n"
            assert (await sandbox.script("id -un")).stdout == b"nobody\n"
            with pytest.raises(PermissionError):
                await sandbox.read_file("/etc/shadow")
            with pytest.raises(PermissionError):
                await sandbox.write_file("/etc/x", b"")

    async def test_root_can_do_what_installers_and_tests_do(
        self, docker_engine: Engine, debian_image: str
    ) -> None:
        async with started(docker_engine, debian_image) as sandbox:
            done = await sandbox.exec(
                ["sh", "-ec", "touch /f; chown nobody /f; chmod 4750 /f; chroot / true;"
                 " su nobody -s /bin/sh -c 'sleep 60 & id -un'; pkill -u nobody sleep;"
                 " python3 -c 'import socket; socket.create_server((\"127.0.0.1\", 80))'"]
            )  # fmt: skip
            assert (done.exit_code, done.stdout, done.stderr) == (0, b"nobody\n", b"")
            denied = await sandbox.exec(["mknod", "/n", "c", "1", "3"])
            assert denied.exit_code != 0

    async def test_memory_limit_kills_the_process_alone(
        self, docker_engine: Engine, debian_image: str
    ) -> None:
        limits = Limits(memory=64 * 1024**2)
        async with started(docker_engine, debian_image, limits=limits) as sandbox:
            eaten = await sandbox.exec(["python3", "-c", "bytearray(10**9)"])
            assert eaten.exit_code == 137
            assert (await sandbox.exec(["echo", "alive"])).stdout == b"alive\n"

    async def test_pids_limit(self, docker_engine: Engine, debian_image: str) -> None:
        async with started(docker_engine, debian_image, limits=Limits(pids=32)) as sandbox:
            bomb = "import subprocess\nfor _ in range(64): subprocess.Popen(['sleep', '60'])"
            result = await sandbox.exec(["python3", "-c", bomb])
            assert b"Resource temporarily unavailable" in result.stderr

    async def test_changes_and_originals(self, docker_engine: Engine, debian_image: str) -> None:
        async with started(docker_engine, debian_image) as sandbox:
            await sandbox.script("echo x >>/etc/hostname; echo y >/new; rm /etc/debian_version")
            changes = await sandbox.changes()
            assert changes is not None
            assert {Change("/new", "added"), Change("/etc/debian_version", "deleted")} <= set(
                changes
            )
            assert not [change for change in changes if "init" in change.path]
            raw = await sandbox.export("/etc/debian_version", original=True)
            assert raw is not None
            with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
                assert archive.getnames() == ["debian_version"]
            with pytest.raises(FileNotFoundError):
                await sandbox.export("/etc/debian_version")
            with pytest.raises(FileNotFoundError):
                await sandbox.export("/new", original=True)
            assert await there(docker_engine, f"{sandbox.name}-original")
        assert not await there(docker_engine, f"{sandbox.name}-original")


class TestStart:
    async def test_no_such_image(self, docker_engine: Engine) -> None:
        with pytest.raises(
            SandboxFailed, match="velora-tests/none:1: the engine has no such image"
        ):
            await DockerSandbox(docker_engine, SandboxSpec("velora-tests/none:1")).start()

    async def test_image_without_a_shell(
        self, docker_engine: Engine, shell_less_image: str
    ) -> None:
        sandbox = DockerSandbox(docker_engine, SandboxSpec(shell_less_image))
        with pytest.raises(SandboxFailed, match="has no /bin/sh"):
            await sandbox.start()
        assert not await there(docker_engine, sandbox.name)

    async def test_other_platform(self, docker_engine: Engine, busybox_image: str) -> None:
        spec = SandboxSpec(busybox_image, platform="linux/s390x")
        with pytest.raises(SandboxFailed, match="not for linux/s390x"):
            await DockerSandbox(docker_engine, spec).start()

    async def test_unknown_user(self, docker_engine: Engine, busybox_image: str) -> None:
        sandbox = DockerSandbox(docker_engine, SandboxSpec(busybox_image, user="nobody-here"))
        with pytest.raises(SandboxFailed, match="nobody-here"):
            await sandbox.start()
        assert not await there(docker_engine, sandbox.name)

    @pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3])
    async def test_cancelled_it_leaves_nothing(
        self, docker_engine: Engine, busybox_image: str, after: float
    ) -> None:
        sandbox = DockerSandbox(docker_engine, SandboxSpec(busybox_image))
        starting = asyncio.create_task(sandbox.start())
        await asyncio.sleep(after)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
            await sandbox.stop()
        assert not await there(docker_engine, sandbox.name)

    @pytest.mark.slow
    async def test_sixteen_at_once(self, docker_engine: Engine, busybox_image: str) -> None:
        async with contextlib.AsyncExitStack() as stack:
            sandboxes = await asyncio.gather(
                *(
                    stack.enter_async_context(started(docker_engine, busybox_image))
                    for _ in range(16)
                )
            )
            results = await asyncio.gather(*(s.script("echo $$") for s in sandboxes))
            assert all(result.exit_code == 0 for result in results)
        for sandbox in sandboxes:
            assert not await there(docker_engine, sandbox.name)


class TestLoss:
    @pytest.mark.parametrize("way", ["kill", "remove"])
    async def test_is_noticed_in_the_middle_of_all_calls(
        self, docker_engine: Engine, debian_image: str, way: str
    ) -> None:
        async with started(docker_engine, debian_image) as sandbox:
            shell = await sandbox.shell(cwd="/")
            calls = [
                asyncio.create_task(shell.run("sleep 99", no_change_timeout=None, timeout=None)),
                asyncio.create_task(sandbox.exec(["sleep", "99"])),
                asyncio.create_task(sandbox.script("sleep 99", timeout=99)),
            ]
            await asyncio.sleep(1)
            method, path = ("POST", "/kill") if way == "kill" else ("DELETE", "?force=1")
            began = time.monotonic()
            await docker_engine.call(method, f"containers/{sandbox.id}{path}")
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert time.monotonic() - began < 2
            assert [type(result) for result in results] == [SandboxLost] * 3
            assert all("killed" in str(result) for result in results)
            with pytest.raises(SandboxLost):
                await sandbox.changes()
            with pytest.raises(SandboxLost):
                await sandbox.export("/etc")
        assert not await there(docker_engine, sandbox.name)

    async def test_is_noticed_without_any_call(
        self, docker_engine: Engine, busybox_image: str
    ) -> None:
        async with started(docker_engine, busybox_image) as sandbox:
            await docker_engine.call("POST", f"containers/{sandbox.id}/kill")
            with pytest.raises(SandboxLost, match="killed"):
                await sandbox.exec(["true"])

    async def test_a_careless_pkill_is_survived(
        self, docker_engine: Engine, debian_image: str
    ) -> None:
        async with started(docker_engine, debian_image) as sandbox:
            await sandbox.script(":")
            await sandbox.exec(["pkill", "sh"])
            assert (await sandbox.script("echo on")).stdout == b"on\n"

    async def test_control_shell_killed_hard_is_replaced(
        self, docker_engine: Engine, debian_image: str
    ) -> None:
        async with started(docker_engine, debian_image) as sandbox:
            pid = (await sandbox.script("echo $$")).stdout.strip().decode()
            assert (await sandbox.exec(["kill", "-9", pid])).exit_code == 0
            assert (await sandbox.script("echo on")).stdout == b"on\n"


PROGRAM = """
import asyncio
from velora.images.engine import Engine
from velora.sandbox.docker import DockerSandbox
from velora.sandbox.protocol import SandboxSpec

async def main():
    async with await Engine.connect() as engine:
        sandbox = DockerSandbox(engine, SandboxSpec({image!r}), keep={keep})
        await sandbox.start()
        shell = await sandbox.shell(cwd="/")
        await shell.run("sleep 999", no_change_timeout=0.2, timeout=None)
        print(sandbox.name, flush=True)
        await sandbox.exec(["sleep", "999"])

asyncio.run(main())
"""


async def killed(engine: Engine, image: str, *, keep: bool) -> str:
    """Start a container from another process and kill that one; the container's name."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM.format(image=image, keep=keep),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    name = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
    assert await there(engine, name)
    process.kill()
    await process.wait()
    return name


async def test_velora_killed_leaves_no_container(docker_engine: Engine, busybox_image: str) -> None:
    name = await killed(docker_engine, busybox_image, keep=False)
    async with asyncio.timeout(20):
        while await there(docker_engine, name):
            await asyncio.sleep(0.1)


async def test_a_kept_container_outlives_velora(docker_engine: Engine, busybox_image: str) -> None:
    name = await killed(docker_engine, busybox_image, keep=True)
    try:
        await asyncio.sleep(1)
        assert name not in await reap(docker_engine)
        found = await docker_engine.call("GET", f"containers/{name}/json")
        assert found["State"]["Running"]
    finally:
        await remove(docker_engine, name)
