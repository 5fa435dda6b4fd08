"""CodeActAgent: ask the model, run what it calls, show it what came of it, until it is done.

Each turn appends to one conversation and one journal; nothing is built anew per step. However a
turn ends, every tool call of it has exactly one observation. `run` returns for the ends that the
loop itself sees: done, out of iterations, budget or time, no action. All other ends rise as the
exceptions that name them (`ContextOverflow`, `Refused`, `SandboxLost`, ...), for `errors.attribute`
to tell their outcome.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from velora.agent import texts
from velora.agent.ids import CallIds
from velora.errors import Outcome
from velora.journal.conversation import spoken
from velora.journal.events import Answered, Event, Noted, Nudged, Observed, Prompted
from velora.journal.messages import Completion, Message, ToolCall
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
        deadline: seconds of wall time from `run` on; None is no limit.
    """

    max_iterations: int
    max_budget: float | None = None
    deadline: float | None = None


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
        max_nudges: answers without a tool call in a row that are answered with a nudge; one more
            is the end.
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
        max_nudges: int = 3,
    ) -> None:
        self._model = model
        self._tools = toolset.tools
        self._specs = toolset.specs
        self._emit = emit
        self._opening = Prompted(system, instruction, self._specs)
        self._limits = limits
        self._max_nudges = max_nudges
        self._messages: list[Message] = []
        self._ids = CallIds()
        self._steps = 0
        self._cost = 0.0
        self._nudges = 0
        self._noted: set[str] = set()

    async def run(self) -> End:
        """Work until the model finishes or a limit is reached.

        Raises:
            AttemptError: every end that is not the loop's own to see.
        """
        clock = asyncio.timeout(self._limits.deadline)
        try:
            async with clock:
                self._say(self._opening)
                while True:
                    end = self._exhausted() or await self._step()
                    if end is not None:
                        return end
        except TimeoutError:
            if not clock.expired():
                raise
            return self._end(
                Outcome.TIMED_OUT, f"not done within {self._limits.deadline:g} seconds"
            )

    @property
    def steps(self) -> int:
        """Answers of the model so far; for ends that come as an exception."""
        return self._steps

    def _exhausted(self) -> End | None:
        """The limit that forbids another call of the model."""
        limits = self._limits
        if self._steps >= limits.max_iterations:
            return self._end(
                Outcome.MAX_ITERATIONS, f"not done within {limits.max_iterations} iterations"
            )
        if limits.max_budget is not None and self._cost >= limits.max_budget:
            return self._end(
                Outcome.BUDGET_EXCEEDED,
                f"${self._cost:.4f} spent; the limit is ${limits.max_budget:g}",
            )
        return None

    async def _step(self) -> End | None:
        completion = await self._query()
        if completion.message.tool_calls:
            self._nudges = 0
            return await self._act(completion)
        return self._nudge(completion)

    async def _query(self) -> Completion:
        answer = await self._model.complete(self._messages, self._specs, note=self._note)
        completion, mended = self._ids.mend(answer)
        self._steps += 1
        self._cost += completion.cost or 0.0
        self._say(Answered(completion))
        if mended:
            text = "the provider's tool call ids are missing or not unique; some are replaced"
            self._note_once("call_ids_mended", text)
        if completion.cost is None and self._limits.max_budget is not None:
            text = "the price of this model is unknown, so the budget cannot be kept"
            self._note_once("budget_unknown_price", text)
        return completion

    async def _act(self, completion: Completion) -> End | None:
        """Run the calls of one answer in order."""
        cut = completion.finish_reason == "length"
        owed = deque(completion.message.tool_calls)
        finished = False
        try:
            while owed and not finished:
                finished = await self._execute(owed[0], cut=cut)
                owed.popleft()
        finally:
            self._write_off(owed, finished)
        return self._end(Outcome.FINISHED, "") if finished else None

    async def _execute(self, call: ToolCall, *, cut: bool) -> bool:
        """Run one call and observe it; True if it declares the work done."""
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
                text = f"{error}\n{texts.CALL_WAS_CUT}" if cut else str(error)
                result = ToolResult(text, error=True)
        self._observe(call, given, result, time.perf_counter() - began)
        return result.finish

    def _write_off(self, owed: Iterable[ToolCall], finished: bool) -> None:
        """Observe the calls that will not be run; without `finished` the first was under way."""
        text = texts.AFTER_FINISH if finished else texts.CUT_SHORT
        for call in owed:
            self._observe(call, {}, ToolResult(text, error=True), 0.0)
            text = texts.AFTER_FINISH if finished else texts.NOT_RUN

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
            )
        )

    def _nudge(self, completion: Completion) -> End | None:
        """Answer an answer that calls no tool."""
        if self._nudges >= self._max_nudges:
            count = self._nudges + 1
            return self._end(Outcome.NO_ACTION, f"answers without a tool call in a row: {count}")
        self._nudges += 1
        text = texts.nudge(
            empty=not completion.message.content.strip(),
            cut=completion.finish_reason == "length",
            count=self._nudges,
            known=self._tools,
        )
        self._say(Nudged(text))
        return None

    def _say(self, event: Event) -> None:
        """Record an event and add what it says to the conversation."""
        self._emit(event)
        self._messages.extend(spoken(event))

    def _note(self, code: str, text: str, data: dict[str, Any]) -> None:
        self._emit(Noted(code, text, data))

    def _note_once(self, code: str, text: str) -> None:
        if code not in self._noted:
            self._noted.add(code)
            self._note(code, text, {})

    def _end(self, outcome: Outcome, detail: str) -> End:
        return End(outcome, detail, self._steps)
