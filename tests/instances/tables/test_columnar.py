"""Parquet and `datasets`; each test needs its extra, and is skipped with a reason without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from velora.errors import UsageError
from velora.instances.convert import convert
from velora.instances.read import read
from velora.instances.tables import Options, open_table

ROWS: list[dict[str, Any]] = [
    {
        "instance_id": f"a__b-{n}",
        "problem_statement": "é",
        "FAIL_TO_PASS": ["t, one", "t two"],
        "meta": {"n": n, "deep": [{"x": None}]},
        "number": None if n else 7,
    }
    for n in range(150)
]


def parquet(path: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(pyarrow.Table.from_pylist(ROWS), path, row_group_size=40)
    return path


def test_a_parquet_file(tmp_path: Path) -> None:
    table = open_table(parquet(tmp_path / "t.parquet"))
    assert table.columns == tuple(ROWS[0])
    found = list(table.rows)
    assert [row.value for row in found] == ROWS
    assert found[99].where == f"{tmp_path / 't.parquet'}: row 100"
    rows = [one.row for one in convert(open_table(tmp_path / "t.parquet").rows)]
    assert rows[1] is not None
    assert rows[1]["FAIL_TO_PASS"] == '["t, one", "t two"]'
    assert rows[1]["meta"] == {"n": 1, "deep": [{"x": None}]}


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "t.parquet")
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    with pytest.raises(UsageError, match=r"t\.parquet: is no readable Parquet file"):
        open_table(path)


def test_a_directory_with_data_files_and_one_that_datasets_saved(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    parquet_dir = tmp_path / "files"
    parquet_dir.mkdir()
    parquet(parquet_dir / "test-00000.parquet")
    saved = tmp_path / "saved"
    datasets.Dataset.from_list(ROWS).save_to_disk(str(saved))
    both = tmp_path / "both"
    rows = datasets.Dataset.from_list(ROWS[:3])
    datasets.DatasetDict({"dev": rows, "test": rows}).save_to_disk(str(both))
    for directory in (parquet_dir, saved):
        table = open_table(directory)
        assert [row.value for row in table.rows] == ROWS
        assert table.columns == tuple(ROWS[0])
    with pytest.raises(UsageError, match=r"has 2 splits\n  --split: known: dev, test"):
        open_table(both)
    table = open_table(both, Options(split="dev"))
    assert (table.name, len(list(table.rows))) == ("dev", 3)
    with pytest.raises(UsageError, match=r"has no split 'tset'\n  --split: did you mean 'test'"):
        open_table(both, Options(split="tset"))


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [("pyarrow", "t.parquet", "velora[parquet]"), ("datasets", "owner/name", "velora[hub]")],
)
def test_without_the_extra_it_says_how_to_get_it(
    tmp_path: Path, module: str, name: str, words: str
) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    source = f"import sys; sys.modules[{module!r}] = None; from velora.cli.main import main; "
    ended = subprocess.run(
        [sys.executable, "-c", f"{source}main(['convert', {name!r}, 'o.jsonl'])"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 2
    assert f"pip install '{words}'" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_a_run_names_the_command_that_makes_a_task_file(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    (tmp_path / "t.csv").write_text("instance_id\n")
    for name in ("t.parquet", "t.csv"):
        with pytest.raises(UsageError, match="velora convert"):
            read(tmp_path / name)
