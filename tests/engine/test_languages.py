"""Real projects of many languages, in images of their own, graded through the real command line.

Only the small tasks by default; all with `make test-languages`, or `VELORA_LANGUAGES=all`.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures_docker import unavailable
from tests.images import languages
from tests.images.languages import Built
from tests.images.tasks import TASKS
from tests.images.tasks.task import Task
from tests.images.upstream import missing
from tests.runs import Desk

pytestmark = [pytest.mark.docker, pytest.mark.slow]

CHOSEN = [task for task in TASKS if task.small or os.environ.get("VELORA_LANGUAGES") == "all"]
NO_REPORTS = "[evaluation]\nreports = false\n"


@pytest.fixture(params=CHOSEN, ids=[task.name for task in CHOSEN], scope="module")
def task(request: pytest.FixtureRequest, engine_here: str) -> Task:
    """One task after the other."""
    task: Task = request.param
    if reason := missing(task.needs):
        unavailable(f"the sources of {task.name} cannot be fetched: {reason}")
    return task


@pytest.fixture(scope="module")
def built(task: Task) -> Built:
    """Its image and its row."""
    return languages.build(task)


def put(desk: Desk, built: Built, **patches: str) -> str:
    """Write the task file and the patches as attempts at it; the instance's id."""
    desk.rows("tasks.jsonl", [built.row])
    ident = str(built.row["instance_id"])
    desk.rows(
        "attempts.jsonl",
        [
            {"instance_id": ident, "attempt": number, "test_result": {"git_patch": patch}}
            for number, patch in enumerate(patches.values(), 1)
        ],
    )
    return ident


def evaluate(desk: Desk) -> None:
    argv = ("evaluate", "--predictions", "attempts.jsonl", "--dataset", "tasks.jsonl")
    done = desk.velora(*argv, "--eval-num-workers", "2", "--sandbox", "docker")
    assert done.status == 0, done
    assert desk.containers() == []


def evidence(desk: Desk, ident: str, attempt: str = "") -> tuple[dict[str, Any], str]:
    """The attempt's report.json and run_instance.log."""
    place = desk.run / "eval_outputs" / ident / attempt
    report = json.loads((place / "report.json").read_text())[ident]
    return report, (place / "run_instance.log").read_text()


def test_the_fix_is_resolved_and_less_is_not(desk: Desk, task: Task, built: Built) -> None:
    row = built.row
    ident = put(desk, built, gold=row["patch"], half=built.half, empty="")
    evaluate(desk)

    gold, log = evidence(desk, ident, "attempt-1")
    assert gold["resolved"] is True, gold["velora"]
    assert gold["velora"]["reason"] == "resolved"
    assert gold["velora"]["parser"] == task.parser
    assert gold["tests_status"]["FAIL_TO_PASS"]["success"] == row["FAIL_TO_PASS"]
    assert gold["tests_status"]["PASS_TO_PASS"]["success"] == row["PASS_TO_PASS"]
    names = [each for names in gold["velora"]["names"].values() for each in names]
    assert {each["source"] for each in names} == {"report" if task.quiet else "log"}
    assert [each for each in gold["velora"]["warnings"] if "different statuses" in each] == []
    reports = dict(re.findall(r"report of (\w+): (\d+) tests in \d+ files", log))
    assert list(reports) == ([task.report] if task.report else [])
    assert all(int(tests) >= len(names) for tests in reports.values())

    half, _ = evidence(desk, ident, "attempt-2")
    assert half["resolved"] is False
    assert half["velora"]["reason"] == "tests_failed"
    assert half["tests_status"]["FAIL_TO_PASS"]["failure"] == list(task.half_fails)
    assert half["tests_status"]["PASS_TO_PASS"]["failure"] == []

    empty, _ = evidence(desk, ident, "attempt-3")
    assert empty["resolved"] is False
    assert empty["velora"]["reason"] == "empty_patch"
    assert empty["tests_status"]["FAIL_TO_PASS"]["failure"] == row["FAIL_TO_PASS"]

    total = json.loads((desk.run / "report.json").read_text())
    assert total["pass_at_k"]["1"] == pytest.approx(1 / 3)
    assert total["by_language"] == {task.language: {"submitted": 1, "graded": 1, "resolved": 1}}


@pytest.mark.parametrize(
    "task", [each for each in CHOSEN if each.quiet], ids=lambda each: each.name, indirect=True
)
def test_where_the_log_is_quiet_the_report_alone_resolves(desk: Desk, built: Built) -> None:
    desk.write("config.toml", NO_REPORTS)
    ident = put(desk, built, gold=built.row["patch"])
    evaluate(desk)
    gold, _ = evidence(desk, ident)
    assert gold["resolved"] is False
    assert gold["velora"]["reason"] in {"tests_missing", "no_tests_parsed"}


def test_the_task_is_sound(desk: Desk, built: Built, tmp_path: Path) -> None:
    put(desk, built)
    argv = ("validate", "--dataset", "tasks.jsonl", "--sandbox", "docker", "--json")
    done = desk.velora(*argv, env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert done.status == 0, done
    result = json.loads(done.stdout.splitlines()[0])
    assert result["soundness"] == "sound", result["findings"]
    assert desk.containers() == []
