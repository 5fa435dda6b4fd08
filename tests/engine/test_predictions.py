"""`velora evaluate --predictions`, typed, with real tests in real sandboxes of this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.grading.conftest import FIX_ADD, GOLD, INSTANCE, RIGGED, commit, files, populate
from tests.runs import Desk
from velora.instances.read import read
from velora.journal.events import AttemptEnded, AttemptStarted, Graded, PatchTaken
from velora.journal.owed import owed
from velora.journal.run import RunDirectory

HOST = ("--sandbox", "host")


def row(ident: str, **changes: Any) -> dict[str, Any]:
    return {
        "instance_id": ident,
        "problem_statement": "add and sub are wrong",
        "image_storage_uri": "repository",
        "patch": GOLD,
        "test_patches": list(INSTANCE.test_patches),
        "FAIL_TO_PASS": list(INSTANCE.fail_to_pass),
        "PASS_TO_PASS": list(INSTANCE.pass_to_pass),
        "test_command": INSTANCE.test_command,
        "test_output_parser": "unittest",
    } | changes


def prediction(ident: str, patch: str | None) -> dict[str, Any]:
    return {"instance_id": ident, "model_patch": patch, "model_name_or_path": "their/model-7"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    repository = tmp_path / "repository"
    populate(repository, files())
    commit(repository)
    desk = Desk(tmp_path)
    desk.rows("tasks.jsonl", [row(name) for name in ("good", "half", "empty", "left-out")])
    return desk


def evaluate(desk: Desk, predictions: str, *more: str) -> Any:
    return desk.velora(
        "evaluate", "--predictions", predictions, "--dataset", "tasks.jsonl", *HOST, *more
    )


def test_predictions_become_a_run_like_any_other(desk: Desk) -> None:
    rows = [prediction("good", GOLD), prediction("half", FIX_ADD), prediction("empty", "")]
    desk.rows("preds.jsonl", rows)
    ended = evaluate(desk, "preds.jsonl")
    assert ended.status == 0, ended.stderr
    assert "1 of 4 instances have no prediction: left-out" in ended.stderr
    assert "without a prediction: 1  left-out" in ended.stderr
    assert desk.run.relative_to(desk.path).parts[3:] == (
        "tasks.jsonl-train",
        "predictions",
        "model-7_maxiter_0",
    )
    report = json.loads((desk.run / "report.json").read_text())
    assert report["resolved_ids"] == ["good"]
    assert report["unresolved_ids"] == ["half"]
    assert report["empty_patch_ids"] == ["empty"]
    assert report["incomplete_ids"] == ["left-out"]
    assert report["total_instances"] == 4
    assert report["score"] == {"valid": 1 / 3, "all": 1 / 3, "sound": 1 / 3}
    assert report["by_language"] == {"": {"submitted": 3, "graded": 3, "resolved": 1}}
    summary = json.loads((desk.run / "evaluation_summary.json").read_text())
    assert summary["results_by_model"] == {
        "their/model-7": {"total": 3, "resolved": 1, "pass_rate": 1 / 3}
    }
    kinds = [type(event) for event in desk.events("good")]
    assert kinds[0] is AttemptStarted
    assert [kind for kind in kinds if kind in {PatchTaken, AttemptEnded, Graded}] == [
        PatchTaken,
        AttemptEnded,
        Graded,
    ]
    (output,) = [one for one in desk.output() if one["instance_id"] == "good"]
    assert output["test_result"]["git_patch"] == GOLD
    assert (desk.run / "eval_outputs" / "good" / "report.json").is_file()
    shown = desk.velora("show", str(desk.run), "good")
    assert shown.status == 0
    assert "their/model-7" in shown.stdout
    assert "resolved" in shown.stdout
    # What was written can be evaluated as a run, and stays about all four instances.
    again = desk.velora("evaluate", str(desk.run), "--again")
    assert again.status == 0, again.stderr
    assert json.loads((desk.run / "report.json").read_text())["incomplete_ids"] == ["left-out"]
    assert len([e for e in desk.events("good") if isinstance(e, Graded)]) == 2
    # And Velora's own output.jsonl is predictions again.
    (desk.run / "output.jsonl").rename(desk.path / "output.jsonl")
    once_more = evaluate(desk, "output.jsonl", "--eval-note", "again", "--json")
    assert once_more.status == 0, once_more.stderr
    summary = json.loads(once_more.stdout.splitlines()[-1])
    assert summary["resolved_ids"] == ["good"]
    assert summary["missing_ids"] == ["left-out"]


@pytest.mark.parametrize("backend", ["host", "bubblewrap"])
def test_a_rigged_patch_is_found_out_in_fresh_sandboxes(
    desk: Desk, backend: str, request: pytest.FixtureRequest
) -> None:
    if backend == "bubblewrap":
        request.getfixturevalue("bubblewrap_here")
    honest = GOLD + "--- /dev/null\n+++ b/more.py\n@@ -0,0 +1 @@\n+print('PASSED')\n"
    rows = [prediction("good", honest), prediction("half", RIGGED)]
    desk.rows("preds.jsonl", rows)
    ended = evaluate(desk, "preds.jsonl", "--sandbox", backend)
    assert ended.status == 0, ended.stderr
    report = json.loads((desk.run / "report.json").read_text())
    assert report["resolved_ids"] == report["flagged_ids"] == ["good"]
    assert report["unresolved_ids"] == report["rigged_ids"] == ["half"]
    assert "unresolved, with rigged tests: 1  half" in ended.stderr
    (graded,) = [event for event in desk.events("half") if isinstance(event, Graded)]
    assert graded.reason == "rigged"
    assert graded.report["falsified"]["proof"] == list(INSTANCE.fail_to_pass)
    (graded,) = [event for event in desk.events("good") if isinstance(event, Graded)]
    assert graded.report["flags"][0]["note"] == "4 of 4 tests: fails when it should"
    assert (desk.run / "eval_outputs" / "half" / "falsified_gold_output.txt").is_file()


def test_gold_is_the_data_sets_own_patch(desk: Desk) -> None:
    rows = [row("good"), row("wrong", patch=FIX_ADD), row("lacks", patch="")]
    desk.rows("tasks.jsonl", rows)
    ended = evaluate(desk, "gold")
    assert ended.status == 0, ended.stderr
    assert desk.run.name == "gold_maxiter_0"
    report = json.loads((desk.run / "report.json").read_text())
    assert report["resolved_ids"] == ["good"]
    assert report["unresolved_ids"] == ["wrong"]
    assert report["incomplete_ids"] == ["lacks"]


def test_gold_of_some_instances_and_then_of_all_is_one_run(desk: Desk) -> None:
    desk.rows("tasks.jsonl", [row("good"), row("wrong", patch=FIX_ADD)])
    assert evaluate(desk, "gold", "--eval-n-limit", "1").status == 0
    ended = evaluate(desk, "gold")
    assert ended.status == 0, ended.stderr
    report = json.loads((desk.run / "report.json").read_text())
    assert (report["resolved_ids"], report["unresolved_ids"]) == (["good"], ["wrong"])
    assert len([e for e in desk.events("good") if isinstance(e, Graded)]) == 1
    desk.rows("tasks.jsonl", [row("good"), row("wrong")])
    assert "was made from other predictions" in evaluate(desk, "gold").stderr


def test_several_attempts_at_an_instance(desk: Desk) -> None:
    desk.rows(
        "output.jsonl",
        [
            {"instance_id": "good", "attempt": 1, "test_result": {"git_patch": FIX_ADD}},
            {"instance_id": "good", "attempt": 2, "test_result": {"git_patch": GOLD}},
        ],
    )
    ended = evaluate(desk, "output.jsonl", "--eval-ids", "good")
    assert ended.status == 0, ended.stderr
    report = json.loads((desk.run / "report.json").read_text())
    assert report["pass_at_k"] == {"1": 0.5, "2": 1.0}
    assert (desk.run / "eval_outputs" / "good" / "attempt-2" / "report.json").is_file()


def test_an_interrupted_evaluation_goes_on_where_it_was(desk: Desk) -> None:
    gate = desk.path / "gate"
    waiting = f"while [ ! -e {gate} ]; do sleep 0.1; done\n{INSTANCE.test_command}"
    desk.rows("tasks.jsonl", [row("good"), row("slow", test_command=waiting)])
    desk.rows("preds.jsonl", [prediction("good", GOLD), prediction("slow", GOLD)])
    command = ("--predictions", "preds.jsonl", "--dataset", "tasks.jsonl")
    workers = ("--eval-num-workers", "2")
    process = desk.start("evaluate", *command, *HOST, *workers)
    try:
        wait_for(lambda: graded(desk, "good"), process)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, stderr
    run = RunDirectory(desk.run)
    first, second = owed(["good", "slow"], 1, run, evaluate=True)
    assert (first.done, second.ungraded) == (True, (1,))
    before = desk.events("good")
    gate.touch()
    ended = evaluate(desk, "preds.jsonl", *workers)
    assert ended.status == 0, ended.stderr
    assert desk.events("good") == before
    assert run.attempts("slow") == [1]
    report = json.loads(run.report_file.read_text())
    assert report["resolved_ids"] == ["good", "slow"]


def test_a_prediction_that_a_crash_cut_off_is_written_again(desk: Desk) -> None:
    desk.rows("preds.jsonl", [prediction("good", GOLD)])
    assert evaluate(desk, "preds.jsonl", "--eval-ids", "good").status == 0
    journal = desk.run / "journal" / "good" / "attempt-1" / "events.jsonl"
    journal.write_bytes(journal.read_bytes().split(b"\n")[0] + b"\n")
    ended = evaluate(desk, "preds.jsonl", "--eval-ids", "good")
    assert ended.status == 0, ended.stderr
    assert RunDirectory(desk.run).attempts("good") == [1, 2]
    assert any(isinstance(e, Graded) and e.resolved for e in desk.events("good", 2))


def graded(desk: Desk, ident: str) -> bool:
    try:
        return any(isinstance(event, Graded) for event in desk.events(ident))
    except (ValueError, FileNotFoundError):
        return False


def wait_for(condition: Any, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_wrong_use_is_told_before_anything_is_written(desk: Desk) -> None:
    desk.rows("unknown.jsonl", [prediction("good", ""), prediction("god", "")])
    desk.rows("twice.jsonl", [prediction("good", ""), prediction("good", "")])
    desk.rows("bad.jsonl", [row("good", test_output_parser="nothing/parse_log_x")])
    data = ("--dataset", "tasks.jsonl")
    for arguments, message in {
        (): "nothing to grade is named",
        ("--predictions", "gold"): "the predictions' dataset is needed",
        (".", "--predictions", "gold", *data): "predictions become a run of their own",
        (".", *data): "a dataset belongs to --predictions",
        ("--predictions", "none.jsonl", *data): "none.jsonl: there is no such file",
        ("--predictions", "unknown.jsonl", *data): "unknown.jsonl:2: no instance has the id 'god'",
        ("--predictions", "twice.jsonl", *data): "twice.jsonl:2: 'good' is also predicted at",
        ("--predictions", "gold", "--dataset", "bad.jsonl"): "unknown test output parser",
        ("--predictions", "gold", *data, "--family", "swebench"): "there is no dataset family",
    }.items():
        ended = desk.velora("evaluate", *arguments)
        assert ended.status == 2, (arguments, ended)
        assert message in ended.stderr, (arguments, ended.stderr)
        assert "Traceback" not in ended.stderr
    assert not (desk.path / "evaluation").exists()


def test_other_predictions_do_not_mix_into_a_run(desk: Desk) -> None:
    desk.rows("preds.jsonl", [prediction("good", GOLD)])
    assert evaluate(desk, "preds.jsonl").status == 0
    desk.rows("preds.jsonl", [prediction("good", FIX_ADD)])
    ended = evaluate(desk, "preds.jsonl")
    assert ended.status == 2
    assert "was made from other predictions" in ended.stderr


def test_the_instances_of_multi_swe_bench_are_known_by_three_names(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    task = {"org": "o", "repo": "r", "number": 7, "fix_patch": GOLD, "title": "t", "body": "b"}
    path = desk.rows("m.jsonl", [task])
    assert [one.instance_id for one in read(path)] == ["o__r-7"]
    twice = [{"instance_id": "o__r-7"}, {"instance_id": "o/r:pr-7"}]
    desk.rows("preds.jsonl", [each | {"model_patch": GOLD} for each in twice])
    argv = ("--predictions", "preds.jsonl", "--dataset", "m.jsonl", *HOST)
    ended = desk.velora("evaluate", *argv)
    assert ended.status == 2
    assert "preds.jsonl:2: 'o__r-7' is also predicted at preds.jsonl:1" in ended.stderr
