"""Reading predictions. The files are hand-made, after the programs' documented formats."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from velora.errors import UsageError
from velora.instances.predictions import Prediction, read_predictions

DIFF = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"


def written(tmp_path: Path, value: Any, name: str = "p.jsonl") -> Path:
    path = tmp_path / name
    if name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in value))
    else:
        path.write_text(json.dumps(value, indent=1))
    return path


def facts(found: list[Prediction]) -> list[tuple[str, str, str, int]]:
    return [(one.instance_id, one.patch.decode(), one.model, one.attempt) for one in found]


ROWS: list[dict[str, Any]] = [
    {"instance_id": "a__b-1", "model_patch": DIFF, "model_name_or_path": "org/m"},
    {"instance_id": "a__b-2", "model_patch": None, "model_name_or_path": "org/m"},
]
EXPECTED = [("a__b-1", DIFF, "org/m", 1), ("a__b-2", "", "org/m", 1)]


@pytest.mark.parametrize("name", ["p.jsonl", "p.json"])
def test_swe_bench_as_lines_and_as_a_list(tmp_path: Path, name: str) -> None:
    assert facts(read_predictions(written(tmp_path, ROWS, name))) == EXPECTED


def test_mini_swe_agents_object_by_id(tmp_path: Path) -> None:
    value = {row["instance_id"]: row for row in ROWS}
    assert facts(read_predictions(written(tmp_path, value, "preds.json"))) == EXPECTED
    for row in ROWS:
        del row["instance_id"]
    assert facts(read_predictions(written(tmp_path, value, "preds.json"))) == EXPECTED
    bare = {"a__b-1": DIFF, "a__b-2": ""}
    assert [one.patch.decode() for one in read_predictions(written(tmp_path, bare, "p.json"))] == [
        DIFF,
        "",
    ]


def test_openhands_rows_with_attempts(tmp_path: Path) -> None:
    model = {"llm_config": {"model": "gpt-4o"}}
    rows = [
        {"instance_id": "a", "test_result": {"git_patch": DIFF}, "metadata": model},
        {"instance_id": "a", "test_result": {"git_patch": ""}, "attempt": 2, "metadata": model},
        {"instance_id": "b", "test_result": {}, "error": "it broke"},
    ]
    found = read_predictions(written(tmp_path, rows))
    assert facts(found) == [("a", DIFF, "gpt-4o", 1), ("a", "", "gpt-4o", 2), ("b", "", "", 1)]
    assert found[2].note == "the prediction has no patch"


def test_a_patch_that_is_no_text_comes_back_byte_for_byte(tmp_path: Path) -> None:
    coded = base64.b64encode(b"\xff\n").decode()
    row = {"instance_id": "a", "test_result": {"git_patch": None, "git_patch_base64": coded}}
    assert read_predictions(written(tmp_path, [row]))[0].patch == b"\xff\n"


def test_multi_swe_bench_rows(tmp_path: Path) -> None:
    row = {"org": "cli", "repo": "cli", "number": 10388, "fix_patch": DIFF}
    assert facts(read_predictions(written(tmp_path, [row]))) == [("cli__cli-10388", DIFF, "", 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"instance_id": "a", "model_patch": ""}\n' * 2, r"p.jsonl:2: 'a' is also .*p.jsonl:1"),
        ('{"a": "", "b": "", "a": ""}', r"p.jsonl:1: 'a' is there more than once"),
        ('{"a": {"instance_id": "b", "model_patch": ""}}', "under another id than its own, 'b'"),
        ('{"a": 3}', r"p.jsonl:1 \('a'\): must be a prediction or a patch, not a number"),
        ('{"model_patch": ""}', "p.jsonl:1: the prediction has no instance_id"),
        ('{"instance_id": "a", "patch": ""}', "p.jsonl:1: is no prediction of any known kind"),
        ('{"instance_id": "a", "model_patch": []}', "p.jsonl:1: the patch must be text, not a li"),
        ('{"instance_id": "a", "attempt": "x", "model_patch": ""}', "p.jsonl:1: attempt must be"),
        ("", "holds no predictions"),
        ("[1]", "p.jsonl:1: a row must be a JSON object"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.jsonl").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_predictions(tmp_path / "p.jsonl")
