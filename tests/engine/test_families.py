"""A family's own commands around an attempt and a grading, typed, on this machine's sandbox.

The repository has SWE-smith's layout: a branch named after the task, whose last commit takes the
tests away and whose last but one brings the bug in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.runs import Desk
from velora.instances.families.reverse import reversed_diff
from velora.journal.events import AttemptEnded, Noted, Observed, PatchTaken
from velora.journal.store import read_patch

IDENT = "acme__widget.0123abcd.func_basic__x1"
RIGHT = "def one():\n    return 1\n"
WRONG = "def one():\n    return 2\n"
TEST = "import core\n\n\ndef test_one():\n    assert core.one() == 1\n"
KEPT = "def test_kept():\n    assert True\n"
BUG = """diff --git a/core.py b/core.py
--- a/core.py
+++ b/core.py
@@ -1,2 +1,2 @@
 def one():
-    return 1
+    return 2
"""


def git(root: Path, *args: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)
    return done.stdout.decode()


def smith(root: Path) -> None:
    (root / "tests").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    (root / "core.py").write_text(RIGHT)
    (root / "tests/test_one.py").write_text(TEST)
    (root / "tests/test_kept.py").write_text(KEPT)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Initial commit")
    git(root, "checkout", "-qb", IDENT)
    (root / "core.py").write_text(WRONG)
    git(root, "commit", "-qam", "Bug Patch")
    (root / "tests/test_one.py").unlink()
    git(root, "commit", "-qam", "Remove F2P Tests")
    git(root, "checkout", "-q", "main")


def row(**changes: Any) -> dict[str, Any]:
    return {
        "instance_id": IDENT,
        "repo": "swesmith/acme__widget.0123abcd",
        "image_storage_uri": "repository",
        "patch": BUG,
        "problem_statement": "one() is wrong",
        "FAIL_TO_PASS": ["tests/test_one.py::test_one"],
        "PASS_TO_PASS": ["tests/test_kept.py::test_kept"],
        # The machine has no conda environment, so pytest is named outright.
        "test_command": f"{sys.executable} -B -m pytest -p no:cacheprovider -rA "
        "tests/test_one.py tests/test_kept.py",
    } | changes


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    smith(tmp_path / "repository")
    desk = Desk(tmp_path)
    desk.rows("tasks.jsonl", [row()])
    return desk


def test_the_gold_patch_is_the_bugs_reverse_and_the_tests_come_back(desk: Desk) -> None:
    command = ("evaluate", "--predictions", "gold", "--dataset", "tasks.jsonl", "--sandbox", "host")
    ended = desk.velora(*command)
    assert ended.status == 0, ended.stderr
    report = json.loads((desk.run / "report.json").read_text())
    assert report["resolved_ids"] == [IDENT], ended.stderr
    assert (desk.run / "eval_outputs" / IDENT / "patch.diff").read_text() == reversed_diff(BUG)
    shared = git(desk.path / "repository", "status", "--porcelain", "--branch")
    assert shared == "## main\n"  # the directory itself was never touched


def test_tests_that_the_patch_brings_itself_prove_nothing(desk: Desk) -> None:
    forged = "def test_one():\n    pass\n"
    patch = (
        "diff --git a/tests/test_one.py b/tests/test_one.py\nnew file mode 100644\n--- /dev/null\n"
        "+++ b/tests/test_one.py\n@@ -0,0 +1,2 @@\n"
        + "".join(f"+{line}\n" for line in forged.splitlines())
    )
    desk.rows("preds.jsonl", [{"instance_id": IDENT, "model_patch": patch}])
    command = ("--predictions", "preds.jsonl", "--dataset", "tasks.jsonl", "--sandbox", "host")
    assert desk.velora("evaluate", *command).status == 0
    report = json.loads((desk.run / "report.json").read_text())
    assert report["unresolved_ids"] == [IDENT]


SCRIPT = """
turns:
  - calls:
      - tool: execute_bash
        arguments:
          command: git log --format=%s && git branch -a && ls tests && cat core.py
  - calls:
      - tool: execute_bash
        arguments:
          command: for c in $(git rev-list --all); do git grep -n 'return 1' $c; done
  - calls:
      - tool: str_replace_editor
        arguments:
          command: str_replace
          path: "{workdir}/core.py"
          old_str: return 2
          new_str: return 1
  - calls:
      - tool: finish
        arguments: {message: done}
"""


def test_the_agent_starts_from_the_branch_and_finds_no_past(desk: Desk) -> None:
    desk.write("script.yaml", SCRIPT)
    desk.write("config.toml", '[llm.gpt]\nmodel = "scripted:script.yaml"\n')
    ended = desk.velora(
        "run", "--dataset", "tasks.jsonl", "--llm-config", "gpt", "--sandbox", "host", "--evaluate"
    )
    assert ended.status == 0, ended.stderr
    events = desk.events(IDENT)
    looked, searched = [event for event in events if isinstance(event, Observed)][:2]
    assert looked.content.startswith("start\n")
    assert "return 2" in looked.content
    for word in ("Bug Patch", "Initial commit", "test_one.py", IDENT):
        assert word not in looked.content, looked.content
    assert "return 1" not in searched.content
    notes = [event.code for event in events if isinstance(event, Noted)]
    assert notes[:2] == ["setup", "hide"]
    assert any(isinstance(event, PatchTaken) and event.files == ("core.py",) for event in events)
    patch = read_patch(desk.run / "journal" / IDENT / "attempt-1").decode()
    assert [line for line in patch.splitlines() if line[:1] in "+-"][2:] == [
        "-    return 2",
        "+    return 1",
    ]
    assert json.loads((desk.run / "report.json").read_text())["resolved_ids"] == [IDENT]


def test_a_start_that_cannot_be_reached_is_the_tasks_failure(desk: Desk) -> None:
    desk.rows("tasks.jsonl", [row(instance_id="acme__widget.0123abcd.none")])
    desk.write("script.yaml", SCRIPT)
    desk.write("config.toml", '[llm.gpt]\nmodel = "scripted:script.yaml"\n')
    ended = desk.velora(
        "run", "--dataset", "tasks.jsonl", "--llm-config", "gpt", "--sandbox", "host"
    )
    assert ended.status == 1
    (end,) = [e for e in desk.events("acme__widget.0123abcd.none") if isinstance(e, AttemptEnded)]
    assert end.outcome == "task_invalid"
    assert end.detail.startswith("setup: exit status 128: fatal: 'origin'")
