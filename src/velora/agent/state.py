"""Where an attempt stands, worked out from its events alone.

The loop changes nothing here but by an event, so a journal that is read back gives the same state:
that is how an attempt that was cut off goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from velora.agent.ids import CallIds
from velora.journal.conversation import shown, spoken
from velora.journal.events import Answered, Condensed, Event, Nudged, Observed
from velora.journal.messages import Completion, Message, ToolCall


@dataclass(slots=True)
class State:
    """An attempt's conversation and counts.

    Attributes:
        messages: the whole conversation.
        condensed: what of it the model is shown; None is all.
        steps: the model's answers.
        cost: US dollars; calls of unknown price count as nothing.
        nudges: the last answers in a row that called no tool and were answered with a nudge.
        pending: tool calls of the last answer that have no observation yet, in order.
        idle: the last answer, where it called no tool and nothing has been said since.
        cut: the last answer was cut off at its greatest length.
        finished: the model has declared its work done.
    """

    messages: list[Message] = field(default_factory=list)
    condensed: Condensed | None = None
    steps: int = 0
    cost: float = 0.0
    nudges: int = 0
    pending: list[ToolCall] = field(default_factory=list)
    idle: Completion | None = None
    cut: bool = False
    finished: bool = False
    ids: CallIds = field(default_factory=CallIds)

    @property
    def begun(self) -> bool:
        """The conversation has been opened."""
        return bool(self.messages)

    def apply(self, event: Event) -> None:
        """Take one event, in the journal's order."""
        self.messages.extend(spoken(event))
        match event:
            case Answered(completion=completion):
                calls = completion.message.tool_calls
                self.steps += 1
                self.cost += completion.cost or 0.0
                self.pending = list(calls)
                self.cut = completion.finish_reason == "length"
                self.idle = None if calls else completion
                if calls:
                    self.nudges = 0
                self.ids.know(calls)
            case Observed(call_id=call_id, finish=finish):
                self.pending = [call for call in self.pending if call.id != call_id]
                self.finished = self.finished or finish
            case Nudged():
                self.nudges += 1
                self.idle = None
            case Condensed(completion=completion):
                self.condensed = event
                self.cost += (completion.cost or 0.0) if completion else 0.0

    def shown(self) -> Sequence[Message]:
        """What the model is sent now."""
        return shown(self.messages, self.condensed)
