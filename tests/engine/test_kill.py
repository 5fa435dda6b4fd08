"""Velora killed with SIGKILL at random points; the model's server says what was paid for twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.runs import ROOT, Desk, environment
from tests.servers.killing import RESULT
from velora.errors import Outcome
from velora.journal.events import Answered, AttemptEnded, Graded, Record, Repeated, Resumed
from velora.journal.projections import rebuild
from velora.journal.run import RunDirectory
from velora.journal.store import read

PASSED = """\
============================= test session starts ==============================
collected 1 item

t.py::test_a PASSED                                                      [100%]

============================== 1 passed in 0.01s ===============================
"""
TEST = f"grep -qx 12 result.txt && cat <<'END'\n{PASSED}END"


@dataclass(frozen=True, slots=True)
class Bench:
    """A desk, and a model's server in a process of its own."""

    desk: Desk
    url: str
    log: Path

    def arm(self, pid: int, where: str, after: int) -> None:
        """Have the server kill a process."""
        body = json.dumps({"pid": pid, "where": where, "after": after}).encode()
        with urllib.request.urlopen(f"{self.url}/arm", data=body, timeout=10):
            pass

    def answers(self) -> list[dict[str, Any]]:
        """All answers that were wholly sent, in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def written(self) -> int:
        """Bytes in all journals."""
        files = self.desk.path.glob(
            "evaluation/evaluation_outputs/outputs/*/*/*/journal/*/*/*.jsonl"
        )
        return sum(file.stat().st_size for file in files)


@contextmanager
def bench(desk: Desk) -> Iterator[Bench]:
    log = desk.path / "answers.jsonl"
    argv = [sys.executable, "-m", "tests.servers.killing", str(log)]
    path = {"PYTHONPATH": f"{ROOT}/src:{ROOT}"}
    process = subprocess.Popen(
        argv, cwd=ROOT, env=environment(path), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        url = process.stdout.readline().strip()
        desk.model(f"{url}/v1")
        yield Bench(desk, url, log)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def tasks(desk: Desk, count: int, **more: Any) -> None:
    desk.write("repo/a.txt", "a\n")
    desk.rows(
        "tasks.jsonl",
        [
            {
                "instance_id": f"i-{n}",
                "problem_statement": f"Instance {n}.",
                "image_storage_uri": "repo",
                "FAIL_TO_PASS": ["t.py::test_a"],
                "test_command": TEST,
                "test_output_parser": "pytest",
                **more,
            }
            for n in range(count)
        ],
    )


def killed(bench: Bench, argv: tuple[str, ...], seed: random.Random) -> bool:
    """Start the run and kill it at a random point; False if it came to its end before."""
    process = subprocess.Popen(
        argv, cwd=bench.desk.path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        where = seed.choice(["asked", "half", "sent", "journal", "journal"])
        if where == "journal":
            appends, before = seed.randint(1, 16), bench.written()
            while appends and process.poll() is None:
                time.sleep(0.004)
                now = bench.written()
                appends, before = appends - (now > before), now
            process.kill()
        else:
            bench.arm(process.pid, where, seed.randint(1, 3))
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode in {-9, 0}, errors
    return process.returncode == -9


def journals(desk: Desk) -> dict[str, list[Record]]:
    run = RunDirectory(desk.run)
    return {
        f"{directory.parent.name}/{directory.name}": read(directory)
        for directory in run.attempt_dirs()
    }


def judge(bench: Bench, count: int) -> dict[str, int]:
    """What must hold of a run of `six_turns` however often it was killed."""
    found = journals(bench.desk)
    assert sorted(found) == sorted(f"i-{n}/attempt-1" for n in range(count))
    journaled: Counter[str] = Counter()
    for name, records in found.items():
        events = [record.event for record in records]
        answers = [e.completion.response_id for e in events if isinstance(e, Answered)]
        assert len(answers) == 6, name
        journaled.update(answers)
        ends = [e for e in events if isinstance(e, AttemptEnded)]
        assert [e.outcome for e in ends] == [Outcome.FINISHED], name
        assert ends[0].steps == 6
        assert [e.resolved for e in events if isinstance(e, Graded)] == [True], name
        assert [e for e in events if isinstance(e, Repeated)] == [], name
    assert set(journaled.values()) == {1}, "an answer is journaled once"
    sent = defaultdict(list)
    for answer in bench.answers():
        sent[answer["conversation"]].append(answer["response_id"])
    for ids in sent.values():
        assert [i for i in ids if journaled[i]] == [ids[-1]], "bought again though it was there"
    assert sum(map(len, sent.values())) >= len(journaled)
    rows = bench.desk.output()
    assert Counter(row["instance_id"] for row in rows) == {f"i-{n}": 1 for n in range(count)}
    for row in rows:
        added = [line[1:] for line in row["test_result"]["git_patch"].splitlines()]
        assert "\n".join(RESULT.splitlines()) in "\n".join(added)
        assert row["steps"] == len(row["metrics"]["token_usages"]) == 6
    report = json.loads((bench.desk.run / "report.json").read_text())
    assert (report["resolved_instances"], report["calls"]) == (count, 6 * count)
    return {
        "answers bought": sum(map(len, sent.values())),
        "of them in flight at a kill": sum(len(ids) - 1 for ids in sent.values()),
        "continuations": sum(
            isinstance(r.event, Resumed) for records in found.values() for r in records
        ),
    }


def projections(run: Path) -> dict[str, bytes]:
    places = [run / "output.jsonl", run / "report.json"]
    places += sorted((run / "infer_logs").rglob("*")) + sorted((run / "llm_completions").rglob("*"))
    return {str(p.relative_to(run)): p.read_bytes() for p in places if p.is_file()}


def argv(desk: Desk, backend: str, workers: int) -> tuple[str, ...]:
    return (
        *(str(Path(sys.executable).with_name("velora")), "run", "--dataset", "tasks.jsonl"),
        *("-l", "gpt", "--sandbox", backend, "--evaluate", "--eval-num-workers", str(workers)),
    )


def ordeal(desk: Desk, backend: str, *, count: int, times: int) -> None:
    """Kill a run so many times, let it come to its end, and judge."""
    seed = random.Random(20260101)
    with bench(desk) as server:
        command = argv(desk, backend, 4)
        began = time.monotonic()
        for kill in range(times):
            assert killed(server, command, seed), f"done after {kill} kills"
        last = desk.type(command)
        assert last.status == 0, last
        counts = judge(server, count)
        print(f"{times} kills in {time.monotonic() - began:.0f} s: {counts}")
    before = projections(desk.run)
    rebuild(RunDirectory(desk.run))
    assert projections(desk.run) == before


@pytest.mark.slow
@pytest.mark.bubblewrap
def test_fifty_kills(desk: Desk, bubblewrap_here: None) -> None:
    tasks(desk, 20)
    ordeal(desk, "bubblewrap", count=20, times=50)


@pytest.mark.slow
@pytest.mark.docker
def test_some_kills_with_containers(desk: Desk, debian_image: str) -> None:
    tasks(desk, 4, image_storage_uri=debian_image, repo_path="/testbed")
    ordeal(desk, "docker", count=4, times=6)
    assert desk.containers() == []
