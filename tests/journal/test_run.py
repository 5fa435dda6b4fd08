from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.journal.sample import facts, new_run, unchanged
from velora.errors import UsageError
from velora.journal.metadata import file_digest, in_rows
from velora.journal.run import RunDirectory, run_path


def path_of(dataset: str = "data/t.jsonl", model: str = "gpt-4o", note: str = "") -> str:
    path = run_path(
        Path("out"),
        dataset=dataset,
        split="train",
        agent="CodeActAgent",
        model=model,
        max_iterations=300,
        note=note,
    )
    return str(path)


@pytest.mark.parametrize(
    ("dataset", "directory"),
    [
        ("data/tobymao__sqlglot-e604.jsonl", "data__tobymao__sqlglot-e604.jsonl-train"),
        ("./data/t.jsonl", "data__t.jsonl-train"),
        ("data//t.jsonl", "data__t.jsonl-train"),
        ("/home/me/data/t.jsonl", "home__me__data__t.jsonl-train"),
        ("../t.jsonl", "..__t.jsonl-train"),
        ("princeton-nlp/SWE-bench", "princeton-nlp__SWE-bench-train"),
    ],
)
def test_the_directory_is_named_by_veloraharness_rule(dataset: str, directory: str) -> None:
    assert path_of(dataset) == f"out/{directory}/CodeActAgent/gpt-4o_maxiter_300"


def test_model_and_note_are_in_the_name() -> None:
    assert path_of(model="openai/org/gpt-4o").endswith("/gpt-4o_maxiter_300")
    assert path_of(note="run/1").endswith("/gpt-4o_maxiter_300_N_run__1")


def test_names_too_long_for_a_file_system_stay_apart() -> None:
    one, two = path_of("d/" * 200 + "a"), path_of("d/" * 200 + "b")
    assert one != two
    assert max(len(os.fsencode(part)) for part in Path(one).parts) <= 255


@pytest.mark.parametrize("changes", [{"dataset": "."}, {"dataset": "/"}, {"model": "openai/.."}])
def test_a_name_that_is_none_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="gives no name"):
        path_of(**changes)


def test_ids_that_hold_anything_stay_inside_the_run(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    for instance_id in ("../../etc", "/abs", "", ".", "a/b", "ä" * 300):
        for path in (
            run.attempt_dir(instance_id, 1),
            run.infer_log(instance_id, 2),
            run.completions_dir(instance_id, 1),
            run.eval_dir(instance_id),
        ):
            assert path.resolve().is_relative_to(tmp_path)
            assert path != tmp_path
    assert run.infer_log("a-1", 1).name == "instance_a-1.log"
    assert run.infer_log("a-1", 2).name == "instance_a-1.attempt-2.log"
    assert run.completions_dir("a-1", 2) == tmp_path / "llm_completions" / "a-1" / "attempt-2"
    assert run.eval_dir("a-1") == tmp_path / "eval_outputs" / "a-1"
    assert run.eval_dir("a-1", 2) == tmp_path / "eval_outputs" / "a-1" / "attempt-2"


def test_attempts_are_found_by_their_directories(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert run.attempts("a") == []
    assert list(run.attempt_dirs()) == []
    for instance_id, attempt in (("a", 10), ("a", 2), ("b", 1)):
        run.attempt_dir(instance_id, attempt).mkdir(parents=True)
    (run.journal / "a" / "attempt-x").mkdir()
    (run.journal / "stray").touch()
    assert run.attempts("a") == [2, 10]
    assert list(run.attempt_dirs()) == [
        run.attempt_dir("a", 2),
        run.attempt_dir("a", 10),
        run.attempt_dir("b", 1),
    ]


HOLD = """
import sys
from pathlib import Path
from velora.journal.run import RunDirectory
with RunDirectory(Path(sys.argv[1])).lock():
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_two_processes_never_write_one_run(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(UsageError, match=f"by process {other.pid} on ") as caught:
            RunDirectory(tmp_path).lock().__enter__()
        assert caught.value.where == str(tmp_path)
        assert "--eval-note" in caught.value.hint
        other.kill()
    mine = f"by process {os.getpid()} on "
    with RunDirectory(tmp_path).lock(), pytest.raises(UsageError, match=mine):
        RunDirectory(tmp_path).lock().__enter__()
    with RunDirectory(tmp_path).lock():
        pass  # the system let go of both


def test_metadata_is_written_once_and_in_openhands_schema(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    before = run.metadata_file.read_bytes()
    metadata = run.claim(facts(argv=("velora", "run", "--eval-n-limit", "1")), unchanged)
    assert run.metadata_file.read_bytes() == before
    assert metadata == orjson.loads(before) == run.metadata()
    assert metadata["agent_class"] == "CodeActAgent"
    assert metadata["llm_config"]["api_key"] == "**********"
    assert metadata["max_iterations"] == 30
    assert metadata["dataset"] == "data/tasks.jsonl"
    assert metadata["data_split"] == "train"
    assert metadata["condenser_config"] == {"type": "noop"}
    assert metadata["dataset_sha256"] == "ab" * 32
    assert metadata["eval_output_dir"] == str(tmp_path)
    assert metadata["argv"] == ["velora", "run"]
    assert "configuration" not in in_rows(metadata)


def test_metadata_passes_the_redactor(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.create()
    argv = ("velora", "--key=hunter22")
    metadata = run.claim(facts(argv=argv), lambda t: t.replace("hunter22", "***"))
    assert metadata["argv"] == ["velora", "--key=***"]
    assert b"hunter22" not in run.metadata_file.read_bytes()


def test_a_run_is_not_resumed_with_other_settings(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    before = run.metadata_file.read_bytes()
    changed = orjson.loads(orjson.dumps(dict(facts().configuration)))
    changed["core"]["max_iterations"] = 100
    changed["llm"]["temperature"] = 1.0
    with pytest.raises(UsageError) as caught:
        run.claim(facts(configuration=changed, digest="other"), unchanged)
    text = str(caught.value)
    assert "core.max_iterations: 30 → 100" in text
    assert "llm.temperature: (unset) → 1.0" in text
    assert "--eval-note" in text
    with pytest.raises(UsageError, match=r"not in the configuration shown"):
        run.claim(facts(digest="other"), unchanged)
    with pytest.raises(UsageError, match=r"data/tasks.jsonl: SHA-256 abab.*\(2 rows\) → cdcd"):
        run.claim(facts(dataset_sha256="cd" * 32), unchanged)
    assert run.metadata_file.read_bytes() == before


def test_a_directory_without_metadata_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no metadata.json here"):
        RunDirectory(tmp_path).metadata()
    (tmp_path / "metadata.json").write_text("[")
    with pytest.raises(UsageError, match="not JSON"):
        RunDirectory(tmp_path).metadata()


def test_a_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert file_digest(tmp_path / "f").startswith("ba7816bf")
