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
from velora.journal.events import Answered, AttemptEnded, Observed, Resumed
from velora.journal.store import read
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
    line = f"sleep 0.1; date >> log.txt; echo {request.turn} >> log.txt"
    return bash(line) if request.turn < COMMANDS else FINISH


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
        asked = len(server.requests)
        again = await asyncio.to_thread(desk.velora, *ARGV)
    assert again.status == 0, again
    assert "resuming: " in again.stderr
    assert Counter(row["instance_id"] for row in desk.output()) == {f"i-{n}": 1 for n in range(4)}
    for n in range(4):
        (attempt,) = (desk.run / "journal" / f"i-{n}").iterdir()
        assert attempt.name == "attempt-1"
        events = desk.events(f"i-{n}")
        ends = [e for e in events if isinstance(e, AttemptEnded)]
        assert [(e.outcome, e.steps) for e in ends] == [(Outcome.FINISHED, COMMANDS + 1)]
        row = next(row for row in desk.output() if row["instance_id"] == f"i-{n}")
        patch = row["test_result"]["git_patch"]
        assert patch.count("\n+") == 1 + 2 * COMMANDS, "its name, and what each command added"
    twice = asked_twice(server.requests)
    assert len(twice) <= 4, "no more than what was in flight at the kill"
    assert all(request in server.requests[:asked] for request in twice)
    assert desk.containers() == []


def asked_twice(requests: list[Request]) -> list[Request]:
    """The first of two requests with the same conversation."""
    last = {json.dumps(request.messages): number for number, request in enumerate(requests)}
    return [r for n, r in enumerate(requests) if last[json.dumps(r.messages)] != n]


async def test_container_killed_during_a_command(desk: Desk, debian_image: str) -> None:
    asked: list[float] = []

    def play(request: Request) -> Reply:
        asked.append(time.monotonic())
        if len(asked) == 1:
            return bash("echo up > up; sleep 4")
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
    assert len(asked) == 2, "the first answer is not asked for again"
    records = read(desk.run / "journal/i-0/attempt-1")
    lost, finished = [r for r in records if isinstance(r.event, AttemptEnded)]
    assert isinstance(lost.event, AttemptEnded)
    assert lost.event.outcome is Outcome.SANDBOX_LOST
    assert lost.at - killed < 2.0
    observed = [r for r in records if isinstance(r.event, Observed)]
    assert all(lost.at < r.at < finished.at for r in observed), "the call is run again"
    assert [r.event for r in records if isinstance(r.event, Resumed)] == [Resumed(1, 0, 0)]
    (row,) = desk.output()
    assert (row["attempt"], row["outcome"], row["steps"]) == (1, "finished", 2)
    assert "+up" in row["test_result"]["git_patch"]


async def test_a_command_that_kills_its_container_is_given_up(
    desk: Desk, debian_image: str
) -> None:
    """It is gone on with once; then a new attempt takes its place."""

    def play(request: Request) -> Reply:
        tried.append(request.turn)
        return bash("kill -9 -1; sleep 9") if len(tried) == 1 else FINISH

    tried: list[int] = []
    desk.rows("tasks.jsonl", rows(debian_image, 1))
    async with Server(play) as server:
        desk.model(server.url)
        done = await asyncio.to_thread(desk.velora, *ARGV)
    assert done.status == 0, done
    events = desk.events("i-0", 1), desk.events("i-0", 2)
    ends = [[e.outcome for e in one if isinstance(e, AttemptEnded)] for one in events]
    assert ends[0] == [Outcome.SANDBOX_LOST] * 2
    assert ends[1][-1] is Outcome.FINISHED
    assert len([e for e in events[0] if isinstance(e, Answered)]) == 1
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
    assert Counter(row["attempt"] for row in desk.output()) == {1: 4}
    for n in range(4):
        answers = [e for e in desk.events(f"i-{n}") if isinstance(e, Answered)]
        assert len(answers) == COMMANDS + 1
    assert len(asked_twice(server.requests)) <= 4
    report = json.loads((desk.run / "report.json").read_text())
    assert report["outcomes"] == {"finished": 4}
    assert report["calls"] == 4 * (COMMANDS + 1)


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
