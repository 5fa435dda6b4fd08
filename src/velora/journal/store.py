"""The append-only file of one attempt, and reading it back.

An append is one `write` of one whole line to a file opened with `O_APPEND`, a few tens of
microseconds. Nothing is held in memory and nothing written is ever changed. A crash can only
leave a torn last line, which is not an event: readers leave it out and say so, and opening the
file again puts it aside into `events.torn`. What an attempt wrote survives a power cut from
`sync` on; that and `write_patch` wait for the disk, so the caller runs them in a thread.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from velora.errors import UsageError
from velora.journal.codec import Undecodable, decode, encode, kind_of
from velora.journal.events import Event, Record
from velora.journal.files import (
    append_line,
    cut,
    lines_backwards,
    sync_directory,
    torn_tail,
    write_all,
    write_atomic,
)
from velora.journal.scrub import scrub

EVENTS = "events.jsonl"
PATCH = "model.patch"
TORN = "events.torn"

Listener = Callable[[Record], None]
Say = Callable[[str], None]

_log = logging.getLogger(__name__)


class AttemptJournal:
    """The writer of one attempt's journal. One at a time, held by the run's lock.

    Make it with `create` for a new attempt or `reopen` to add a verdict to one that has ended.

    Attributes:
        directory: the attempt's, holding `events.jsonl` and `model.patch`.
    """

    def __init__(
        self,
        directory: Path,
        fd: int,
        last: Record | None,
        *,
        redact: Callable[[str], str],
        listeners: Sequence[Listener],
        clock: Callable[[], float],
    ) -> None:
        self.directory = directory
        self._fd = fd
        self._next = last.seq + 1 if last else 0
        self._at = last.at if last else 0.0
        self._redact = redact
        self._listeners = tuple(listeners)
        self._clock = clock

    @classmethod
    def create(
        cls,
        directory: Path,
        *,
        redact: Callable[[str], str],
        listeners: Sequence[Listener] = (),
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Begin a journal; the directory and those above it are made.

        Args:
            directory: from `RunDirectory.attempt_dir`.
            redact: masks secrets in one text; passed every text before it is written.
            listeners: called with each record after it is written.
            clock: unix seconds.

        Raises:
            FileExistsError: there is one already: an attempt is never written over.
        """
        directory.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        fd = os.open(directory / EVENTS, flags, 0o644)
        return cls(directory, fd, None, redact=redact, listeners=listeners, clock=clock)

    @classmethod
    def reopen(
        cls,
        directory: Path,
        *,
        redact: Callable[[str], str],
        listeners: Sequence[Listener] = (),
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Go on with an existing journal; the arguments are those of `create`.

        Raises:
            FileNotFoundError: there is none.
            UsageError: its last line is no event; names the file.
        """
        path = directory / EVENTS
        _put_torn_line_aside(path)
        last = None
        for line in lines_backwards(path):
            try:
                last = decode(line)
            except Undecodable as error:
                raise _damaged(path, "last line", error) from None
            break
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        return cls(directory, fd, last, redact=redact, listeners=listeners, clock=clock)

    def append(self, event: Event) -> Record:
        """Write one event and return it as it was written: scrubbed, numbered and timed.

        The times of one journal strictly increase, to the microsecond, also where the clock does
        not.

        Raises:
            OSError: the disk is full or gone; nothing of the event is in the file then.
        """
        at = round(max(self._clock(), self._at + 1e-6), 6)
        record = Record(self._next, at, scrub(event, self._redact))
        append_line(self._fd, encode(record))
        self._next += 1
        self._at = at
        for listener in self._listeners:
            listener(record)
        return record

    def write_patch(self, patch: bytes) -> None:
        """Store the patch byte for byte, before the `PatchTaken` event that speaks of it.

        Waits for the disk. The patch is the one thing that is not redacted, for it must apply;
        no secret of the run ever is in a sandbox, so none can be in a patch.
        """
        write_atomic(self.directory / PATCH, patch)

    def sync(self) -> None:
        """Make all that was appended survive a power cut. Waits for the disk."""
        os.fsync(self._fd)
        for directory in (self.directory, self.directory.parent, self.directory.parent.parent):
            sync_directory(directory)

    def close(self) -> None:
        """Close the file; may be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def read(path: Path, *, say: Say = _log.warning) -> list[Record]:
    """All records of a journal; `path` is `events.jsonl` or the directory that holds it.

    Args:
        path: of one attempt.
        say: told of a torn last line, which is left out.

    Raises:
        FileNotFoundError: there is no journal.
        UsageError: a line before the last is no event; names file and line.
    """
    return list(records(path, say=say))


def records(
    path: Path, *, only: Collection[type[Event]] | None = None, say: Say = _log.warning
) -> Iterator[Record]:
    """As `read`, one record at a time; with `only`, events of other kinds are passed over."""
    path = events_file(path)
    wanted = None if only is None else {event.kind for event in only}
    for number, line in lines(path, say=say):
        try:
            if wanted is None or kind_of(line) in wanted:
                yield decode(line)
        except Undecodable as error:
            raise _damaged(path, str(number), error) from None


def lines(path: Path, *, say: Say = _log.warning) -> Iterator[tuple[int, bytes]]:
    """The complete lines of a file with their numbers from 1."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield number, line
            else:
                say(f"{path}:{number}: the last line was cut off by a crash and is left out")


def events_file(path: Path) -> Path:
    """`path`, or the `events.jsonl` in it where it is a directory."""
    return path / EVENTS if path.is_dir() else path


def read_patch(directory: Path) -> bytes:
    """The bytes of an attempt's patch; b"" where none was stored."""
    with suppress(FileNotFoundError):
        return (directory / PATCH).read_bytes()
    return b""


def _put_torn_line_aside(path: Path) -> None:
    keep, torn = torn_tail(path)
    if torn:
        _log.warning("%s: the last line was cut off by a crash; moved to %s", path, TORN)
        fd = os.open(path.with_name(TORN), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            write_all(fd, torn + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)
        cut(path, keep)


def _damaged(path: Path, line: str, error: Undecodable) -> UsageError:
    return UsageError(
        f"not an event of this version of Velora: {error}",
        where=f"{path}:{line}",
        hint="read it with the version that wrote it; if the file is damaged, move the attempt's "
        "directory away and the attempt is run again",
    )
