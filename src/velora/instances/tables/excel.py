"""Rows out of an Excel workbook (.xlsx, .xlsm): each a `Row` under the names of the header row.

python-calamine (extra `excel`) reads the cells. It holds the whole sheet, compactly, since that is
how it loads one; the rows are turned into Python values one at a time. Numbers come as floats,
cells that are formatted as dates as dates, and a formula as the value that was saved with it. A
cell that shows an error such as #N/A comes as an empty one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from velora.errors import UsageError, nearest
from velora.instances.rows import Row
from velora.instances.tables.table import Table

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

SUFFIXES = (".xlsx", ".xlsm")


def open_sheet(path: Path | str, sheet: str = "") -> Table:
    """Read a sheet of a workbook; its first row that is not blank is the header.

    Its columns are named by the header, and `column C` where it says nothing; a row is placed as
    `tasks.xlsx: row 17`, with the number that Excel shows.

    Args:
        path: the workbook.
        sheet: the sheet's name; the first one if left out.

    Raises:
        UsageError: the extra is not installed; there is no such file or sheet, the file is no
            workbook or is encrypted; the sheet is empty, or two of its columns have one name.
    """
    source = str(path)
    book = _workbook(Path(path), source)
    names = book.sheet_names
    if sheet and sheet not in names:
        raise UsageError(f"has no sheet '{sheet}'", where=source, hint=nearest(sheet, names))
    if not names:
        raise UsageError("the workbook has no sheet", where=source)
    chosen = sheet or names[0]
    table = _sheet(book, chosen, source)
    rows = enumerate(table.iter_rows(), 1)
    number, header = next(
        ((at, cells) for at, cells in rows if any(str(cell).strip() for cell in cells)), (0, [])
    )
    if not number:
        hint = f"--sheet chooses another: {', '.join(names)}" if len(names) > 1 else ""
        raise UsageError(f"the sheet '{chosen}' is empty", where=source, hint=hint)
    first = table.start[1] if table.start else 0
    columns = _columns(header, first, f"{source}: row {number}")
    others = ", ".join(f"'{name}'" for name in names if name != chosen)
    notice = f"only the sheet '{chosen}' is read, not {others} (see --sheet)"
    return Table(
        where=f"{source}: sheet '{chosen}'",
        rows=(
            Row(f"{source}: row {at}", dict(zip(columns, cells, strict=True))) for at, cells in rows
        ),
        columns=columns,
        name=chosen,
        notices=(notice,) if others and not sheet else (),
    )


def _workbook(path: Path, source: str) -> CalamineWorkbook:
    try:
        import python_calamine as calamine
    except ModuleNotFoundError:
        raise UsageError(
            "reading an Excel workbook needs python-calamine, which is not installed",
            where=source,
            hint="pip install 'velora[excel]'",
        ) from None
    if not path.exists():
        raise UsageError("there is no such file", where=source)
    if path.is_dir():
        raise UsageError("is a directory, not a workbook", where=source)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"is no Excel workbook by its name; {' and '.join(SUFFIXES)} are read", where=source
        )
    try:
        return calamine.CalamineWorkbook.from_path(path)
    except OSError as error:
        raise UsageError(f"cannot be read: {error}", where=source) from None
    except calamine.PasswordError:
        raise UsageError(
            "the workbook is encrypted", where=source, hint="save it without a password"
        ) from None
    except calamine.CalamineError as error:
        raise UsageError(f"is no readable Excel workbook: {error}", where=source) from None


def _sheet(book: CalamineWorkbook, name: str, source: str) -> CalamineSheet:
    import python_calamine as calamine

    try:
        return book.get_sheet_by_name(name)
    except calamine.CalamineError as error:
        raise UsageError(f"the sheet '{name}' cannot be read: {error}", where=source) from None


def _columns(header: list[Any], first: int, where: str) -> tuple[str, ...]:
    names: dict[str, str] = {}
    for at, cell in enumerate(header, first):
        letters = _letters(at)
        name = str(cell).strip() or f"column {letters}"
        if name in names:
            raise UsageError(
                f"the columns {names[name]} and {letters} are both named '{name}'",
                where=where,
                hint="rename or delete one of them",
            )
        names[name] = letters
    return tuple(names)


def _letters(index: int) -> str:
    """A column's letters, as Excel shows them: A for 0, AA for 26."""
    letters = ""
    while index >= 0:
        letters = chr(ord("A") + index % 26) + letters
        index = index // 26 - 1
    return letters
