"""What files were before the editor changed them, on the host, for one attempt."""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from dataclasses import dataclass

LEVELS = 10
"""Edits of one file that can be undone."""


@dataclass(frozen=True, slots=True)
class Version:
    """A file as it was before an edit.

    Attributes:
        packed: the content, compressed; None where there was no file.
        after: digest of the content that the edit left.
        first, last: the lines, in the content before, that the edit touched.
    """

    packed: bytes | None
    after: bytes
    first: int
    last: int

    @property
    def before(self) -> bytes | None:
        """The content before the edit; None where there was no file."""
        return None if self.packed is None else zlib.decompress(self.packed)

    def left(self, current: bytes | None) -> bool:
        """Whether `current` is what the edit left."""
        return current is not None and _digest(current) == self.after


class History:
    """The versions of each file, the last `LEVELS` of them."""

    def __init__(self) -> None:
        self._versions: dict[str, deque[Version]] = {}

    def add(self, path: str, before: bytes | None, after: bytes, *, first: int, last: int) -> None:
        """Remember what `path` was before an edit."""
        packed = None if before is None else zlib.compress(before, level=1)
        versions = self._versions.setdefault(path, deque(maxlen=LEVELS))
        versions.append(Version(packed, _digest(after), first, last))

    def last(self, path: str) -> Version | None:
        """The version before the last edit of `path`."""
        versions = self._versions.get(path)
        return versions[-1] if versions else None

    def drop(self, path: str) -> None:
        """Forget the last version of `path`."""
        self._versions[path].pop()


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
