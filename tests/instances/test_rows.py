import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from velora.errors import UsageError
from velora.instances.rows import iter_rows

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), min_size=1, max_size=5)


def lines(rows: list[Any], **options: Any) -> str:
    return "".join(json.dumps(row, **options) + "\n" for row in rows)


WAYS: dict[str, Callable[[list[Any]], bytes]] = {
    "jsonl": lambda rows: lines(rows).encode(),
    "jsonl, no last line end": lambda rows: lines(rows).rstrip("\n").encode(),
    "jsonl, UTF-8": lambda rows: lines(rows, ensure_ascii=False).encode(),
    "jsonl, CRLF": lambda rows: lines(rows).replace("\n", "\r\n").encode(),
    "jsonl, blank lines": lambda rows: ("\n \n" + lines(rows).replace("\n", "\n\n")).encode(),
    "jsonl, BOM": lambda rows: b"\xef\xbb\xbf" + lines(rows).encode(),
    "jsonl, gzip": lambda rows: gzip.compress(lines(rows).encode()),
    "jsonl, BOM, gzip": lambda rows: gzip.compress(b"\xef\xbb\xbf" + lines(rows).encode()),
    "array": lambda rows: json.dumps(rows).encode(),
    "pretty array": lambda rows: b"\xef\xbb\xbf\n" + json.dumps(rows, indent=2).encode() + b"\n",
    "pretty array, gzip": lambda rows: gzip.compress(json.dumps(rows, indent="\t").encode()),
    "pretty objects": lambda rows: lines(rows, indent=2).encode(),
    "pretty objects, CRLF": lambda rows: lines(rows, indent=1).replace("\n", "\r\n").encode(),
    "concatenated": lambda rows: "".join(json.dumps(row) for row in rows).encode(),
    "concatenated, pretty": lambda rows: " ".join(json.dumps(r, indent=1) for r in rows).encode(),
}


@pytest.mark.parametrize("way", WAYS)
@given(rows=ROWS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_every_way_to_write_rows_reads_the_same(tmp_path: Path, way: str, rows: list[Any]) -> None:
    path = tmp_path / "tasks"
    path.write_bytes(WAYS[way](rows))
    assert [row.value for row in iter_rows(path)] == rows


def places(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "tasks.jsonl"
    path.write_text(text)
    return [row.where.removeprefix(f"{tmp_path}/") for row in iter_rows(path)]


def test_a_row_knows_its_line(tmp_path: Path) -> None:
    assert places(tmp_path, '\n{"a": 1}\n\n{"a": 2}\n') == ["tasks.jsonl:2", "tasks.jsonl:4"]
    assert places(tmp_path, '{"a": 1} {\n"a": 2}{}') == [
        "tasks.jsonl:1",
        "tasks.jsonl:1 (row 2)",
        "tasks.jsonl:2",
    ]
    assert places(tmp_path, '\n[\n{"a": 1},\n{\n"a": 2}\n,{}]') == [
        "tasks.jsonl:3",
        "tasks.jsonl:4",
        "tasks.jsonl:6",
    ]
    assert places(tmp_path, "[{}, {}]") == ["tasks.jsonl:1", "tasks.jsonl:1 (row 2)"]
    assert places(tmp_path, "") == places(tmp_path, "[]") == []


def refused(tmp_path: Path, data: bytes, name: str = "tasks.jsonl") -> str:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        list(iter_rows(path))
    return str(caught.value).replace(f"{tmp_path}/", "")


GOOD = b'{"instance_id": "a", "problem_statement": "b"}\n'


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (GOOD + b'{"a": "b\n' + GOOD, "tasks.jsonl:2: not valid JSON: Invalid control character"),
        (GOOD + b'{"a": 1,\n' + GOOD, "tasks.jsonl:3: not valid JSON: Expecting"),
        (GOOD + b'{"a": 1\n' + GOOD, "tasks.jsonl:3: not valid JSON: Expecting ',' delimiter"),
        (GOOD + b'{"a": [1}\n' + GOOD, "tasks.jsonl:2: not valid JSON: Expecting ',' delimiter"),
        (GOOD + b'{"a": tru}\n' + GOOD, "tasks.jsonl:2: not valid JSON: Expecting value"),
        (GOOD + b"{'a': 1}\n", "looks like Python's notation"),
        (GOOD + b"nonsense\n", "tasks.jsonl:2: not valid JSON: Expecting value (column 1)"),
        (GOOD + b'{"a": {"b": 1}', "tasks.jsonl:2: not valid JSON: the text ends too soon"),
        (GOOD + b'{"a":\n1,\n"b"', "(column 4, in the value that begins on line 2)"),
        (
            GOOD.strip() + b",\n" + GOOD,
            "tasks.jsonl:1: not valid JSON: Expecting value (column 47)",
        ),
        (GOOD + b"[1]\n", "tasks.jsonl:2: a row must be a JSON object, not a list"),
        (GOOD + b"42\n", "tasks.jsonl:2: a row must be a JSON object, not a number"),
        (b'[{},\n"x"]', "tasks.jsonl:2: a row must be a JSON object, not text"),
        (b"[{}\n{}]", "tasks.jsonl:2: not valid JSON: Expecting ',' or ']' (column 1"),
        (b"[{},\n]", "tasks.jsonl:2: not valid JSON"),
        (b"[{},\n", "not valid JSON: the text ends too soon"),
        (b"[{}]\n[{}]", "tasks.jsonl:2: not valid JSON: something follows the array"),
        (GOOD + b'{"a": "\0"}\n', "tasks.jsonl:2: holds a NUL byte (column 8)"),
        (GOOD + b'{"a": "\xff"}\n', "tasks.jsonl:2: is not UTF-8 (byte 8 of the line is 0xff)"),
        (b'{"a": ' + b"[" * 200_000, "brackets are nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON: Exceeds the limit"),
        (gzip.compress(GOOD * 1000)[:-20], "tasks.jsonl: the gzip archive is damaged"),
        ('{"a": 1}'.encode("utf-16"), "tasks.jsonl: this is UTF-16 text"),
        (b"PK\x03\x04...", "tasks.jsonl: this is an Excel or zip file\n  JSON and JSONL are read"),
        (b"PAR1....", "tasks.jsonl: this is a Parquet file"),
    ],
)
def test_what_is_broken_is_named_with_its_line(tmp_path: Path, data: bytes, says: str) -> None:
    assert says in refused(tmp_path, data)


def test_other_formats(tmp_path: Path) -> None:
    assert refused(tmp_path, b"a,b\n", "tasks.csv") == (
        "tasks.csv: this is a .csv file\n"
        "  JSON and JSONL are read, also with gzip; `velora convert` makes JSONL of other tables"
    )


def test_a_cut_line_is_found_before_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(GOOD * 10 + b'{"a": 1,\n' + GOOD * 10 + b"\xff not even text\n")
    with pytest.raises(UsageError, match=r"tasks\.jsonl:12: not valid JSON"):
        list(iter_rows(path))


def test_rows_come_before_a_later_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(GOOD + b"nonsense\n")
    rows = iter_rows(path)
    assert next(rows).value["instance_id"] == "a"


def test_half_a_surrogate_pair_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(b'{"a": "x\\ud800y", "b": "\\ud83d\\ude00"}\n{"a": "\xc3\xa9"}\n')
    first, second = iter_rows(path)
    assert first.damaged
    assert first.value == {"a": "x\ufffdy", "b": "\U0001f600"}
    assert not second.damaged


@pytest.mark.parametrize("indent", [None, 1])
def test_a_long_array_is_read_as_it_comes(tmp_path: Path, indent: int | None) -> None:
    rows = [{"n": n, "text": "é" * (n % 7 * 40_000), "deep": [[{}], "]"]} for n in range(40)]
    path = tmp_path / "t.json"
    path.write_text(json.dumps(rows, indent=indent, ensure_ascii=False), "utf-8")
    read = list(iter_rows(path))
    assert [row.value for row in read] == rows
    lines = path.read_text("utf-8").split("\n")
    for row in read:
        number = int(row.where.split(" (")[0].rpartition(":")[2])
        assert "{" in lines[number - 1]
    assert len({row.where for row in read}) == len(rows)


def test_what_is_broken_far_into_an_array_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    rows = [{"text": "x" * 100_000} for _ in range(40)]
    text = json.dumps(rows, indent=1)
    path.write_text(text[:-100_000])
    with pytest.raises(UsageError, match=r"t\.json:120: .*Unterminated.* on line 119"):
        list(iter_rows(path))
    path.write_text(text[:-1] + "nonsense]")
    with pytest.raises(UsageError, match=r"t\.json:122: not valid JSON: Expecting ',' or '\]'"):
        list(iter_rows(path))
    path.write_bytes(text.encode()[:-30] + b"\xc3")
    with pytest.raises(UsageError, match=r"t\.json:\d+: is not UTF-8"):
        list(iter_rows(path))
