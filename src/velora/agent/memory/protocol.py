"""What a condenser is: it says when the conversation is too long, and what to leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from velora.agent.memory.view import View
from velora.journal.events import Condensed
from velora.llm.protocol import Model, Note


@dataclass(frozen=True, slots=True)
class Need:
    """Why to condense.

    Attributes:
        reason: as `Condensed.reason`.
        target: tokens that the request may have afterwards; None where it is not about tokens.
    """

    reason: str
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """The agent's own model, and what goes with a call of it."""

    model: Model
    note: Note
    conversation: str = ""


class Condenser(Protocol):
    """One way to shorten a conversation; one object serves all attempts of a run."""

    name: str

    def due(self, view: View) -> Need | None:
        """Is it time? Called before each request, so it costs the same however long the view is."""
        ...

    async def condense(self, view: View, need: Need, talk: Talk) -> Condensed | None:
        """Leave out more than `view` does; None where this condenser cannot.

        It gets as near to the target as its settings let it, and may end above it.

        Raises:
            AttemptError: the model that it asks gives no answer at all.
        """
        ...

    async def close(self) -> None:
        """Release what was opened for it."""
        ...
