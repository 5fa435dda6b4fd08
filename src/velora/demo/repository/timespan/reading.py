"""From text to seconds."""

import re

from .units import SECONDS

_PART = re.compile(r"(\d+)([dhms])")


def parse(text):
    """Return the seconds that `text` stands for; "-" in front makes them negative."""
    stripped = text.strip()
    sign = -1 if stripped.startswith("-") else 1
    rest = stripped.lstrip("-")
    if not rest or _PART.sub("", rest).strip():
        raise ValueError(f"not a length of time: {text!r}")
    return sign * sum(int(number) * SECONDS[unit] for number, unit in _PART.findall(rest))
