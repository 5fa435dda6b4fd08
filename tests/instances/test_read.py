import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.errors import UsageError
from velora.instances import Instance, read, select, unknown_ids

SEED_ROW = {
    "instance_id": "tobymao__sqlglot-e604fe6d8258",
    "repo": "tobymao/sqlglot",
    "base_commit": "e604fe6d8258c73b511159a953bb130c65b608cc",
    "problem_statement": "It fails.\n",
    "hints_text": None,
    "FAIL_TO_PASS": '["test_dialects.TestDialects.test_bigquery"]',
    "PASS_TO_PASS": "['a.B.c' 'd.E.f']",
    "language": "Python",
    "test_command": "source /saved/ENV || source /saved/*/ENV && pytest",
    "test_output_parser": "python/parse_log_pytest_v3",
    "image_storage_uri": "tobymao_sqlglot:e604fe6d",
    "patch": "diff --git a/x b/x\n",
    "test_patch": "diff --git a/t b/t\n",
    "version": 25.1,
    "difficulty_category": "hard",
}


def instances(tmp_path: Path, *rows: dict[str, Any]) -> list[Instance]:
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read(path)


def row(**fields: Any) -> dict[str, Any]:
    return {"instance_id": "a", "problem_statement": "b"} | fields


def refused(tmp_path: Path, *rows: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        instances(tmp_path, *rows)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_a_row_of_the_seed(tmp_path: Path) -> None:
    (found,) = instances(tmp_path, SEED_ROW)
    assert found == Instance(
        instance_id="tobymao__sqlglot-e604fe6d8258",
        problem_statement="It fails.\n",
        repo="tobymao/sqlglot",
        base_commit="e604fe6d8258c73b511159a953bb130c65b608cc",
        language="python",
        version="25.1",
        fail_to_pass=("test_dialects.TestDialects.test_bigquery",),
        pass_to_pass=("a.B.c", "d.E.f"),
        patch="diff --git a/x b/x\n",
        test_patches=("diff --git a/t b/t\n",),
        test_command="source /saved/ENV || source /saved/*/ENV && pytest",
        test_output_parser="python/parse_log_pytest_v3",
        image="tobymao_sqlglot:e604fe6d",
        row=SEED_ROW,
        source=f"{tmp_path}/tasks.jsonl:1",
    )


@pytest.mark.parametrize(
    ("key", "field", "value", "result"),
    [
        ("fail_to_pass", "fail_to_pass", ["x"], ("x",)),
        ("F2P", "fail_to_pass", "['x']", ("x",)),
        ("f2p", "fail_to_pass", ["x"], ("x",)),
        ("fail_to_pass_tests", "fail_to_pass", ["x"], ("x",)),
        ("pass_to_pass", "pass_to_pass", ["x"], ("x",)),
        ("P2P", "pass_to_pass", ["x"], ("x",)),
        ("p2p", "pass_to_pass", ["x"], ("x",)),
        ("pass_to_pass_tests", "pass_to_pass", ["x"], ("x",)),
        ("test_patches", "test_patches", ["d\n", "e\n"], ("d\n", "e\n")),
        ("functional_patch", "patch", "d\n", "d\n"),
        ("repo_language", "language", "JS", "javascript"),
        ("language", "language", "golang", "go"),
        ("language", "language", "c++", "cpp"),
        ("language", "language", "Zig", "zig"),
        ("language", "language", float("nan"), ""),
        ("docker_image", "image", "x:y", "x:y"),
        ("image_storage_uri", "image", "nan", ""),
        ("image_storage_uri", "image", float("nan"), ""),
        ("image_storage_uri", "image", " ", ""),
        ("version", "version", None, ""),
        ("version", "version", 3.0, "3.0"),
        ("repo_path", "repo_path", "/app/repo", "/app/repo"),
    ],
)
def test_spellings_and_forms(tmp_path: Path, key: str, field: str, value: Any, result: Any) -> None:
    (found,) = instances(tmp_path, row(**{key: value}))
    assert getattr(found, field) == result
    assert found.problems == ()


def test_the_first_spelling_that_is_not_blank_counts(tmp_path: Path) -> None:
    (found,) = instances(
        tmp_path,
        row(FAIL_TO_PASS=["x"], f2p=["y"], image_storage_uri="nan", docker_image="z:1"),
    )
    assert found.fail_to_pass == ("x",)
    assert found.image == "z:1"


def test_what_cannot_be_read_is_a_problem_of_the_row(tmp_path: Path) -> None:
    bad, good = instances(
        tmp_path,
        row(FAIL_TO_PASS="a, b", PASS_TO_PASS=["x"], test_patch={"a": 1}, problem_statement=""),
        row(instance_id="c"),
    )
    assert bad.fail_to_pass == ()
    assert bad.pass_to_pass == ("x",)
    assert [problem.split(" ")[0] for problem in bad.problems] == [
        "problem_statement",
        "FAIL_TO_PASS",
        "test_patch",
    ]
    assert good.problems == ()


def test_ids_are_text(tmp_path: Path) -> None:
    rows = [row(instance_id=one) for one in (7, 6.0591074528704e14, "org/repo:pr-1", "ü b")]
    assert [one.instance_id for one in instances(tmp_path, *rows)] == [
        "7",
        "605910745287040",
        "org/repo:pr-1",
        "ü b",
    ]


def test_what_a_row_must_have(tmp_path: Path) -> None:
    assert refused(tmp_path, row(), {"instance_id": "c", "issue": "d"}) == (
        "tasks.jsonl:2: the row has no problem_statement\n"
        "  fields that are there: instance_id, issue"
    )
    assert refused(tmp_path, {"instanceid": "c", "problem_statement": "d"}) == (
        "tasks.jsonl:1: the row has no instance_id\n"
        "  did you mean 'instanceid'? fields that are there: instanceid, problem_statement"
    )
    for blank in ("", None, "nan"):
        assert refused(tmp_path, row(instance_id=blank)) == "tasks.jsonl:1: instance_id is empty"
    assert "instance_id must be text, not a list" in refused(tmp_path, row(instance_id=[1]))


def test_ids_are_unique(tmp_path: Path) -> None:
    message = refused(tmp_path, row(), row(instance_id="b"), row())
    assert message.startswith("tasks.jsonl:3: instance_id 'a' is also that of tasks.jsonl:1")
    message = refused(tmp_path, row(instance_id="Ab"), row(instance_id="aB"))
    assert "differ in upper and lower case only" in message


def test_an_empty_file(tmp_path: Path) -> None:
    assert refused(tmp_path) == "tasks.jsonl: holds no rows"


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/tasks.jsonl").touch()

    def message(name: str) -> str:
        with pytest.raises(UsageError) as caught:
            read(name)
        return str(caught.value)

    assert message("data/task.jsonl") == (
        "data/task.jsonl: there is no such file\n  did you mean 'data/tasks.jsonl'?"
    )
    assert message("date/tasks.jsonl").endswith("there is no directory 'date'")
    assert message("data") == "data: is a directory, not a data set's file"
    assert "looks like the name of a data set on a hub" in message("princeton-nlp/SWE-bench")
    assert "velora convert princeton-nlp/SWE-bench" in message("princeton-nlp/SWE-bench")


SOME = [Instance(instance_id=f"repo-{n}", problem_statement="x") for n in range(10)]


def chosen(**arguments: Any) -> list[str]:
    return [one.instance_id.removeprefix("repo-") for one in select(SOME, **arguments)]


def test_selection_keeps_the_files_order() -> None:
    assert select(SOME) == SOME
    assert chosen(limit=3) == ["0", "1", "2"]
    assert chosen(limit=99) == [str(n) for n in range(10)]
    assert chosen(ids=["repo-7", "repo-2"]) == ["2", "7"]
    assert chosen(skip=["repo-0", "elsewhere"], limit=2) == ["1", "2"]
    assert chosen(ids=["repo-7", "repo-2"], skip=["repo-2"]) == ["7"]


def test_a_sample_is_the_same_each_time() -> None:
    picked = sorted(random.Random(42).sample(range(10), 4))
    assert chosen(limit=4, sample_seed=42) == [str(n) for n in picked]


def test_unknown_ids() -> None:
    with pytest.raises(UsageError, match="--eval-ids: no instance has the id 'repo-77'\n  did you"):
        select(SOME, ids=["repo-1", "repo-77"])
    assert unknown_ids(SOME, ["x", "repo-1", "y", "x"]) == ["x", "y"]
    with pytest.raises(UsageError, match="at least 1, not 0"):
        select(SOME, limit=0)


@given(st.integers(1, 12), st.none() | st.integers(), st.sets(st.integers(0, 12)))
def test_any_selection_is_a_part_in_order(limit: int, seed: int | None, skip: set[int]) -> None:
    skipped = [f"repo-{n}" for n in skip]
    found = select(SOME, limit=limit, sample_seed=seed, skip=skipped)
    assert found == [one for one in SOME if one in found]
    left = [one for one in SOME if one.instance_id not in skipped]
    assert len(found) == min(limit, len(left))
    assert not {one.instance_id for one in found} & set(skipped)
