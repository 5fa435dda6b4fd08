"""Every tool call of a conversation gets an id of its own.

Some servers leave ids out or count from `call_0` anew in every answer; an observation could then
not be matched to its call. Such ids are replaced the moment an answer arrives, so the journal, the
conversation and all exports agree. An answer that carries its provider's own record stays as its
adapter made it, because the record repeats the ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from velora.journal.messages import Completion, ToolCall


class CallIds:
    """The ids of one conversation so far."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def know(self, calls: Iterable[ToolCall]) -> None:
        """Take the ids of calls that the conversation already holds."""
        self._seen.update(call.id for call in calls)

    def mend(self, completion: Completion) -> tuple[Completion, bool]:
        """`completion` with unique call ids, and whether any had to be replaced."""
        given = completion.message.tool_calls
        if completion.message.provider is not None:
            self.know(given)
            return completion, False
        calls = tuple(self._unique(call) for call in given)
        if calls == given:
            return completion, False
        return replace(completion, message=replace(completion.message, tool_calls=calls)), True

    def _unique(self, call: ToolCall) -> ToolCall:
        number, id_ = len(self._seen), call.id
        while not id_ or id_ in self._seen:
            # Short: one provider refuses ids of more than 40 characters.
            id_, number = f"call_v{number}", number + 1
        self._seen.add(id_)
        return call if id_ == call.id else replace(call, id=id_)
