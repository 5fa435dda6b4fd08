"""Ctrl-C: the first ends the run cleanly, the second at once.

A clean end cancels every attempt: containers are removed and journals closed. After the second,
containers end by themselves, since each lives only as long as Velora's connection to it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupted(Exception):
    """The run was stopped by a signal and has been closed cleanly."""


def run_until_interrupted(work: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, with SIGINT and SIGTERM as clean ends.

    Raises:
        Interrupted: after a clean end by a signal.
    """

    async def main() -> T:
        task = asyncio.ensure_future(work)
        signals = 0

        def stop() -> None:
            nonlocal signals
            signals += 1
            if signals > 1:
                os._exit(130)
            print(
                "\nvelora: stopping; containers are being removed (Ctrl-C again: at once)",
                file=sys.stderr,
                flush=True,
            )
            task.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            return await task
        except asyncio.CancelledError:
            if signals:
                raise Interrupted from None
            raise

    return asyncio.run(main())
