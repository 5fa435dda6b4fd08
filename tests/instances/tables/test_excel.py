import datetime
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.instances.workbook import write
from velora.errors import UsageError
from velora.instances.tables.excel import open_sheet


def test_rows_stand_under_the_header_and_know_their_row(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.xlsx",
        {
            "tasks": [
                [],
                [" id ", "n", "when", "flag", "text"],
                ["a", 3, datetime.date(2025, 10, 29), True, " x\r\ny\n"],
                [],
                ["b", 6.0591074528704e14, None, False, "é 𝄞 <&>"],
            ],
            "notes": [["see below"]],
        },
    )
    sheet = open_sheet(path)
    assert (sheet.name, sheet.where) == ("tasks", f"{path}: sheet 'tasks'")
    assert sheet.notices == ("only the sheet 'tasks' is read, not 'notes' (see --sheet)",)
    assert sheet.columns == ("id", "n", "when", "flag", "text")
    rows = list(sheet.rows)
    assert [row.where for row in rows] == [f"{path}: row {number}" for number in (3, 4, 5)]
    assert list(rows[0].value.values()) == [
        "a",
        3.0,
        datetime.date(2025, 10, 29),
        True,
        " x\r\ny\n",
    ]
    assert set(rows[1].value.values()) == {""}
    assert rows[2].value["n"] == 605910745287040.0
    assert rows[2].value["text"] == "é 𝄞 <&>"


def test_a_column_without_a_name_is_named_after_its_letters(tmp_path: Path) -> None:
    header = [None, "id", *(f"c{at}" for at in range(25)), None]
    path = write(tmp_path / "t.xlsx", {"s": [header, [0, "a", *[None] * 25, "z"]]})
    (row,) = open_sheet(path).rows
    assert row.value["column A"] == 0
    assert row.value["column AB"] == "z"


def test_letters_count_from_column_a_where_the_first_columns_are_empty(tmp_path: Path) -> None:
    path = write(tmp_path / "t.xlsx", {"s": [[None, None, "id", None], [None, None, "a", 1]]})
    assert open_sheet(path).columns == ("id", "column D")


def test_another_sheet_can_be_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "t.xlsx", {"one": [["a"]], "two": [["b"], [1]]})
    sheet = open_sheet(path, "two")
    assert (sheet.columns, sheet.notices) == (("b",), ())
    with pytest.raises(UsageError, match=r"has no sheet 'tow'\n  did you mean 'two'"):
        open_sheet(path, "tow")


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.xlsx", {"one": [], "two": [["id", "x", "id"]]})
    with pytest.raises(UsageError, match=r"'one' is empty\n  --sheet chooses another: one, two"):
        open_sheet(path)
    with pytest.raises(UsageError, match=r"row 1: the columns A and C are both named 'id'"):
        open_sheet(path, "two")


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    with pytest.raises(UsageError, match=r"t\.xlsx: there is no such file"):
        open_sheet(path)
    path.write_text("instance_id,repo\n")
    with pytest.raises(UsageError, match=r"t\.xlsx: is no readable Excel workbook: "):
        open_sheet(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello", "")
    with pytest.raises(UsageError, match=r"t\.xlsx: is no readable Excel workbook: "):
        open_sheet(path)
    path.rename(tmp_path / "t.csv")
    with pytest.raises(UsageError, match=r"t\.csv: is no Excel workbook by its name"):
        open_sheet(tmp_path / "t.csv")
    with pytest.raises(UsageError, match="is a directory"):
        open_sheet(tmp_path)


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    path = write(tmp_path / "t.xlsx", {"s": [["instance_id"], ["a"]]})
    without = "import sys; sys.modules['python_calamine'] = None; from velora.cli.main import main;"
    arguments = ["convert", str(path), str(tmp_path / "o.jsonl")]
    ended = subprocess.run(
        [sys.executable, "-c", f"{without} main({arguments!r})"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        f"velora: {path}: reading an Excel workbook needs python-calamine, which is not installed\n"
        "  pip install 'velora[excel]'\n"
    )
    assert list(tmp_path.iterdir()) == [path]
