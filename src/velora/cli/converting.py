"""The work of `velora convert`: rows are written as they are converted, one at a time.

They go to hidden files beside the final ones, which take their places when the last row is done;
so an interrupted or refused conversion leaves everything as it was.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from velora.cli.output import say
from velora.cli.staging import Staged, staged
from velora.config.names import safe_name
from velora.errors import UsageError
from velora.instances import convert as rows
from velora.instances.excel import open_sheet

SUFFIXES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Request:
    """What to convert.

    Attributes:
        table: the workbook.
        output: the task file.
        per_task: the directory of the files that hold one task each.
        sheet: the sheet's name, or "" for the first.
        strict: write nothing if anything is damaged.
    """

    table: Path
    output: Path
    per_task: Path | None = None
    sheet: str = ""
    strict: bool = False


@dataclass(slots=True)
class Report:
    """What came of it: how many rows were written, blank or left out, and all damage."""

    sheet: str
    written: int = 0
    blank: int = 0
    left_out: int = 0
    damage: list[rows.Damage] = field(default_factory=list)


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
        with staged() as files:
            report = _convert(request, files)
            refused = request.strict and bool(report.damage)
            if not refused:
                files.commit()
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror or error}",
            where=str(error.filename or request.output),
        ) from None
    _print(request, report, refused=refused, json=json)
    if refused:
        raise UsageError(
            f"{_rows(len({one.where for one in report.damage}))} damaged, so nothing was written",
            where=str(request.table),
            hint="repair the table, or convert it without --strict",
        )
    return 0


def _convert(request: Request, files: Staged) -> Report:
    sheet = open_sheet(request.table, request.sheet)
    rows.check_columns(sheet.columns, f"{request.table}: sheet '{sheet.name}'")
    if sheet.others and not request.sheet:
        others = ", ".join(f"'{name}'" for name in sheet.others)
        say(
            f"velora: only the sheet '{sheet.name}' is read, not {others} (see --sheet)",
            to=sys.stderr,
        )
    report = Report(sheet.name)
    with files.create(request.output) as combined:
        for converted in rows.convert(sheet.rows):
            report.damage += converted.damage
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
        raise UsageError(
            "holds no task", where=f"{request.table}: sheet '{sheet.name}'", hint=_why_none(report)
        )
    return report


def _why_none(report: Report) -> str:
    return "; ".join(f"{one.where}: {one.column} {one.message}" for one in report.damage[:3])


def _print(request: Request, report: Report, *, refused: bool, json: bool) -> None:
    if json:
        facts = {
            **asdict(report),
            "output": None if refused else str(request.output),
            "per_task": None if refused or request.per_task is None else str(request.per_task),
        }
        say(orjson.dumps(facts).decode())
        return
    for one in report.damage:
        of = f" ({one.instance_id})" if one.instance_id else ""
        say(f"{one.where}{of}: {one.column} {one.message}")
    damaged = len({one.where for one in report.damage})
    kinds = Counter(one.kind.replace("_", " ") for one in report.damage)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    say(f"{_rows(report.blank)} blank, {_rows(report.left_out)} left out")
    say(f"{_rows(damaged)} damaged{f': {counted}' if counted else ''}")
    if not refused:
        say(f"{_rows(report.written)} written to {request.output}")
        if request.per_task is not None:
            say(f"{report.written} files with one task each in {request.per_task}")


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
