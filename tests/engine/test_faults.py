"""What happens to a run when something is killed: Velora, a container, the user's patience."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections import Counter
from typing import Any

import pytest

from tests.runs import Desk
from tests.servers.openai import Fault, Reply, Request, Server
from velora.errors import Outcome
from velora.journal.events import AttemptEnded, Observed
from velora.llm.script import Call, Turn

pytestmark = pytest.mark.docker

COMMANDS = 8


def bash(command: str) -> Turn:
    return Turn(calls=(Call("execute_bash", json.dumps({"command": command})),))


FINISH = Turn(calls=(Call("finish", '{"message": "done"}'),))


def rows(image: str, count: int) -> list[dict[str, Any]]:
    return [
        {
            "instance_id": f"i-{n}",
            "problem_statement": f"instance {n}.",
            "image_storage_uri": image,
            "repo_path": "/testbed",
            "FAIL_TO_PASS": ["t.py::test_a"],
            "test_command": "true",
        }
        for n in range(count)
    ]


async def gone(desk: Desk, seconds: float) -> bool:
    """No container of Velora's is left within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not await asyncio.to_thread(desk.containers):
            return True
        await asyncio.sleep(0.1)
    return False


async def until(condition: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)


def slow_worker(request: Request) -> Reply:
    """Eight commands of a tenth of a second each, then the end."""
    return bash("sleep 0.1; date >> log.txt") if request.turn < COMMANDS else FINISH


ARGV = ("run", "--dataset", "tasks.jsonl", "-l", "gpt", "--eval-num-workers", "4")


async def test_kill_9_and_again(desk: Desk, debian_image: str) -> None:
    desk.rows("tasks.jsonl", rows(debian_image, 4))
    async with Server(slow_worker) as server:
        desk.model(server.url)
        process = desk.start(*ARGV)
        await until(lambda: server.served >= 14)
        process.kill()
        process.wait()
        assert await gone(desk, 10), desk.containers()
        ended_before = [row["instance_id"] for row in desk.output()] if server.served > 30 else []
        again = await asyncio.to_thread(desk.velora, *ARGV)
    assert again.status == 0, again
    assert Counter(row["instance_id"] for row in desk.output()) == {f"i-{n}": 1 for n in range(4)}
    for n in range(4):
        tries = sorted((desk.run / "journal" / f"i-{n}").iterdir())
        assert len(tries) == (1 if f"i-{n}" in ended_before else 2)
        ends = [e for e in desk.events(f"i-{n}", len(tries)) if isinstance(e, AttemptEnded)]
        assert [e.outcome for e in ends] == [Outcome.FINISHED]
    assert desk.containers() == []


async def test_container_killed_during_a_command(desk: Desk, debian_image: str) -> None:
    asked: list[float] = []

    def play(request: Request) -> Reply:
        asked.append(time.monotonic())
        if len(asked) == 1:
            return bash("echo up > /tmp/up; sleep 60")
        return FINISH

    desk.rows("tasks.jsonl", rows(debian_image, 1))
    async with Server(play) as server:
        desk.model(server.url)
        process = desk.start(*ARGV)
        await until(lambda: asked)
        (ident,) = await asyncio.to_thread(desk.containers)
        await asyncio.sleep(1.0)
        killed = time.time()
        subprocess.run(["docker", "kill", ident], check=True, capture_output=True)
        await asyncio.to_thread(process.wait)
    assert process.returncode == 0, process.stderr and process.stderr.read()
    assert len(asked) == 2, "one call for each attempt, none for the dead container"
    (lost,) = [e for e in desk.events("i-0", 1) if isinstance(e, AttemptEnded)]
    assert lost.outcome is Outcome.SANDBOX_LOST
    path = desk.run / "journal/i-0/attempt-1/events.jsonl"
    ended_at = json.loads(path.read_text().splitlines()[-1])["at"]
    assert ended_at - killed < 2.0
    (row,) = desk.output()
    assert row["attempt"] == 2
    assert desk.containers() == []


async def test_ctrl_c_ends_cleanly(desk: Desk, debian_image: str) -> None:
    desk.rows("tasks.jsonl", rows(debian_image, 4))
    async with Server(slow_worker) as server:
        desk.model(server.url)
        process = desk.start(*ARGV)
        await until(lambda: server.served >= 8)
        process.send_signal(signal.SIGINT)
        _, errors = await asyncio.to_thread(process.communicate, None, 30)
        assert process.returncode == 130, errors
        assert "the same command goes on from here" in errors
        assert desk.containers() == []
        for n in range(4):
            events = desk.events(f"i-{n}")
            assert isinstance(events[-1], AttemptEnded)
            assert events[-1].outcome in {Outcome.INTERRUPTED, Outcome.FINISHED}
        again = await asyncio.to_thread(desk.velora, *ARGV)
    assert again.status == 0, again
    assert len(desk.output()) == 4


async def test_second_ctrl_c_ends_at_once(desk: Desk, debian_image: str) -> None:
    desk.rows("tasks.jsonl", rows(debian_image, 2))
    async with Server(lambda request: Fault(hang=True)) as server:
        desk.model(server.url)
        process = desk.start(*ARGV)
        await until(lambda: server.served >= 2)
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGINT)
        await asyncio.to_thread(process.communicate, None, 10)
    assert process.returncode == 130
    assert await gone(desk, 10)


async def test_missing_image_is_found_before_anything_starts(desk: Desk, debian_image: str) -> None:
    there, gone = rows(debian_image, 2)
    desk.rows("tasks.jsonl", [there, gone | {"image_storage_uri": "velora-tests/none:1"}])
    async with Server(slow_worker) as server:
        desk.model(server.url)
        done = await asyncio.to_thread(desk.velora, *ARGV)
        assert server.served == 0
        assert done.status == 2, done
        assert "1 of 2 instances have no image" in done.stderr
        assert "tasks.jsonl:2: i-1: no image found" in done.stderr
        assert "image_storage_uri: velora-tests/none:1: not in the engine" in done.stderr
        assert desk.containers() == []
        others = await asyncio.to_thread(desk.velora, *ARGV, "--ignore-missing-images")
    assert others.status == 1, others
    assert [row["instance_id"] for row in desk.output()] == ["i-0"]
    (ended,) = [e for e in desk.events("i-1") if isinstance(e, AttemptEnded)]
    assert ended.outcome is Outcome.IMAGE_MISSING


async def test_wrong_key_stops_the_run(desk: Desk, debian_image: str) -> None:
    """Three rejections in a row: no container is started for the other instances."""
    desk.rows("tasks.jsonl", rows(debian_image, 12))
    async with Server(lambda request: Fault(status=401)) as server:
        desk.model(server.url)
        argv = [*ARGV[:-1], "1"]
        done = await asyncio.to_thread(desk.velora, *argv)
        assert server.served == 3
    assert done.status == 1, done
    assert "stopped: the provider rejected 3 attempts in a row" in done.stderr
    assert "401" in done.stderr


async def test_long_command_output_is_kept(desk: Desk, debian_image: str) -> None:
    turns = {
        "turns": [{"calls": [{"tool": "execute_bash", "arguments": {"command": "seq 200000"}}]}]
    }
    desk.rows("tasks.jsonl", rows(debian_image, 1))
    async with Server(turns) as server:
        desk.model(server.url)
        done = await asyncio.to_thread(desk.velora, *ARGV)
    assert done.status == 0, done
    (seen,) = [e for e in desk.events("i-0") if isinstance(e, Observed) and e.exit_code == 0]
    assert len(seen.content) < 31_000
    (spilled,) = (desk.run / "journal/i-0/attempt-1/outputs").iterdir()
    assert spilled.read_text().splitlines() == [str(n) for n in range(1, 200_001)]
