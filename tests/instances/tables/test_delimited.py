from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from velora.errors import UsageError
from velora.instances.tables import Options, Table, open_table


def opened(tmp_path: Path, data: bytes | str, name: str = "t.csv", delimiter: str = "") -> Table:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return open_table(path, Options(delimiter=delimiter))


CELL = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.lists(CELL, min_size=3, max_size=3)), st.sampled_from(["excel", "excel-tab"]))
def test_what_pythons_writer_wrote_comes_back(
    tmp_path: Path, rows: list[list[str]], dialect: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, dialect)
    writer.writerows([["id", "b c", "a,b\tc;"], *rows])
    found = list(opened(tmp_path, text.getvalue(), delimiter="tab" * (dialect != "excel")).rows)
    assert [list(row.value.values()) for row in found if row.value] == [r for r in rows if r]
    assert all(list(row.value) == ["id", "b c", "a,b\tc;"] for row in found if row.value)


def test_sixty_columns_a_mark_line_breaks_in_quotes_and_huge_fields(tmp_path: Path) -> None:
    names = ["id", *(f"column_{n}" for n in range(70))]
    huge = "x" * 300_000 + "\r\n" + '"q"'
    text = io.StringIO(newline="")
    csv.writer(text).writerows([names, ["a", huge, *[""] * 69], ["b", *["1"] * 70]])
    table = opened(tmp_path, b"\xef\xbb\xbf\r\n" + text.getvalue().encode())
    first, second = table.rows
    assert table.columns == tuple(names)
    assert first.value["column_0"] == huge
    assert first.where == f"{tmp_path / 't.csv'}:3"
    assert second.where == f"{tmp_path / 't.csv'}:5"


def test_damage_comes_through_for_the_report(tmp_path: Path) -> None:
    table = opened(tmp_path, b"id,text\na,x\0y\nb,\xff\nc\nd,1,2\n\n,,\n")
    assert [row.value for row in table.rows] == [
        {"id": "a", "text": "x\0y"},
        {"id": "b", "text": "\udcff"},
        {"id": "c"},
        {"id": "d", "text": "1"},
        {},
        {"id": "", "text": ""},
    ]
    found = [row.found for row in opened(tmp_path, b"id,text\nc\nd,1,2\n\n,,\n").rows]
    assert found == [
        ("has 1 cells where the header has 2",),
        ("has 3 cells where the header has 2",),
        (),
        (),
    ]


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [("id,a;b", ","), ("id;a;b,c", ";"), ("id\ta", "\t"), ("id|a", "|"), ('"a,b,c";d', ";")],
)
def test_the_header_alone_tells_the_delimiter(tmp_path: Path, header: str, delimiter: str) -> None:
    table = opened(tmp_path, f"{header}\n1,2,3,4;5;6;7\n")
    assert table.columns == tuple(next(csv.reader([header], delimiter=delimiter)))


def test_gzip_and_utf_16(tmp_path: Path) -> None:
    text = "id,text\na,é\n"
    for name, data in (
        ("t.csv.gz", gzip.compress(text.encode())),
        ("t.csv", text.encode("utf-16")),
    ):
        assert [row.value for row in opened(tmp_path, data, name).rows] == [
            {"id": "a", "text": "é"}
        ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "t.csv: is empty"),
        ("\n \n", "t.csv: is empty"),
        ("a,b,a\n", "t.csv:1: the columns 1 and 3 are both named 'a'"),
        ('a,b\n1,"2\n3,4\n', "t.csv:2: is no readable CSV: unexpected end of data"),
        ("a,b\n".encode("utf-16-le"), "looks like UTF-16 without its mark"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes | str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        list(opened(tmp_path, data).rows)
    assert message in str(caught.value)


def test_options_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id\n")
    for options, message in (
        (Options(sheet="x"), "--sheet means nothing for"),
        (Options(split="x"), "--split means nothing for"),
        (Options(delimiter="ab"), "a delimiter is one character"),
    ):
        with pytest.raises(UsageError, match=message):
            open_table(path, options)
    with pytest.raises(UsageError, match="its name does not tell its format"):
        open_table(path.rename(tmp_path / "t.txt"))
    with pytest.raises(UsageError, match="there is no such file"):
        open_table(tmp_path / "none.csv")
