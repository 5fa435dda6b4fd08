"""What can go wrong with one request, and what each failure means for the attempt.

A `Failure` is one request that brought no answer. The table in `llm.statuses` decides its action;
`attribute_failure` makes of it either another try (None), or the `AttemptError` that it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from velora.errors import AttemptError, ContextOverflow, ProviderRejected, Refused
from velora.llm.statuses import Action, Rule, rule, status_of

LONGEST = 2000
"""Characters kept of an error's text: some proxies answer with whole web pages."""


class Sign(Enum):
    """What a failure says of the provider: it is there, nobody is, or something is broken."""

    THERE = "there"
    ABSENT = "absent"
    BROKEN = "broken"


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
        self.retry_after = retry_after or (stated_wait(text) if status in (429, 503, 529) else 0.0)
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
        codes = _codes(error)
        if status is None:
            status = _status_of(codes)
        code = next((one for one in codes if not one.isdigit() or not 100 <= int(one) <= 599), "")
        delay, daily = _details(error.get("details"))
        return cls(
            str(message),
            status=status,
            code="daily_quota" if daily else code,
            retry_after=retry_after or delay,
        )

    @property
    def rule(self) -> Rule:
        """What the table says of it."""
        return rule(self.status, self.code, self.text)

    @property
    def action(self) -> Action:
        """What follows from it."""
        return self.rule.action

    @property
    def sign(self) -> Sign:
        """What it says of the provider's health."""
        if self.action not in (Action.RETRY, Action.WAIT):
            return Sign.THERE
        if self.status is None:
            return Sign.ABSENT if self.text.startswith(NO_CONNECTION) else Sign.BROKEN
        if self.status in (503, 529):
            return Sign.ABSENT
        return Sign.BROKEN if self.status >= 500 else Sign.THERE


NO_CONNECTION = "no connection"
"""How the text of a failure begins that never reached the provider."""


def _codes(error: Mapping[str, Any]) -> list[str]:
    """An error's codes, the most telling first: numbers that repeat the status come last."""
    found = [str(error[key]) for key in ("code", "status", "type", "__type") if error.get(key)]
    # Bedrock writes `com.amazon.coral.service#ThrottlingException:http://...`.
    found = [one.rpartition("#")[2].partition(":")[0] for one in found]
    return sorted(found, key=str.isdigit)


def _status_of(codes: list[str]) -> int | None:
    known = (status_of(code) for code in codes)
    numbers = (int(code) for code in codes if code.isdigit() and 400 <= int(code) <= 599)
    return next(filter(None, known), None) or next(numbers, None)


def _details(details: Any) -> tuple[float, bool]:
    """From Google's error details: seconds to wait, and whether a day's quota is used up."""
    delay, daily = 0.0, False
    for one in details if isinstance(details, list) else ():
        if not isinstance(one, dict):
            continue
        text = one.get("retryDelay")
        if isinstance(text, str) and (found := re.fullmatch(r"([\d.]+)s", text)):
            delay = float(found[1])
        violations = one.get("violations")
        for part in violations if isinstance(violations, list) else ():
            daily = daily or (isinstance(part, dict) and "PerDay" in str(part.get("quotaId")))
    return delay, daily


_WAIT = re.compile(
    r"(?:try again|retry) (?:in|after) (?:(?P<m>\d+)m)?(?P<n>[\d.]*\d) ?(?P<unit>ms|s)", re.I
)


def stated_wait(text: str) -> float:
    """Seconds that an error's words ask to wait; 0 where they do not.

    OpenAI: "Please try again in 6m0.5s"; Azure: "Please retry after 26 seconds".
    """
    found = _WAIT.search(text)
    if found is None:
        return 0.0
    seconds = float(found["n"]) * (0.001 if found["unit"].lower() == "ms" else 1.0)
    return seconds + 60 * int(found["m"] or 0)


def attribute_failure(failure: Failure) -> AttemptError | None:
    """The error that ends the attempt, or None where another try may succeed."""
    text = f"{failure}\n  {failure.rule.hint}" if failure.rule.hint else str(failure)
    match failure.action:
        case Action.RETRY | Action.WAIT:
            return None
        case Action.OVERFLOW:
            return ContextOverflow(text)
        case Action.REFUSE:
            return Refused(text)
        case Action.SHORTEN | Action.REJECT | Action.QUOTA:
            return ProviderRejected(text)


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
