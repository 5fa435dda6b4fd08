"""What a user sees of a run that is gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_bad_input import CONFIG, ROW
from tests.runs import Desk
from velora.engine.session import Due

ARGV = ("run", "--dataset", "tasks.jsonl", "-l", "gpt", "--sandbox", "host")
SCRIPT = """\
turns:
  - calls: [{tool: execute_bash, arguments: {command: date +%N}}]
"""


@pytest.fixture(autouse=True)
def _homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's shell is not to read what this machine's user has in their home."""
    monkeypatch.setenv("HOME", str(tmp_path))


def cut(desk: Desk, instance_id: str, lines: int) -> None:
    file = desk.run / "journal" / instance_id / "attempt-1/events.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:lines]))


def test_how_many_are_gone_on_with(desk: Desk) -> None:
    desk.write("config.toml", CONFIG)
    desk.write("script.yaml", SCRIPT)
    desk.write("repository/a.txt", "a\n")
    desk.rows("tasks.jsonl", [ROW | {"instance_id": name} for name in ("a", "b", "c")])
    first = desk.velora(*ARGV)
    assert first.status == 0, first
    assert "resuming" not in first.stderr
    (desk.run / "output.jsonl").unlink()
    cut(desk, "a", 6)
    cut(desk, "b", 4)
    again = desk.velora(*ARGV)
    assert again.status == 0, again
    assert "resuming: 2 attempts gone on with, 1 instance done before\n" in again.stderr
    assert "a: goes on after 1 answer (1 call run again, 1 otherwise than before)" in again.stderr
    assert "b: goes on after 0 answers (0 calls run again)" in again.stderr
    shown = desk.velora("show", str(desk.run), "a")
    assert "=== resumed after 1 answers, 1 differences" in shown.stdout
    cut(desk, "c", 5)
    third = desk.velora(*ARGV, "--json")
    events = [json.loads(line) for line in third.stdout.splitlines()]
    assert events[0] == {"event": "resuming", "continued": 1, "new": 0, "gradings": 0, "done": 2}
    assert [event["event"] for event in events[1:]] == ["resumed", "ended", "summary"]
    nothing = desk.velora(*ARGV)
    assert "resuming" not in nothing.stderr


def test_resume_is_told_what_to_do(desk: Desk) -> None:
    desk.write("config.toml", CONFIG)
    desk.rows("tasks.jsonl", [ROW])
    done = desk.velora(*ARGV, "--resume", "never")
    assert done.status == 2
    assert "resume must be one of continue, restart, not the text 'never'" in done.stderr


def test_a_first_run_resumes_nothing() -> None:
    assert not Due(continued=0, new=3, gradings=0, done=0).resumes
    assert not Due(continued=0, new=0, gradings=0, done=3).resumes
    assert Due(continued=1, new=0, gradings=0, done=0).resumes
