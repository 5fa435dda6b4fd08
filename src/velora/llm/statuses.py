"""What each HTTP status, error code and broken answer means: the one table, as data.

`RULES` is read from the top; the first rule that a failure fits decides. docs/models.md prints it.
Codes are what providers put into an error's `code`, `type`, `status` or `__type`; texts are what
servers say that send no code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What follows from a failure."""

    RETRY = "retry"
    """The same request again after a growing wait, `num_retries` times."""
    WAIT = "wait"
    """As `retry`; and all attempts slow down: fewer requests at once with this key, none at all
    for as long as the provider asks."""
    SHORTEN = "shorten"
    """At once the same request for a shorter answer; the limit is remembered."""
    OVERFLOW = "overflow"
    """The prompt is too long: the history is condensed, or the attempt ends `context_overflow`."""
    REFUSE = "refuse"
    """The content filter: the attempt ends `refused`."""
    REJECT = "reject"
    """No try will change it: the attempt ends `provider_rejected`."""
    QUOTA = "quota"
    """The key may not or cannot pay: it is used no more while others are left; with the last one
    as `reject`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which failures, what follows, and the hint for the user.

    A failure fits if it has one of the statuses (or there are none), and, where the rule names
    codes or texts, one of either. Status 0 is a request that brought no HTTP error.
    """

    action: Action
    what: str
    statuses: tuple[int | range, ...] = ()
    codes: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    hint: str = ""

    def fits(self, status: int, code: str, text: str) -> bool:
        """Does a failure fit? `text` is in lower case."""
        if self.statuses and not any(
            status == one if isinstance(one, int) else status in one for one in self.statuses
        ):
            return False
        if not self.codes and not self.texts:
            return True
        return code in self.codes or any(one in text for one in self.texts)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEY = "check the API key (api_key_env)"

RULES: tuple[Rule, ...] = (
    Rule(
        Action.QUOTA,
        "the account's credit or quota is used up",
        codes=_words(
            """
            insufficient_quota billing_hard_limit_reached billing_not_active billing_error
            exceeded_current_quota_error daily_quota Arrearage 1113 1008
            ServiceQuotaExceededException
            """
        ),
        texts=("credit balance is too low", "insufficient balance"),
        hint="check the account's credit and spending limit",
    ),
    Rule(
        Action.QUOTA,
        "wrong key, said with another status",
        statuses=(400, 403),
        codes=_words(
            """
            invalid_api_key InvalidApiKey UnrecognizedClientException ExpiredTokenException
            InvalidSignatureException
            """
        ),
        hint=_KEY,
    ),
    Rule(
        Action.REFUSE,
        "the content filter",
        statuses=(0, 400, 403, 422, 451),
        codes=_words(
            """
            content_filter content_policy_violation data_inspection_failed
            DataInspectionFailed 1301 1026 1027
            """
        ),
        texts=("your input was flagged", "content management policy", "output blocked by content"),
    ),
    Rule(
        Action.OVERFLOW,
        "the prompt is longer than the model's window",
        statuses=(0, 400, 413, 422),
        codes=_words("context_length_exceeded string_above_max_length request_too_large 1261"),
        texts=(
            "maximum context length",
            "maximum prompt length",
            "context window",
            "context length",
            "context_length_exceeded",
            "exceed context limit",
            "prompt is too long",
            "prompt exceeds max length",
            "input is too long",
            "reduce the length of the messages",
            "exceeds the available context size",
            "input token count",
            "exceeded model token limit",
            "range of input length should be",
            "too many total text bytes",
        ),
    ),
    Rule(
        Action.OVERFLOW,
        "one request is more than the tokens a minute that this key has",
        statuses=(429,),
        texts=("request too large for",),
    ),
    Rule(
        Action.SHORTEN,
        "a longer answer was asked for than the model gives, and the error says how long",
        statuses=(400, 413, 416, 422),
        texts=("max_tokens", "max_completion_tokens", "max_output_tokens", "completion tokens"),
        hint="the provider will not take this request",
    ),
    Rule(Action.WAIT, "too many requests", statuses=(429,)),
    Rule(Action.WAIT, "overloaded", statuses=(529,)),
    Rule(Action.RETRY, "timeout, conflict, too early", statuses=(408, 409, 425)),
    Rule(Action.RETRY, "the model failed on this request (Bedrock)", statuses=(424,)),
    Rule(Action.RETRY, "server error", statuses=(range(500, 600),)),
    Rule(
        Action.RETRY,
        "no connection; cut, silent or empty answer; an answer or event that makes no sense",
        statuses=(0,),
    ),
    Rule(Action.QUOTA, "wrong key", statuses=(401,), hint=_KEY),
    Rule(Action.QUOTA, "no credit", statuses=(402,), hint="check the account's credit"),
    Rule(Action.QUOTA, "forbidden", statuses=(403,), hint="check what this API key may use"),
    Rule(Action.REJECT, "no such model", statuses=(404,), hint="check model and base_url"),
    Rule(
        Action.REJECT,
        "any other status below 500",
        statuses=(range(300, 500),),
        hint="the provider will not take this request",
    ),
)

STATUS_OF: dict[str, int] = {
    # OpenAI and what is compatible with it
    "rate_limit_exceeded": 429,
    "rate_limit_reached_error": 429,
    "insufficient_quota": 429,
    "tokens": 429,
    "requests": 429,
    "engine_overloaded_error": 529,
    "slow_down": 503,
    "server_error": 500,
    "server_is_overloaded": 503,
    "internal_server_error": 500,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    # Anthropic
    "rate_limit_error": 429,
    "overloaded_error": 529,
    "api_error": 500,
    "timeout_error": 504,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    # Gemini
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DEADLINE_EXCEEDED": 504,
    "ABORTED": 409,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    # Bedrock
    "ThrottlingException": 429,
    "TooManyRequestsException": 429,
    "ModelNotReadyException": 429,
    "ServiceUnavailableException": 503,
    "InternalServerException": 500,
    "InternalFailure": 500,
    "ModelTimeoutException": 408,
    # Documented as 424; it is the model's host that failed.
    "ModelErrorException": 500,
    "ModelStreamErrorException": 500,
    "ValidationException": 400,
    "ServiceQuotaExceededException": 400,
    "AccessDeniedException": 403,
    "UnrecognizedClientException": 403,
    "InvalidSignatureException": 403,
    "ExpiredTokenException": 403,
    "ResourceNotFoundException": 404,
    # DashScope
    "Throttling": 429,
    "Throttling.RateQuota": 429,
    "Throttling.AllocationQuota": 429,
    "InvalidApiKey": 401,
    "Arrearage": 400,
    "DataInspectionFailed": 400,
    "data_inspection_failed": 400,
}
"""The status that a code stands for where it comes without one: inside a stream, or in a 200."""


_STATUS_OF = {code.lower(): status for code, status in STATUS_OF.items()}


def status_of(code: str) -> int | None:
    """The status that a code stands for, in whatever case (AWS writes both); None if unknown."""
    return _STATUS_OF.get(code.lower())


def rule(status: int | None, code: str, text: str) -> Rule:
    """The rule that decides.

    Args:
        status: None where there was no HTTP error.
        code: as the provider spells it.
        text: the provider's words.
    """
    lowered = text.lower()
    found = (one for one in RULES if one.fits(status or 0, code, lowered))
    return next(found, RULES[-1])


def table() -> str:
    """`RULES` in Markdown, as docs/models.md prints them."""
    lines = ["| what | status | codes and words | action |", "| --- | --- | --- | --- |"]
    for one in RULES:
        statuses = ", ".join(_shown(status) for status in one.statuses) or "any"
        words = [*(f"`{code}`" for code in sorted(one.codes)), *(f"“{text}”" for text in one.texts)]
        lines.append(f"| {one.what} | {statuses} | {', '.join(words)} | {one.action} |")
    return "\n".join(lines)


def _shown(status: int | range) -> str:
    if isinstance(status, range):
        return f"{status.start} – {status.stop - 1}"  # noqa: RUF001
    return str(status) if status else "none"
