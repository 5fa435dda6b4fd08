"""What a model is to the rest of the program: messages in, one paid answer out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from velora.journal.messages import Completion, Message, ToolSpec

Note = Callable[[str, str, dict[str, Any]], None]
"""Called with (code, text, data) for what the journal should know: a retry, a clamp."""


PROVIDER_DOWN, PROVIDER_BACK = "provider_down", "provider_back"
"""The codes of the notes that begin and end an outage, for each call that waits for its end."""
SUMMARY = "-summary"
"""Ends the `conversation` of requests that sum up the conversation named before it."""


class Model(Protocol):
    """A model that can be talked to; one object serves all attempts of a run."""

    name: str

    @property
    def window(self) -> int | None:
        """Tokens that prompt and answer may have together, as far as is known so far; None is
        unknown. A refused request may teach a smaller one."""
        ...

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        note: Note,
        conversation: str = "",
    ) -> Completion:
        """Ask for the next answer, retrying what can be retried.

        Raises:
            ContextOverflow, Refused, BudgetExceeded: the attempt ends as the model's own.
            ProviderUnavailable: retries are used up.
            ProviderRejected: retrying is pointless (wrong key, unknown model, bad request).
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
