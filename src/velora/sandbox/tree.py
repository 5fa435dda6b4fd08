"""A file or directory of this machine as a tar archive, in the shape of an engine's."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path


def pack(path: Path) -> bytes:
    """The archive; its members start with the last part of `path`.

    Raises:
        FileNotFoundError: there is no such path.
    """
    if not path.is_symlink() and not path.exists():
        raise FileNotFoundError(f"no such path: {path}")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(path, arcname=path.name or ".")
    return buffer.getvalue()
