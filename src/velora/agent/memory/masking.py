"""`observation_masking`: the observations of older steps are replaced by a short remark.

What the model said and called stays. Masking one more with each step would change every request at
the place of the newly masked one, so a quarter of the window is masked at once.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

from velora.agent.memory.protocol import Need, Talk
from velora.agent.memory.rules import due
from velora.agent.memory.view import View
from velora.config.settings import CondenserSettings
from velora.journal.events import Condensed


class ObservationMasking:
    """Args:
    settings: `attention_window` and `trigger`.
    """

    name = "observation_masking"

    def __init__(self, settings: CondenserSettings) -> None:
        self._settings = settings

    def due(self, view: View) -> Need | None:
        """A quarter more steps than the window shows in full, or too many tokens."""
        window = self._settings.attention_window
        in_full = len(view.steps) - bisect_left(view.steps, view.now.masked)
        too_many = in_full > window + window // 4
        return due(view, too_many=too_many, trigger=self._settings.trigger)

    async def condense(self, view: View, need: Need, talk: Talk) -> Condensed | None:
        """Mask all but the last steps, so many that the rest fits; the last step stays."""
        window = self._settings.attention_window
        masked = view.steps[-window] if len(view.steps) > window else 0
        masked = max(masked, view.now.masked)
        if need.target is not None:
            masked = self._fitting(view, masked, need.target)
        if masked <= view.now.masked:
            return None
        made = replace(view.without(view.now.kept, view.now.start), masked=masked)
        return replace(made, condenser=self.name, reason=need.reason)

    def _fitting(self, view: View, least: int, target: int) -> int:
        """The first step from `least` on from which observations may be shown in full."""
        whole = replace(view.now, masked=len(view.messages))
        room = target - view.tokens_with(whole)
        found = view.steps[-1] if view.steps else 0
        first = bisect_left(view.steps, max(least, view.now.start))
        for n in range(len(view.steps) - 1, first - 1, -1):
            end = view.steps[n + 1] if n + 1 < len(view.steps) else len(view.messages)
            step = range(view.steps[n], end)
            room -= view.tokens(step, view.condensed) - view.tokens(step, whole)
            if room < 0 and n < len(view.steps) - 1:
                break
            found = view.steps[n]
        return found

    async def close(self) -> None:
        """Nothing to release."""
