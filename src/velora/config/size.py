"""Sizes as people write them: `512m`, `8g`, `1.5 GiB`, a plain number of bytes."""

from __future__ import annotations

import re

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?\s*", re.IGNORECASE)
_FACTOR = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def parse_size(text: str) -> int:
    """The bytes that `text` stands for; a unit is a power of 1,024, as Docker has it.

    Raises:
        ValueError: it is no size.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no size; write it as 512m or 8g")
    return int(float(found[1]) * _FACTOR[found[2].lower()])
