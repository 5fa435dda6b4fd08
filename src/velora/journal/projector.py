"""Writes an attempt's projections as its events happen: the live log, the calls, their lines in the
ledger, and at its end the row of `output.jsonl`.

Each event costs what it adds and nothing that came before is kept. Everything here can be made
again from the journal (`projections.rebuild`), byte for byte, so nothing but the row waits for the
disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from velora.journal import ledger
from velora.journal.completions import Completions
from velora.journal.events import Record
from velora.journal.files import write_all, write_atomic
from velora.journal.infer_log import InferLog
from velora.journal.output import append_row, row_of
from velora.journal.run import RunDirectory


class Projector:
    """A listener of `AttemptJournal` for one attempt.

    Call it with each record; after the last one and `AttemptJournal.sync`, call `finish`. For an
    attempt that ended earlier and now is graded, only the former; for one that is gone on with,
    `catch_up` first.

    Args:
        run: created and claimed.
        instance_id: the instance.
        attempt: its number, from 1.
    """

    def __init__(self, run: RunDirectory, instance_id: str, attempt: int) -> None:
        self._metadata = run.metadata()
        self._run = run
        self._key = instance_id, attempt
        self._attempt_dir = run.attempt_dir(instance_id, attempt)
        self._log_file = run.infer_log(instance_id, attempt)
        self._completions_dir = run.completions_dir(instance_id, attempt)
        self._log = InferLog()
        self._completions = Completions() if logs_completions(self._metadata) else None

    def __call__(self, record: Record) -> None:
        """Write what the record adds."""
        _append(self._log_file, self._log.feed(record).encode())
        if line := ledger.line(*self._key, record):
            _append(self._run.ledger_file, line)
        if self._completions and (file := self._completions.feed(record)):
            name, content = file
            self._completions_dir.mkdir(parents=True, exist_ok=True)
            _append(self._completions_dir / name, content)

    def catch_up(self, records: Iterable[Record]) -> None:
        """Bring the files to where the journal stands, which a crash may have left them short of,
        or, where the power went, ahead of.

        Reads and writes files, so the caller runs it in a thread.

        Args:
            records: all that the journal holds so far.
        """
        log, calls = [], {}
        for record in records:
            log.append(self._log.feed(record))
            if self._completions and (file := self._completions.feed(record)):
                calls[file[0]] = file[1]
        _make_equal(self._log_file, "".join(log).encode())
        if calls:
            self._completions_dir.mkdir(parents=True, exist_ok=True)
        for name, content in calls.items():
            _make_equal(self._completions_dir / name, content)
        if self._completions_dir.is_dir():
            for path in self._completions_dir.iterdir():
                if path.name not in calls and path.is_file():
                    path.unlink()

    def finish(self) -> None:
        """Append the row, if the attempt came to a valid end. Call it once.

        Reads the journal back and waits for the disk, so the caller runs it in a thread.

        Raises:
            UsageError: the journal is damaged, or `model.patch` is not the one it speaks of.
        """
        if row := row_of(self._attempt_dir, self._metadata):
            append_row(self._run.output_file, row)


def logs_completions(metadata: dict[str, object]) -> bool:
    """Does this run write `llm_completions/`?"""
    llm = metadata.get("llm_config")
    return not isinstance(llm, dict) or bool(llm.get("log_completions", True))


def _make_equal(path: Path, content: bytes) -> None:
    """Add what is missing, so that whoever follows the file sees nothing twice."""
    there = path.read_bytes() if path.exists() else b""
    if content.startswith(there):
        _append(path, content[len(there) :])
    else:
        write_atomic(path, content)


def _append(path: Path, data: bytes) -> None:
    """One write and nothing kept open: hundreds of attempts must not run out of descriptors."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)
