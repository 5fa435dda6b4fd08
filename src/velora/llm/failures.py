"""What can go wrong with one request, and what each failure means for the attempt.

A `Failure` is one request that brought no answer. `attribute_failure` decides: it is either worth
another try (None), or it is an `AttemptError` for good. Statuses and codes are those of OpenAI's
error guide; the texts are what compatible servers say that send no code.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from velora.errors import AttemptError, ContextOverflow, ProviderRejected, Refused

RETRIED = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which the same request may succeed."""

_OVERFLOW_CODES = frozenset({"context_length_exceeded", "string_above_max_length"})
_OVERFLOW_TEXTS = (
    "maximum context length",
    "context window",
    "context length",
    "context_length_exceeded",
    "prompt is too long",
    "input is too long",
    "reduce the length of the messages",
    "exceeds the available context size",
    "input token count exceeds",
)
_FILTER_CODES = frozenset({"content_filter", "content_policy_violation"})
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_STATUS_OF = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "insufficient_quota": 429,
}
_HINTS = {
    401: "check the API key (api_key_env)",
    402: "check the account's credit",
    403: "check what this API key may use",
    404: "check model and base_url",
}
LONGEST = 2000
"""Characters kept of an error's text: some proxies answer with whole web pages."""


class Failure(Exception):
    """One request that brought no answer.

    Attributes:
        text: the provider's words, or what happened to the connection.
        status: the HTTP status, or the one that the error inside a stream stands for; None where
            there was no answer at all.
        code: the provider's error code or type, or "".
        retry_after: seconds that the provider asks to wait.
    """

    def __init__(
        self, text: str, *, status: int | None = None, code: str = "", retry_after: float = 0.0
    ) -> None:
        self.text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
        self.status = status
        self.code = code
        self.retry_after = retry_after
        super().__init__(f"HTTP {status}: {self.text}" if status else self.text)

    @classmethod
    def of_body(
        cls, body: Any, *, status: int | None = None, retry_after: float = 0.0, text: str = ""
    ) -> Failure:
        """From an error body: `{"error": {"message", "type", "code"}}` or something like it.

        Args:
            body: parsed JSON, with or without the outer `error`.
            status: as received; where there was none, the code may stand for one.
            retry_after: seconds.
            text: used where the body has no message.
        """
        if isinstance(body, list) and body:
            body = body[0]
        error = body.get("error", body) if isinstance(body, dict) else body
        if isinstance(error, str):
            error = {"message": error}
        if not isinstance(error, dict):
            error = {}
        message = error.get("message") or error.get("detail") or text or "no explanation given"
        code = str(error.get("code") or error.get("type") or "")
        if status is None:
            status = _status_of(code, str(error.get("type") or ""))
        return cls(str(message), status=status, code=code, retry_after=retry_after)


def _status_of(*codes: str) -> int | None:
    for code in codes:
        if code.isdigit() and 400 <= int(code) <= 599:
            return int(code)
        if code in _STATUS_OF:
            return _STATUS_OF[code]
    return None


def attribute_failure(failure: Failure) -> AttemptError | None:
    """The error that ends the attempt, or None where another try may succeed."""
    status, code, lowered = failure.status, failure.code, failure.text.lower()
    if code in _QUOTA_CODES:
        return ProviderRejected(f"{failure}\n  check the account's credit and spending limit")
    if status is None or status in RETRIED or status >= 500:
        return None
    if code in _FILTER_CODES:
        return Refused(str(failure))
    if status in (400, 413, 422) and (
        code in _OVERFLOW_CODES or any(text in lowered for text in _OVERFLOW_TEXTS)
    ):
        return ContextOverflow(str(failure))
    hint = _HINTS.get(status, "the provider will not take this request")
    return ProviderRejected(f"{failure}\n  {hint}")


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float:
    """Seconds that `retry-after-ms` or `retry-after` (seconds or an HTTP date) asks to wait.

    Args:
        headers: with lower-case names, or a mapping that ignores case.
        now: unix seconds; the clock's if None.
    """
    for name, factor in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            return max(0.0, float(value) * factor)
        except ValueError:
            pass
    try:
        date = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, date.timestamp() - (time.time() if now is None else now))
