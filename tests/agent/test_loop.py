from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from velora.agent.loop import CodeActAgent, End, Limits
from velora.config.settings import AgentSettings
from velora.errors import (
    ContextOverflow,
    Outcome,
    ProviderUnavailable,
    SandboxLost,
    attribute,
)
from velora.journal.conversation import spoken
from velora.journal.events import Answered, Event, Noted, Nudged, Observed, Prompted
from velora.journal.messages import (
    AssistantMessage,
    Completion,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from velora.llm.protocol import Note
from velora.tools.build import Toolset
from velora.tools.finish import FinishTool
from velora.tools.protocol import BadArguments, Tool, ToolResult
from velora.tools.think import ThinkTool

THINK = ("think", {"thought": "hm"})
FINISH = ("finish", {"message": "done"})
NUMBERS = itertools.count()


@dataclass
class Answers:
    """A model that gives prepared answers and keeps what it was sent."""

    answers: list[Completion | BaseException]
    name: str = "prepared"
    sent: list[list[Message]] = field(default_factory=list)
    delay: float = 0.0
    window: int | None = None

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        note: Note,
        conversation: str = "",
    ) -> Completion:
        self.sent.append(list(messages))
        await asyncio.sleep(self.delay)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def close(self) -> None:
        pass


class Act:
    """A tool that does what the test says."""

    spec = ToolSpec("act", "", {"type": "object", "properties": {"n": {"type": "integer"}}})

    def __init__(self, do: Callable[[dict[str, Any]], ToolResult]) -> None:
        self._do = do

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        await asyncio.sleep(0)
        return self._do(arguments)


class Wait:
    """A tool that never comes back."""

    spec = ToolSpec("wait", "", {"type": "object", "properties": {}})

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        await asyncio.Event().wait()
        raise AssertionError


def says(
    *calls: tuple[str, dict[str, Any] | str],
    text: str = "",
    cost: float | None = 0.5,
    finish_reason: str = "",
    ids: Sequence[str] = (),
) -> Completion:
    made = tuple(
        ToolCall(
            id=ids[n] if ids else f"c{next(NUMBERS)}",
            name=name,
            arguments=given if isinstance(given, str) else json.dumps(given),
        )
        for n, (name, given) in enumerate(calls)
    )
    return Completion(AssistantMessage(text, made), cost=cost, finish_reason=finish_reason)


@dataclass
class Attempt:
    """An agent with prepared answers and what it records."""

    answers: Sequence[Completion | BaseException]
    tools: Sequence[Tool] = ()
    limits: Limits = Limits(max_iterations=20)  # noqa: RUF009
    max_nudges: int = 3
    settings: AgentSettings | None = None
    finish: bool = True
    delay: float = 0.0
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        offered: list[Tool] = [ThinkTool(), *self.tools, *([FinishTool()] if self.finish else [])]
        self.model = Answers(list(self.answers), delay=self.delay)
        self.agent = CodeActAgent(
            model=self.model,
            toolset=Toolset({tool.spec.name: tool for tool in offered}),
            emit=self.events.append,
            system="You are an agent.",
            instruction="Fix it.",
            limits=self.limits,
            settings=self.settings or AgentSettings(max_nudges=self.max_nudges),
        )

    async def run(self) -> End:
        try:
            end = await self.agent.run()
        except BaseException:
            self.check(over=False)
            raise
        self.check()
        return end

    def check(self, *, over: bool = True) -> None:
        """What holds however an attempt ends; one that is `over` owes no observation."""
        owed: list[str] = []
        for event in self.events:
            if isinstance(event, Answered):
                assert owed == []
                owed = [call.id for call in event.completion.message.tool_calls]
            elif isinstance(event, Observed):
                assert owed.pop(0) == event.call_id
        assert owed == [] or not over
        recorded = [message for event in self.events for message in spoken(event)]
        for messages in self.model.sent:
            assert messages == recorded[: len(messages)]

    @property
    def observed(self) -> list[Observed]:
        return [event for event in self.events if isinstance(event, Observed)]

    @property
    def nudges(self) -> list[str]:
        return [event.content for event in self.events if isinstance(event, Nudged)]

    @property
    def notes(self) -> list[str]:
        return [event.code for event in self.events if isinstance(event, Noted)]


async def test_it_works_until_the_model_finishes() -> None:
    act = Act(lambda given: ToolResult(f"did {given}", exit_code=3, cwd="/r", extras={"a": 1}))
    attempt = Attempt([says(("act", {"n": "7"}), text="I act."), says(FINISH)], [act])
    assert await attempt.run() == End(Outcome.FINISHED, "", 2)
    kinds = [type(event) for event in attempt.events]
    assert kinds == [Prompted, Answered, Observed, Answered, Observed]
    opening = attempt.events[0]
    assert isinstance(opening, Prompted)
    assert opening.system == "You are an agent."
    assert [spec.name for spec in opening.tools] == ["think", "act", "finish"]
    first = attempt.observed[0]
    assert (first.tool, first.arguments, first.content) == ("act", {"n": 7}, "did {'n': 7}")
    assert (first.exit_code, first.cwd, first.extras, first.error) == (3, "/r", {"a": 1}, False)
    system, task, answer, result = attempt.model.sent[1]
    assert (system, task) == (SystemMessage("You are an agent."), UserMessage("Fix it."))
    assert isinstance(answer, AssistantMessage)
    assert result == ToolMessage(answer.tool_calls[0].id, "act", "did {'n': 7}")
    assert attempt.agent.steps == 2


async def test_calls_of_one_answer_run_in_order() -> None:
    seen: list[int] = []

    def do(given: dict[str, Any]) -> ToolResult:
        seen.append(given["n"])
        return ToolResult(str(given["n"]))

    attempt = Attempt([says(*(("act", {"n": n}) for n in range(5))), says(FINISH)], [Act(do)])
    await attempt.run()
    assert seen == [0, 1, 2, 3, 4]
    assert [event.content for event in attempt.observed[:5]] == ["0", "1", "2", "3", "4"]


async def test_nothing_runs_after_finish() -> None:
    act = Act(lambda given: pytest.fail("it ran"))
    attempt = Attempt([says(THINK, FINISH, ("act", {}), ("act", {}))], [act])
    assert (await attempt.run()).outcome is Outcome.FINISHED
    assert [event.error for event in attempt.observed] == [False, False, True, True]
    assert attempt.observed[2].content == attempt.observed[3].content
    assert attempt.observed[2].content == (
        "Not run: `finish`, called before it in the same answer, ended the work."
    )


async def test_an_unknown_tool_is_answered_with_those_there_are() -> None:
    attempt = Attempt([says(("thnk", {}), ("python", {})), says(FINISH)])
    await attempt.run()
    near, far = attempt.observed[:2]
    assert near.content == ("There is no tool 'thnk'; did you mean 'think'? Tools: finish, think.")
    assert far.content == "There is no tool 'python'; known: finish, think"
    assert near.error
    assert far.error


async def test_bad_arguments_are_answered_and_the_work_goes_on() -> None:
    def do(given: dict[str, Any]) -> ToolResult:
        raise BadArguments("act: not like this")

    calls = says(("think", "{"), ("act", {}), ("finish", {}))
    attempt = Attempt([calls, says(FINISH)], [Act(do)])
    assert (await attempt.run()).steps == 2
    malformed, wrong, unfinished, _ = attempt.observed
    assert malformed.content.startswith("think: the arguments are not valid JSON: ")
    assert malformed.arguments == {}
    assert wrong.content == "act: not like this"
    assert unfinished.content.startswith("finish: missing argument 'message'.")
    assert all(event.error for event in (malformed, wrong, unfinished))


async def test_a_call_that_was_cut_off_is_told_so() -> None:
    cut = says(("think", '{"thought": "I'), finish_reason="length")
    attempt = Attempt([cut, says(FINISH)])
    await attempt.run()
    assert attempt.observed[0].content.endswith("Write less at a time.")


async def test_iterations_are_counted_in_answers() -> None:
    attempt = Attempt([says(THINK), says(text="Well.")], limits=Limits(max_iterations=2))
    assert await attempt.run() == End(Outcome.MAX_ITERATIONS, "not done within 2 iterations", 2)
    assert len(attempt.model.sent) == 2


async def test_the_budget_is_checked_before_a_call_is_paid_for() -> None:
    limits = Limits(max_iterations=20, max_budget=1.0)
    attempt = Attempt([says(THINK, cost=0.6)] * 2, limits=limits)
    assert await attempt.run() == End(Outcome.BUDGET_EXCEEDED, "$1.2000 spent; the limit is $1", 2)


async def test_an_unknown_price_counts_nothing_and_is_noted_once() -> None:
    answers = [says(call, cost=None) for call in (THINK, THINK, FINISH)]
    capped = Attempt(answers, limits=Limits(max_iterations=20, max_budget=0.01))
    assert (await capped.run()).outcome is Outcome.FINISHED
    assert capped.notes == ["budget_unknown_price"]
    free = Attempt(answers)
    await free.run()
    assert free.notes == []


async def test_the_deadline_ends_a_call_of_the_model() -> None:
    attempt = Attempt([says(FINISH)], limits=Limits(20, deadline=0.05), delay=30)
    assert await attempt.run() == End(Outcome.TIMED_OUT, "not done within 0.05 seconds", 0)


async def test_the_deadline_ends_a_tool_and_its_call_is_observed() -> None:
    calls = says(THINK, ("wait", {}), THINK)
    attempt = Attempt([calls], [Wait()], limits=Limits(20, deadline=0.05))
    assert (await attempt.run()).outcome is Outcome.TIMED_OUT
    assert [event.content for event in attempt.observed[1:]] == [
        "Cut short: the attempt ended while it ran.",
        "Not run: the attempt ended before its turn came.",
    ]


async def test_a_time_limit_of_somebody_else_is_not_ours() -> None:
    attempt = Attempt([TimeoutError("theirs")], limits=Limits(20, deadline=60))
    with pytest.raises(TimeoutError, match="theirs"):
        await attempt.run()


async def test_cancellation_passes_and_leaves_calls_to_whoever_goes_on() -> None:
    attempt = Attempt([says(("wait", {}), THINK)], [Wait()])
    task = asyncio.create_task(attempt.run())
    while not any(isinstance(event, Answered) for event in attempt.events):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert attempt.observed == []
    tools = [Act(lambda given: ToolResult("acted"))]
    tools[0].spec = replace(tools[0].spec, name="wait")
    again = Attempt([says(FINISH)], tools)
    end = await again.agent.run(attempt.events)
    assert end == End(Outcome.FINISHED, "", 2)
    assert [event.content for event in again.observed[:2]] == ["acted", "Your thought is recorded."]
    assert len(again.model.sent) == 1, "the answer that was there is not asked for again"


@pytest.mark.parametrize(
    "error", [ProviderUnavailable("503"), ContextOverflow("too long"), SandboxLost("gone")]
)
async def test_ends_of_others_rise(error: Exception) -> None:
    attempt = Attempt([says(THINK), error])
    with pytest.raises(type(error)):
        await attempt.run()
    assert attempt.agent.steps == 1
    assert attribute(error)[1] == str(error)


async def test_a_lost_sandbox_costs_no_further_call_of_the_model() -> None:
    def do(given: dict[str, Any]) -> ToolResult:
        raise SandboxLost("killed")

    attempt = Attempt([says(("act", {}), THINK), says(FINISH)], [Act(do)])
    with pytest.raises(SandboxLost):
        await attempt.run()
    assert len(attempt.model.sent) == 1
    assert attempt.observed == []


async def test_plain_text_is_nudged_and_in_the_end_no_action() -> None:
    attempt = Attempt([says(text="Shall I?")] * 4)
    assert await attempt.run() == End(
        Outcome.NO_ACTION, "answers without a tool call in a row: 4", 4
    )
    first, second, third = attempt.nudges
    assert second == first
    assert first == (
        "Your answer calls no tool, so nothing happened. Go on with the task by calling a tool; "
        "nobody is here to answer questions. If the task is done and checked, call `finish`."
    )
    assert third == (
        f"{first} If you cannot get any further, call `finish` too and say what stands in the way."
        " You repeat yourself: the same words without a tool call, 3 times."
    )
    assert attempt.model.sent[-1][-1] == UserMessage(third)


async def test_a_tool_call_starts_the_count_of_nudges_anew() -> None:
    talk = [says(text=text) for text in ("Hm.", "Well.", "Hm.")]
    attempt = Attempt([*talk, says(THINK), *talk, says(FINISH)])
    assert (await attempt.run()).outcome is Outcome.FINISHED
    assert len(attempt.nudges) == 6


async def test_empty_and_cut_answers_are_nudged_in_their_own_words() -> None:
    answers = [says(text=" \n"), says(text="I", finish_reason="length"), says(FINISH)]
    attempt = Attempt(answers)
    await attempt.run()
    empty, cut = attempt.nudges
    assert empty.startswith("Your answer was empty. Go on")
    assert cut.startswith("Your answer was cut off at the limit on its length before it called")


async def test_finish_is_not_offered_where_there_is_none() -> None:
    attempt = Attempt([says(text="Hm.")] * 4, finish=False)
    assert (await attempt.run()).outcome is Outcome.NO_ACTION
    assert not any("finish" in text for text in attempt.nudges)


async def test_no_nudges_at_all_if_none_are_wanted() -> None:
    attempt = Attempt([says(text="Hm.")], max_nudges=0)
    assert await attempt.run() == End(
        Outcome.NO_ACTION, "answers without a tool call in a row: 1", 1
    )


async def test_call_ids_are_unique_whatever_the_provider_gives() -> None:
    twice = says(THINK, THINK, ids=["call_0", "call_0"])
    attempt = Attempt([twice, says(THINK, FINISH, ids=["call_0", ""])])
    await attempt.run()
    ids = [event.call_id for event in attempt.observed]
    assert len(set(ids)) == 4
    assert ids[0] == "call_0"
    assert attempt.notes == ["call_ids_mended"]


async def test_work_per_step_does_not_grow() -> None:
    """One list from first to last: a step appends to it and copies nothing."""
    lists: set[int] = set()

    class Watching(Answers):
        async def complete(
            self,
            messages: Sequence[Message],
            tools: Sequence[ToolSpec],
            *,
            note: Note,
            conversation: str = "",
        ) -> Completion:
            lists.add(id(messages))
            return self.answers.pop(0)  # type: ignore[return-value]

    events: list[Event] = []
    agent = CodeActAgent(
        model=Watching([says(THINK), says(THINK), says(FINISH)]),
        toolset=Toolset({"think": ThinkTool(), "finish": FinishTool()}),
        emit=events.append,
        system="",
        instruction="Fix it.",
        limits=Limits(20),
    )
    assert (await agent.run()).outcome is Outcome.FINISHED
    assert len(lists) == 1


async def test_time_at_work_before_counts_for_the_deadline() -> None:
    spent = Attempt([says(FINISH)], limits=Limits(20, deadline=30, worked=31), delay=30)
    assert await spent.run() == End(Outcome.TIMED_OUT, "not done within 30 seconds", 0)


async def test_the_deadline_stands_still_while_the_provider_is_down() -> None:
    class Waiting(Answers):
        async def complete(
            self,
            messages: Sequence[Message],
            tools: Sequence[ToolSpec],
            *,
            note: Note,
            conversation: str = "",
        ) -> Completion:
            note("provider_down", "", {})
            await asyncio.sleep(0.5)
            note("provider_back", "", {})
            await asyncio.sleep(self.delay)
            return self.answers.pop(0)  # type: ignore[return-value]

    def agent(delay: float) -> CodeActAgent:
        return CodeActAgent(
            model=Waiting([says(FINISH)], delay=delay),
            toolset=Toolset({"finish": FinishTool()}),
            emit=lambda _: None,
            system="",
            instruction="Fix it.",
            limits=Limits(20, deadline=0.3),
        )

    assert (await agent(0).run()).outcome is Outcome.FINISHED
    assert (await agent(30).run()).outcome is Outcome.TIMED_OUT
