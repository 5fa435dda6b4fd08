"""`output.jsonl`: one row for each attempt that came to a valid end.

An attempt that ended for no fault of the model (`POLICY[outcome].valid` is false: a lost sandbox, a
provider's refusal, an interruption) is no result and has no row; what there is of it stays in the
journal. A row is written once, after its journal has reached the disk, in one write; a crash can
leave a torn last row and rows that are missing, and `projections.reconcile` puts both right.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from velora.errors import POLICY, UsageError
from velora.journal.events import AttemptEnded
from velora.journal.files import append_line
from velora.journal.openhands import output_row
from velora.journal.store import EVENTS, PATCH, read, read_patch

Key = tuple[str, int]
"""An instance's id and the attempt's number."""

_START = re.compile(rb'\{"instance_id":("(?:[^"\\]|\\.)*"),"attempt":(\d+),')


def row_of(directory: Path, metadata: dict[str, Any]) -> bytes | None:
    """The row of the attempt whose journal lies in `directory`, with its newline.

    None where the attempt has not come to a valid end.

    Raises:
        UsageError: the journal is damaged, or `model.patch` is not the one it speaks of.
    """
    records = read(directory / EVENTS)
    ended = next((r.event for r in reversed(records) if isinstance(r.event, AttemptEnded)), None)
    if ended is None or not POLICY[ended.outcome].valid:
        return None
    patch = read_patch(directory)
    row = output_row(records, patch, metadata)
    _check_patch(directory, patch, row["test_result"].get("sha256", ""))
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def append_row(path: Path, row: bytes) -> None:
    """Append one row and wait for the disk.

    Threads may do so at once: each waits for the one before.
    """
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        append_line(fd, row)
        os.fsync(fd)
    finally:
        os.close(fd)


def keys(path: Path) -> Iterator[Key]:
    """Which attempts have a row, in order; an unfinished last line is left out.

    Raises:
        UsageError: a line is no row; names file and line.
    """
    with suppress(FileNotFoundError), path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield _key(line, f"{path}:{number}")


def _key(line: bytes, where: str) -> Key:
    if found := _START.match(line):
        return orjson.loads(found[1]), int(found[2])
    try:
        row = orjson.loads(line)
        return row["instance_id"], int(row.get("attempt", 1))
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"not a row of output.jsonl: {error}",
            where=where,
            hint="take the line out; the journal has what it should say, and the next run adds it",
        ) from None


def _check_patch(directory: Path, patch: bytes, sha256: str) -> None:
    if sha256 and hashlib.sha256(patch).hexdigest() != sha256:
        raise UsageError(
            f"not the patch that {EVENTS} speaks of: its SHA-256 is not {sha256}",
            where=str(directory / PATCH),
            hint="move the attempt's directory away and the attempt is run again",
        )
