"""Writes small .xlsx files, cell by cell, as a spreadsheet program would."""

import datetime
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

Cell = str | float | bool | datetime.date | None

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DATE_STYLE = 1  # the second of the cell formats; number format 14 is a date


def write(path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> Path:
    """A workbook with these sheets, each a list of rows from row 1 and column A on."""
    numbered = list(enumerate(sheets, 1))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": _relations({1: ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(
            f'<sheet name={quoteattr(name)} sheetId="{at}" r:id="rId{at}"/>'
            for at, name in numbered
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(
            {at: ("worksheet", f"worksheets/sheet{at}.xml") for at, _ in numbered}
            | {len(sheets) + 1: ("styles", "styles.xml")}
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="2">'
        '<xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    for at, name in numbered:
        rows = "".join(_row(number, cells) for number, cells in enumerate(sheets[name], 1))
        parts[f"xl/worksheets/sheet{at}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)
    return path


def table(*rows: Mapping[str, Cell] | None) -> list[list[Cell]]:
    """Rows by column name under a header of all names; None is a blank row."""
    columns = list(dict.fromkeys(name for row in rows for name in row or {}))
    return [list(columns), *([(row or {}).get(name) for name in columns] for row in rows)]


def _relations(targets: dict[int, tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="rId{at}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'


def _row(number: int, cells: Sequence[Cell]) -> str:
    written = "".join(_cell(f"{_letter(at)}{number}", cell) for at, cell in enumerate(cells))
    return f'<row r="{number}">{written}</row>'


def _cell(name: str, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return f'<c r="{name}" t="b"><v>{int(cell)}</v></c>'
        case int() | float():
            return f'<c r="{name}"><v>{cell!r}</v></c>'
        case datetime.date():
            days = (cell - datetime.date(1899, 12, 30)).days
            return f'<c r="{name}" s="{_DATE_STYLE}"><v>{days}</v></c>'
    text = escape(cell).replace("\r", "_x000D_")
    return f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _letter(at: int) -> str:
    assert at < 26 * 27
    return (chr(64 + at // 26) if at >= 26 else "") + chr(65 + at % 26)
