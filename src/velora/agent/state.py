"""Where an attempt stands, worked out from its events alone.

The loop changes nothing here but by an event, so a journal that is read back gives the same state:
that is how an attempt that was cut off goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from velora.agent.ids import CallIds
from velora.agent.memory.gauge import Gauge
from velora.agent.memory.view import View
from velora.journal.conversation import shown, spoken
from velora.journal.events import Answered, Condensed, Event, Nudged, Observed, Prompted
from velora.journal.messages import Completion, Message, ToolCall


@dataclass(slots=True)
class State:
    """An attempt's conversation and counts.

    Attributes:
        messages: the whole conversation.
        begins: the indexes in it at which steps begin: those of the answers.
        condensed: what of it the model is shown; None is all.
        gauge: how long that is.
        steps: the model's answers.
        cost: US dollars; calls of unknown price count as nothing.
        nudges: the last answers in a row that called no tool and were answered with a nudge.
        requested: the model asked for a shorter conversation and has not got it.
        pending: tool calls of the last answer that have no observation yet, in order.
        idle: the last answer, where it called no tool and nothing has been said since.
        cut: the last answer was cut off at its greatest length.
        finished: the model has declared its work done.
    """

    messages: list[Message] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    condensed: Condensed | None = None
    gauge: Gauge = field(default_factory=Gauge)
    steps: int = 0
    cost: float = 0.0
    nudges: int = 0
    pending: list[ToolCall] = field(default_factory=list)
    idle: Completion | None = None
    cut: bool = False
    finished: bool = False
    requested: bool = False
    ids: CallIds = field(default_factory=CallIds)
    _shown: list[Message] = field(default_factory=list)

    @property
    def begun(self) -> bool:
        """The conversation has been opened."""
        return bool(self.messages)

    def apply(self, event: Event) -> None:
        """Take one event, in the journal's order."""
        match event:
            case Prompted(tools=tools):
                self.gauge.offer(tools)
            case Answered(completion=completion):
                self.begins.append(len(self.messages))
                self.gauge.count(completion.usage.prompt)
                self.requested = False
                calls = completion.message.tool_calls
                self.steps += 1
                self.cost += completion.cost or 0.0
                self.pending = list(calls)
                self.cut = completion.finish_reason == "length"
                self.idle = None if calls else completion
                if calls:
                    self.nudges = 0
                self.ids.know(calls)
            case Observed(call_id=call_id, finish=finish, condense=condense):
                self.pending = [call for call in self.pending if call.id != call_id]
                self.finished = self.finished or finish
                self.requested = self.requested or condense
            case Nudged():
                self.nudges += self.idle is not None
                self.idle = None
            case Condensed():
                self._condense(event)
        said = spoken(event)
        self.messages += said
        self._shown += said
        self.gauge.add(said)

    def _condense(self, event: Condensed) -> None:
        if event.reason == "overflow":
            self.gauge.refuse()
        self.condensed, self.requested = event, False
        self._shown = list(shown(self.messages, event))
        self.gauge.restart(self._shown)
        if event.completion:
            self.cost += event.completion.cost or 0.0

    def shown(self) -> Sequence[Message]:
        """What the model is sent now. Kept as it grows: only a condensation makes it anew."""
        return self._shown

    def view(self, window: int | None) -> View:
        """The conversation as a condenser sees it.

        Args:
            window: the model's, in tokens; None where it is unknown.
        """
        limit = self.gauge.limit(window)
        return View(self.messages, self.begins, self.condensed, self.gauge, limit)
