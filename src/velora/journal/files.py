"""Writing files so that a crash at any moment leaves either the old state or the new one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`; a single write as a rule, more only where the system took a part."""
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])


def append_line(fd: int, line: bytes) -> None:
    """Append one line to a file opened with `O_APPEND`, wholly or not at all.

    Where the write fails half-way (disk full), what was written of it is taken back, so that the
    next line does not run into it. The caller is the file's only writer.
    """
    size = os.fstat(fd).st_size
    try:
        write_all(fd, line)
    except OSError:
        os.ftruncate(fd, size)
        raise


def write_atomic(path: Path, data: bytes) -> None:
    """Replace or create `path`, whose directory exists, in one step that survives a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        try:
            write_all(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def lines_backwards(path: Path, *, block: int = 16_384) -> Iterator[bytes]:
    """The complete lines of a file, the last one first, each without its newline.

    Reads no further back than it is asked for. What follows the last newline, the rest of a write
    that was cut off, is left out.
    """
    with path.open("rb", buffering=0) as file:
        end = os.fstat(file.fileno()).st_size
        parts: list[bytes] = []  # of the line being put together, its end first
        torn = True
        while end:
            start = max(0, end - block)
            pieces = os.pread(file.fileno(), end - start, start).split(b"\n")
            for number in range(len(pieces) - 1, 0, -1):
                parts.append(pieces[number])
                if not torn:
                    yield b"".join(reversed(parts))
                torn = False
                parts.clear()
            parts.append(pieces[0])
            end, block = start, min(block * 2, 1 << 22)
        if not torn:
            yield b"".join(reversed(parts))


def torn_tail(path: Path) -> tuple[int, bytes]:
    """Where the last complete line of a file ends, and what follows it: b"" where all is well."""
    with path.open("rb", buffering=0) as file:
        size = keep = os.fstat(file.fileno()).st_size
        while keep:
            start = max(0, keep - 65_536)
            newline = os.pread(file.fileno(), keep - start, start).rfind(b"\n")
            if newline >= 0:
                keep = start + newline + 1
                break
            keep = start
        return keep, os.pread(file.fileno(), size - keep, keep)


def cut(path: Path, size: int) -> None:
    """Shorten a file to `size` bytes, for good."""
    with path.open("r+b", buffering=0) as file:
        file.truncate(size)
        os.fsync(file.fileno())
