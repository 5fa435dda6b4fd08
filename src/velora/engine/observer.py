"""Who watches a run: each record of each attempt, the moment it is in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from velora.journal.events import Record


@dataclass(frozen=True, slots=True)
class AttemptKey:
    """Which attempt a record belongs to."""

    instance_id: str
    attempt: int


class Observer(Protocol):
    """Told of every record. Must be quick and must not raise."""

    def __call__(self, key: AttemptKey, record: Record) -> None:
        """Called from the event loop right after the record was appended."""
        ...
