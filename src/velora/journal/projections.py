"""A run's projections as a whole: put right after a crash, or made anew from the journal.

The caller holds the run's lock.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from velora.config.names import safe_name
from velora.journal import ledger
from velora.journal.completions import Completions
from velora.journal.events import AttemptStarted
from velora.journal.files import cut, torn_tail
from velora.journal.infer_log import InferLog
from velora.journal.output import append_row, keys, row_of
from velora.journal.owed import attempt_state
from velora.journal.projector import logs_completions
from velora.journal.report import summarize, wanted_in, write_report
from velora.journal.run import RunDirectory
from velora.journal.store import records

_log = logging.getLogger(__name__)

_Place = tuple[str, int]
"""An instance's directory name and the attempt's number."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What `reconcile` did: bytes of a torn last row taken off, rows added."""

    torn: int
    added: int


def reconcile(run: RunDirectory) -> Reconciled:
    """Make `output.jsonl` agree with the journal after a crash.

    A torn last row is taken off (the journal has what it would have said); then each attempt that
    came to a valid end and has no row gets one. Nothing else is touched. To be called before a
    run's first attempt; it costs a small read an attempt and one pass over `output.jsonl`.

    Raises:
        UsageError: a row, a journal or a patch is damaged; names file and line.
    """
    ledger.mend(run)
    torn = b""
    with contextlib.suppress(FileNotFoundError):
        size, torn = torn_tail(run.output_file)
        if torn:
            _log.warning("%s: took off a last row cut short by a crash", run.output_file)
            cut(run.output_file, size)
    there = {(safe_name(instance_id), attempt) for instance_id, attempt in keys(run.output_file)}
    missing = [place for place in _in_order_of_end(run) if place not in there]
    metadata = run.metadata() if missing else {}
    for place in missing:
        if row := row_of(_directory(run, place), metadata):
            append_row(run.output_file, row)
    return Reconciled(len(torn), len(missing))


def rebuild(run: RunDirectory) -> None:
    """Make every projection anew: `output.jsonl`, `infer_logs/`, `llm_completions/`, `report.json`,
    `ledger.jsonl`.

    The files are the same, byte for byte, as those written while the attempts ran. Rows that are
    in `output.jsonl` keep their order and others follow in the order in which their attempts
    ended; rows that no journal accounts for are left out. The report is made for the instances of
    the one that is there, or else for those that have a journal. The old files stay until all new
    ones are made.

    Raises:
        UsageError: this is no run, or a journal or patch is damaged; names file and line.
    """
    new = RunDirectory(run.path / ".rebuild")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(new.path)
    new.infer_logs.mkdir(parents=True)
    new.llm_completions.mkdir()
    metadata = run.metadata()
    for directory in run.attempt_dirs():
        _retell(new, directory, completions=logs_completions(metadata))
    _write_rows(run, new.output_file, metadata)
    ledger.rewrite(run, new.ledger_file)
    write_report(new, summarize(run, wanted_in(run)))
    pairs = [
        (new.infer_logs, run.infer_logs),
        (new.llm_completions, run.llm_completions),
        (new.output_file, run.output_file),
        (new.report_file, run.report_file),
        (new.ledger_file, run.ledger_file),
    ]
    for made, place in pairs:
        if place.is_dir():
            place.rename(new.path / f"old-{place.name}")
        made.replace(place)
    shutil.rmtree(new.path)


def _retell(new: RunDirectory, directory: Path, *, completions: bool) -> None:
    """The live log and the calls of one attempt."""
    log, calls = InferLog(), Completions()
    with contextlib.ExitStack() as stack:
        file, calls_dir = None, new.llm_completions
        with contextlib.suppress(FileNotFoundError):
            for record in records(directory):
                if isinstance(record.event, AttemptStarted):
                    key = record.event.instance_id, record.event.attempt
                    file = stack.enter_context(new.infer_log(*key).open("wb"))
                    calls_dir = new.completions_dir(*key)
                if file is None:
                    continue
                file.write(log.feed(record).encode())
                if completions and (call := calls.feed(record)):
                    calls_dir.mkdir(parents=True, exist_ok=True)
                    (calls_dir / call[0]).write_bytes(call[1])


def _write_rows(run: RunDirectory, path: Path, metadata: dict[str, object]) -> None:
    ended = _in_order_of_end(run)
    there = [(safe_name(instance_id), attempt) for instance_id, attempt in keys(run.output_file)]
    known = set(ended)
    order = dict.fromkeys([place for place in there if place in known] + ended)
    with path.open("wb") as file:
        for place in order:
            file.write(row_of(_directory(run, place), metadata) or b"")
        file.flush()
        os.fsync(file.fileno())


def _in_order_of_end(run: RunDirectory) -> list[_Place]:
    """The attempts that came to a valid end."""
    found = []
    for directory in run.attempt_dirs():
        attempt = int(directory.name.rpartition("-")[2])
        state = attempt_state(directory, attempt)
        if state.valid:
            found.append((state.ended_at, directory.parent.name, attempt))
    return [(name, attempt) for _, name, attempt in sorted(found)]


def _directory(run: RunDirectory, place: _Place) -> Path:
    return run.journal / place[0] / f"attempt-{place[1]}"
