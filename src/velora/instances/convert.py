"""Rows of a table → rows of a JSONL task file, and what was damaged on the way into the table.

A column that stands for one of the seed format's fields under another name is renamed, empty cells
are left out, numbers that are ids or texts become their digits, lists of test names become JSON
text; every other column keeps its name and its value. What a spreadsheet has cut or rounded cannot
be repaired: it is kept and reported. Only a row that no reader would take, one without an id or
with the id of a row above, is left out.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from velora.config.names import safe_name
from velora.errors import UsageError, nearest
from velora.instances.decode import (
    EXCEL_LIMIT,
    Undecodable,
    decode_id,
    decode_names,
    decode_patches,
    is_blank,
)
from velora.instances.fields import ALIASES
from velora.instances.rows import Row

_RENAMED = {
    ALIASES[name][0]: ALIASES[name] + further
    for name, further in {
        "instance_id": ("issue_fbid",),
        "repo": ("repo_source_uri",),
        "base_commit": (),
        "problem_statement": (),
        "language": (),
        "patch": (),
        "fail_to_pass": (),
        "pass_to_pass": (),
    }.items()
}
"""Each field and the columns that it is taken from; the first one that is not empty counts."""

_NAMES = (ALIASES["fail_to_pass"][0], ALIASES["pass_to_pass"][0])
_PATCHES = ("patch", *ALIASES["test_patches"])
_LISTS = {*ALIASES["fail_to_pass"], *ALIASES["pass_to_pass"]}
_TEXTS = {key for keys in ALIASES.values() for key in keys} - _LISTS
_DATES = {"created_at", "creation_timestamp", "commit_timestamp", "ts", "ds"}

_ID = re.compile(r"(?:.*_)?(?:id|fbid)")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d{1,2}", re.IGNORECASE)
_GITHUB = re.compile(r"(?:https?://|ssh://git@|git@)github\.com[/:]([^/]+/[^/]+?)(?:\.git)?/?")

_MOST_DIGITS = 15  # of a number; Excel puts zeros for the others
_DAY_ZERO = datetime.datetime(1899, 12, 30)
_SERIALS = (20_000, 80_000)  # the years 1954 to 2119; a Unix time is far above


class Kind(StrEnum):
    """What is wrong with a cell or a row."""

    CELL_CUT = "cell_cut"
    PATCH_UNREADABLE = "patch_unreadable"
    NAMES_UNREADABLE = "names_unreadable"
    VALUE_UNREADABLE = "value_unreadable"
    DIGITS_LOST = "digits_lost"
    STATEMENT_EMPTY = "statement_empty"
    ID_EMPTY = "id_empty"
    ID_DUPLICATE = "id_duplicate"


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is wrong.

    Attributes:
        where: the row, as `tasks.xlsx: row 17`.
        instance_id: the row's, or "".
        column: the column's name in the table.
        message: what is wrong, to be read behind the column's name.
    """

    kind: Kind
    where: str
    instance_id: str
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of one row of the table.

    Attributes:
        row: the fields for the JSONL file; None where the row is left out: it is blank, or its id
            is missing or taken.
        damage: what is wrong with it, nothing if it is blank.
    """

    row: dict[str, Any] | None
    damage: tuple[Damage, ...]

    @property
    def blank(self) -> bool:
        """The row held nothing."""
        return self.row is None and not self.damage


def check_columns(columns: Collection[str], where: str) -> None:
    """Refuse a table that can hold no tasks.

    Raises:
        UsageError: no column stands for the id, or none for the problem statement.
    """
    for field in ("instance_id", "problem_statement"):
        if not any(name in columns for name in _RENAMED[field]):
            close = nearest(field, columns)
            close = f"{close} " if close.startswith("did you mean") else ""
            raise UsageError(
                f"no column is named {' or '.join(_RENAMED[field])}",
                where=where,
                hint=f"{close}columns that are there: {', '.join(columns)}",
            )


def convert(rows: Iterable[Row]) -> Iterator[Converted]:
    """Convert the rows of one table, one at a time; only the ids are remembered.

    Args:
        rows: cells by column name. A cell is text, a number, a truth value, a date, or empty:
            None, NaN, or one of the texts that stand for nothing, such as "NaN".
    """
    seen: dict[str, str] = {}
    for row in rows:
        converted = _convert(row)
        if converted.row is None:
            yield converted
            continue
        instance_id = converted.row["instance_id"]
        name = safe_name(instance_id).casefold()  # as the reader tells ids apart
        if name not in seen:
            seen[name] = row.where
            yield converted
            continue
        message = f"is also that of {seen[name]}; this row is left out"
        damage = Damage(Kind.ID_DUPLICATE, row.where, instance_id, "instance_id", message)
        yield Converted(None, (*converted.damage, damage))


def _convert(row: Row) -> Converted:
    cells = {name: _plain(name, cell) for name, cell in row.value.items()}
    cells = {name: cell for name, cell in cells.items() if not is_blank(cell)}
    if not cells:
        return Converted(None, ())
    found: list[tuple[Kind, str, str]] = []
    columns: dict[str, str] = {}  # of each field the column that it comes from
    for field, names in _RENAMED.items():
        if column := next((name for name in names if name in cells), ""):
            columns[field] = column
    if isinstance(url := cells.get(columns.get("repo", "")), str) and _GITHUB.fullmatch(url):
        cells.setdefault("repo", url)  # the URL itself stays beside it
        columns["repo"] = "repo"
    renamed = {column: field for field, column in columns.items()}
    fields: dict[str, Any] = {}
    for column, cell in cells.items():
        field = renamed.get(column, column)
        fields[field] = _value(field, column, cell, found)
    if not is_blank(fields.get("instance_id")):
        fields = {"instance_id": fields["instance_id"], **fields}
    return _finished(row.where, fields, found)


def _finished(where: str, fields: dict[str, Any], found: list[tuple[Kind, str, str]]) -> Converted:
    instance_id = fields.get("instance_id", "")
    if not instance_id:
        found.append((Kind.ID_EMPTY, "instance_id", "is empty; this row is left out"))
    if "problem_statement" not in fields:
        # The key stays, so that the row is refused by itself and not the whole file.
        fields["problem_statement"] = ""
        found.append((Kind.STATEMENT_EMPTY, "problem_statement", "is empty"))
    damage = tuple(
        Damage(kind, where, instance_id, column, message) for kind, column, message in found
    )
    return Converted(fields if instance_id else None, damage)


def _plain(name: str, cell: Any) -> Any:
    """A cell as JSON has it; dates as ISO 8601."""
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return None
        if name in _DATES and _SERIALS[0] <= cell <= _SERIALS[1]:
            cell = _DAY_ZERO + datetime.timedelta(seconds=round(cell * 86_400))
        elif cell.is_integer() and abs(cell) < 2**53:
            return int(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat() if cell.time() != datetime.time() else cell.date().isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta):
        return str(cell)
    return cell


def _value(field: str, column: str, cell: Any, found: list[tuple[Kind, str, str]]) -> Any:
    """The field's value; what is wrong with it goes to `found`."""
    cut = isinstance(cell, str) and _length(cell) >= EXCEL_LIMIT
    if cut:
        message = (
            f"has {_length(cell):,} characters, and an Excel cell holds {EXCEL_LIMIT:,}: "
            "the rest is likely to be cut off"
        )
        found.append((Kind.CELL_CUT, column, message))
    if _ID.fullmatch(column) or field in _TEXTS:
        return _text(field, column, cell, found, cut=cut)
    if field in _NAMES:
        try:
            return json.dumps(decode_names(cell, column), ensure_ascii=False)
        except Undecodable as error:
            if not cut:
                found.append((Kind.NAMES_UNREADABLE, column, _without(column, error)))
    return cell


def _text(
    field: str, column: str, cell: Any, found: list[tuple[Kind, str, str]], *, cut: bool
) -> str:
    if _ID.fullmatch(column):
        if isinstance(cell, str):
            cell = cell.strip()
        if column.endswith("fbid") and isinstance(cell, str) and _SCIENTIFIC.fullmatch(cell):
            number = Decimal(cell)
            cell = int(number) if number == int(number) else cell
        if isinstance(cell, int | float) and abs(cell) >= 10**_MOST_DIGITS:
            message = f"has more than the {_MOST_DIGITS} digits of a number that Excel keeps"
            found.append((Kind.DIGITS_LOST, column, message))
    try:
        text = decode_id(cell, column)
    except Undecodable as error:
        found.append((Kind.VALUE_UNREADABLE, column, _without(column, error)))
        return str(cell)
    if field in _PATCHES and not cut and (why := _patch_damage(field, text)):
        found.append((Kind.PATCH_UNREADABLE, column, why))
    if field == "repo" and (github := _GITHUB.fullmatch(text)):
        return github[1]
    return text


def _patch_damage(field: str, text: str) -> str:
    """Why a patch cannot be applied anywhere, or ""."""
    if field == "patch" and text.lstrip().startswith("["):
        return "is a list, where one unified diff is expected"
    try:
        patches = decode_patches(text, "it")
    except Undecodable as error:
        return _without("it", error)
    for number, patch in enumerate(patches, 1):
        which = f" (diff {number} of {len(patches)})" if len(patches) > 1 else ""
        try:
            if not PatchSet(patch):
                return f"is no unified diff{which}"
        except UnidiffParseError as error:
            return f"is a broken diff{which}: {error}"
    return ""


def _without(name: str, error: Undecodable) -> str:
    return str(error).removeprefix(name).lstrip(": ")


def _length(text: str) -> int:
    """The length as Excel counts it, in UTF-16 units."""
    if len(text) * 2 < EXCEL_LIMIT or text.isascii():
        return len(text)
    return len(text.encode("utf-16-le")) // 2
