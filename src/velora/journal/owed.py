"""What a run still owes: wanted attempts less those that have come to a valid end.

An attempt's end stands in the last lines of its journal, so only those are read: the cost is one
small read an attempt, whatever the length of its trajectory. An attempt without an `AttemptEnded`
as its last event was torn off by a crash: it counts as interrupted.

An attempt that has not come to a valid end is gone on with, in its own journal and under its own
number (`AttemptState.continuable`), except where nothing would be saved or it would be of no use:

- it failed before the model's first answer;
- it failed twice between two answers in a way that may be its own doing: a command that kills its
  container does so again each time;
- a note says that it is not continued, and why (`journal.past.NOT_CONTINUED`).

A new attempt is made in its place then; its number is not used again and nothing of it is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from velora.errors import POLICY, Outcome, UsageError
from velora.journal.codec import Undecodable, decode, kind_of
from velora.journal.events import Answered, AttemptEnded, AttemptStarted, Graded, Noted
from velora.journal.files import lines_backwards
from velora.journal.past import NOT_CONTINUED
from velora.journal.run import RunDirectory
from velora.journal.store import EVENTS

_AFTER_THE_END = {Graded.kind, Noted.kind}
_OWN_DOING = {Outcome.SANDBOX_LOST, Outcome.PATCH_FAILED, Outcome.INTERNAL_ERROR}


@dataclass(frozen=True, slots=True)
class AttemptState:
    """How one attempt stands.

    Attributes:
        attempt: its number, from 1.
        ended: its end; None where it was torn off.
        ended_at: unix seconds, 0 where it was torn off.
        verdict: the last grading's; None where there was none or it broke.
        grading_error: why the last grading broke, or "".
        continuable: it is not done, and can be gone on with.
    """

    attempt: int
    ended: AttemptEnded | None
    ended_at: float = 0.0
    verdict: Graded | None = None
    grading_error: str = ""
    continuable: bool = False

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
        attempts: attempts to make, those that are gone on with included.
        next_attempt: the number of the first new one.
        ungraded: numbers of valid attempts to grade; empty where no evaluation is asked for.
        valid: valid attempts with a verdict, or, where no evaluation is asked for, all valid ones.
        torn: numbers of the attempts that a crash cut off.
        states: all attempts, in order.
        continued: numbers of the attempts that are gone on with; `attempts` of them at most.
    """

    instance_id: str
    attempts: int
    next_attempt: int
    ungraded: tuple[int, ...]
    valid: int
    torn: tuple[int, ...]
    states: tuple[AttemptState, ...]
    continued: tuple[int, ...] = ()

    @property
    def done(self) -> bool:
        """Nothing is owed."""
        return not self.attempts and not self.ungraded


def owed(
    instance_ids: Iterable[str],
    attempts: int,
    run: RunDirectory,
    *,
    evaluate: bool = False,
    resume: bool = True,
) -> list[Owed]:
    """What the run owes for each instance, in the order given.

    Args:
        instance_ids: the instances wanted.
        attempts: valid attempts wanted at each.
        run: one configuration's directory (`RunDirectory.claim` sees to that).
        evaluate: a valid attempt without a verdict is owed a grading. It is not run again.
        resume: go on with attempts that were cut off; otherwise new ones are made in their place.

    Raises:
        UsageError: a journal's last lines are no events; names the file.
    """
    return [_owed(i, attempts, run, evaluate, resume) for i in instance_ids]


def _owed(instance_id: str, wanted: int, run: RunDirectory, evaluate: bool, resume: bool) -> Owed:
    states = tuple(
        attempt_state(run.attempt_dir(instance_id, k), k) for k in run.attempts(instance_id)
    )
    valid = [s for s in states if s.valid]
    ungraded = tuple(
        s.attempt for s in valid if evaluate and POLICY[s.outcome].graded and s.verdict is None
    )
    due = max(0, wanted - len(valid))
    # The latest first: an older one may have been given up for it.
    candidates = [s.attempt for s in states if resume and s.continuable]
    return Owed(
        instance_id=instance_id,
        attempts=due,
        next_attempt=states[-1].attempt + 1 if states else 1,
        ungraded=ungraded,
        valid=len(valid) - len(ungraded),
        torn=tuple(s.attempt for s in states if s.ended is None),
        states=states,
        continued=tuple(candidates[-due:] if due else ()),
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
        return AttemptState(attempt, None, continuable=True)
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
            ended = record.event
            more = not POLICY[ended.outcome].valid and _continuable(path, ended.outcome)
            return AttemptState(attempt, ended, record.at, verdict, grading_error, more)
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
    return AttemptState(attempt, None, continuable=_continuable(path, Outcome.INTERRUPTED))


def _continuable(path: Path, outcome: Outcome) -> bool:
    """Can this attempt, which is not done, be gone on with? Reads back to the last answer."""
    failures = 0
    for line in lines_backwards(path):
        kind = kind_of(line)
        if kind == Answered.kind:
            return True
        if kind == AttemptStarted.kind:
            return outcome is Outcome.INTERRUPTED
        if kind not in {Noted.kind, AttemptEnded.kind}:
            continue
        event = decode(line).event
        if isinstance(event, Noted) and event.code == NOT_CONTINUED:
            return False
        if isinstance(event, AttemptEnded) and event.outcome in _OWN_DOING:
            failures += 1
            if failures > 1:
                return False
    return outcome is Outcome.INTERRUPTED
