"""A small attempt with every kind of event, and a run directory to put it in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from velora.errors import Outcome
from velora.journal.events import (
    Answered,
    AttemptEnded,
    AttemptStarted,
    Condensed,
    Event,
    Graded,
    Noted,
    Nudged,
    Observed,
    PatchTaken,
    Prompted,
    Repeated,
    Resumed,
    SandboxReady,
    SnapshotTaken,
)
from velora.journal.messages import AssistantMessage, Completion, ToolCall, ToolSpec, Usage
from velora.journal.metadata import RunFacts
from velora.journal.projector import Projector
from velora.journal.run import RunDirectory
from velora.journal.store import AttemptJournal

PATCH = b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"


def unchanged(text: str) -> str:
    return text


def ticking(start: float = 1_767_323_045.0, step: float = 0.25) -> Callable[[], float]:
    """A clock that starts at 2026-01-02 03:04:05 UTC and moves on by `step` when looked at."""
    ticks = count()
    return lambda: start + step * next(ticks)


def call(number: int, name: str, arguments: str) -> ToolCall:
    return ToolCall(f"call_{number}", name, arguments)


def answered(
    *calls: ToolCall, text: str = "", cost: float | None = 0.01, number: int = 1
) -> Answered:
    return Answered(
        Completion(
            AssistantMessage(text, calls, provider={"kind": "response", "parts": [text]}),
            Usage(prompt=1200, completion=34, cache_read=1000, reasoning=4),
            cost=cost,
            model="gpt-4o-2024-08-06",
            response_id=f"chatcmpl-{number}",
            finish_reason="tool_calls" if calls else "stop",
            latency=1.5,
        )
    )


def started(instance_id: str = "owner__repo-1", attempt: int = 1) -> AttemptStarted:
    return AttemptStarted(
        instance_id=instance_id,
        attempt=attempt,
        run="runs/one",
        configuration="c0ffee",
        model="openai/gpt-4o",
        agent="CodeActAgent",
        velora="0.1.0",
        row={"instance_id": instance_id, "problem_statement": "x should be 2", "version": None},
    )


def patch_taken(patch: bytes = PATCH) -> PatchTaken:
    if not patch:
        return PatchTaken("empty")
    return PatchTaken(
        "patch", size=len(patch), sha256=hashlib.sha256(patch).hexdigest(), files=("a.py",)
    )


def whole_attempt(instance_id: str = "owner__repo-1", attempt: int = 1) -> Iterator[Event]:
    """Every kind of event, every tool, several calls a turn, a failed call, a nudge."""
    tool = ToolSpec("execute_bash", "Runs a command.", {"type": "object", "properties": {}})
    yield started(instance_id, attempt)
    yield SandboxReady("docker", "3f2a" * 16, "repo:1", "sha256:ab", "row", "/testbed", "image")
    yield SnapshotTaken("git", "4b825dc642cb", "e604fe", False, ("base_commit_missing: e604fe",))
    yield Prompted("You mend programs.", "Make x be 2.\nTests are in t.py.", (tool,))
    yield Noted("llm_retry", "429, waiting 8 s", {"status": 429})
    run = call(1, "execute_bash", '{"command": "cat a.py", "timeout": 5}')
    view = call(2, "str_replace_editor", '{"command": "view", "path": "/testbed/a.py"}')
    yield answered(run, view, text="Let me look.")
    yield Observed(
        "call_1",
        "execute_bash",
        {"command": "cat a.py", "timeout": 5.0},
        "x = 1\n[exit code 0, in /testbed]",
        exit_code=0,
        cwd="/testbed",
        duration=0.02,
    )
    edit_view = {"command": "view", "path": "/testbed/a.py"}
    yield Observed("call_2", "str_replace_editor", edit_view, "     1\tx = 1", duration=0.01)
    yield answered(text="What now?", number=2)
    yield Nudged("Please go on.")
    yield Resumed(answers=2, calls=2, differences=1)
    yield Repeated("call_2", "str_replace_editor", "     1\tx = 3")
    yield Condensed("llm", "size", kept=2, start=5, summary="A file was read.")
    bad = call(3, "execute_bash", '{"command": ')
    arguments: dict[str, Any] = {
        "command": "str_replace",
        "path": "/testbed/a.py",
        "old_str": "x = 1",
        "new_str": "x = 2",
    }
    edit = json.dumps(arguments)
    strange = call(5, "look_up", '{"word": "x"}')
    yield answered(bad, call(4, "str_replace_editor", edit), strange, cost=None, number=3)
    yield Observed("call_3", "execute_bash", {}, "The arguments are not JSON.", error=True)
    yield Observed(
        "call_4", "str_replace_editor", arguments, "Edited.", extras={"path": "/testbed/a.py"}
    )
    yield Observed("call_5", "look_up", {"word": "x"}, "No such tool.", error=True)
    tasks = [{"id": "1", "title": "mend", "status": "done", "notes": ""}]
    yield answered(
        call(6, "think", '{"thought": "Nearly done."}'),
        call(7, "task_tracker", '{"command": "plan", "task_list": []}'),
        call(8, "finish", '{"message": "x is 2."}'),
        text="Then finish.",
        number=4,
    )
    yield Observed("call_6", "think", {"thought": "Nearly done."}, "Noted.")
    plan = {"command": "plan", "task_list": tasks}
    yield Observed("call_7", "task_tracker", plan, "1 task.", extras={"task_list": tasks})
    yield Observed("call_8", "finish", {"message": "x is 2."}, "")
    yield patch_taken()
    yield AttemptEnded(Outcome.FINISHED, steps=4, duration=12.5)
    yield Graded(True, "resolved", {"resolved": True})


def failed_attempt(instance_id: str, attempt: int, outcome: Outcome) -> Iterator[Event]:
    yield started(instance_id, attempt)
    yield answered(call(1, "think", "{}"))
    yield AttemptEnded(outcome, "it broke", steps=1, duration=2.0)


def new_run(path: Path, **changes: Any) -> RunDirectory:
    run = RunDirectory(path)
    run.create()
    run.claim(facts(**changes), unchanged)
    return run


def facts(**changes: Any) -> RunFacts:
    configuration = {
        "llm": {"model": "openai/gpt-4o", "api_key": "**********", "log_completions": True},
        "agent": {"instruction_template": ""},
        "core": {"max_iterations": 30},
        "condenser": {"type": "noop"},
        "run": {"max_budget_per_task": None},
    }
    values: dict[str, Any] = {
        "configuration": configuration,
        "digest": "c0ffee",
        "agent": "CodeActAgent",
        "dataset": "data/tasks.jsonl",
        "dataset_rows": 2,
        "dataset_sha256": "ab" * 32,
        "split": "train",
        "argv": ("velora", "run"),
    }
    return RunFacts(**(values | changes))


def play(
    run: RunDirectory,
    events: Iterable[Event],
    *,
    patch: bytes = PATCH,
    clock: Callable[[], float] | None = None,
    finish: bool = True,
) -> Path:
    """Write an attempt as the engine does; returns its directory."""
    events = list(events)
    first = events[0]
    assert isinstance(first, AttemptStarted)
    directory = run.attempt_dir(first.instance_id, first.attempt)
    projector = Projector(run, first.instance_id, first.attempt)
    with AttemptJournal.create(
        directory, redact=unchanged, listeners=[projector], clock=clock or ticking()
    ) as journal:
        for event in events:
            if isinstance(event, PatchTaken):
                journal.write_patch(patch)
            journal.append(event)
        journal.sync()
    if finish:
        projector.finish()
    return directory
