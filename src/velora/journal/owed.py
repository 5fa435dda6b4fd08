"""What a run still owes: wanted attempts less those that have come to a valid end.

An attempt's end stands in the last lines of its journal, so only those are read: the cost is one
small read an attempt, whatever the length of its trajectory. An attempt without an `AttemptEnded`
was torn off by a crash: it counts as interrupted, its number is not used again and nothing of it
is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from velora.errors import POLICY, Outcome, UsageError
from velora.journal.codec import Undecodable, decode, kind_of
from velora.journal.events import AttemptEnded, Graded, Noted
from velora.journal.files import lines_backwards
from velora.journal.run import RunDirectory
from velora.journal.store import EVENTS

_AFTER_THE_END = {Graded.kind, Noted.kind}


@dataclass(frozen=True, slots=True)
class AttemptState:
    """How one attempt stands.

    Attributes:
        attempt: its number, from 1.
        ended: its end; None where it was torn off.
        ended_at: unix seconds, 0 where it was torn off.
        verdict: the last grading's; None where there was none or it broke.
        grading_error: why the last grading broke, or "".
    """

    attempt: int
    ended: AttemptEnded | None
    ended_at: float = 0.0
    verdict: Graded | None = None
    grading_error: str = ""

    @property
    def outcome(self) -> Outcome:
        """How it ended; `interrupted` where it was torn off."""
        return self.ended.outcome if self.ended else Outcome.INTERRUPTED

    @property
    def valid(self) -> bool:
        """It counts as done."""
        return POLICY[self.outcome].valid


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed for one instance.

    Attributes:
        instance_id: the instance.
        attempts: new attempts to make.
        next_attempt: the number of the first of them.
        ungraded: numbers of valid attempts to grade; empty where no evaluation is asked for.
        valid: valid attempts with a verdict, or, where no evaluation is asked for, all valid ones.
        torn: numbers of the attempts that a crash cut off.
        states: all attempts, in order.
    """

    instance_id: str
    attempts: int
    next_attempt: int
    ungraded: tuple[int, ...]
    valid: int
    torn: tuple[int, ...]
    states: tuple[AttemptState, ...]

    @property
    def done(self) -> bool:
        """Nothing is owed."""
        return not self.attempts and not self.ungraded


def owed(
    instance_ids: Iterable[str], attempts: int, run: RunDirectory, *, evaluate: bool = False
) -> list[Owed]:
    """What the run owes for each instance, in the order given.

    Args:
        instance_ids: the instances wanted.
        attempts: valid attempts wanted at each.
        run: one configuration's directory (`RunDirectory.claim` sees to that).
        evaluate: a valid attempt without a verdict is owed a grading. It is not run again.

    Raises:
        UsageError: a journal's last lines are no events; names the file.
    """
    return [_owed(i, attempts, run, evaluate) for i in instance_ids]


def _owed(instance_id: str, wanted: int, run: RunDirectory, evaluate: bool) -> Owed:
    states = tuple(
        attempt_state(run.attempt_dir(instance_id, k), k) for k in run.attempts(instance_id)
    )
    valid = [s for s in states if s.valid]
    ungraded = tuple(
        s.attempt for s in valid if evaluate and POLICY[s.outcome].graded and s.verdict is None
    )
    return Owed(
        instance_id=instance_id,
        attempts=max(0, wanted - len(valid)),
        next_attempt=states[-1].attempt + 1 if states else 1,
        ungraded=ungraded,
        valid=len(valid) - len(ungraded),
        torn=tuple(s.attempt for s in states if s.ended is None),
        states=states,
    )


def attempt_state(directory: Path, attempt: int) -> AttemptState:
    """How the attempt in `directory` stands, from the last lines of its journal.

    Raises:
        UsageError: they are no events; names the file.
    """
    path = directory / EVENTS
    try:
        return _state(path, attempt)
    except FileNotFoundError:  # killed between making the directory and the file
        return AttemptState(attempt, None)
    except Undecodable as error:
        raise UsageError(
            f"the last lines are no events of this version of Velora: {error}",
            where=str(path),
            hint="move the attempt's directory away and the attempt is run again",
        ) from None


def _state(path: Path, attempt: int) -> AttemptState:
    verdict, grading_error, graded = None, "", False
    for line in lines_backwards(path):
        kind = kind_of(line)
        if kind == AttemptEnded.kind:
            record = decode(line)
            assert isinstance(record.event, AttemptEnded)
            return AttemptState(attempt, record.event, record.at, verdict, grading_error)
        if kind not in _AFTER_THE_END:
            break
        if kind == Graded.kind and not graded:
            event = decode(line).event
            assert isinstance(event, Graded)
            graded = True
            if event.error:
                grading_error = event.error
            else:
                verdict = event
    return AttemptState(attempt, None)
