"""What one provider's API is to the rest of `llm`: one request, one whole answer.

A backend knows its provider's wire format, and how what a provider adds to an answer (signatures,
encrypted reasoning) goes back. It never retries, waits or counts money: `llm.endpoint` does that
for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from velora.journal.messages import AssistantMessage, Message, ToolSpec, Usage


@dataclass(frozen=True, slots=True)
class Options:
    """What differs from request to request.

    Attributes:
        max_tokens: the longest answer to ask for; None leaves it to the provider.
        conversation: the same for all requests of one attempt and for no other's; for providers
            that route by it what they may have in a cache. "" where nobody knows.
    """

    max_tokens: int | None = None
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer.

    Attributes:
        message: the ids of its tool calls are unique within it.
        usage: as the provider counted; None where it did not.
        model: the name that the provider reports, or "".
        finish_reason: as `Completion.finish_reason`.
        refusal: why the provider's content filter withheld the answer; "" where it did not.
        notes: (code, text, data) of what was put right in the answer.
    """

    message: AssistantMessage
    usage: Usage | None = None
    model: str = ""
    response_id: str = ""
    finish_reason: str = ""
    refusal: str = ""
    notes: tuple[tuple[str, str, dict[str, Any]], ...] = ()


class Backend(Protocol):
    """One endpoint with one key.

    Attributes:
        notices: (code, text, data) of what the settings ask for and this model does not take; they
            are noted once an attempt.
    """

    notices: tuple[tuple[str, str, dict[str, Any]], ...]

    async def send(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: Options
    ) -> Answer:
        """Send one request, streamed, and wait for the whole answer.

        Args:
            messages: any history, other providers' answers included; each call in it has exactly
                one observation.

        Raises:
            Failure: there is no answer, or it is an error.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
