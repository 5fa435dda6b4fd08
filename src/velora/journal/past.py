"""What the journal holds of an attempt that has not come to its end, for whoever goes on with it.

An attempt is worked on in stretches: the first begins with `AttemptStarted`, each further one with
a note `CONTINUED`. A stretch that the operator or a failure ended has an `AttemptEnded` in the
middle of the journal; the last one counts. How the agent ended is noted before its patch is taken
(`AGENT_ENDED`), so that an attempt that is cut off after that is not asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from velora.errors import Outcome
from velora.journal.events import (
    Answered,
    AttemptEnded,
    AttemptStarted,
    Event,
    Graded,
    Noted,
    Observed,
    PatchTaken,
    Prompted,
    Record,
    Resumed,
    SandboxReady,
)

CONTINUED = "continued"
"""The note that begins a further stretch of an attempt."""
NOT_CONTINUED = "not_continued"
"""The note that an attempt is left as it is, and why; another one is made in its place."""
RESTARTED = "restarted"
"""The note of an attempt that is made in the place of one that is not continued."""
AGENT_ENDED = "agent_ended"
"""The note that the agent is done: how stands in `data["outcome"]` and `data["detail"]`."""


@dataclass(frozen=True, slots=True)
class Past:
    """The earlier stretches of an attempt; empty where there are none.

    Attributes:
        events: all of them, in order.
        started: the attempt's beginning; None where not even that was recorded.
        ready: the first sandbox; None where none had started.
        end: how the agent ended, and the detail; None where it had not.
        patch: the patch, where one was taken after the agent's end.
        answers: the model's.
        worked: seconds that the agent was at work, as far as they are on record.
        duration: seconds of all stretches, as far as they are on record.
    """

    events: tuple[Event, ...] = ()
    started: AttemptStarted | None = None
    ready: SandboxReady | None = None
    end: tuple[Outcome, str] | None = None
    patch: PatchTaken | None = None
    answers: int = 0
    worked: float = 0.0
    duration: float = 0.0

    @property
    def calls(self) -> int:
        """Tool calls that have an observation."""
        return sum(isinstance(event, Observed) for event in self.events)


def past_of(records: Sequence[Record]) -> Past:
    """What the records of an attempt say."""
    events = tuple(record.event for record in records)
    started = next((e for e in events if isinstance(e, AttemptStarted)), None)
    ready = next((e for e in events if isinstance(e, SandboxReady)), None)
    end = None
    patch = None
    for event in events:
        match event:
            case Noted(code=code, data=data) if code == AGENT_ENDED:
                end = Outcome(data["outcome"]), str(data["detail"])
            case PatchTaken():
                patch = event
    return Past(
        events=events,
        started=started,
        ready=ready,
        end=end,
        patch=patch if end and patch and patch.status != "failed" else None,
        answers=sum(isinstance(event, Answered) for event in events),
        worked=sum(_worked(stretch) for stretch in _stretches(records)),
        duration=sum(stretch[-1].at - stretch[0].at for stretch in _stretches(records)),
    )


def _stretches(records: Sequence[Record]) -> list[Sequence[Record]]:
    """The records, cut at the beginnings of stretches."""
    cuts = [
        number
        for number, record in enumerate(records)
        if number and isinstance(record.event, Noted) and record.event.code == CONTINUED
    ]
    bounds = [0, *cuts, len(records)]
    return [records[a:b] for a, b in pairwise(bounds) if a < b]


def _worked(stretch: Sequence[Record]) -> float:
    """Seconds from where the agent begins, or goes on, to the last that it did."""
    times = [r.at for r in stretch if not isinstance(r.event, (PatchTaken, AttemptEnded, Graded))]
    begun = next((r.at for r in stretch if isinstance(r.event, (Prompted, Resumed))), None)
    return max(0.0, times[-1] - begun) if begun is not None and times else 0.0
