"""What every driver must do alike; see `velora.sandbox.protocol`."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
import tarfile
import time
from typing import Any

import pytest

from tests.sandbox.drivers import Kind, Make
from velora.errors import SandboxLost
from velora.sandbox.protocol import ExecTimeout

BYTES = bytes(range(256)) * 300


class TestExec:
    async def test_status_and_streams(self, sandbox: Any) -> None:
        result = await sandbox.exec(["sh", "-c", "echo out; echo err >&2; exit 7"])
        assert (result.exit_code, result.stdout, result.stderr) == (7, b"out\n", b"err\n")

    async def test_arguments_arrive_as_they_are(self, sandbox: Any) -> None:
        words = ["a b", "", "'\"$HOME`x`\\", "-n", "*", "ä\n", "=x"]
        result = await sandbox.exec(["printf", "<%s>", *words])
        assert result.stdout.decode() == "".join(f"<{word}>" for word in words)

    async def test_stdin_is_given_whole_and_then_ends(self, sandbox: Any) -> None:
        data = BYTES * 20  # 1.5 MB: more than any pipe holds
        result = await sandbox.exec(["cat"], stdin=data)
        assert result.stdout == data

    async def test_no_stdin_is_end_of_file(self, sandbox: Any) -> None:
        assert (await sandbox.exec(["cat"], timeout=20)).stdout == b""

    async def test_stdin_need_not_be_read(self, sandbox: Any) -> None:
        assert (await sandbox.exec(["true"], stdin=BYTES * 20)).exit_code == 0

    async def test_signal_is_128_and_its_number(self, sandbox: Any) -> None:
        assert (await sandbox.exec(["sh", "-c", "kill -TERM $$"])).exit_code == 143
        assert (await sandbox.exec(["sh", "-c", "kill -KILL $$"])).exit_code == 137

    async def test_program_that_is_not_there(self, sandbox: Any) -> None:
        result = await sandbox.exec(["no-such-program"])
        assert result.exit_code == 127
        assert b"no-such-program" in result.stderr

    async def test_cwd_and_environment(self, sandbox: Any) -> None:
        result = await sandbox.exec(["sh", "-c", 'pwd; echo "$A"'], cwd="/proc", env={"A": "b c"})
        assert result.stdout == b"/proc\nb c\n"

    async def test_cwd_that_is_not_there(self, sandbox: Any) -> None:
        with pytest.raises(FileNotFoundError):
            await sandbox.exec(["true"], cwd="/no/such/directory")

    async def test_default_cwd_is_the_working_directory(self, sandbox: Any, kind: Kind) -> None:
        assert (await sandbox.exec(["pwd"])).stdout.decode().strip() == kind.workdir

    async def test_output_to_a_file_keeps_the_order(self, sandbox: Any) -> None:
        sink = io.BytesIO()
        line = "i=0; while [ $i -lt 200 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done"
        result = await sandbox.exec(["sh", "-c", line], output=sink)
        assert sink.getvalue().decode() == "".join(f"o{i}\ne{i}\n" for i in range(200))
        assert (result.exit_code, result.stdout, result.stderr) == (0, b"", b"")

    async def test_timeout_kills_the_process_and_its_children(self, sandbox: Any) -> None:
        line = "(sleep 987 & sleep 987) & echo before; sleep 987"
        with pytest.raises(ExecTimeout) as caught:
            await sandbox.exec(["sh", "-c", line], timeout=3)
        assert caught.value.stdout == b"before\n"
        assert await processes(sandbox, "sleep 987") == 0

    async def test_timeout_kills_what_ignores_signals(self, sandbox: Any) -> None:
        with pytest.raises(ExecTimeout):
            await sandbox.exec(["sh", "-c", "trap '' INT TERM HUP; sleep 986; :"], timeout=0.5)
        assert await processes(sandbox, "sleep 986") == 0

    async def test_timeout_of_what_closed_its_output(self, sandbox: Any) -> None:
        with pytest.raises(ExecTimeout):
            await sandbox.exec(["sh", "-c", "exec >&- 2>&-; sleep 978"], timeout=1)
        assert await processes(sandbox, "sleep 978") == 0

    async def test_cancellation_kills_the_process(self, sandbox: Any) -> None:
        task = asyncio.create_task(sandbox.exec(["sleep", "985"]))
        await until(lambda: processes(sandbox, "sleep 985"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await processes(sandbox, "sleep 985") == 0

    async def test_large_output(self, sandbox: Any) -> None:
        result = await sandbox.exec(["sh", "-c", "head -c 20000000 /dev/zero"])
        assert len(result.stdout) == 20_000_000

    async def test_several_at_once(self, sandbox: Any) -> None:
        results = await asyncio.gather(
            *(sandbox.exec(["sh", "-c", f"sleep 0.2; echo {i}"]) for i in range(5))
        )
        assert [result.stdout for result in results] == [b"%d\n" % i for i in range(5)]


class TestScript:
    async def test_status_and_streams(self, sandbox: Any) -> None:
        result = await sandbox.script("pwd; echo err >&2; cat; (exit 3)")
        assert (result.exit_code, result.stdout, result.stderr) == (3, b"/\n", b"err\n")

    async def test_nothing_of_a_script_stays(self, sandbox: Any) -> None:
        await sandbox.script("cd /proc; A=1; exit 4")
        assert (await sandbox.script('pwd; echo "<$A>"')).stdout == b"/\n<>\n"

    async def test_after_a_timeout_the_next_works(self, sandbox: Any) -> None:
        with pytest.raises(ExecTimeout):
            await sandbox.script("sleep 984", timeout=0.5)
        assert (await sandbox.script("echo next")).stdout == b"next\n"
        assert await processes(sandbox, "sleep 984") == 0

    async def test_output_without_newline_and_binary(self, sandbox: Any) -> None:
        result = await sandbox.script(r"printf 'a\000\377b'")
        assert result.stdout == b"a\0\xffb"


class TestFiles:
    @pytest.mark.parametrize("data", [b"", b"\n", b"no newline", BYTES, b"'\"\\%s$x`"])
    async def test_bytes_come_back(self, sandbox: Any, kind: Kind, data: bytes) -> None:
        path = f"{kind.workdir}/file"
        await sandbox.write_file(path, data)
        assert await sandbox.read_file(path) == data

    async def test_large(self, sandbox: Any, kind: Kind) -> None:
        data = os.urandom(3_000_000)
        await sandbox.write_file(f"{kind.workdir}/large", data)
        assert await sandbox.read_file(f"{kind.workdir}/large") == data

    @pytest.mark.parametrize("name", ["a b", "-n", "ä'\"$x", "new\nline", "*", "%s\\n", " ", "~"])
    async def test_odd_names(self, sandbox: Any, kind: Kind, name: str) -> None:
        path = f"{kind.workdir}/new directory/{name}"
        await sandbox.write_file(path, b"x")
        assert await sandbox.read_file(path) == b"x"

    async def test_mode_and_inode_stay(self, sandbox: Any, kind: Kind) -> None:
        path = f"{kind.workdir}/tool"
        await sandbox.write_file(path, b"1")
        before = await sandbox.script(f"chmod 751 '{path}'; ls -i '{path}'")
        await sandbox.write_file(path, b"2")
        after = await sandbox.script(f"ls -i '{path}'; ls -l '{path}'")
        assert after.stdout.startswith(before.stdout)
        assert b"-rwxr-x--x" in after.stdout

    async def test_errors(self, sandbox: Any, kind: Kind) -> None:
        await sandbox.write_file(f"{kind.workdir}/file", b"0123456789")
        with pytest.raises(FileNotFoundError):
            await sandbox.read_file(f"{kind.workdir}/none")
        with pytest.raises(IsADirectoryError):
            await sandbox.read_file(kind.workdir)
        with pytest.raises(NotADirectoryError):
            await sandbox.read_file(f"{kind.workdir}/file/below")
        with pytest.raises(IsADirectoryError):
            await sandbox.write_file(kind.workdir, b"")
        with pytest.raises(NotADirectoryError):
            await sandbox.write_file(f"{kind.workdir}/file/below", b"")
        with pytest.raises(OSError, match="file") as caught:
            await sandbox.read_file(f"{kind.workdir}/file", limit=9)
        assert caught.value.errno == errno.EFBIG
        assert await sandbox.read_file(f"{kind.workdir}/file", limit=10) == b"0123456789"

    async def test_export(self, sandbox: Any, kind: Kind) -> None:
        await sandbox.write_file(f"{kind.workdir}/sub/file", BYTES)
        await sandbox.script(f"ln -s ../nowhere '{kind.workdir}/sub/link'")
        raw = await sandbox.export(f"{kind.workdir}/sub")
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            assert {m.name.rstrip("/") for m in archive} == {"sub", "sub/file", "sub/link"}
            content = archive.extractfile("sub/file")
            assert content is not None
            assert content.read() == BYTES
            assert archive.getmember("sub/link").linkname == "../nowhere"
        with pytest.raises(FileNotFoundError):
            await sandbox.export(f"{kind.workdir}/none")

    async def test_local(self, sandbox: Any, kind: Kind) -> None:
        await sandbox.write_file(f"{kind.workdir}/file", b"here")
        lies = sandbox.local(f"{kind.workdir}/file")
        assert (lies is None) == kind.docker
        if lies is not None:
            assert lies.read_bytes() == b"here"


class TestShell:
    async def test_state_persists(self, sandbox: Any, kind: Kind) -> None:
        shell = await sandbox.shell(cwd=kind.workdir)
        await shell.run("cd /proc; X='a b'", no_change_timeout=20, timeout=20)
        output = await shell.run('echo "$X"; pwd; false', no_change_timeout=20, timeout=20)
        assert output.text == "a b\n/proc\n"
        assert (output.exit_code, output.cwd, output.running) == (1, "/proc", False)

    async def test_long_command(self, sandbox: Any, kind: Kind) -> None:
        shell = await sandbox.shell(cwd=kind.workdir)
        word = "x" * 100_000
        output = await shell.run(f"v={word}; echo ${{#v}}", no_change_timeout=30, timeout=30)
        assert output.text == "100000\n"

    async def test_input(self, sandbox: Any, kind: Kind) -> None:
        shell = await sandbox.shell(cwd=kind.workdir)
        output = await shell.run("read a; echo got:$a", no_change_timeout=0.5, timeout=20)
        assert output.running
        assert shell.busy
        output = await shell.send("line", no_change_timeout=20, timeout=20)
        assert "got:line\n" in output.text
        assert output.exit_code == 0

    async def test_interrupt(self, sandbox: Any, kind: Kind) -> None:
        shell = await sandbox.shell(cwd=kind.workdir)
        output = await shell.run("sleep 983", no_change_timeout=0.5, timeout=20)
        assert output.running
        output = await shell.send("C-c", no_change_timeout=20, timeout=20)
        assert output.exit_code == 130
        assert await processes(sandbox, "sleep 983") == 0

    async def test_hard_timeout(self, sandbox: Any, kind: Kind) -> None:
        shell = await sandbox.shell(cwd=kind.workdir)
        output = await shell.run(
            "trap '' INT; sleep 982; sleep 982", no_change_timeout=None, timeout=1
        )
        assert output.timed_out == "hard"
        assert await processes(sandbox, "sleep 982") == 0
        assert (await shell.run("echo on", no_change_timeout=20, timeout=20)).text == "on\n"

    async def test_environment(self, make: Make, kind: Kind) -> None:
        sandbox = await make(env={"A": "1", "B": "2"})
        shell = await sandbox.shell(cwd=kind.workdir, env={"B": "3"})
        output = await shell.run("echo $A $B", no_change_timeout=20, timeout=20)
        assert output.text == "1 3\n"


class TestLife:
    async def test_stop_twice_and_without_start(self, make: Make) -> None:
        sandbox = await make()
        await sandbox.script("sleep 981 >/dev/null 2>&1 &")
        await sandbox.stop()
        await sandbox.stop()
        with pytest.raises(SandboxLost):
            await sandbox.script(":")
        with pytest.raises(SandboxLost):
            await sandbox.exec(["true"])

    async def test_stop_ends_calls_under_way(self, make: Make, kind: Kind) -> None:
        sandbox = await make()
        shell = await sandbox.shell(cwd=kind.workdir)
        calls = [
            asyncio.create_task(shell.run("sleep 980", no_change_timeout=None, timeout=None)),
            asyncio.create_task(sandbox.exec(["sleep", "980"])),
        ]
        await asyncio.sleep(0.5)
        await sandbox.stop()
        started = time.monotonic()
        results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10)
        assert time.monotonic() - started < 2
        if kind.name != "host":
            assert [type(result) for result in results] == [SandboxLost, SandboxLost]

    async def test_lost_in_the_middle_of_calls(self, make: Make, kind: Kind) -> None:
        if kind.name == "host":
            pytest.skip("the host cannot be lost")
        sandbox = await make()
        shell = await sandbox.shell(cwd=kind.workdir)
        calls = [
            asyncio.create_task(shell.run("sleep 979", no_change_timeout=None, timeout=None)),
            asyncio.create_task(sandbox.exec(["sleep", "979"])),
            asyncio.create_task(sandbox.script("sleep 979")),
        ]
        await until(lambda: all_sleep(sandbox))
        killing = asyncio.create_task(sandbox.exec(["sh", "-c", "kill -9 -1; sleep 5"]))
        started = time.monotonic()
        results = await asyncio.gather(*calls, killing, return_exceptions=True)
        assert time.monotonic() - started < 2
        assert [type(result) for result in results] == [SandboxLost] * 4
        with pytest.raises(SandboxLost, match="killed"):
            await sandbox.read_file("/etc/passwd")

    async def test_lost_before_a_call(self, make: Make, kind: Kind) -> None:
        if kind.name == "host":
            pytest.skip("the host cannot be lost")
        for _ in range(3):
            sandbox = await make()
            with pytest.raises(SandboxLost):
                await sandbox.exec(["sh", "-c", "kill -9 -1; sleep 5"])
            with pytest.raises(SandboxLost, match="killed"):
                await sandbox.exec(["true"])

    async def test_many_at_once(self, make: Make) -> None:
        sandboxes = await asyncio.gather(*(make() for _ in range(4)))
        results = await asyncio.gather(*(s.script(f"echo {i}") for i, s in enumerate(sandboxes)))
        assert [result.stdout for result in results] == [b"%d\n" % i for i in range(4)]
        assert len({s.id for s in sandboxes}) == 4

    async def test_cancelled_start(self, make: Make) -> None:
        starting = asyncio.ensure_future(make())
        await asyncio.sleep(0.005)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # it may have been quicker
            await starting
        assert (await (await make()).script("echo on")).stdout == b"on\n"

    async def test_network_is_off(self, sandbox: Any, kind: Kind) -> None:
        if kind.name == "host":
            pytest.skip("the host cannot cut the network off")
        routes = await sandbox.exec(["cat", "/proc/net/route"])
        assert len(routes.stdout.splitlines()) <= 1
        interfaces = await sandbox.exec(["cat", "/proc/net/dev"])
        up = [line.split(b":")[0].strip() for line in interfaces.stdout.splitlines()[2:]]
        assert set(up) <= {b"lo", b"sit0", b"tunl0", b"ip6tnl0"}


def counting(command: str) -> str:
    """A script that counts the processes with this command line."""
    wanted = command.replace(" ", "\\n")
    return (
        "n=0; for f in /proc/[0-9]*; do"
        f' [ "$(tr "\\0" "\\n" <$f/cmdline 2>/dev/null)" = "$(printf "{wanted}")" ]'
        " && n=$((n+1)); done; echo $n"
    )


async def processes(sandbox: Any, command: str) -> int:
    return int((await sandbox.script(counting(command))).stdout)


async def all_sleep(sandbox: Any) -> bool:
    """Asked by `exec`, because a script is under way."""
    return int((await sandbox.exec(["sh", "-c", counting("sleep 979")])).stdout) >= 3


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.05)
