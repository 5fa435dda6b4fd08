"""The one retry policy: exponential waits with jitter, never shorter than what the provider asks.

The SDK's own retries are switched off, so that every failed try is counted and noted here.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from velora.config.settings import LLMSettings
from velora.llm.failures import Failure, attribute_failure
from velora.llm.protocol import Note

JITTER = 0.25
"""Up to this part is added to each wait, so that those refused together come back apart."""


def retrying(settings: LLMSettings, note: Note, redact: Callable[[str], str]) -> AsyncRetrying:
    """A tenacity loop for one call; what it gives up on is raised as it was.

    Args:
        settings: `num_retries`, `retry_min_wait`, `retry_max_wait`, `retry_multiplier`, `timeout`.
        note: told of each retry as `llm_retry`, before the wait.
        redact: takes secrets out of the provider's words.
    """

    def again(error: BaseException) -> bool:
        return (
            isinstance(error, Failure)
            and attribute_failure(error) is None
            # Waiting longer than an answer may take is the operator's decision, not ours.
            and error.retry_after <= settings.timeout
        )

    def wait(state: RetryCallState) -> float:
        try:
            grown = settings.retry_min_wait * settings.retry_multiplier ** (
                state.attempt_number - 1
            )
        except OverflowError:
            grown = settings.retry_max_wait
        seconds = min(grown, settings.retry_max_wait) * (1 + JITTER * random.random())
        failure = _failure(state)
        return max(seconds, failure.retry_after) if failure else seconds

    def announce(state: RetryCallState) -> None:
        failure = _failure(state)
        if failure is None:
            return
        seconds = state.upcoming_sleep
        text = redact(str(failure))
        note(
            "llm_retry",
            f"try {state.attempt_number} failed ({text}); the next one in {seconds:.1f} s",
            {
                "try": state.attempt_number,
                "status": failure.status,
                "wait": round(seconds, 3),
                "retry_after": failure.retry_after,
                "error": text,
            },
        )

    return AsyncRetrying(
        stop=stop_after_attempt(settings.num_retries + 1),
        retry=retry_if_exception(again),
        wait=wait,
        before_sleep=announce,
        reraise=True,
    )


def _failure(state: RetryCallState) -> Failure | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, Failure) else None
