"""An attempt's deadline, which stands still while its provider is down: that is nobody's work."""

from __future__ import annotations

import asyncio

from velora.llm.protocol import PROVIDER_BACK, PROVIDER_DOWN


class Clock:
    """`asyncio.timeout` that can be held.

    Args:
        seconds: until the deadline; None is none.

    Attributes:
        timeout: to be entered.
    """

    def __init__(self, seconds: float | None) -> None:
        self.timeout = asyncio.timeout(seconds)
        self._left: float | None = None

    def heed(self, code: str) -> None:
        """Stop at the note that the provider is down, go on at the one that it is back."""
        now = asyncio.get_running_loop().time()
        when = self.timeout.when()
        if code == PROVIDER_DOWN and when is not None:
            self._left = when - now
            self.timeout.reschedule(None)
        elif code == PROVIDER_BACK and self._left is not None:
            self.timeout.reschedule(now + self._left)
            self._left = None
