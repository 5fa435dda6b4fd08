"""What is bubblewrap's own: what it shows of the machine, unpacked images, plain users."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures_docker import busybox_root
from velora.errors import SandboxFailed
from velora.sandbox.bubblewrap import BubblewrapSandbox
from velora.sandbox.mounts import sweep
from velora.sandbox.protocol import SandboxSpec

pytestmark = [pytest.mark.bubblewrap, pytest.mark.usefixtures("bubblewrap_here")]
SOURCE = Path(__file__).parents[2] / "src"


@contextlib.asynccontextmanager
async def started(image: str = "", workdir: str = "") -> AsyncIterator[BubblewrapSandbox]:
    sandbox = BubblewrapSandbox(SandboxSpec(image, workdir=workdir))
    try:
        await sandbox.start()
        yield sandbox
    finally:
        await sandbox.stop()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An unpacked BusyBox image with a repository in /testbed."""
    unpacked = tmp_path / "root"
    unpacked.mkdir()
    subprocess.run(["tar", "-x", "-C", str(unpacked)], input=busybox_root(), check=True)
    (unpacked / "testbed" / "file").write_text("original\n")
    return unpacked


class TestMachine:
    async def test_only_the_working_directory_and_tmp_can_be_written(self, tmp_path: Path) -> None:
        async with started(workdir=str(tmp_path)) as sandbox:
            done = await sandbox.exec(["sh", "-c", "echo x >here; echo y >/tmp/there; pwd"])
            assert done.stdout.decode().strip() == str(tmp_path)
            assert (tmp_path / "here").read_text() == "x\n"
            assert not Path("/tmp/there").exists()
            for place in ("/etc", "/usr", "/var/lib"):
                assert (await sandbox.exec(["touch", f"{place}/x"])).exit_code != 0

    async def test_the_home_is_empty_and_writable(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tmp_path / "home"
        (home / ".ssh").mkdir(parents=True)
        (home / ".ssh" / "key").write_text("secret")
        work = home / "work"
        work.mkdir()
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("API_KEY", "secret")
        async with started(workdir=str(work)) as sandbox:
            done = await sandbox.exec(["sh", "-c", "ls -A ~; touch ~/x; echo $?; echo $API_KEY"])
            assert done.stdout == b"work\n0\n\n"
            assert sandbox.local(f"{home}/x") is not None
        assert not (home / "x").exists()

    async def test_sockets_of_the_machine_are_out_of_reach(self, tmp_path: Path) -> None:
        async with started(workdir=str(tmp_path)) as sandbox:
            assert (await sandbox.exec(["ls", "-A", "/run"])).stdout == b""
            assert (await sandbox.exec(["ls", "/var/run/docker.sock"])).exit_code != 0

    async def test_no_capabilities(self, tmp_path: Path) -> None:
        async with started(workdir=str(tmp_path)) as sandbox:
            for result in (
                await sandbox.exec(["grep", "CapEff", "/proc/self/status"]),
                await sandbox.script("grep CapEff /proc/self/status"),
            ):
                assert result.stdout.split()[1] == b"0000000000000000"

    async def test_processes_see_each_other_and_not_the_machines(self, tmp_path: Path) -> None:
        async with started(workdir=str(tmp_path)) as sandbox:
            shell = await sandbox.shell(cwd=str(tmp_path))
            await shell.run("sleep 977 &", no_change_timeout=10, timeout=10)
            seen = (await sandbox.exec(["sh", "-c", "cat /proc/[0-9]*/cmdline"])).stdout
            assert b"sleep\x00977" in seen
            assert (
                str(os.getpid()).encode()
                not in (await sandbox.exec(["ls", "/proc"])).stdout.split()
            )
        await asyncio.sleep(0.1)
        assert not subprocess.run(
            ["pgrep", "-f", "sleep 977"], check=False, capture_output=True
        ).stdout

    async def test_nothing_is_left_on_the_disk(self, tmp_path: Path) -> None:
        async with started(workdir=str(tmp_path)) as sandbox:
            await sandbox.exec(["sh", "-c", "mkdir -p /tmp/a/b; touch /tmp/a/b/c; chmod 0 /tmp/a"])
            lies = sandbox.local("/tmp/a")
            assert lies is not None
            assert lies.exists()
        assert not lies.parent.parent.exists()

    async def test_facts(self, tmp_path: Path) -> None:
        async with started(workdir=str(tmp_path)) as sandbox:
            assert sandbox.facts["limits_not_enforced"] == ["memory", "cpus", "pids"]


class TestImage:
    async def test_is_never_changed(self, root: Path) -> None:
        async with started(str(root), "/testbed") as sandbox:
            done = await sandbox.exec(
                ["sh", "-c", "echo changed >file; pwd; cat file; ls /bin/bash"]
            )
            assert done.stdout == b"/testbed\nchanged\n"
            original = await sandbox.export("/testbed/file", original=True)
            assert original is not None
            assert b"original\n" in original
            assert (await sandbox.exec(["touch", "/etc/x"])).exit_code != 0
        assert (root / "testbed" / "file").read_text() == "original\n"

    async def test_shell_without_bash(self, root: Path) -> None:
        async with started(str(root), "/testbed") as sandbox:
            shell = await sandbox.shell(cwd="/testbed")
            output = await shell.run("cat file; cd /", no_change_timeout=10, timeout=10)
            assert (output.text, output.exit_code, output.cwd) == ("original\n", 0, "/")

    @pytest.mark.parametrize(
        ("image", "workdir", "words"),
        [
            ("/no/such", "", "not a directory"),
            ("", "/no/such", "working directory /no/such is not a directory"),
        ],
    )
    async def test_what_does_not_fit(self, image: str, workdir: str, words: str) -> None:
        with pytest.raises(SandboxFailed, match=words):
            await BubblewrapSandbox(SandboxSpec(image, workdir=workdir)).start()

    async def test_root_that_cannot_be_started_says_why(self, tmp_path: Path) -> None:
        (tmp_path / "w").mkdir()
        with pytest.raises(SandboxFailed, match=r"bubblewrap cannot start: bwrap: .+"):
            await BubblewrapSandbox(SandboxSpec(str(tmp_path), workdir="/w")).start()


async def test_without_bwrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxFailed, match="apt-get install bubblewrap"):
        await BubblewrapSandbox(SandboxSpec("")).start()


async def test_killed_hard_it_leaves_nothing_running_and_its_directories_are_swept() -> None:
    program = textwrap.dedent(
        """
        import asyncio
        from velora.sandbox.bubblewrap import BubblewrapSandbox
        from velora.sandbox.protocol import SandboxSpec

        async def main():
            sandbox = BubblewrapSandbox(SandboxSpec(""))
            await sandbox.start()
            shell = await sandbox.shell(cwd="/tmp")
            await shell.run("sleep 976", no_change_timeout=0.2, timeout=None)
            print(sandbox.local("/tmp"), flush=True)
            await sandbox.exec(["sleep", "976"])

        asyncio.run(main())
        """
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    private = Path((await process.stdout.readline()).decode().strip()).parent
    assert private.name.startswith("velora-sandbox-")
    process.kill()
    await process.wait()
    async with asyncio.timeout(10):
        while subprocess.run(["pgrep", "-f", "sleep 976"], check=False, capture_output=True).stdout:
            await asyncio.sleep(0.1)
    assert private in sweep()
    assert not private.exists()


def test_as_a_plain_user() -> None:
    python = shutil.which("python3", path="/usr/bin")
    if os.geteuid() != 0 or python is None:
        pytest.skip("needs root, to become a plain user, and /usr/bin/python3")
    program = textwrap.dedent(
        """
        import asyncio
        from velora.sandbox.bubblewrap import BubblewrapSandbox
        from velora.sandbox.protocol import SandboxSpec

        async def main():
            sandbox = BubblewrapSandbox(SandboxSpec(""))
            await sandbox.start()
            try:
                shell = await sandbox.shell(cwd="/tmp")
                for _ in range(2):
                    output = await shell.run("id -u; ls -A ~", no_change_timeout=9, timeout=9)
                result = await sandbox.exec(["id", "-un"])
                print(output.text.strip(), result.stdout.decode().strip())
            finally:
                await sandbox.stop()

        asyncio.run(main())
        """
    )
    done = subprocess.run(
        [python, "-c", program],
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        user="nobody",
        group="nogroup",
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if "ModuleNotFoundError" in done.stderr or "SyntaxError" in done.stderr:
        pytest.skip(f"the system's Python cannot run Velora: {done.stderr.splitlines()[-1]}")
    assert done.stdout == "65534 nobody\n", done.stderr
