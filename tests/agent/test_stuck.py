from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.agent.test_loop import FINISH, Act, Attempt, says
from velora.agent.stuck import FORGIVEN, Watch, settled
from velora.config.settings import AgentSettings
from velora.errors import Outcome
from velora.journal.events import Answered, Condensed, Event, Nudged, Observed
from velora.journal.messages import AssistantMessage, Completion, ToolCall
from velora.tools.protocol import ToolResult

NUMBERS = itertools.count()


def step(
    *calls: dict[str, Any],
    result: str = "ok",
    error: bool = False,
    exit_code: int | None = 0,
    text: str = "",
    tool: str = "execute_bash",
) -> list[Event]:
    made = tuple(ToolCall(f"c{next(NUMBERS)}", tool, json.dumps(given)) for given in calls)
    events: list[Event] = [Answered(Completion(AssistantMessage(text, made)))]
    for call, given in zip(made, calls, strict=True):
        events.append(Observed(call.id, tool, given, result, error=error, exit_code=exit_code))
    return events


def run(command: str, result: str = "ok", **more: Any) -> list[Event]:
    return step({"command": command}, result=result, **more)


def pattern(*steps: list[Event], **settings: Any) -> str:
    watch = Watch(AgentSettings(**settings))
    for event in itertools.chain(*steps):
        watch.see(event)
    return watch.pattern()


def test_the_same_step_four_times() -> None:
    assert pattern(*[run("pytest", "1 failed")] * 3) == ""
    assert pattern(*[run("pytest", "1 failed")] * 4) == (
        "the same call of `execute_bash` with the same result, 4 times in a row"
    )
    assert pattern(*[run("pytest", f"{n} failed") for n in range(9)]) == ""
    assert pattern(*[run(f"pytest {n}", "1 failed") for n in range(9)]) == ""
    assert pattern(*[run("pytest", text=f"Again, {n}.") for n in range(4)])
    assert pattern(*[run("a")] * 3, run("b"), *[run("a")] * 3) == ""
    assert pattern(*[run("a")] * 2, stuck_same_step=2)


def test_calls_are_compared_whatever_their_spelling() -> None:
    first = step({"path": "a", "command": "view"}, tool="str_replace_editor")
    second = step({"command": "view", "path": "a"}, tool="str_replace_editor")
    assert pattern(first, second, first, second)
    both = step({"command": "a"}, {"command": "b"})
    assert pattern(*[both] * 4)
    assert pattern(*[both] * 3, step({"command": "a"})) == ""


def test_the_same_failing_call_three_times() -> None:
    fails = [run("x", f"error {n}", error=True) for n in range(3)]
    assert pattern(*fails) == (
        "the same call of `execute_bash` that fails each time, 3 times in a row"
    )
    assert pattern(*fails[:2]) == ""
    assert pattern(fails[0], fails[1], run("x", "it works")) == ""
    # A command's exit status is its result, not a failure of the call.
    assert pattern(*[run("x", f"error {n}", exit_code=1) for n in range(3)]) == ""


def test_the_same_words_three_times() -> None:
    says_so = [*step(text="Shall I?"), Nudged("Go on.")]
    assert pattern(says_so, says_so) == ""
    assert pattern(says_so, says_so, says_so) == "the same words without a tool call, 3 times"
    assert pattern(says_so, run("ls"), says_so, says_so) == ""
    assert pattern(says_so, step(text="May I?"), says_so) == ""


def test_two_steps_by_turns_six_steps() -> None:
    turns = [run("a", "1"), run("b", "2")] * 3
    assert pattern(*turns[:5]) == ""
    assert pattern(*turns) == "the same two steps by turns, 6 steps in a row"
    assert pattern(*turns[:4], run("a", "1"), run("b", "3")) == ""


def test_ten_overflows_one_after_the_other() -> None:
    overflow: list[Event] = [Condensed("truncation", "overflow", kept=2, start=4)]
    grows = [overflow + run(f"cat {n}") for n in range(12)]
    assert pattern(*grows[:9]) == ""
    assert "outgrew the context window 10 times" in pattern(*grows[:10])
    assert pattern(*grows[:5], run("ls"), *grows[5:10]) == ""


def test_polling_a_running_command_is_not_stuck() -> None:
    polls = [run("", "no news", exit_code=-1)] * 20
    types = [step({"command": "y", "is_input": "true"}, result="?", exit_code=-1)] * 20
    assert pattern(run("make", exit_code=-1), *polls) == ""
    assert pattern(run("make", exit_code=-1), *types) == ""
    turns = [run("tail log", "same"), run("", "no news", exit_code=-1)] * 10
    assert pattern(*turns) == ""
    assert pattern(*polls, *[run("ls")] * 4)
    # Waiting for a command that does not run is refused, and may well repeat.
    assert pattern(*[run("", "none runs", error=True, exit_code=None)] * 3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 failed in 0.12s", "1 failed in 3.4s"),
        ("Ran 3 tests in 0.003 seconds", "Ran 3 tests in 1 second"),
        ("ok  \tpkg\t0.005s", "ok  \tpkg\t0.013s"),
        ("real\t0m1.234s", "real\t1m0.001s"),
        ("[1] 4711\n", "[1] 4712\n"),
        ("killed pid 17", "killed pid 18"),
        ("<Tree object at 0x7f00aa11bb22>", "<Tree object at 0x7f00aa11cc33>"),
        ("2026-01-02T03:04:05.678 start", "2026-01-03 13:14:15,1 start"),
        ("03:04:05 INFO", "03:04:06 INFO"),
        ("/tmp/tmpab12/x.py", "/tmp/tmpcd34/x.py"),
    ],
)
def test_what_changes_each_time_is_not_compared(one: str, other: str) -> None:
    assert settled(one) == settled(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 failed", "2 failed"),
        ("line 12", "line 13"),
        ("[1] done", "[2] done"),
        ("x = 0x10", "x = 0x11"),
        ("1.2.3", "1.2.4"),
        ("5 steps", "6 steps"),
        ("50%", "60%"),
    ],
)
def test_all_other_numbers_are_compared(one: str, other: str) -> None:
    assert settled(one) != settled(other)


def test_being_told_is_forgotten_after_a_while() -> None:
    watch = Watch(AgentSettings())
    watch.see(Nudged("You repeat yourself.", reason="stuck"))
    for n in range(FORGIVEN):
        assert watch.told
        for event in run(f"echo {n}"):
            watch.see(event)
    assert watch.told
    for event in run("ls"):
        watch.see(event)
    assert not watch.told


def looping() -> Act:
    return Act(lambda given: ToolResult("nothing new"))


async def test_an_agent_is_told_once_and_then_stuck() -> None:
    attempt = Attempt([says(("act", {"n": 1}))] * 8, [looping()])
    end = await attempt.run()
    assert end.outcome is Outcome.STUCK
    assert end.steps == 8
    assert end.detail == (
        "the same call of `act` with the same result, 4 times in a row, after it was told"
    )
    (told,) = attempt.nudges
    assert told.startswith("You repeat yourself: the same call of `act` with the same result, 4")


async def test_an_agent_that_heeds_the_nudge_goes_on() -> None:
    loop = [says(("act", {"n": 1}))] * 4
    attempt = Attempt([*loop, says(("act", {"n": 2})), says(FINISH)], [looping()])
    assert (await attempt.run()).outcome is Outcome.FINISHED
    assert len(attempt.nudges) == 1


async def test_it_holds_over_a_resume() -> None:
    whole = Attempt([says(("act", {"n": 1}))] * 8, [looping()])
    await whole.run()
    for cut in range(1, len(whole.events)):
        past = whole.events[:cut]
        answered = sum(isinstance(event, Answered) for event in past)
        resumed = Attempt([says(("act", {"n": 1}))] * (8 - answered), [looping()])
        end = await resumed.agent.run(past)
        assert (end.outcome, end.steps) == (Outcome.STUCK, 8)
        assert resumed.model.answers == []
        nudges = [e for e in (*past, *resumed.events) if isinstance(e, Nudged)]
        assert len(nudges) == 1


async def test_it_can_be_switched_off() -> None:
    settings = AgentSettings(enable_stuck_detection=False)
    attempt = Attempt(
        [*[says(("act", {"n": 1}))] * 12, says(FINISH)], [looping()], settings=settings
    )
    assert (await attempt.run()).outcome is Outcome.FINISHED
    assert attempt.nudges == []
