"""Rows of a table → rows of a JSONL task file, and what was damaged on the way into the table.

A column that stands for one of the seed format's fields under another name is renamed, empty cells
are left out, numbers that are ids or texts become their digits, lists of test names become JSON
text; every other column keeps its name and its value. What can be repaired without a doubt is, and
is reported; what a spreadsheet has cut or rounded cannot be: it is kept and reported. Only a row
that no reader would take, one without an id or with the id of a row above, is left out.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from velora.config.names import safe_name
from velora.errors import UsageError, nearest
from velora.instances import families
from velora.instances.damage import Converted, Damage, Kind
from velora.instances.decode import (
    EXCEL_LIMIT,
    Undecodable,
    decode_id,
    decode_names,
    decode_patches,
    is_blank,
)
from velora.instances.fields import ALIASES
from velora.instances.repair import MOST_DIGITS, rounded, unescaped, whole_number, why_no_diff
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
_SURROGATE = re.compile("[\ud800-\udfff]")
_DATES = {"created_at", "creation_timestamp", "commit_timestamp", "ts", "ds"}

_ID = re.compile(r"(?:.*_)?(?:id|fbid)")
_GITHUB = re.compile(r"(?:https?://|ssh://git@|git@)github\.com[/:]([^/]+/[^/]+?)(?:\.git)?/?")

_DAY_ZERO = datetime.datetime(1899, 12, 30)
_SERIALS = (20_000, 80_000)  # the years 1954 to 2119; a Unix time is far above


def check_columns(columns: Collection[str], where: str) -> None:
    """Refuse a table that can hold no tasks.

    Raises:
        UsageError: no column stands for the id, or none for the problem statement.
    """
    dummy = dict.fromkeys(columns, "-")
    supplied = _supplied(dummy)
    for field in ("instance_id", "problem_statement"):
        if field not in supplied and not any(name in columns for name in _RENAMED[field]):
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
    found: list[tuple[Kind, str, str]] = [(Kind.ROW_UNEVEN, "", one) for one in row.found]
    cells = {name: _plain(name, cell, found) for name, cell in row.value.items()}
    cells = {name: cell for name, cell in cells.items() if not is_blank(cell)}
    if not cells:
        return Converted(None, ())
    if row.damaged:
        found.append((Kind.TEXT_UNREADABLE, "", "held half of a surrogate pair, now U+FFFD"))
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
    missing = {"instance_id", "problem_statement"} - fields.keys()
    if missing:
        fields |= {key: value for key, value in _supplied(fields).items() if key in missing}
    if not is_blank(fields.get("instance_id")):
        fields = {"instance_id": fields["instance_id"], **fields}
    return _finished(row.where, fields, found)


def _supplied(fields: dict[str, Any]) -> dict[str, Any]:
    """What the row's family makes of other fields: an id, a problem statement."""
    try:
        made = families.find(fields).adapt(fields)
    except Undecodable:
        return {}
    wanted = ("instance_id", "problem_statement")
    return {key: made[key] for key in wanted if not is_blank(made.get(key))}


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


def _plain(name: str, cell: Any, found: list[tuple[Kind, str, str]]) -> Any:
    """A cell as JSON has it; dates as ISO 8601."""
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "surrogateescape")
    if isinstance(cell, str):
        return _text_of(name, cell, found)
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return None
        if _ID.fullmatch(name):
            _check_digits(name, cell, found)
        if name in _DATES and _SERIALS[0] <= cell <= _SERIALS[1]:
            cell = _DAY_ZERO + datetime.timedelta(seconds=round(cell * 86_400))
        elif cell.is_integer() and abs(cell) < 2**53:
            return int(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat() if cell.time() != datetime.time() else cell.date().isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta | decimal.Decimal):
        return str(cell)
    if isinstance(cell, dict):
        return {str(key): _plain("", part, found) for key, part in cell.items()}
    if isinstance(cell, list | tuple):
        return [_plain("", part, found) for part in cell]
    return cell


def _text_of(name: str, text: str, found: list[tuple[Kind, str, str]]) -> str:
    """A text without what no text holds."""
    if "\0" in text:
        count = text.count("\0")
        found.append((Kind.CELL_NUL, name, f"held {count} NUL byte{'s' * (count > 1)}, left out"))
        text = text.replace("\0", "")
    if not text.isascii() and _SURROGATE.search(text):
        found.append((Kind.TEXT_UNREADABLE, name, "held bytes that are no UTF-8, now U+FFFD"))
        text = _SURROGATE.sub("\ufffd", text)
    return text


def _value(field: str, column: str, cell: Any, found: list[tuple[Kind, str, str]]) -> Any:
    """The field's value; what is wrong with it goes to `found`."""
    cut = isinstance(cell, str) and _length(cell) >= EXCEL_LIMIT
    if cut:
        message = (
            f"has {_length(cell):,} characters, and an Excel cell holds {EXCEL_LIMIT:,}: "
            "the rest is likely to be cut off"
        )
        found.append((Kind.CELL_CUT, column, message))
    if isinstance(cell, list) and field in ALIASES["test_patches"]:
        if why := _patch_damage(field, cell):
            found.append((Kind.PATCH_UNREADABLE, column, why))
        return cell
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
        cell = _id_cell(column, cell, found)
    try:
        text = decode_id(cell, column)
    except Undecodable as error:
        found.append((Kind.VALUE_UNREADABLE, column, _without(column, error)))
        return str(cell)
    if field in _PATCHES and not cut and (why := _patch_damage(field, text)):
        if repaired := unescaped(text):
            message = "had the characters \\n for its line breaks, which it has again"
            found.append((Kind.PATCH_REPAIRED, column, message))
            return repaired
        found.append((Kind.PATCH_UNREADABLE, column, why))
    if field == "repo" and (github := _GITHUB.fullmatch(text)):
        return github[1]
    return text


def _id_cell(column: str, cell: Any, found: list[tuple[Kind, str, str]]) -> Any:
    """An id as text or as the number that it is."""
    if isinstance(cell, str):
        cell = cell.strip()
        number = whole_number(cell) if column.endswith("fbid") or "." in cell else None
        if number is not None and rounded(cell):
            message = f"is a number that was rounded to '{cell}'; its digits are lost"
            found.append((Kind.DIGITS_LOST, column, message))
        elif number is not None:
            cell = number
            _check_digits(column, number, found)
    return cell


def _check_digits(column: str, number: float, found: list[tuple[Kind, str, str]]) -> None:
    """A number of a spreadsheet: of an integer column's every digit is there."""
    if abs(number) >= 10**MOST_DIGITS:
        message = f"has more than the {MOST_DIGITS} digits of a number that Excel keeps"
        found.append((Kind.DIGITS_LOST, column, message))


def _patch_damage(field: str, value: str | list[Any]) -> str:
    """Why a patch cannot be applied anywhere, or ""."""
    if field == "patch" and isinstance(value, str) and value.lstrip().startswith("["):
        return "is a list, where one unified diff is expected"
    try:
        patches = decode_patches(value, "it")
    except Undecodable as error:
        return _without("it", error)
    for number, patch in enumerate(patches, 1):
        which = f" (diff {number} of {len(patches)})" if len(patches) > 1 else ""
        if why := why_no_diff(patch):
            head, colon, tail = why.partition(":")
            return f"{head}{which}{colon}{tail}"
    return ""


def _without(name: str, error: Undecodable) -> str:
    return str(error).removeprefix(name).lstrip(": ")


def _length(text: str) -> int:
    """The length as Excel counts it, in UTF-16 units."""
    if len(text) * 2 < EXCEL_LIMIT or text.isascii():
        return len(text)
    return len(text.encode("utf-16-le")) // 2
