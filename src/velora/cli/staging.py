"""Files that appear together: written under hidden names and renamed when all went well.

A process that ends half-way leaves every old file as it was. Nothing is synced to the disk: what
is written here can be made again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from velora.errors import UsageError


class Staged:
    """The files of one command, until they are committed."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[Path, Path]] = {}

    def create(self, path: Path) -> BinaryIO:
        """Open a new file that is to replace or become `path`; its directory is made.

        Raises:
            UsageError: two files would have this name, or differ in upper and lower case only.
            OSError: it cannot be written.
        """
        key = str(path.absolute()).casefold()
        if key in self._files:
            raise UsageError(
                "two of the files to write have this name",
                where=str(path),
                hint="name the output file or its directory differently",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise UsageError("is a directory, not a file to write", where=str(path))
        hidden = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._files[key] = (hidden, path)
        return hidden.open("wb")

    def commit(self) -> None:
        """Put the files in their places, the first created last."""
        while self._files:
            key, (hidden, path) = self._files.popitem()
            try:
                hidden.replace(path)
            except OSError:
                self._files[key] = (hidden, path)
                raise

    def discard(self) -> None:
        """Remove what has not been committed."""
        for hidden, _ in self._files.values():
            with contextlib.suppress(OSError):
                hidden.unlink()
        self._files.clear()


@contextlib.contextmanager
def staged() -> Iterator[Staged]:
    """Files that vanish at the end of the block unless they are committed."""
    files = Staged()
    try:
        yield files
    finally:
        files.discard()
