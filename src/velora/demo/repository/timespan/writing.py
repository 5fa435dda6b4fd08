"""From seconds to text."""

from .units import SECONDS


def show(seconds):
    """Return the shortest text that `parse` reads as `seconds`."""
    if seconds == 0:
        return "0s"
    parts = []
    for unit, size in SECONDS.items():
        if seconds > size:
            count, seconds = divmod(seconds, size)
            parts.append(f"{count}{unit}")
    return "".join(parts)
