"""Printing that never ends a run: a reader that has gone away is no longer written to."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def say(text: str, *, to: TextIO | None = None) -> None:
    """Print a line at once, on stdout unless told otherwise."""
    stream = sys.stdout if to is None else to
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
