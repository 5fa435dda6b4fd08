"""Budgets, the ledger and the report, with the real command line, a real model server and real
money's arithmetic. The tasks are directories, so that no engine is needed."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.runs import Desk
from tests.servers.openai import Reply, Request, Server
from velora.journal.events import AttemptEnded, Noted
from velora.journal.projections import rebuild
from velora.journal.run import RunDirectory
from velora.llm.script import Call, Turn

PRICES = """
input_cost_per_token = 1e-5
output_cost_per_token = 3e-5
cache_read_input_token_cost = 1e-6
"""
ARGV = ("run", "--dataset", "tasks.jsonl", "-l", "gpt", "--sandbox", "host")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def worker(request: Request) -> Reply:
    """Ten commands, then the end."""
    if request.turn < 10:
        command = json.dumps({"command": f"echo {request.turn}"})
        return Turn(calls=(Call("execute_bash", command),))
    return Turn(calls=(Call("finish", '{"message": "done"}'),))


def prepared(desk: Desk, url: str, count: int, more: str = PRICES) -> None:
    rows = []
    for number in range(count):
        place = desk.path / f"task-{number}"
        place.mkdir()
        (place / "a.txt").write_text("a\n")
        rows.append(
            {
                "instance_id": f"i-{number}",
                "problem_statement": f"instance {number}.",
                "image_storage_uri": str(place),
                "repo_path": str(place),
                "FAIL_TO_PASS": ["t.py::test_a"],
                "test_command": "true",
            }
        )
    desk.rows("tasks.jsonl", rows)
    config = desk.model(url)
    config.write_text(config.read_text() + more)


def ledger(desk: Desk) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (desk.run / "ledger.jsonl").read_bytes().splitlines()]


def report(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((desk.run / "report.json").read_bytes())
    return found


def agreed(desk: Desk) -> float:
    """The ledger's sum, which is the report's."""
    lines, made = ledger(desk), report(desk)
    total = math.fsum(line["cost"] or 0.0 for line in lines)
    assert total == made["cost"]
    assert len(lines) == made["calls"]
    for kind, count in made["tokens"].items():
        assert count == sum(line[kind] for line in lines)
    return total


async def typed(desk: Desk, *more: str) -> Any:
    # The shell of the tasks is this machine's: it is to read no rc files of whoever runs the tests.
    home = {"HOME": str(desk.path)}
    return await asyncio.to_thread(desk.velora, *ARGV, *more, env=home)


async def test_the_ledger_is_the_report_and_can_be_made_again(desk: Desk) -> None:
    async with Server(worker) as server:
        prepared(desk, server.url, 3)
        done = await typed(desk, "--eval-num-workers", "3")
    assert done.status == 0, done.stderr
    total = agreed(desk)
    lines = ledger(desk)
    assert len(lines) == 3 * 11
    for line in lines:
        fresh = line["prompt"] - line["cache_read"]
        cost = fresh * 1e-5 + line["cache_read"] * 1e-6 + line["completion"] * 3e-5
        assert line["cost"] == pytest.approx(cost)
        assert line["purpose"] == "agent"
    made = report(desk)
    assert made["cache_hit_rate"] == pytest.approx(0.5, abs=0.01)  # as the server says
    assert f"model: ${total:.4f}; 33 calls" in done.stderr
    assert "from the cache" in done.stderr
    before = (desk.run / "ledger.jsonl").read_bytes()
    rebuild(RunDirectory(desk.run))
    assert (desk.run / "ledger.jsonl").read_bytes() == before


async def test_what_a_condenser_asks_for_counts_like_all_else(desk: Desk) -> None:
    def play(request: Request) -> Reply:
        return worker(request) if request.body.get("tools") else Turn("A summary.")

    async with Server(play) as server:
        more = '[agent]\ncondenser = "short"\n[condenser.short]\ntype = "llm"\nmax_size = 6\n'
        prepared(desk, server.url, 2, more=PRICES + more)
        done = await typed(desk)
        assert done.status == 0, done.stderr
        lines = ledger(desk)
        assert {line["purpose"] for line in lines} == {"agent", "condenser"}
        assert len(lines) == server.served
    assert agreed(desk) == pytest.approx(sum(line["cost"] for line in lines))


async def test_a_damaged_ledger_is_put_right(desk: Desk) -> None:
    async with Server(worker) as server:
        prepared(desk, server.url, 2)
        await typed(desk)
        path = desk.run / "ledger.jsonl"
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
        for damaged in (b"".join(lines[:-3]), whole[:-20], b"", whole + lines[-1], b"{}\n"):
            path.write_bytes(damaged)
            again = await typed(desk)
            assert again.status == 0, again.stderr
            assert path.read_bytes() == whole
        assert server.served == 22


async def test_the_budget_of_a_task(desk: Desk) -> None:
    async with Server(worker) as server:
        prepared(desk, server.url, 1)
        done = await typed(desk, "--max-budget-per-task", "0.04")
    assert done.status == 0, done.stderr
    end = next(one for one in desk.events("i-0") if isinstance(one, AttemptEnded))
    assert end.outcome == "budget_exceeded"
    assert "the limit of this attempt is $0.04" in end.detail
    assert 0.03 < agreed(desk) < 0.045


async def test_the_budget_of_a_run_counts_what_was_paid_before(desk: Desk) -> None:
    async with Server(worker) as server:
        prepared(desk, server.url, 12)
        done = await typed(desk, "--eval-num-workers", "4", "--max-budget", "0.5")
        assert done.status == 1
        assert "stopped: the run's budget of $0.5 is used up" in done.stderr
        assert "attempts that were not started: " in done.stderr
        assert "budget_exceeded" in done.stderr
        spent = agreed(desk)
        # Four answers may have been under way when the cap was reached.
        assert 0.45 < spent < 0.5 + 4 * 0.01
        served = server.served
        again = await typed(desk, "--eval-num-workers", "4", "--max-budget", "0.5")
        assert again.status == 1
        assert server.served == served
        assert report(desk)["incomplete_ids"]
        assert agreed(desk) == spent
        more = await typed(desk, "--eval-num-workers", "4", "--max-budget", "5")
        assert more.status == 0, more.stderr
        assert agreed(desk) > spent


async def test_many_calls_at_once_do_not_slip_under_the_cap(desk: Desk) -> None:
    async with Server(worker) as server:
        prepared(desk, server.url, 32)
        await typed(desk, "--eval-num-workers", "32", "--max-budget", "0.1")
        spent = agreed(desk)
    first = ledger(desk)[0]["cost"]
    assert spent <= 0.1 + first
    assert len(ledger(desk)) < 32


async def test_a_budget_needs_a_price(desk: Desk) -> None:
    async with Server(worker) as server:
        prepared(desk, server.url, 1, more="")
        config = desk.path / "config.toml"
        config.write_text(config.read_text().replace("gpt-4o", "nobodys-model"))
        done = await typed(desk, "--max-budget", "1")
        assert done.status == 2
        assert "the price of nobodys-model is unknown" in done.stderr
        free = await typed(desk)
    assert free.status == 0
    assert all(line["cost"] is None for line in ledger(desk))
    assert report(desk)["cost_unknown_calls"] == 11
    assert "model: cost unknown; 11 calls" in free.stderr


async def test_a_provider_that_comes_back_fails_nobody(desk: Desk) -> None:
    server = Server(worker)
    await server.start()
    prepared(desk, server.url, 4)
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    running = asyncio.create_task(typed(desk, "--eval-num-workers", "4"))
    while server.served < 8:
        await asyncio.sleep(0.02)
    await server.close()
    await asyncio.sleep(3)  # longer than all retries together
    again = Server(worker)
    await again.start(port)
    done = await running
    await again.close()
    assert done.status == 0, done.stderr
    assert done.stderr.count("the provider is down") == 1
    assert done.stderr.count("the provider is back") == 1
    notes = [one.code for n in range(4) for one in desk.events(f"i-{n}") if isinstance(one, Noted)]
    assert "provider_down" in notes
    agreed(desk)
