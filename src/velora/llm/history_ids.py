"""The ids of a history's calls, as the provider that it is sent to takes them.

What another provider gave may be too long for it, hold other characters, or begin anew in every
answer. Such an id is replaced, in one history always by the same one, so that a longer history
begins as the shorter one did.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence


class HistoryIds:
    """The ids of one history, taken answer by answer.

    Args:
        taken: what an id may look like; at most 40 characters of letters, digits, `_` and `-`
            must be among it.
    """

    def __init__(self, taken: re.Pattern[str]) -> None:
        self._taken = taken
        self._given: set[str] = set()
        self._now: dict[str, str] = {}

    def keep(self, ids: Iterable[str]) -> None:
        """Take the ids of an answer that goes back as it came."""
        self._now = {id_: id_ for id_ in ids}
        self._given.update(self._now)

    def give(self, ids: Sequence[str]) -> list[str]:
        """The ids of an answer's calls; none is given twice."""
        fresh = [self._fresh(id_) for id_ in ids]
        self._now = dict(zip(ids, fresh, strict=True))
        return fresh

    def of(self, id_: str) -> str:
        """The id that a call of the last answer got."""
        return self._now.get(id_) or self._fit(id_)

    def _fresh(self, id_: str) -> str:
        fit, number = self._fit(id_), 2
        fresh = fit
        while fresh in self._given:
            fresh, number = f"{fit[:34]}_{number}", number + 1
        self._given.add(fresh)
        return fresh

    def _fit(self, id_: str) -> str:
        if self._taken.fullmatch(id_):
            return id_
        return f"call_{hashlib.sha256(id_.encode(errors='replace')).hexdigest()[:24]}"
