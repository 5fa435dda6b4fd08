"""Every status, code and broken answer has one action, and the document says which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from velora.llm.failures import NO_CONNECTION, Failure, Sign, attribute_failure, stated_wait
from velora.llm.statuses import STATUS_OF, Action, rule, table

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "models.md"


def test_the_document_prints_the_table() -> None:
    text = DOCUMENT.read_text()
    assert table() in text
    for action in Action:
        assert f"| `{action}` |" in text


@pytest.mark.parametrize("status", range(300, 600))
def test_every_status_has_an_action(status: int) -> None:
    found = rule(status, "", "").action
    match status:
        case 429 | 529:
            assert found is Action.WAIT
        case 408 | 409 | 424 | 425:
            assert found is Action.RETRY
        case 401 | 402 | 403:
            assert found is Action.QUOTA
        case _:
            assert found is (Action.RETRY if status >= 500 else Action.REJECT)


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("overloaded_error", Action.WAIT),
        ("rate_limit_error", Action.WAIT),
        ("api_error", Action.RETRY),
        ("authentication_error", Action.QUOTA),
        ("billing_error", Action.QUOTA),
        ("request_too_large", Action.OVERFLOW),
        ("RESOURCE_EXHAUSTED", Action.WAIT),
        ("UNAVAILABLE", Action.RETRY),
        ("INVALID_ARGUMENT", Action.REJECT),
        ("PERMISSION_DENIED", Action.QUOTA),
        ("ThrottlingException", Action.WAIT),
        ("throttlingException", Action.WAIT),
        ("com.amazon.coral.service#ThrottlingException:http://internal/", Action.WAIT),
        ("ModelNotReadyException", Action.WAIT),
        ("ServiceUnavailableException", Action.RETRY),
        ("modelStreamErrorException", Action.RETRY),
        ("ModelTimeoutException", Action.RETRY),
        ("ServiceQuotaExceededException", Action.QUOTA),
        ("AccessDeniedException", Action.QUOTA),
        ("ValidationException", Action.REJECT),
        ("rate_limit_exceeded", Action.WAIT),
        ("insufficient_quota", Action.QUOTA),
        ("server_error", Action.RETRY),
        ("engine_overloaded_error", Action.WAIT),
        ("Throttling.RateQuota", Action.WAIT),
        ("DataInspectionFailed", Action.REFUSE),
        ("content_filter", Action.REFUSE),
        ("context_length_exceeded", Action.OVERFLOW),
        ("what_nobody_knows", Action.RETRY),
    ],
)
def test_a_code_without_a_status_tells_the_action(code: str, action: Action) -> None:
    """As it comes inside a stream, or in an answer that says 200."""
    for body in ({"error": {"type": code, "message": "m"}}, {"__type": code, "message": "m"}):
        assert Failure.of_body(body).action is action


def test_every_known_code_is_told_in_any_case() -> None:
    for code, status in STATUS_OF.items():
        for spelling in (code, code.lower(), code.upper()):
            assert Failure.of_body({"error": {"code": spelling}}).status == status


def gemini(delay: str, quota: str) -> dict[str, Any]:
    return {
        "error": {
            "code": 429,
            "status": "RESOURCE_EXHAUSTED",
            "message": "You exceeded your current quota, please check your plan.",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [{"quotaId": quota}],
                },
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
            ],
        }
    }


def test_geminis_retry_delay_and_daily_quota() -> None:
    minute = gemini("34.5s", "GenerateRequestsPerMinutePerProjectPerModel")
    for status in (429, None):
        failure = Failure.of_body(minute, status=status)
        assert failure.action is Action.WAIT
        assert failure.retry_after == 34.5
        assert failure.code == "RESOURCE_EXHAUSTED"
    day = Failure.of_body(gemini("5s", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"))
    assert day.action is Action.QUOTA


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit reached for gpt-4o. Please try again in 1.5s.", 1.5),
        ("Please try again in 20ms. Visit", 0.02),
        ("Please try again in 6m0.5s.", 360.5),
        ("Please retry after 26 seconds.", 26),
        ("slow down", 0),
    ],
)
def test_a_wait_that_only_the_words_name(text: str, seconds: float) -> None:
    assert stated_wait(text) == pytest.approx(seconds)
    assert Failure(text, status=429).retry_after == pytest.approx(seconds)
    assert Failure(text, status=429, retry_after=7).retry_after == 7


@pytest.mark.parametrize(
    ("failure", "sign"),
    [
        (Failure(f"{NO_CONNECTION}: refused"), Sign.ABSENT),
        (Failure("x", status=503), Sign.ABSENT),
        (Failure("x", status=529), Sign.ABSENT),
        (Failure("x", status=500), Sign.BROKEN),
        (Failure("no byte came in time"), Sign.BROKEN),
        (Failure("x", status=429), Sign.THERE),
        (Failure("x", status=408), Sign.THERE),
        (Failure("x", status=400), Sign.THERE),
        (Failure("x", status=401), Sign.THERE),
    ],
)
def test_what_a_failure_says_of_the_provider(failure: Failure, sign: Sign) -> None:
    assert failure.sign is sign


def test_a_request_that_no_minute_can_hold_is_too_long() -> None:
    text = "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 40000."
    failure = Failure(text, status=429, code="rate_limit_exceeded")
    assert failure.action is Action.OVERFLOW


def test_hints_say_what_to_do() -> None:
    for status, words in ((401, "api_key_env"), (402, "credit"), (403, "key"), (404, "base_url")):
        assert words in str(attribute_failure(Failure("x", status=status)))
