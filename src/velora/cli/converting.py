"""The work of `velora convert`: rows are written as they are converted, one at a time.

They go to hidden files beside the final ones, which take their places when the last row is done;
so an interrupted or refused conversion leaves everything as it was. Damage is printed as it is
found, and for machines kept in a file until the end: a table may be damaged in every row.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO

import orjson

from velora.cli.output import say
from velora.cli.staging import Staged, staged
from velora.config.names import safe_name
from velora.errors import UsageError
from velora.instances import convert as rows
from velora.instances.damage import Damage
from velora.instances.rows import Row
from velora.instances.tables import Options, Table, open_table

SUFFIXES = (".jsonl", ".ndjson")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What to convert.

    Attributes:
        table: a file, a directory or a data set's name on a hub.
        output: the task file.
        per_task: the directory of the files that hold one task each.
        options: how to read the table.
        strict: write nothing if anything is damaged.
    """

    table: str
    output: Path
    per_task: Path | None = None
    options: Options = field(default_factory=Options)
    strict: bool = False


@dataclass(slots=True)
class Report:
    """What came of it: how many rows were written, blank or left out, and all damage.

    Attributes:
        spool: where the damage is kept for machines; None prints it as it comes.
    """

    sheet: str
    spool: IO[bytes] | None = None
    written: int = 0
    blank: int = 0
    left_out: int = 0
    damaged: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    first: list[Damage] = field(default_factory=list)

    def note(self, damage: tuple[Damage, ...]) -> None:
        """Take note of what is wrong with one row."""
        self.damaged += bool(damage)
        for one in damage:
            self.kinds[one.kind.replace("_", " ")] += 1
            if len(self.first) < _SHOWN:
                self.first.append(one)
            if self.spool is not None:
                self.spool.write(orjson.dumps(asdict(one)) + b"\n")
            else:
                say(_line(one))


def convert(request: Request, *, json: bool = False) -> int:
    """Convert, print the report, return the exit status.

    Raises:
        UsageError: the table cannot be read, the files cannot be written, or, where the request is
            strict, something is damaged.
    """
    if request.output.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"the output is JSONL, so its name must end in {' or '.join(SUFFIXES)}",
            where=str(request.output),
        )
    try:
        with tempfile.TemporaryFile() as spool, staged() as files:
            report = _convert(request, files, spool if json else None)
            refused = request.strict and report.damaged > 0
            if not refused:
                files.commit()
            _print(request, report, refused=refused)
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror or error}",
            where=str(error.filename or request.output),
        ) from None
    if refused:
        raise UsageError(
            f"{_rows(report.damaged)} damaged, so nothing was written",
            where=request.table,
            hint="repair the table, or convert it without --strict",
        )
    return 0


def _convert(request: Request, files: Staged, spool: IO[bytes] | None) -> Report:
    table = open_table(request.table, request.options)
    for notice in table.notices:
        say(f"velora: {notice}", to=sys.stderr)
    report = Report(table.name, spool)
    with files.create(request.output) as combined:
        for converted in rows.convert(_checked(table)):
            report.note(converted.damage)
            if converted.row is None:
                report.blank += converted.blank
                report.left_out += not converted.blank
                continue
            report.written += 1
            line = orjson.dumps(converted.row, option=orjson.OPT_APPEND_NEWLINE)
            combined.write(line)
            if request.per_task is not None:
                name = safe_name(converted.row["instance_id"])
                with files.create(request.per_task / f"{name}.jsonl") as single:
                    single.write(line)
    if not report.written:
        why = "; ".join(_line(one) for one in report.first)
        raise UsageError("holds no task", where=table.where, hint=why)
    return report


def _checked(table: Table) -> Iterator[Row]:
    """The rows of a table that can hold tasks, by its columns or those of its first row."""
    if table.columns is not None:
        rows.check_columns(table.columns, table.where)
        return table.rows
    first = next(table.rows, None)
    if first is None:
        return iter(())
    rows.check_columns(tuple(first.value), first.where)
    return chain([first], table.rows)


def _print(request: Request, report: Report, *, refused: bool) -> None:
    if report.spool is not None:
        _print_json(request, report, report.spool, refused=refused)
        return
    counted = ", ".join(f"{count} {kind}" for kind, count in report.kinds.most_common())
    say(f"{_rows(report.blank)} blank, {_rows(report.left_out)} left out")
    say(f"{_rows(report.damaged)} damaged{f': {counted}' if counted else ''}")
    if not refused:
        say(f"{_rows(report.written)} written to {request.output}")
        if request.per_task is not None:
            say(f"{report.written} files with one task each in {request.per_task}")


def _print_json(request: Request, report: Report, spool: IO[bytes], *, refused: bool) -> None:
    """One object in one line, with the list of damage piece by piece."""
    facts = {
        "sheet": report.sheet,
        "written": report.written,
        "blank": report.blank,
        "left_out": report.left_out,
        "output": None if refused else str(request.output),
        "per_task": None if refused or request.per_task is None else str(request.per_task),
    }
    out = sys.stdout
    out.write(orjson.dumps(facts).decode()[:-1] + ',"damage":[')
    spool.seek(0)
    for number, line in enumerate(spool):
        out.write("," * (number > 0) + line.decode().rstrip("\n"))
    out.write("]}\n")
    out.flush()


def _line(one: Damage) -> str:
    of = f" ({one.instance_id})" if one.instance_id else ""
    column = f"{one.column} " if one.column else ""
    return f"{one.where}{of}: {column}{one.message}"


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
