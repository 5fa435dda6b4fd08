"""`velora convert` and the seed's `excel_to_jsonl.py`, as a user types them."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.instances.workbook import Cell, table, write
from velora.instances import read

ROOT = Path(__file__).parents[2]
VELORA = (sys.executable, "-m", "velora")
SCRIPT = ROOT / "harness" / "excel_to_jsonl.py"

DIFF = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n a = 1\n-b = 1\n+b = 2\n"
SOUND: dict[str, Cell] = {
    "instance_id": "tobymao__sqlglot-e604fe6d8258",
    "repo_source_uri": "https://github.com/tobymao/sqlglot",
    "commit_hash": "e604fe6d8258c73b511159a953bb130c65b608cc",
    "issue_statement": "BigQuery: a dialect bug — é",
    "functional_patch": DIFF,
    "test_patch": json.dumps([DIFF]),
    "fail_to_pass_tests": json.dumps(["test_dialects.TestDialects.test_bigquery"]),
    "pass_to_pass_tests": "[]",
    "repo_language": "python",
    "image_fbid": 6.0591074528704e14,
    "ds": 45959,
    "hints_text": "NaN",
}
CUT = SOUND | {"instance_id": "owner__repo/2", "test_patch": (DIFF * 1000)[:32_767]}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd
    )


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A sound row, two blank ones, one with a cut cell, one without an id and a second copy."""
    without_id = SOUND | {"instance_id": None}
    rows = table(SOUND, None, CUT, None, without_id, SOUND)
    return write(tmp_path / "tasks.xlsx", {"tasks": rows, "notes": [["x"]]})


def test_the_task_file_is_read_and_the_damage_is_told_row_by_row(damaged: Path) -> None:
    ended = run(*VELORA, "convert", damaged.name, "out/tasks.jsonl", cwd=damaged.parent)
    assert ended.returncode == 0
    assert ended.stderr == "velora: only the sheet 'tasks' is read, not 'notes' (see --sheet)\n"
    assert ended.stdout.splitlines() == [
        "tasks.xlsx: row 4 (owner__repo/2): test_patch has 32,767 characters, and an Excel cell "
        "holds 32,767: the rest is likely to be cut off",
        "tasks.xlsx: row 6: instance_id is empty; this row is left out",
        "tasks.xlsx: row 7 (tobymao__sqlglot-e604fe6d8258): instance_id is also that of "
        "tasks.xlsx: row 2; this row is left out",
        "2 rows blank, 2 rows left out",
        "3 rows damaged: 1 cell cut, 1 id empty, 1 id duplicate",
        "2 rows written to out/tasks.jsonl",
    ]
    assert [path.name for path in (damaged.parent / "out").iterdir()] == ["tasks.jsonl"]
    sound, cut = read(damaged.parent / "out" / "tasks.jsonl")
    assert sound.problems == ()
    assert sound.instance_id == "tobymao__sqlglot-e604fe6d8258"
    assert sound.repo == "tobymao/sqlglot"
    assert sound.base_commit == SOUND["commit_hash"]
    assert sound.problem_statement == SOUND["issue_statement"]
    assert sound.patch == DIFF
    assert sound.test_patches == (DIFF,)
    assert sound.fail_to_pass == ("test_dialects.TestDialects.test_bigquery",)
    assert sound.language == "python"
    assert sound.row["FAIL_TO_PASS"] == SOUND["fail_to_pass_tests"]
    assert sound.row["image_fbid"] == "605910745287040"
    assert sound.row["ds"] == "2025-10-29"
    assert "hints_text" not in sound.row
    assert [problem.split(" was ")[0] for problem in cut.problems] == ["test_patch"]


def test_json_for_machines(damaged: Path) -> None:
    flags = ("--json", "--per-task", "each", "--sheet", "tasks")
    ended = run(*VELORA, "convert", *flags, damaged.name, "all.jsonl", cwd=damaged.parent)
    assert (ended.returncode, ended.stderr) == (0, "")
    report = json.loads(ended.stdout)
    damage = report.pop("damage")
    assert report == {
        "sheet": "tasks",
        "written": 2,
        "blank": 2,
        "left_out": 2,
        "output": "all.jsonl",
        "per_task": "each",
    }
    assert [one["kind"] for one in damage] == ["cell_cut", "id_empty", "id_duplicate"]
    assert damage[0]["where"] == "tasks.xlsx: row 4"
    assert damage[0]["instance_id"] == "owner__repo/2"
    assert damage[0]["column"] == "test_patch"
    singles = sorted((damaged.parent / "each").iterdir())
    assert [path.name.split("--")[0] for path in singles] == [
        "owner__repo_2",
        "tobymao__sqlglot-e604fe6d8258.jsonl",
    ]
    together = (damaged.parent / "all.jsonl").read_bytes()
    assert b"".join(path.read_bytes() for path in reversed(singles)) == together


def test_strict_writes_nothing_where_anything_is_damaged(damaged: Path) -> None:
    old = damaged.parent / "old.jsonl"
    old.write_text("as before")
    flags = ("--strict", "--per-task", ".")
    ended = run(*VELORA, "convert", *flags, damaged.name, old.name, cwd=damaged.parent)
    assert ended.returncode == 2
    assert "3 rows damaged: 1 cell cut" in ended.stdout
    assert ended.stderr.endswith(
        "velora: tasks.xlsx: 3 rows damaged, so nothing was written\n"
        "  repair the table, or convert it without --strict\n"
    )
    assert sorted(damaged.parent.iterdir()) == [old, damaged]
    assert old.read_text() == "as before"
    write(damaged, {"tasks": table(SOUND)})
    ended = run(*VELORA, "convert", *flags, damaged.name, old.name, cwd=damaged.parent)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [one.instance_id for one in read(old)] == [SOUND["instance_id"]]


def test_wrong_use_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path / "tasks.xlsx", {"s": table(SOUND | {"instance_id": "all"})})
    write(tmp_path / "header.xlsx", {"s": table(SOUND)[:1]})
    write(tmp_path / "other.xlsx", {"s": [["repo"], ["a/b"]]})
    before = sorted(tmp_path.iterdir())
    for arguments, message in {
        ("none.xlsx", "o.jsonl"): "none.xlsx: there is no such file",
        ("tasks.xlsx", "tasks.xlsx"): "the output is JSONL, so its name must end in .jsonl",
        ("header.xlsx", "o.jsonl"): "header.xlsx: sheet 's': holds no task",
        ("other.xlsx", "o.jsonl"): "sheet 's': no column is named instance_id",
        ("tasks.xlsx", "tasks.xlsx/o.jsonl"): "cannot be written: ",
        ("tasks.xlsx", "all.jsonl", "--per-task", "."): "two of the files to write have this name",
        ("tasks.xlsx", "o.jsonl", "--stricked"): "No such option: --stricked",
    }.items():
        ended = run(*VELORA, "convert", *arguments, cwd=tmp_path)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert message in ended.stderr
        assert "Traceback" not in ended.stderr
        assert sorted(tmp_path.iterdir()) == before


def test_the_seeds_command_without_an_activated_environment(damaged: Path) -> None:
    python = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
    ended = run(python, SCRIPT, damaged.name, cwd=damaged.parent)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-2:] == [
        "2 rows written to data/tasks.jsonl",
        "2 files with one task each in data",
    ]
    data = damaged.parent / "data"
    assert len(list(data.iterdir())) == 3
    (single,) = read(data / "tobymao__sqlglot-e604fe6d8258.jsonl")
    assert single.row == read(data / "tasks.jsonl")[0].row


def test_the_seeds_command_with_flags(damaged: Path) -> None:
    where = {"cwd": damaged.parent}
    flags = ("--output-dir", "elsewhere", "-o", "python_tasks.jsonl", "--json")
    ended = run(sys.executable, SCRIPT, damaged, *flags, **where)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["output"] == "python_tasks.jsonl"
    assert len(read(damaged.parent / "python_tasks.jsonl")) == 2
    assert len(list((damaged.parent / "elsewhere").iterdir())) == 2
    assert run(sys.executable, SCRIPT, damaged, "--strict", **where).returncode == 2
    assert run(sys.executable, SCRIPT, damaged, "--out", "x", **where).returncode == 2
    assert run(sys.executable, SCRIPT, **where).returncode == 2


def test_the_converted_file_is_what_a_run_takes(damaged: Path) -> None:
    assert run(sys.executable, SCRIPT, damaged.name, cwd=damaged.parent).returncode == 0
    config = damaged.parent / "config.toml"
    config.write_text('[llm.gpt]\nmodel = "gpt-4o"\napi_key = "x"\n')
    task = "data/tobymao__sqlglot-e604fe6d8258.jsonl"
    flags = ("--llm-config", "llm.gpt", "--split", "train", "--dry-run")
    ended = run(*VELORA, "run", "--dataset", task, *flags, cwd=damaged.parent)
    assert ended.returncode == 0, ended.stderr + os.linesep + ended.stdout


def test_a_csv_export_with_all_its_faults(tmp_path: Path) -> None:
    escaped = DIFF.replace("\n", "\\n")
    cut = (DIFF * 1000)[:32_767]
    names = ["instance_id", "problem_statement", "test_patch", "image_fbid", *map(str, range(60))]
    filler = ["x"] * 60
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(
        [
            names,
            ["a__b-1", "sound\nand long", DIFF, "605910745287040", *filler],
            ["a__b-2", "nul\0", escaped, "6.0591074528704E14", *filler],
            [],
            ["a__b-3", "short", cut, "6.05911E+14"],
            ["", "no id", DIFF, "1", *filler],
            ["a__b-1", "again", DIFF, "1", *filler],
        ]
    )
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + lines.getvalue().encode())
    ended = run(*VELORA, "convert", "t.csv", "o.jsonl", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    below = 12 + cut.count("\n") + 1
    assert ended.stdout.splitlines() == [
        "t.csv:10 (a__b-2): problem_statement held 1 NUL byte, left out",
        "t.csv:10 (a__b-2): test_patch had the characters \\n for its line breaks, which it has "
        "again",
        "t.csv:12 (a__b-3): has 4 cells where the header has 64",
        "t.csv:12 (a__b-3): test_patch has 32,767 characters, and an Excel cell holds 32,767: the "
        "rest is likely to be cut off",
        "t.csv:12 (a__b-3): image_fbid is a number that was rounded to '6.05911E+14'; its digits "
        "are lost",
        f"t.csv:{below}: instance_id is empty; this row is left out",
        f"t.csv:{below + 7} (a__b-1): instance_id is also that of t.csv:2; this row is left out",
        "1 row blank, 2 rows left out",
        "4 rows damaged: 1 cell nul, 1 patch repaired, 1 row uneven, 1 cell cut, 1 digits lost, "
        "1 id empty, 1 id duplicate",
        "3 rows written to o.jsonl",
    ]
    first, second, third = read(tmp_path / "o.jsonl")
    assert first.row["image_fbid"] == second.row["image_fbid"] == "605910745287040"
    assert first.test_patches == second.test_patches == (DIFF,)
    assert third.problems
    strict = run(*VELORA, "convert", "--strict", "--json", "t.csv", "p.jsonl", cwd=tmp_path)
    assert strict.returncode == 2
    assert len(json.loads(strict.stdout)["damage"]) == 7
    assert not (tmp_path / "p.jsonl").exists()


def test_json_of_other_families_is_converted_too(tmp_path: Path) -> None:
    row = {"org": "o", "repo": "r", "number": 7, "fix_patch": DIFF, "title": "t", "body": "b"}
    (tmp_path / "t.json").write_text(json.dumps([row, row | {"number": 8}]))
    ended = run(*VELORA, "convert", "t.json", "o.jsonl", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert [one.instance_id for one in read(tmp_path / "o.jsonl")] == ["o__r-7", "o__r-8"]
    assert {one.family for one in read(tmp_path / "o.jsonl")} == {"multi_swe_bench"}


PEAK = """
import resource, sys
from velora.cli.main import status
assert status(["convert", *sys.argv[1:]]) == 0
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.json"])
def test_memory_does_not_grow_with_the_table(tmp_path: Path, name: str) -> None:
    def peak(count: int) -> int:
        cells = {"problem_statement": "x" * 20_000, "patch": DIFF}
        rows: list[dict[str, str]] = [{"instance_id": f"a-{n}"} | cells for n in range(count)]
        with (tmp_path / name).open("w", newline="") as file:
            if name == "t.csv":
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
            elif name == "t.json":
                json.dump(rows, file)
            else:
                file.writelines(json.dumps(row) + "\n" for row in rows)
        ended = run(sys.executable, "-c", PEAK, name, "o.jsonl", cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        return int(ended.stdout.split()[-1])

    assert peak(2_000) - peak(200) < 12_000  # kilobytes; the table grew by 36,000
