"""Pictures that a model can be shown: told by their first bytes, not by their names."""

from __future__ import annotations

import base64

from velora.journal.messages import Image

LIMIT = 3_750_000
"""Bytes at most: 5 MB as base64 is the least that a provider allows (Anthropic)."""

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def media_type(data: bytes) -> str:
    """The kind of picture that `data` begins like; "" for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begin, kind in _BEGINNINGS if data.startswith(begin)), "")


def picture(data: bytes) -> Image:
    """A picture for a model; `data` is one that `media_type` knows."""
    return Image(media_type(data), base64.b64encode(data).decode())
