"""CodeActAgent: ask the model, run what it calls, show it what came of it, until it is done.

Each turn appends to one conversation and one journal; nothing is built anew per step. What the loop
knows is what the events say (`agent.state`), so it can begin in the middle. Before each request,
and at each end that `run` returns, every tool call has exactly one observation; calls that a
cancellation or a lost sandbox cut off have none, and are run when the attempt is gone on with.

`run` returns for the ends that the loop itself sees: done, out of iterations, budget or time, no
action. All other ends rise as the exceptions that name them (`ContextOverflow`, `Refused`,
`SandboxLost`, ...), for `errors.attribute` to tell their outcome.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from velora.agent import texts
from velora.agent.clock import Clock
from velora.agent.memory.noop import Noop
from velora.agent.memory.protocol import Condenser, Talk
from velora.agent.memory.room import Room
from velora.agent.state import State
from velora.agent.stuck import Watch
from velora.config.settings import AgentSettings
from velora.errors import ContextOverflow, Outcome, Refused
from velora.journal.events import Answered, Event, Noted, Nudged, Observed, Prompted
from velora.journal.messages import Completion, ToolCall
from velora.llm.protocol import Model
from velora.tools import arguments
from velora.tools.build import Toolset
from velora.tools.protocol import BadArguments, ToolResult


@dataclass(frozen=True, slots=True)
class Limits:
    """What one attempt may use.

    Attributes:
        max_iterations: answers of the model.
        max_budget: US dollars; None is no limit. Calls of unknown price count as nothing.
        deadline: seconds of wall time at work; None is no limit.
        worked: seconds of them that passed before `run`, in an attempt that is gone on with.
    """

    max_iterations: int
    max_budget: float | None = None
    deadline: float | None = None
    worked: float = 0.0

    @property
    def left(self) -> float | None:
        """Seconds from `run` on; None is no limit."""
        return None if self.deadline is None else max(0.0, self.deadline - self.worked)


@dataclass(frozen=True, slots=True)
class End:
    """How the loop ended; `steps` counts the model's answers."""

    outcome: Outcome
    detail: str
    steps: int


class CodeActAgent:
    """One attempt's agent; `run` is called once.

    Args:
        toolset: stays the caller's to close.
        emit: appends an event to the journal.
        system, instruction: the two texts that open the conversation.
        settings: how patient the loop is (`max_nudges`, `stuck_*`), and whether it shortens what
            no longer fits.
        condenser: shortens the conversation; stays the caller's to close.
        conversation: names this attempt among all, for providers that keep prompts in a cache.
    """

    def __init__(
        self,
        *,
        model: Model,
        toolset: Toolset,
        emit: Callable[[Event], object],
        system: str,
        instruction: str,
        limits: Limits,
        settings: AgentSettings | None = None,
        condenser: Condenser | None = None,
        conversation: str = "",
    ) -> None:
        self._model = model
        self._tools = toolset.tools
        self._specs = toolset.specs
        self._emit = emit
        self._opening = Prompted(system, instruction, self._specs)
        self._limits = limits
        self._settings = settings or AgentSettings()
        self._conversation = conversation
        self._state = State()
        self._watch = Watch(self._settings)
        self._room = Room(
            condenser or Noop(),
            truncating=self._settings.enable_history_truncation,
            state=self._state,
            talk=Talk(model, self._note, conversation),
            say=self._say,
        )
        self._noted: set[str] = set()
        self._clock = Clock(None)

    async def run(self, past: Iterable[Event] = ()) -> End:
        """Work until the model finishes or a limit is reached.

        Args:
            past: what the journal already holds of this attempt. Answers in it are not asked for
                again; calls in it without an observation are run.

        Raises:
            AttemptError: every end that is not the loop's own to see.
        """
        self._clock = Clock(self._limits.left)
        try:
            async with self._clock.timeout:
                for event in past:
                    self._take(event)
                if not self._state.begun:
                    self._say(self._opening)
                end = await self._catch_up()
                while end is None:
                    end = self._exhausted() or await self._step()
                return end
        except TimeoutError:
            if not self._clock.timeout.expired():
                raise
            self._write_off(texts.CUT_SHORT, texts.NOT_RUN)
            return self._end(
                Outcome.TIMED_OUT, f"not done within {self._limits.deadline:g} seconds"
            )

    @property
    def steps(self) -> int:
        """Answers of the model so far; for ends that come as an exception."""
        return self._state.steps

    def _exhausted(self) -> End | None:
        """The limit that forbids another call of the model."""
        limits = self._limits
        if self._state.steps >= limits.max_iterations:
            return self._end(
                Outcome.MAX_ITERATIONS, f"not done within {limits.max_iterations} iterations"
            )
        if limits.max_budget is not None and self._state.cost >= limits.max_budget:
            return self._end(
                Outcome.BUDGET_EXCEEDED,
                f"${self._state.cost:.4f} spent; the limit is ${limits.max_budget:g}",
            )
        return None

    async def _step(self) -> End | None:
        return await self._query() or await self._catch_up()

    async def _catch_up(self) -> End | None:
        """Do what the last answer asks for, as far as it is not done."""
        state = self._state
        if state.pending:
            await self._act()
        if state.finished:
            return self._end(Outcome.FINISHED, "")
        if state.idle is not None and state.nudges >= self._settings.max_nudges:
            count = state.nudges + 1
            return self._end(Outcome.NO_ACTION, f"answers without a tool call in a row: {count}")
        if pattern := self._repeats():
            return self._warn(pattern)
        if state.idle is not None:
            self._say(Nudged(self._nudge(state.idle)))
        return None

    async def _query(self) -> End | None:
        """Ask for the next answer; an end where what was paid for room forbids it."""
        await self._room.make()
        while (end := self._exhausted()) is None:
            try:
                answer = await self._model.complete(
                    self._state.shown(),
                    self._specs,
                    note=self._note,
                    conversation=self._conversation,
                )
            except ContextOverflow as overflow:
                await self._room.after(overflow)
            except Refused as refused:
                if refused.answer is not None:  # it is paid for
                    self._say(Answered(refused.answer))
                raise
            else:
                self._answered(answer)
                break
        return end

    def _answered(self, answer: Completion) -> None:
        completion, mended = self._state.ids.mend(answer)
        self._say(Answered(completion))
        if mended:
            text = "the provider's tool call ids are missing or not unique; some are replaced"
            self._note_once("call_ids_mended", text)
        if completion.cost is None and self._limits.max_budget is not None:
            text = "the price of this model is unknown, so the budget cannot be kept"
            self._note_once("budget_unknown_price", text)

    async def _act(self) -> None:
        """Run the calls of the last answer in order."""
        state = self._state
        while state.pending and not state.finished:
            await self._execute(state.pending[0])
        self._write_off(texts.AFTER_FINISH, texts.AFTER_FINISH)

    async def _execute(self, call: ToolCall) -> None:
        """Run one call and observe it."""
        began = time.perf_counter()
        given: dict[str, Any] = {}
        tool = self._tools.get(call.name)
        if tool is None:
            result = ToolResult(texts.unknown_tool(call.name, self._tools), error=True)
        else:
            try:
                given = arguments.parse(tool.spec, call.arguments)
                result = await tool(given)
            except BadArguments as error:
                text = f"{error}\n{texts.CALL_WAS_CUT}" if self._state.cut else str(error)
                result = ToolResult(text, error=True)
        self._observe(call, given, result, time.perf_counter() - began)

    def _write_off(self, first: str, others: str) -> None:
        """Observe the calls that will not be run: the first, and those after it."""
        text = first
        for call in tuple(self._state.pending):
            self._observe(call, {}, ToolResult(text, error=True), 0.0)
            text = others

    def _observe(
        self, call: ToolCall, given: dict[str, Any], result: ToolResult, duration: float
    ) -> None:
        self._say(
            Observed(
                call_id=call.id,
                tool=call.name,
                arguments=given,
                content=result.content,
                error=result.error,
                exit_code=result.exit_code,
                cwd=result.cwd,
                duration=duration,
                extras=result.extras,
                images=result.images,
                finish=result.finish,
                condense=result.condense,
            )
        )

    def _repeats(self) -> str:
        """How the agent goes round in circles; "" where it does not."""
        return self._watch.pattern() if self._settings.enable_stuck_detection else ""

    def _warn(self, pattern: str) -> End | None:
        """Tell an agent that goes round in circles, once; the second time is the end."""
        if self._watch.told:
            return self._end(Outcome.STUCK, f"{pattern}, after it was told")
        idle = self._state.idle
        if idle is None:
            text = texts.stuck(pattern, self._tools)
        else:
            text = f"{self._nudge(idle)} You repeat yourself: {pattern}."
        self._say(Nudged(text, reason="stuck"))
        return None

    def _nudge(self, completion: Completion) -> str:
        """What is said to an answer that calls no tool."""
        return texts.nudge(
            empty=not completion.message.content.strip(),
            cut=completion.finish_reason == "length",
            count=self._state.nudges + 1,
            known=self._tools,
        )

    def _say(self, event: Event) -> None:
        """Record an event and add what it says to the conversation."""
        self._emit(event)
        self._take(event)

    def _take(self, event: Event) -> None:
        self._state.apply(event)
        self._watch.see(event)

    def _note(self, code: str, text: str, data: dict[str, Any]) -> None:
        self._clock.heed(code)
        self._emit(Noted(code, text, data))

    def _note_once(self, code: str, text: str) -> None:
        if code not in self._noted:
            self._noted.add(code)
            self._note(code, text, {})

    def _end(self, outcome: Outcome, detail: str) -> End:
        return End(outcome, detail, self._state.steps)
