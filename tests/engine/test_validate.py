"""`velora validate`, typed, with real tests; and what evaluation makes of its quarantine."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_predictions import HOST, row
from tests.grading.conftest import FIX_ADD, commit, files, populate
from tests.runs import Desk, Done
from velora.engine.validate import Request

FLAKY = """\
import os, unittest
class Flaky(unittest.TestCase):
    def test_flaky(self):
        with open("{counter}", "a+") as file:
            file.write("x")
            file.seek(0)
            self.assertEqual(len(file.read()) % 2, 1)
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    repository = tmp_path / "repository"
    flaky = FLAKY.format(counter=tmp_path / "counter")
    populate(repository, files() | {"tests/test_flaky.py": flaky})
    commit(repository)
    desk = Desk(tmp_path)
    same, add = "tests.test_calc.Calc.test_same", "tests.test_calc.Calc.test_add"
    good = row("good")
    good["test_command"] = f"{sys.executable} -B -m unittest -v tests.test_calc tests.test_more"
    desk.rows(
        "tasks.jsonl",
        [
            good,
            good | {"instance_id": "half-gold", "patch": FIX_ADD},
            good | {"instance_id": "no-fit", "patch": FIX_ADD.replace("a - b", "a * b")},
            good | {"instance_id": "passing", "FAIL_TO_PASS": [same], "PASS_TO_PASS": []},
            good
            | {
                "instance_id": "failing",
                "PASS_TO_PASS": [same, add],
                "FAIL_TO_PASS": ["tests.test_calc.Calc.test_sub"],
            },
            row("flaky", PASS_TO_PASS=[same, "tests.test_flaky.Flaky.test_flaky"]),
            good | {"instance_id": "no-command", "test_command": "no-such-runner"},
            good | {"instance_id": "no-image", "image_storage_uri": "nowhere"},
        ],
    )
    return desk


def validate(desk: Desk, *more: str) -> Done:
    argv = ("validate", "--dataset", "tasks.jsonl", "--eval-num-workers", "1", *HOST, *more)
    return desk.velora(*argv, env={"XDG_CACHE_HOME": str(desk.path / "cache")})


def test_each_class_is_told_and_evaluation_honours_it(desk: Desk) -> None:
    done = validate(desk, "--json")
    assert done.status == 1, done
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = {line["instance_id"]: line for line in lines[:-1]}
    assert {name: line["soundness"] for name, line in found.items()} == {
        "good": "sound",
        "half-gold": "broken_gold",
        "no-fit": "broken_gold",
        "passing": "already_passing",
        "failing": "failing_before",
        "flaky": "flaky",
        "no-command": "not_runnable",
        "no-image": "not_runnable",
    }
    tests = {name: line["findings"][0]["tests"] for name, line in found.items()}
    assert tests["half-gold"] == [
        "tests.test_calc.Calc.test_sub",
        "tests.test_more.More.test_both",
    ]
    assert tests["flaky"] == ["tests.test_flaky.Flaky.test_flaky"]
    assert "no directory 'nowhere'" in found["no-image"]["findings"][0]["why"]
    assert lines[-1]["counts"]["sound"] == 1
    place = desk.path / "evaluation/validations/tasks.jsonl"
    assert "OK" in (place / "good/gold-1/test_output.txt").read_text()
    assert "FAILED" in (place / "good/before/test_output.txt").read_text()

    again = validate(desk)
    assert [line.split()[2].rstrip(":") for line in again.stdout.splitlines()] == ["no-image"]
    assert (desk.path / "counter").read_text() == "xxx", "nothing is run twice"

    quarantine = str(place / "quarantine.json")
    argv = ("evaluate", "--predictions", "gold", "--dataset", "tasks.jsonl", *HOST)
    done = desk.velora(*argv, "--quarantine", quarantine, "--json")
    report = json.loads((desk.run / "report.json").read_text())
    assert set(report["quarantined_ids"]) >= {"half-gold", "passing", "failing"}
    assert "good" in report["resolved_ids"]
    assert "flaky" in report["resolved_ids"], "a flaky test decides nothing"
    assert "flaky" not in report["quarantined_ids"]
    assert report["score"]["sound"] == 1.0
    evidence = json.loads((desk.run / "eval_outputs/passing/report.json").read_text())
    assert evidence["passing"]["velora"]["quarantine"] == "already_passing"


def test_a_file_that_is_no_quarantine_is_refused(desk: Desk) -> None:
    desk.write("q.json", '{"instances": {"good": {"sound": 1}}}')
    argv = ("evaluate", "--predictions", "gold", "--dataset", "tasks.jsonl", *HOST)
    done = desk.velora(*argv, "--quarantine", "q.json")
    assert done.status == 2
    assert "q.json: is no quarantine: instances.good.soundness" in done.stderr
    assert desk.velora(*argv, "--quarantine", "gone.json").status == 2


def test_a_torn_line_is_run_again(desk: Desk) -> None:
    ids: Any = ("--eval-ids", "good")
    assert validate(desk, *ids).status == 0
    results = desk.path / "evaluation/validations/tasks.jsonl/results.jsonl"
    whole = results.read_bytes()
    results.write_bytes(whole[:-20])
    done = validate(desk, *ids)
    assert done.status == 0
    assert done.stdout.startswith("sound            good")
    assert results.read_bytes().count(b'"instance_id":"good"') == 2


def test_the_quarantine_is_of_all_instances_that_are_known(desk: Desk) -> None:
    place = desk.path / "evaluation/validations/tasks.jsonl"

    def known() -> tuple[set[str], int]:
        quarantine = json.loads((place / "quarantine.json").read_text())
        report = json.loads((place / "report.json").read_text())
        return set(quarantine["instances"]), report["instances"]

    assert validate(desk, "--eval-ids", "half-gold").status == 1
    assert known() == ({"half-gold"}, 1)
    other = validate(desk, "--eval-ids", "good")
    assert other.status == 0, "the exit status is about the instances chosen"
    assert "1 instances: sound 1" in other.stderr
    assert known() == ({"half-gold"}, 2)
    # What was found out of a row that has changed since then is no longer true.
    rows = [json.loads(line) for line in (desk.path / "tasks.jsonl").read_text().splitlines()]
    desk.rows("tasks.jsonl", [each | {"patch": rows[0]["patch"]} for each in rows])
    assert validate(desk, "--eval-ids", "good").status == 0
    assert known() == (set(), 1)


def test_every_data_set_has_a_directory_of_its_own() -> None:
    names = ["a/t.jsonl", "../a/t.jsonl", "/a/b/t.jsonl", f"{'long/' * 60}t.jsonl"]
    places = [Request(Path(name)).directory for name in names]
    assert [place.name for place in places[:3]] == ["a__t.jsonl", "..__a__t.jsonl", "a__b__t.jsonl"]
    assert len(places[3].name) <= 200


def test_an_image_that_was_missing_is_looked_for_again(desk: Desk) -> None:
    missing: Any = ("--eval-ids", "no-image")
    assert validate(desk, *missing).stdout.startswith("not runnable     no-image")
    assert validate(desk, *missing).status == 1
    shutil.copytree(desk.path / "repository", desk.path / "nowhere", symlinks=True)
    assert validate(desk, *missing).stdout.startswith("sound            no-image")
    assert not validate(desk, *missing).stdout, "it is known now"


CREATES = """\
diff --git a/fixed b/fixed
new file mode 100644
--- /dev/null
+++ b/fixed
@@ -0,0 +1 @@
+yes
"""
PRINTS = """\
cat fixed 2>/dev/null && end=ok || end=FAIL
echo "test_a (m.C) ... $end"; echo "test_b (m.C) ... ok"
echo; printf -- '-%.0s' $(seq 70); echo; echo "Ran 2 tests in 0.001s"; echo
[ $end = ok ] && echo OK || { echo "FAILED (failures=1)"; exit 1; }
"""


@pytest.mark.docker
def test_runs_without_a_patch_are_kept_unless_they_ran_out_of_time(
    busybox_image: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path)
    task = row(
        "task",
        image_storage_uri=busybox_image,
        repo_path="/tmp",
        patch=CREATES,
        test_patches=[],
        FAIL_TO_PASS=["m.C.test_a"],
        PASS_TO_PASS=["m.C.test_b"],
        test_command=PRINTS,
    )
    desk.rows("tasks.jsonl", [task])
    desk.rows("slow.jsonl", [task | {"test_command": "sleep 30"}])
    argv = ("validate", "--cache", "kept", "--sandbox", "docker", "--runs", "1")
    done = desk.velora(*argv, "--dataset", "slow.jsonl", "--timeout", "1")
    assert "do not end within the time limit" in done.stdout, done
    assert not list(tmp_path.glob("kept/*"))
    done = desk.velora(*argv, "--dataset", "tasks.jsonl")
    assert done.stdout.startswith("sound            task"), done
    assert len(list(tmp_path.glob("kept/*.json"))) == 1
    desk.rows("others.jsonl", [task])
    assert desk.velora(*argv, "--dataset", "others.jsonl").status == 0
    assert not (tmp_path / "evaluation/validations/others.jsonl/task/before").exists()
