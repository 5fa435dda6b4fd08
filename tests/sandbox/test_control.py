from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from velora.errors import SandboxLost
from velora.sandbox.control import Control
from velora.sandbox.process import LocalStream
from velora.sandbox.protocol import ExecTimeout

SHELLS = ["dash", "bash", "busybox"]


class Opener:
    """Opens local processes and remembers them."""

    def __init__(self) -> None:
        self.streams: list[LocalStream] = []
        self.gone = ""

    async def __call__(
        self, argv: Sequence[str], *, tty: bool, cwd: str, env: Mapping[str, str]
    ) -> LocalStream:
        if self.gone:
            raise SandboxLost(self.gone)
        stream = await LocalStream.start(argv, tty=tty, cwd=cwd, env={**os.environ, **env})
        self.streams.append(stream)
        return stream


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture(params=SHELLS)
async def control(
    request: pytest.FixtureRequest, opener: Opener, tmp_path: Path
) -> AsyncIterator[Control]:
    found = shutil.which(request.param)
    if found is None:
        pytest.skip(f"{request.param} is not installed")
    program = tmp_path / "sh"  # BusyBox goes by the name that it is called
    program.symlink_to(found)
    control = Control(opener, program=str(program))
    yield control
    await control.close()


async def test_status_and_streams_apart(control: Control) -> None:
    result = await control.run("echo out; printf err >&2; exit 7")
    assert (result.exit_code, result.stdout, result.stderr) == (7, b"out\n", b"err")


async def test_a_script_stays_in_itself(control: Control) -> None:
    await control.run("cd /usr; x=1; set -e; exec 2>/dev/null; exit 5")
    result = await control.run("echo $PWD $x; cat; ls /nowhere")
    assert result.stdout == b"/\n"
    assert b"nowhere" in result.stderr


@pytest.mark.parametrize("source", ["'", "if", "(", "cat <<E\nx", "}", "# comment", "echo \\"])
async def test_broken_scripts_do_not_break_it(control: Control, source: str) -> None:
    await control.run(source)
    assert (await control.run("echo fine")).stdout == b"fine\n"


async def test_quotes_and_newlines(control: Control) -> None:
    result = await control.run("printf '%s\\n' 'a'\"'\"'b' \"$(echo \"c\nd\")\" `echo e`")
    assert result.stdout == b"a'b\nc\nd\ne\n"


async def test_binary_output(control: Control) -> None:
    result = await control.run("head -c 300000 /dev/urandom | tee /dev/stderr")
    assert len(result.stdout) == 300_000
    assert result.stdout == result.stderr


async def test_a_script_of_megabytes_that_prints_meanwhile(control: Control) -> None:
    word = "0123456789" * 6000
    source = "".join(f"echo {word}\n" for _ in range(50))
    result = await control.run(source)
    assert result.stdout == f"{word}\n".encode() * 50


async def test_nul_is_refused(control: Control) -> None:
    with pytest.raises(ValueError, match="NUL"):
        await control.run("echo a\0")


async def test_calls_wait_for_each_other(control: Control) -> None:
    results = await asyncio.gather(*(control.run(f"echo {i}") for i in range(20)))
    assert [result.stdout for result in results] == [b"%d\n" % i for i in range(20)]


async def test_timeout_kills_and_goes_on(control: Control, opener: Opener) -> None:
    await control.run(":")
    with pytest.raises(ExecTimeout) as caught:
        await control.run("echo a; sleep 7531 & sleep 7531; echo b", timeout=0.3)
    assert (caught.value.stdout, caught.value.seconds) == (b"a\n", 0.3)
    assert await running("sleep 7531") == 0
    assert (await control.run("echo on")).stdout == b"on\n"
    assert len(opener.streams) == 2


async def test_cancelled_call(control: Control) -> None:
    task = asyncio.create_task(control.run("echo stale; sleep 7532"))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await control.run("echo fresh")).stdout == b"fresh\n"
    assert await running("sleep 7532") == 0


async def test_killed_channel_is_opened_again(control: Control, opener: Opener) -> None:
    await control.run(":")
    opener.streams[0].kill()
    assert (await control.run("echo on")).stdout == b"on\n"
    with pytest.raises(SandboxLost, match="status 137"):
        await control.run("kill -9 $$")
    assert (await control.run("echo on")).stdout == b"on\n"


async def test_lost_sandbox_has_the_drivers_reason(control: Control, opener: Opener) -> None:
    await control.run(":")
    opener.gone = "out of memory"
    opener.streams[0].kill()
    with pytest.raises(SandboxLost, match="out of memory"):
        await control.run("echo on")


async def test_no_shell(opener: Opener) -> None:
    with pytest.raises(SandboxLost, match="status 1"):
        await Control(opener, program="/bin/false").run(":")


class TestFiles:
    @pytest.mark.parametrize("size", [0, 1, 48 * 1024, 700_001])
    async def test_any_bytes_round_trip(self, control: Control, tmp_path: Path, size: int) -> None:
        data = (bytes(range(256)) + b"'\\''%b\\0\\c\n" + os.urandom(512)) * (size // 700 + 1)
        path = tmp_path / "a 'b'\nä"
        await control.write_file(str(path), data[:size])
        assert path.read_bytes() == data[:size]
        assert await control.read_file(str(path)) == data[:size]

    async def test_parents_are_made(self, control: Control, tmp_path: Path) -> None:
        await control.write_file(f"{tmp_path}/x/y z/-f", b"1")
        assert (tmp_path / "x/y z/-f").read_bytes() == b"1"

    async def test_inode_and_mode_are_kept(self, control: Control, tmp_path: Path) -> None:
        path = tmp_path / "script"
        path.write_bytes(b"a longer text")
        path.chmod(0o755)
        before = path.stat()
        link = tmp_path / "link"
        link.symlink_to(path)
        await control.write_file(str(link), b"new")
        after = path.stat()
        assert path.read_bytes() == b"new"
        assert (after.st_ino, stat.S_IMODE(after.st_mode)) == (before.st_ino, 0o755)
        assert link.is_symlink()

    async def test_not_there(self, control: Control, tmp_path: Path) -> None:
        for name in ("no", "no/no", "dangling"):
            (tmp_path / "dangling").unlink(missing_ok=True)
            (tmp_path / "dangling").symlink_to("nowhere")
            with pytest.raises(FileNotFoundError):
                await control.read_file(f"{tmp_path}/{name}")

    async def test_directory(self, control: Control, tmp_path: Path) -> None:
        with pytest.raises(IsADirectoryError):
            await control.read_file(str(tmp_path))
        with pytest.raises(IsADirectoryError):
            await control.write_file(str(tmp_path), b"")

    async def test_below_a_file(self, control: Control, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"")
        for name in ("f/x", "f/x/y", "f/"):
            with pytest.raises(NotADirectoryError):
                await control.read_file(f"{tmp_path}/{name}")
            with pytest.raises(NotADirectoryError):
                await control.write_file(f"{tmp_path}/{name}", b"")

    async def test_limit(self, control: Control, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"12345")
        assert await control.read_file(f"{tmp_path}/f", limit=5) == b"12345"
        with pytest.raises(OSError, match="too large"):
            await control.read_file(f"{tmp_path}/f", limit=4)
        with pytest.raises(OSError, match="too large"):
            await control.read_file("/dev/zero", limit=1000)

    async def test_full_disk(self, control: Control) -> None:
        with pytest.raises(OSError, match="No space left"):
            await control.write_file("/dev/full", b"x" * 10_000)

    async def test_odd_paths(self, control: Control, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="absolute"):
            await control.read_file("relative")
        with pytest.raises(OSError, match="too long"):
            await control.write_file(f"{tmp_path}/{'x' * 256}", b"")
        os.mkfifo(tmp_path / "fifo")
        with pytest.raises(OSError, match="Invalid"):
            await control.read_file(f"{tmp_path}/fifo")


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A directory that another user can reach; pytest's own cannot be."""
    with tempfile.TemporaryDirectory(prefix="velora-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user")
async def test_permissions_of_another_user(opener: Opener, open_to_all: Path) -> None:
    (open_to_all / "secret").write_bytes(b"")
    (open_to_all / "secret").chmod(0o600)
    (open_to_all / "closed").mkdir(mode=0o700)
    (open_to_all / "readable").write_bytes(b"yes")
    program = open_to_all / "nobody"
    program.write_text("#!/bin/sh\nexec setpriv --reuid=65534 --clear-groups sh\n")
    program.chmod(0o755)
    control = Control(opener, program=str(program))
    assert await control.read_file(f"{open_to_all}/readable") == b"yes"
    for name in ("secret", "closed/f"):
        with pytest.raises(PermissionError):
            await control.read_file(f"{open_to_all}/{name}")
    for name in ("secret", "closed/f", "readable", "new", "new/f"):
        with pytest.raises(PermissionError):
            await control.write_file(f"{open_to_all}/{name}", b"")
    await control.close()


async def running(words: str) -> int:
    count = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        count += line.rstrip(b"\0").replace(b"\0", b" ") == words.encode()
    return count
