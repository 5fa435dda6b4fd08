"""`velora run` with a condenser: what is sent, paid and written."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.runs import Desk
from tests.servers.chat import Rules
from tests.servers.openai import Reply, Request, Server
from velora.journal.events import Condensed, Nudged
from velora.journal.messages import AssistantMessage, ToolCall
from velora.journal.projections import rebuild
from velora.journal.run import RunDirectory

ROW = {
    "instance_id": "i-1",
    "problem_statement": "Mend it.",
    "image_storage_uri": "repository",
    "FAIL_TO_PASS": ["t.py::test_a"],
    "test_command": "true",
}
STEPS = 40


class Play:
    """Prints much, `STEPS` times; writes a summary when asked for one."""

    def __init__(self, command: str) -> None:
        self.said = 0
        self.command = command

    def __call__(self, request: Request) -> Reply:
        if not request.body.get("tools"):
            return AssistantMessage("DONE: nothing yet.")
        self.said += 1
        name, given = "execute_bash", {"command": self.command.format(self.said)}
        if self.said == STEPS:
            name, given = "finish", {"message": "done"}
        return AssistantMessage("", (ToolCall(f"c{self.said}", name, json.dumps(given)),))


def ready(desk: Desk, url: str, more: str) -> None:
    repository = desk.path / "repository"
    repository.mkdir()
    (repository / "a.py").write_text("x = 1\n")
    desk.rows("tasks.jsonl", [ROW])
    config = desk.model(url, "openai/some-model")
    prices = "input_cost_per_token = 1e-6\noutput_cost_per_token = 1e-6\n"
    config.write_text(config.read_text() + "max_input_tokens = 16000\n" + prices + more)


def run(desk: Desk) -> Any:
    argv = ("run", "--dataset", "tasks.jsonl", "-l", "gpt", "--sandbox", "host")
    home = {"HOME": str(desk.path)}  # the shell reads nothing of this machine's user
    return asyncio.to_thread(desk.velora, *argv, env=home)


async def test_a_run_with_a_summary(desk: Desk) -> None:
    more = '[agent]\ncondenser = "notes"\n[condenser.notes]\ntype = "llm"\nmax_size = 20\n'
    rules = Rules(context=16_000)
    async with Server(Play("yes 'line {}' | head -c 6000"), rules=rules) as server:
        ready(desk, server.url, more)
        done = await run(desk)
        assert done.status == 0, done.stderr
        assert {request.status for request in server.requests} == {200}
        calls = len(server.requests)
    condensed = [e for e in desk.events("i-1") if isinstance(e, Condensed)]
    assert condensed
    assert all(event.completion for event in condensed)
    (row,) = desk.output()
    assert row["outcome"] == "finished"
    assert len(row["metrics"]["costs"]) == calls == STEPS + len(condensed)
    assert [one["reason"] for one in row["metrics"]["condenser"]] == ["tokens"] * len(condensed)
    actions = [one for one in row["history"] if one.get("action") == "condensation"]
    assert len(actions) == len(condensed)
    for action in actions:
        told = row["history"][action["id"] + 1]
        assert (told["observation"], told["cause"]) == ("condense", action["id"])
        forgotten = [row["history"][number] for number in action["args"]["forgotten_event_ids"]]
        assert {one.get("action", one.get("observation")) for one in forgotten} == {"run"}
    report = json.loads((desk.run / "report.json").read_text())
    assert report["calls"] == calls
    files = {path: path.read_bytes() for path in sorted(desk.run.rglob("*")) if path.is_file()}
    rebuild(RunDirectory(desk.run))
    assert {path: path.read_bytes() for path in files} == files
    shown = await asyncio.to_thread(desk.velora, "show", str(desk.run), "i-1")
    assert "--- condensed by llm (tokens): " in shown.stdout


async def test_a_run_that_goes_round_in_circles(desk: Desk) -> None:
    async with Server(Play("sed -i s/1/2/ a.py; date +%T")) as server:
        ready(desk, server.url, "")
        done = await run(desk)
    (row,) = desk.output()
    assert done.status == 0, done.stderr
    assert row["outcome"] == "stuck"
    assert row["steps"] == 8
    assert row["error"].startswith("stuck: the same call of `execute_bash` with the same result")
    assert "+x = 2" in row["test_result"]["git_patch"]
    nudges = [event for event in desk.events("i-1") if isinstance(event, Nudged)]
    assert [event.reason for event in nudges] == ["stuck"]
