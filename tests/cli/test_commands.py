"""The commands as a user types them."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_bad_input import CONFIG, ROW, SCRIPT
from tests.runs import Desk


@pytest.mark.parametrize("sandbox", ["host", pytest.param("", marks=pytest.mark.bubblewrap)])
def test_demo(desk: Desk, sandbox: str) -> None:
    done = desk.velora("demo", *(["--sandbox", sandbox] if sandbox else []))
    assert done.status == 0, done
    assert "+        if seconds >= size:" in done.stdout
    assert "=== resolved" in done.stdout
    assert "velora run --dataset" in done.stdout
    (row,) = desk.output()
    assert row["test_result"]["git_patch"].startswith("diff --git a/timespan/writing.py")
    again = desk.velora("evaluate", str(desk.run), "--again")
    assert again.status == 0, again
    assert "resolved: 1" in again.stderr


def test_dry_run_shows_the_configuration_and_no_secret(desk: Desk) -> None:
    desk.write("config.toml", '[llm.gpt]\nmodel = "gpt-4o"\napi_key_env = "MY_KEY"\n')
    desk.rows("tasks.jsonl", [ROW])
    argv = ("run", "--dataset", "tasks.jsonl", "-l", "llm.gpt", "-i", "7", "--dry-run")
    done = desk.velora(*argv, env={"MY_KEY": "sk-very-secret-text"})
    assert done.status == 0, done
    shown = json.loads(done.stdout)
    assert shown["settings"]["llm"]["model"] == "gpt-4o"
    assert shown["settings"]["core"]["max_iterations"] == 7
    assert shown["run_directory"].endswith("tasks.jsonl-train/CodeActAgent/gpt-4o_maxiter_7")
    assert "very-secret" not in done.stdout + done.stderr
    assert not (desk.path / "evaluation").exists()


def test_run_twice_does_nothing_twice(desk: Desk) -> None:
    desk.write("config.toml", CONFIG)
    desk.write("script.yaml", SCRIPT)
    desk.write("repository/a.txt", "a\n")
    desk.rows("tasks.jsonl", [ROW, ROW | {"instance_id": "a-2"}])
    argv = ("run", "--dataset", "tasks.jsonl", "-l", "gpt", "--sandbox", "host", "--json")
    first = desk.velora(*argv)
    assert first.status == 0, first
    ends = [json.loads(line) for line in first.stdout.splitlines()]
    assert [one["event"] for one in ends].count("ended") == 2
    again = desk.velora(*argv)
    assert again.status == 0, again
    assert [json.loads(line)["event"] for line in again.stdout.splitlines()] == ["summary"]
    assert sorted(row["instance_id"] for row in desk.output()) == ["a-1", "a-2"]


def test_show(desk: Desk) -> None:
    test_run_twice_does_nothing_twice(desk)
    which = desk.velora("show", str(desk.run))
    assert which.status == 2
    assert "a-1, a-2" in which.stderr
    shown = desk.velora("show", str(desk.run), "a-1")
    assert shown.status == 0
    assert "Mend it." in shown.stdout
    assert "> finish" in shown.stdout
    assert "=== finished after 1 steps" in shown.stdout
    events = desk.velora("show", str(desk.run), "a-1", "--json")
    kinds = [json.loads(line)["kind"] for line in events.stdout.splitlines()]
    assert kinds[0] == "attempt_started"
    assert kinds[-1] == "attempt_ended"


def test_doctor(desk: Desk) -> None:
    done = desk.velora("doctor", "--json")
    found = {one["what"]: one for one in json.loads(done.stdout)}
    assert found["sandbox host"]["ok"]
    assert done.status == 0


def test_version_and_help(desk: Desk) -> None:
    assert desk.velora("--version").stdout.strip() == "0.1.0"
    for command in ("demo", "run", "evaluate", "show", "doctor", "images"):
        assert desk.velora(command, "--help").status == 0
