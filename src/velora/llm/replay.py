"""A model that gives back the answers recorded in a journal, in their order.

Like the scripted model it keeps no state: which answer it is follows from the conversation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from velora.errors import ProviderRejected, UsageError
from velora.journal import store
from velora.journal.events import Answered
from velora.journal.messages import Completion, Message, ToolSpec
from velora.llm.protocol import Note
from velora.llm.scripted import answers


class ReplayModel:
    """Gives recorded answers; they cost nothing the second time.

    Args:
        completions: in order.
        name: shown as the model's name.
    """

    def __init__(self, completions: Sequence[Completion], *, name: str = "replay") -> None:
        self.name = name
        self.window: int | None = None
        self._completions = tuple(completions)

    @classmethod
    def from_file(cls, path: Path) -> ReplayModel:
        """Read an attempt's `events.jsonl`, or the one in its directory.

        Raises:
            UsageError: the file is missing, damaged, or holds no answer.
        """
        try:
            records = store.read(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UsageError(f"cannot read the journal: {reason}", where=str(path)) from None
        recorded = [one.event.completion for one in records if isinstance(one.event, Answered)]
        if not recorded:
            raise UsageError("the journal holds no answer of a model", where=str(path))
        return cls(recorded)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        note: Note,
        conversation: str = "",
    ) -> Completion:
        """The answer recorded at this point.

        Raises:
            ProviderRejected: the conversation is longer than the recording.
        """
        index = answers(messages)
        if index >= len(self._completions):
            count = len(self._completions)
            raise ProviderRejected(f"{self.name}: the recording ends after {count} answers")
        return replace(self._completions[index], cost=0.0, latency=0.0, retries=0)

    async def close(self) -> None:
        """Nothing to release."""
