"""An attempt that was cut off goes on where it stood: every place it can be cut off at, and what is
not as it was then."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers.killing import RESULT, six_turns
from velora.engine.prepare import Request, prepare
from velora.engine.session import Due, Result, carry_out
from velora.errors import Outcome
from velora.journal.codec import encode
from velora.journal.events import (
    Answered,
    AttemptEnded,
    Event,
    Noted,
    Nudged,
    Observed,
    PatchTaken,
    Prompted,
    Record,
    Repeated,
    Resumed,
    SandboxReady,
)
from velora.journal.past import AGENT_ENDED, CONTINUED, NOT_CONTINUED, RESTARTED
from velora.journal.projections import rebuild
from velora.journal.run import RunDirectory
from velora.journal.store import EVENTS, read

Calls = Sequence[tuple[str, dict[str, Any]]]
WORKDIR = "{workdir}"
PROMPT = f"<uploaded_files>\n{WORKDIR}\n</uploaded_files>"


def bash(command: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "execute_bash", {"command": command, **more}


SIX = [list(six_turns(PROMPT, turn)) for turn in range(5)]


class Task:
    """One instance on the bare host with a scripted model, and the one attempt at it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.home = path / "outputs"

    def script(self, turns: Sequence[Calls], **sandbox: Any) -> None:
        """What the model will answer; `finish` follows."""
        script = {
            "turns": [
                {"calls": [{"tool": tool, "arguments": given} for tool, given in calls]}
                if calls
                else {"say": "Let me think."}
                for calls in turns
            ]
        }
        (self.path / "script.yaml").write_text(json.dumps(script))
        lines = [f"[llm]\nmodel = 'scripted:{self.path}/script.yaml'\n[sandbox]"]
        lines += [f"{key} = {value}" for key, value in sandbox.items()]
        (self.path / "config.toml").write_text("\n".join(lines) + "\n")
        (self.path / "repo").mkdir()
        (self.path / "repo/a.txt").write_text("a\n")
        row = {"instance_id": "a", "problem_statement": "Mend it.", "image_storage_uri": "repo"}
        (self.path / "tasks.jsonl").write_text(json.dumps(row) + "\n")

    async def run(self, **more: Any) -> tuple[Result, list[Due]]:
        """The same command, once more."""
        due: list[Due] = []
        request = Request(
            dataset=self.path / "tasks.jsonl",
            config_file=self.path / "config.toml",
            output_dir=self.home,
            backend="host",
            **more,
        )
        result = await carry_out(prepare(request, {}), lambda key, record: None, due.append)
        return result, due

    @property
    def directory(self) -> RunDirectory:
        (found,) = self.home.glob("*/*/*")
        return RunDirectory(found)

    def journal(self, attempt: int = 1) -> Path:
        return self.directory.attempt_dir("a", attempt)

    def events(self, attempt: int = 1) -> list[Event]:
        return [record.event for record in read(self.journal(attempt))]

    def cut(self, lines: int, tail: bytes = b"") -> None:
        """Leave the first lines of the journal, and no projection but what they had."""
        file = self.journal() / EVENTS
        kept = file.read_bytes().splitlines(keepends=True)[:lines]
        file.write_bytes(b"".join(kept) + tail)
        self.directory.output_file.unlink(missing_ok=True)

    def edit(self, kind: str, old: str, new: str) -> None:
        """Change the journal's lines of one kind."""
        file = self.journal() / EVENTS
        lines = file.read_text().splitlines(keepends=True)
        changed = [
            line.replace(old, new) if json.loads(line)["kind"] == kind else line for line in lines
        ]
        assert changed != lines
        file.write_text("".join(changed))


@pytest.fixture(autouse=True)
def _homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's shell is not to read what this machine's user has in their home."""
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(tmp_path)


TOLD = Prompted | Answered | Observed | Nudged | PatchTaken


def told(events: Sequence[Event]) -> list[str]:
    """The trajectory without what may differ: seconds, and where the repository's copy lies."""
    workdir = of(SandboxReady, events)[-1].workdir
    kept = [replace(e, duration=0.0) if isinstance(e, Observed) else e for e in events]
    lines = (encode(Record(0, 0.0, e)).decode() for e in kept if isinstance(e, TOLD))
    return [line.replace(workdir, "/w") for line in lines]


def of(kind: type[Any], events: Sequence[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def codes(events: Sequence[Event]) -> list[str]:
    return [event.code for event in of(Noted, events)]


async def test_wherever_it_is_cut_off(task: Task, tmp_path: Path) -> None:
    """After each event, and in the middle of each, the trajectory becomes the same."""
    task.script([*SIX[:2], [], *SIX[2:]])
    await task.run()
    whole, first = task.events(), (task.journal() / EVENTS).read_bytes()
    (row,) = (json.loads(line) for line in task.directory.output_file.read_bytes().splitlines())
    assert RESULT.splitlines()[2] in row["test_result"]["git_patch"]
    shutil.copytree(task.home, tmp_path / "saved")
    lines = first.splitlines(keepends=True)
    assert len(lines) > 20
    for number in range(len(lines)):
        shutil.rmtree(task.home)
        shutil.copytree(tmp_path / "saved", task.home)
        if number < len(lines) - 2:
            (task.journal() / "model.patch").unlink()
        task.cut(number, lines[number][: len(lines[number]) // 2] if number % 2 else b"")
        result, (due,) = await task.run()
        assert result.complete
        assert (due.continued, due.new) == (1, 0), number
        events = task.events()
        assert told(events) == told(whole), f"cut off after {number} events"
        (ended,) = of(AttemptEnded, events)
        assert (ended.outcome, ended.steps) == (Outcome.FINISHED, len(of(Answered, whole)))
        assert (task.journal() / EVENTS).read_bytes().startswith(b"".join(lines[:number]))
        assert of(Repeated, events) == []
        assert len(of(Resumed, events)) == (0 < number < len(lines) - 1)
        (again,) = (
            json.loads(line) for line in task.directory.output_file.read_bytes().splitlines()
        )
        assert again["test_result"] == row["test_result"]
        assert len(again["history"]) == len(row["history"])
        before = {p: p.read_bytes() for p in task.home.rglob("*.log")}
        rebuild(task.directory)
        assert {p: p.read_bytes() for p in task.home.rglob("*.log")} == before


async def test_interrupted_once_and_again(task: Task) -> None:
    """Ctrl-C twice: one journal, two ends that count for nothing, and one that counts."""
    task.script([[bash("echo one >> log.txt")], [bash("sleep 0.4; echo two >> log.txt")]])

    async def stopped(condition: Callable[[], bool]) -> None:
        run = asyncio.create_task(task.run())
        while not condition():
            await asyncio.sleep(0.005)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    def answers(count: int) -> bool:
        return (
            any(task.home.glob("*/*/*/journal/a/*/*")) and len(of(Answered, task.events())) >= count
        )

    await stopped(lambda: answers(2))
    assert [e.outcome for e in of(AttemptEnded, task.events())] == [Outcome.INTERRUPTED]
    assert len(of(Observed, task.events())) == 1, "the call that was under way is still to be run"
    await stopped(lambda: of(Resumed, task.events()) != [])
    result, (due,) = await task.run()
    assert (due.continued, due.new) == (1, 0)
    events = task.events()
    ends = of(AttemptEnded, events)
    assert [e.outcome for e in ends] == [Outcome.INTERRUPTED] * 2 + [Outcome.FINISHED]
    assert [e.steps for e in ends] == [2, 2, 3]
    assert [e.duration for e in ends] == sorted(e.duration for e in ends)
    assert codes(events).count(CONTINUED) == 2
    assert of(Resumed, events) == [Resumed(2, 1, 0)] * 2
    (row,) = (json.loads(line) for line in task.directory.output_file.read_bytes().splitlines())
    assert "+one\n+two\n" in row["test_result"]["git_patch"]
    assert (row["outcome"], row["attempt"], row["steps"]) == ("finished", 1, 3)
    assert (result.summary.attempts, dict(result.summary.outcomes)) == (1, {"finished": 1})
    assert result.summary.spent.calls == 3


async def test_what_comes_out_otherwise_is_recorded(task: Task) -> None:
    task.script([[bash("date +%s%N | tee stamp.txt")], [bash("cat stamp.txt")]])
    await task.run()
    whole = task.events()
    place = next(n for n, e in enumerate(whole) if isinstance(e, Observed))
    task.cut(place + 1)
    await task.run()
    events = task.events()
    first, second = of(Observed, events)[:2]
    assert first == of(Observed, whole)[0], "the conversation keeps what was seen first"
    (repeated,) = of(Repeated, events)
    assert (repeated.call_id, repeated.tool, repeated.exit_code) == (
        first.call_id,
        "execute_bash",
        0,
    )
    assert repeated.content == second.content != first.content
    assert of(Resumed, events) == [Resumed(1, 1, 1)]


async def test_calls_that_failed_as_calls_are_not_run_again(task: Task) -> None:
    edit = {"command": "str_replace", "path": f"{WORKDIR}/a.txt", "old_str": "b", "new_str": "c"}
    task.script([[("str_replace_editor", edit), ("nothing", {})], [bash("echo b > a.txt")]])
    await task.run()
    whole = task.events()
    assert [e.error for e in of(Observed, whole)] == [True, True, False, False]
    task.cut(len(whole) - 4)
    await task.run()
    assert told(task.events()) == told(whole)
    (resumed,) = of(Resumed, task.events())
    assert resumed.differences == 0
    assert resumed.calls < 4


async def test_commands_that_were_still_running(task: Task) -> None:
    """Input, keys and polls reach the command that they were meant for."""
    task.script(
        [
            [bash("cat > got.txt")],
            [bash("hello", is_input="true")],
            [bash("C-d")],
            [bash("sleep 0.8; echo slept")],
            [bash("")],
            [bash("cat got.txt; cp got.txt kept.txt")],
        ],
        no_change_timeout=0.5,
    )
    await task.run()
    whole = task.events()
    assert [e.exit_code for e in of(Observed, whole)[:6]] == [-1, -1, 0, -1, 0, 0]
    task.cut(len(whole) - 5)
    await task.run()
    events = task.events()
    assert "hello" in of(Observed, events)[5].content
    assert told(events)[-1] == told(whole)[-1]
    assert of(Repeated, events) == []


async def test_a_command_that_is_slower_this_time_is_waited_for(task: Task, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    slow = f"if [ -e {mark} ]; then sleep 1.5; fi; touch {mark}; echo done > done.txt"
    task.script([[bash(slow)], [bash("cat done.txt")]], no_change_timeout=0.5)
    await task.run()
    whole = task.events()
    task.cut(len(whole) - 6)
    await task.run()
    assert of(Repeated, task.events()) == []
    assert told(task.events()) == told(whole)


@pytest.mark.parametrize(
    ("kind", "old", "new", "why"),
    [
        ("attempt_started", '"velora":"', '"velora":"0.0.1-', "it was made by Velora 0.0.1-"),
        ("sandbox_ready", '"digest":""', '"digest":"sha256:old"', "is another one now: sha256:old"),
        ("sandbox_ready", '"backend":"host"', '"backend":"docker"', "was one of docker"),
        ("prompted", '"instruction"', '"instructed"', "unknown field 'instructed'"),
    ],
)
async def test_what_cannot_be_gone_on_with_is_made_anew(
    task: Task, kind: str, old: str, new: str, why: str
) -> None:
    task.script([[bash("echo one >> log.txt")]])
    await task.run()
    whole = task.events()
    task.cut(len(whole) - 3)
    task.edit(kind, old, new)
    result, (due,) = await task.run()
    assert (due.continued, due.new) == (1, 0)
    lines = (task.journal() / EVENTS).read_text().splitlines()
    last = json.loads(lines[-1])
    assert (last["kind"], last["code"]) == ("noted", NOT_CONTINUED)
    assert why in last["text"]
    events = task.events(2)
    (note,) = [e for e in of(Noted, events) if e.code == RESTARTED]
    assert note.text.startswith("in place of attempt 1, which is not gone on with: ")
    assert of(AttemptEnded, events)[-1].outcome is Outcome.FINISHED
    assert result.complete


async def test_restart_makes_a_new_attempt(task: Task) -> None:
    task.script([[bash("echo one >> log.txt")]])
    await task.run()
    whole = task.events()
    task.cut(len(whole) - 3)
    kept = (task.journal() / EVENTS).read_bytes()
    result, (due,) = await task.run(resume="restart")
    assert (due.continued, due.new) == (0, 1)
    assert (task.journal() / EVENTS).read_bytes() == kept
    assert len(of(Answered, task.events(2))) == 2
    assert result.complete


async def test_after_the_agents_end_only_what_is_missing_is_made(task: Task) -> None:
    """The patch that is there is taken as it is, without a sandbox; a damaged one is made again,
    and the model is asked nothing in either case."""
    task.script([[bash("echo one >> log.txt")]])
    await task.run()
    whole = task.events()
    assert [type(e) for e in whole[-3:]] == [Noted, PatchTaken, AttemptEnded]
    assert codes(whole)[-1] == AGENT_ENDED
    task.cut(len(whole) - 1)
    await task.run()
    events = task.events()
    assert len(of(SandboxReady, events)) == 1
    assert of(AttemptEnded, events)[0].outcome is Outcome.FINISHED
    patch = (task.journal() / "model.patch").read_bytes()
    (task.journal() / "model.patch").write_bytes(patch[:10])
    task.cut(len(whole) - 1)
    await task.run()
    events = task.events()
    assert (task.journal() / "model.patch").read_bytes() == patch
    assert len(of(SandboxReady, events)) == 2
    assert len(of(PatchTaken, events)) == 2
    assert len(of(Answered, events)) == 2
    (row,) = (json.loads(line) for line in task.directory.output_file.read_bytes().splitlines())
    assert row["test_result"]["git_patch"].encode() == patch
