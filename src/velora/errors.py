"""How an attempt can end, and the exceptions that say so.

Every end of an attempt is one `Outcome`. `POLICY` is the one table that says, for each of them,
whose doing it was, whether the attempt is retried, whether its patch is graded and whether it
counts in the score. Code that knows what went wrong raises an `AttemptError` that names its
outcome; `attribute` gives everything else the outcome `internal_error`. Nothing else in the
program decides what a failure means.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Cause(StrEnum):
    """Whose doing an outcome is."""

    MODEL = "model"
    AGENT = "agent"
    SANDBOX = "sandbox"
    PROVIDER = "provider"
    TASK = "task"
    GRADER = "grader"
    OPERATOR = "operator"


class Outcome(StrEnum):
    """How an attempt ended."""

    FINISHED = "finished"
    MAX_ITERATIONS = "max_iterations"
    BUDGET_EXCEEDED = "budget_exceeded"
    TIMED_OUT = "timed_out"
    NO_ACTION = "no_action"
    STUCK = "stuck"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSED = "refused"
    IMAGE_MISSING = "image_missing"
    TASK_INVALID = "task_invalid"
    SANDBOX_FAILED = "sandbox_failed"
    SANDBOX_LOST = "sandbox_lost"
    PATCH_FAILED = "patch_failed"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_REJECTED = "provider_rejected"
    GRADER_FAILED = "grader_failed"
    INTERRUPTED = "interrupted"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Policy:
    """What follows from an outcome.

    Attributes:
        cause: whose doing it was.
        retried: a new attempt is started while the run's retries last.
        graded: the attempt's patch is graded.
        valid: the attempt counts: in the score's denominator, and as done when a run is resumed.
    """

    cause: Cause
    retried: bool
    graded: bool
    valid: bool


_MODELS = Policy(Cause.MODEL, retried=False, graded=True, valid=True)

POLICY: dict[Outcome, Policy] = {
    Outcome.FINISHED: _MODELS,
    Outcome.MAX_ITERATIONS: _MODELS,
    Outcome.BUDGET_EXCEEDED: _MODELS,
    Outcome.TIMED_OUT: _MODELS,
    Outcome.NO_ACTION: _MODELS,
    Outcome.STUCK: _MODELS,
    Outcome.CONTEXT_OVERFLOW: _MODELS,
    Outcome.REFUSED: _MODELS,
    Outcome.IMAGE_MISSING: Policy(Cause.TASK, retried=False, graded=False, valid=False),
    Outcome.TASK_INVALID: Policy(Cause.TASK, retried=False, graded=False, valid=False),
    Outcome.SANDBOX_FAILED: Policy(Cause.SANDBOX, retried=True, graded=False, valid=False),
    Outcome.SANDBOX_LOST: Policy(Cause.SANDBOX, retried=True, graded=False, valid=False),
    Outcome.PATCH_FAILED: Policy(Cause.SANDBOX, retried=True, graded=False, valid=False),
    Outcome.PROVIDER_UNAVAILABLE: Policy(Cause.PROVIDER, retried=True, graded=False, valid=False),
    Outcome.PROVIDER_REJECTED: Policy(Cause.OPERATOR, retried=False, graded=False, valid=False),
    Outcome.GRADER_FAILED: Policy(Cause.GRADER, retried=True, graded=False, valid=False),
    Outcome.INTERRUPTED: Policy(Cause.OPERATOR, retried=False, graded=False, valid=False),
    Outcome.INTERNAL_ERROR: Policy(Cause.AGENT, retried=True, graded=False, valid=False),
}


class VeloraError(Exception):
    """Base of every error that Velora raises on purpose; `str()` of it is fit for a user."""


class UsageError(VeloraError):
    """The user's input is wrong: a flag, a key, a file, a row. The command ends with status 2.

    Args:
        message: what is wrong.
        where: the place, such as `config.toml: [llm.gpt]` or `tasks.jsonl:12`.
        hint: what to do about it.
    """

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        self.message = message
        self.where = where
        self.hint = hint
        text = f"{where}: {message}" if where else message
        super().__init__(f"{text}\n  {hint}" if hint else text)


class AttemptError(VeloraError):
    """Ends an attempt with `outcome`. Subclasses name the outcome; the text is its detail."""

    outcome: Outcome = Outcome.INTERNAL_ERROR


class ImageMissing(AttemptError):
    """The instance's image is nowhere to be found; the text lists each resolver and its reason."""

    outcome = Outcome.IMAGE_MISSING


class TaskInvalid(AttemptError):
    """The row cannot be worked on as it is (no working directory, two candidates, ...)."""

    outcome = Outcome.TASK_INVALID


class SandboxFailed(AttemptError):
    """The sandbox could not be started."""

    outcome = Outcome.SANDBOX_FAILED


class SandboxLost(AttemptError):
    """A started sandbox is gone: killed, out of memory, daemon lost. Nothing more runs in it."""

    outcome = Outcome.SANDBOX_LOST


class PatchFailed(AttemptError):
    """The patch could not be extracted; the text holds the failing command's stderr."""

    outcome = Outcome.PATCH_FAILED


class ProviderUnavailable(AttemptError):
    """The provider did not give a usable answer within the configured retries."""

    outcome = Outcome.PROVIDER_UNAVAILABLE


class ProviderRejected(AttemptError):
    """The provider refuses the request for good: wrong key, unknown model, malformed request."""

    outcome = Outcome.PROVIDER_REJECTED


class ContextOverflow(AttemptError):
    """The conversation is longer than the model's context window."""

    outcome = Outcome.CONTEXT_OVERFLOW


class Refused(AttemptError):
    """The provider's content filter withheld the answer.

    Attributes:
        answer: what was paid for nevertheless (a `journal.messages.Completion`), where the
            provider counted it.
    """

    outcome = Outcome.REFUSED

    def __init__(self, text: str, answer: Any = None) -> None:
        super().__init__(text)
        self.answer = answer


class BudgetExceeded(AttemptError):
    """The attempt's or the run's cost limit is reached; the next call is not paid for."""

    outcome = Outcome.BUDGET_EXCEEDED


class NothingLeft(AttemptError):
    """The run's cost limit was reached before the attempt's first call; it is still owed."""

    outcome = Outcome.INTERRUPTED


class GraderFailed(AttemptError):
    """Grading itself broke, so there is no verdict."""

    outcome = Outcome.GRADER_FAILED


def attribute(error: BaseException) -> tuple[Outcome, str]:
    """The outcome that `error` stands for and one paragraph of detail.

    The first `AttemptError` found decides, looking into exception groups and, behind other
    exceptions, at what they were raised from.
    """
    for found in _walk(error):
        if isinstance(found, AttemptError):
            return found.outcome, str(found)
    return Outcome.INTERNAL_ERROR, f"{type(error).__name__}: {error}"


def _walk(error: BaseException) -> Iterable[BaseException]:
    yield error
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _walk(part)
    if error.__cause__ is not None:
        yield from _walk(error.__cause__)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known spellings closest to `word`, or all of them if few."""
    options = sorted(known)
    close = difflib.get_close_matches(word, options, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
    return f"known: {', '.join(options)}" if options else ""
