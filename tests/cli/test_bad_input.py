"""What a user gets wrong: one clear message with the place, exit status 2, nothing started."""

from __future__ import annotations

import json

import pytest

from tests.runs import Desk

ROW = {
    "instance_id": "a-1",
    "problem_statement": "Mend it.",
    "image_storage_uri": "repository",
    "FAIL_TO_PASS": ["t.T.test_a"],
    "test_command": "true",
}
CONFIG = """\
[llm]
temperature = 0.5

[llm.gpt]
model = "scripted:script.yaml"
"""
SCRIPT = "turns:\n  - calls: [{tool: finish, arguments: {message: done}}]\n"


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """A desk at which `velora run --dataset tasks.jsonl -l gpt --sandbox host` works."""
    desk.write("config.toml", CONFIG)
    desk.write("script.yaml", SCRIPT)
    desk.write("repository/a.txt", "a\n")
    desk.rows("tasks.jsonl", [ROW])
    return desk


def refused(desk: Desk, *argv: str, dataset: str = "tasks.jsonl", llm: str = "gpt") -> str:
    done = desk.velora("run", "--dataset", dataset, "-l", llm, "--sandbox", "host", *argv)
    assert done.status == 2, done
    assert "Traceback" not in done.stderr
    assert not (desk.path / "evaluation").exists() or not list(desk.run.glob("journal/*"))
    return done.stderr


def test_the_desk_is_in_order(ready: Desk) -> None:
    done = ready.velora("run", "--dataset", "tasks.jsonl", "-l", "gpt", "--sandbox", "host")
    assert done.status == 0, done


def test_unknown_key(ready: Desk) -> None:
    ready.write("config.toml", CONFIG + "temprature = 1.0\n")
    message = refused(ready)
    assert "config.toml:6: [llm.gpt]: unknown key 'temprature'" in message
    assert "did you mean 'temperature'?" in message


def test_unknown_flag(ready: Desk) -> None:
    message = refused(ready, "--max-iteration", "3")
    assert "--max-iteration" in message
    assert "--max-iterations" in message


def test_unknown_model_section(ready: Desk) -> None:
    message = refused(ready, llm="llm.gtp")
    assert "gtp" in message
    assert "gpt" in message
    assert "config.toml" in message


def test_missing_variable(ready: Desk) -> None:
    ready.write("config.toml", '[llm.gpt]\nmodel = "gpt-4o"\napi_key = "${NO_SUCH_KEY}"\n')
    message = refused(ready)
    assert "config.toml:3" in message
    assert "NO_SUCH_KEY" in message


def test_missing_key_variable(ready: Desk) -> None:
    ready.write("config.toml", '[llm.gpt]\nmodel = "gpt-4o"\napi_key_env = "NO_SUCH_KEY"\n')
    message = refused(ready)
    assert "config.toml:3" in message
    assert "NO_SUCH_KEY" in message


def test_missing_image_directory(ready: Desk) -> None:
    ready.rows("tasks.jsonl", [ROW, ROW | {"instance_id": "a-2", "image_storage_uri": "nowhere"}])
    message = refused(ready)
    assert "tasks.jsonl:2" in message
    assert "'nowhere'" in message
    assert "1 of 2 instances" in message


def test_broken_line(ready: Desk) -> None:
    good = json.dumps(ROW)
    ready.write("tasks.jsonl", f"{good}\n{good[:40]}\n")
    assert "tasks.jsonl:2" in refused(ready)


def test_dataset_that_is_not_there(ready: Desk) -> None:
    message = refused(ready, dataset="task.jsonl")
    assert "task.jsonl" in message
    assert "did you mean 'tasks.jsonl'?" in message


def test_unknown_id(ready: Desk) -> None:
    assert "did you mean 'a-1'?" in refused(ready, "--eval-ids", "a-l")


def test_unknown_agent(ready: Desk) -> None:
    assert "CodeActAgent" in refused(ready, "--agent-cls", "CodeAktAgent")


def test_unknown_sandbox(ready: Desk) -> None:
    done = ready.velora("run", "--dataset", "tasks.jsonl", "-l", "gpt", "--sandbox", "dokker")
    assert done.status == 2
    assert "docker" in done.stderr


def test_unknown_parser(ready: Desk) -> None:
    ready.rows("tasks.jsonl", [ROW | {"test_output_parser": "pytset"}])
    message = refused(ready, "--evaluate")
    assert "tasks.jsonl:1" in message
    assert "pytest" in message


def test_broken_script(ready: Desk) -> None:
    ready.write("script.yaml", "turns:\n  - sya: hello\n")
    message = refused(ready)
    assert "script.yaml" in message
    assert "'say'" in message


def test_a_run_with_other_settings(ready: Desk) -> None:
    ready.velora("run", "--dataset", "tasks.jsonl", "-l", "gpt", "--sandbox", "host")
    ready.write("config.toml", CONFIG.replace("0.5", "0.7"))
    done = ready.velora("run", "--dataset", "tasks.jsonl", "-l", "gpt", "--sandbox", "host")
    assert done.status == 2
    assert "llm.temperature" in done.stderr
    assert "--eval-note" in done.stderr
