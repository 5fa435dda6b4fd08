"""`velora replay` as a user types it, and the model that plays a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runs import Desk
from tests.servers.killing import six_turns
from tests.servers.openai import Reply, Request, Server
from velora.journal.messages import AssistantMessage, ToolCall
from velora.journal.store import EVENTS

ROW = {"instance_id": "a-1", "problem_statement": "Mend it.", "image_storage_uri": "repo"}
RUN = ("run", "--dataset", "tasks.jsonl", "--sandbox", "host", "-l")


@pytest.fixture(autouse=True)
def _homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's shell is not to read what this machine's user has in their home."""
    monkeypatch.setenv("HOME", str(tmp_path))


def made(desk: Desk, *last: dict[str, Any]) -> Path:
    """A run of six turns and some more; returns the attempt's journal."""
    prompt = "<uploaded_files>\n{workdir}\n</uploaded_files>"
    turns = [
        {"calls": [{"tool": tool, "arguments": given} for tool, given in six_turns(prompt, n)]}
        for n in range(5)
    ]
    desk.write("script.yaml", json.dumps({"turns": [*turns, *last]}))
    desk.write("config.toml", '[llm.a]\nmodel = "scripted:script.yaml"\n')
    desk.write("repo/a.txt", "a\n")
    desk.rows("tasks.jsonl", [ROW])
    done = desk.velora(*RUN, "a")
    assert done.status == 0, done
    return desk.run / "journal/a-1/attempt-1" / EVENTS


def bash(command: str) -> dict[str, Any]:
    return {"calls": [{"tool": "execute_bash", "arguments": {"command": command}}]}


def test_the_same(desk: Desk) -> None:
    events = made(desk, bash("nothing-of-this-name"))
    for where in (events, desk.run, desk.run / "output.jsonl"):
        done = desk.velora("replay", str(where))
        assert done.status == 0, done
        lines = done.stdout.splitlines()
        assert lines[0] == "step 1   same          execute_bash  export N=7; mkdir -p sub && cd sub"
        assert sum(line.startswith("step ") for line in lines) >= 9
        assert lines[-1] == "patch: the same"
        assert " 0 came out otherwise" in lines[-2]
    done = desk.velora("replay", str(events.parent), "--json")
    *calls, last = (json.loads(line) for line in done.stdout.splitlines())
    assert last == {
        "event": "summary",
        "same": True,
        "calls": 10,
        "differences": 0,
        "first": None,
        "patch": "same",
        "detail": "",
    }
    assert {call["result"] for call in calls} == {"same"}
    assert not list(desk.path.glob("evaluation/**/attempt-2"))


def test_otherwise(desk: Desk) -> None:
    events = made(desk, bash("cat a.txt ../a.txt > ../b.txt; cat ../a.txt"))
    desk.write("repo/a.txt", "other\n")
    done = desk.velora("replay", str(events))
    assert done.status == 1, done
    assert "step 6   different     execute_bash  cat a.txt" in done.stdout
    assert "first difference: step 6, execute_bash (call_6_1)" in done.stdout
    assert "\n  -a\n  +other\n" in done.stdout
    assert "patch: another one" in done.stdout
    done = desk.velora("replay", str(events), "--json")
    assert done.status == 1
    *calls, last = (json.loads(line) for line in done.stdout.splitlines())
    (odd,) = [call for call in calls if call["result"] == "different"]
    assert odd["expected"]["content"].replace("a\n", "other\n", 1) == odd["got"]["content"]
    assert (last["first"], last["patch"]) == ({"step": 6, "call_id": "call_6_1"}, "different")


def test_calls_that_failed_as_calls_are_shown_and_not_run(desk: Desk) -> None:
    wrong = {"calls": [{"tool": "str_replace_editor", "arguments": {"command": "view"}}]}
    done = desk.velora("replay", str(made(desk, wrong)))
    assert done.status == 0, done
    assert "step 6   not run again str_replace_editor" in done.stdout


@pytest.mark.parametrize("name", ["nowhere", "tasks.jsonl"])
def test_what_is_no_trajectory(desk: Desk, name: str) -> None:
    desk.rows("tasks.jsonl", [ROW])
    done = desk.velora("replay", name)
    assert done.status == 2
    assert name in done.stderr
    assert "Traceback" not in done.stderr


MASKED = {
    "": {"at"},
    "attempt_started": {"run", "configuration", "model"},
    "sandbox_ready": {"sandbox_id"},
    "observed": {"duration"},
    "attempt_ended": {"duration"},
}
"""Fields that differ between a recording and its replay: times and ids, and which model it was."""


def masked(path: Path) -> list[dict[str, Any]]:
    """A journal without those; where the copy of the repository lies is an id too."""
    text = path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    workdir = next(line["workdir"] for line in lines if line["kind"] == "sandbox_ready")
    lines = [json.loads(line.replace(workdir, "/w")) for line in text.splitlines()]
    for line in lines:
        for name in MASKED[""] | MASKED.get(line["kind"], set()):
            del line[name]
    return lines


def replayed(desk: Desk, events: Path) -> Path:
    desk.write("config.toml", f'[llm.b]\nmodel = "replay:{events}"\n')
    done = desk.velora(*RUN, "b", "--eval-note", "again")
    assert done.status == 0, done
    (again,) = [p for p in desk.path.glob(f"evaluation/**/{EVENTS}") if p != events]
    return again


def test_the_replaying_model_gives_the_same_trajectory(desk: Desk) -> None:
    events = made(desk, bash("nothing-of-this-name"), {"say": "And now?"})
    again = replayed(desk, events)
    assert masked(again) == masked(events)
    assert (again.parent / "model.patch").read_bytes() == (
        events.parent / "model.patch"
    ).read_bytes()


async def test_and_so_it_does_of_an_answer_over_http(desk: Desk) -> None:
    """What was paid and how long it took is not part of the trajectory."""

    def play(request: Request) -> Reply:
        calls = six_turns(request.prompt, request.turn)
        return AssistantMessage(
            f"Turn {request.turn}.",
            tuple(
                ToolCall(f"call_{request.turn}_{n}", tool, json.dumps(given))
                for n, (tool, given) in enumerate(calls)
            ),
            reasoning="Let me see.",
        )

    desk.write("repo/a.txt", "a\n")
    desk.rows("tasks.jsonl", [ROW])
    async with Server(play) as server:
        desk.model(server.url, "gpt-4o")
        done = await _in_thread(desk, *RUN, "gpt")
        assert done == 0
    events = desk.run / "journal/a-1/attempt-1" / EVENTS
    again = replayed(desk, events)
    then, now = masked(events), masked(again)
    for line in (*then, *now):
        for name in ("cost", "latency", "retries"):
            line.get("completion", {}).pop(name, None)
    assert now == then
    assert '"reasoning":"Let me see."' in again.read_text()


async def _in_thread(desk: Desk, *argv: str) -> int:
    import asyncio

    return (await asyncio.to_thread(desk.velora, *argv)).status
