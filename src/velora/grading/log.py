"""Reads a test log of any length and any bytes for the parsers."""

from __future__ import annotations

from pathlib import Path

LIMIT = 50 * 1024 * 1024
"""Bytes of a log that are parsed."""

_HEAD = 1024 * 1024  # a run's first lines; the rest of the limit is the log's end


def read_log(path: Path, limit: int = LIMIT) -> tuple[str, tuple[str, ...]]:
    """A log as text, bytes that are no UTF-8 replaced, and warnings.

    Of one longer than `limit` the first lines and the end are read, where the frameworks put
    their first line and their summaries; a line between them says how much is left out. Results
    in that part are not seen, so their tests count as missing.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= limit:
            return file.read().decode("utf-8", "replace"), ()
        head = file.read(min(_HEAD, limit // 2))
        head = head[: head.rfind(b"\n") + 1]
        file.seek(size - (limit - len(head)))
        tail = file.read()
    tail = tail[tail.find(b"\n") + 1 :]
    dropped = size - len(head) - len(tail)
    warning = f"the log has {size} bytes; {dropped} of them, in the middle, were not parsed"
    text = head + f"[{dropped} bytes left out]\n".encode() + tail
    return text.decode("utf-8", "replace"), (warning,)
