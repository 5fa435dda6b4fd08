"""The real instance, end to end: the seed's own command, a real container, a real fix."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.images import sqlglot
from tests.images.upstream import pypi
from tests.runs import ROOT, Desk, Done
from tests.servers.openai import Server
from velora.journal.events import Noted, Observed, SnapshotTaken

pytestmark = [pytest.mark.docker, pytest.mark.slow]

SEED_ENVIRONMENT = {
    "USE_INSTANCE_IMAGE": "true",
    "LANGUAGE": "python",
    "RUNTIME_CONTAINER_IMAGE": "ghcr.io/openhands/runtime:oh_v1.1.0_lgwqvepgjj1871lk",
}


def seed_command(desk: Desk, name: str, *more: str) -> Done:
    """The command of the seed, verbatim but for the dataset's name."""
    return desk.type(
        [sys.executable, str(ROOT / "evaluation/benchmarks/multi_swe_bench/run_infer.py")]
        + ["--agent-cls", "CodeActAgent", "--llm-config", "llm.gpt", "--max-iterations", "300"]
        + ["--dataset", f"data/{name}.jsonl", "--split", "train", "--eval-n-limit", "1", *more],
        env={"PYTHONPATH": str(ROOT), **SEED_ENVIRONMENT},
    )


def put(desk: Desk, row: dict[str, Any], variant: str, **fields: Any) -> str:
    name = f"sqlglot-{variant}"
    desk.rows(
        f"data/{name}.jsonl", [{**row, "image_storage_uri": sqlglot.image_name(variant), **fields}]
    )
    return name


async def test_the_seeds_command(
    desk: Desk, sqlglot_row: dict[str, Any], repairer: Server, tmp_path: Path
) -> None:
    desk.model(repairer.url)
    name = put(desk, sqlglot_row, "full")
    done = await asyncio.to_thread(seed_command, desk, name)
    assert done.status == 0, done
    assert "RUNTIME_CONTAINER_IMAGE has no effect" in done.stderr

    run = desk.path / "evaluation/evaluation_outputs/outputs" / f"data__{name}.jsonl-train"
    assert desk.run == run / "CodeActAgent" / "gpt-4o_maxiter_300"
    for part in ("metadata.json", "infer_logs", "llm_completions", "logs", "output.jsonl"):
        assert (desk.run / part).exists(), part
    assert (desk.run / f"infer_logs/instance_{sqlglot.INSTANCE_ID}.log").stat().st_size > 0
    calls = list((desk.run / "llm_completions" / sqlglot.INSTANCE_ID).glob("*.json"))
    assert len(calls) == len(repairer.requests) == 7

    (row,) = desk.output()
    patch = row["test_result"]["git_patch"]
    assert "exp.LocationProperty" in patch
    base = tmp_path / "base"
    subprocess.run(["cp", "-r", str(pypi("sqlglot", sqlglot.BEFORE)), str(base)], check=True)
    check = ["git", "apply", "--check", "-"]
    subprocess.run(check, cwd=base, input=patch.encode(), check=True)
    assert desk.containers() == []

    graded = await asyncio.to_thread(desk.velora, "evaluate", str(desk.run))
    assert graded.status == 0, graded
    report = json.loads(
        (desk.run / "eval_outputs" / sqlglot.INSTANCE_ID / "report.json").read_text()
    )
    verdict = report[sqlglot.INSTANCE_ID]
    assert verdict["resolved"] is True
    assert sorted(verdict["tests_status"]["FAIL_TO_PASS"]["success"]) == sqlglot.FAIL_TO_PASS
    assert verdict["tests_status"]["PASS_TO_PASS"]["failure"] == []
    total = json.loads((desk.run / "report.json").read_text())
    assert total["resolved_ids"] == [sqlglot.INSTANCE_ID]
    assert desk.containers() == []


async def test_every_image_gives_the_same_patch(
    tmp_path: Path, sqlglot_row: dict[str, Any], repairer: Server
) -> None:
    """With `base_commit`, with a rewritten history and without any `.git`."""
    patches, found = {}, {}
    for variant in sqlglot.VARIANTS:
        desk = Desk(tmp_path / variant)
        desk.path.mkdir()
        desk.model(repairer.url)
        name = put(desk, sqlglot_row, variant)
        done = await asyncio.to_thread(seed_command, desk, name, "--evaluate")
        assert done.status == 0, done
        (row,) = desk.output()
        patches[variant] = row["test_result"]["git_patch"]
        (found[variant],) = (
            e for e in desk.events(sqlglot.INSTANCE_ID) if isinstance(e, SnapshotTaken)
        )
        total = json.loads((desk.run / "report.json").read_text())
        assert total["resolved_ids"] == [sqlglot.INSTANCE_ID], variant
    assert patches["full"]
    assert patches["full"] == patches["rewritten"] == patches["nogit"]
    assert found["full"].base_commit_found is True
    assert found["rewritten"].base_commit_found is False
    assert any("base_commit_missing" in one for one in found["rewritten"].warnings)


@pytest.mark.parametrize(
    ("word", "reason", "missing"),
    [
        ("only half of it", "tests_failed", ["tests/dialects/test_trino.py::TestTrino::test_ddl"]),
        ("none of it", "empty_patch", sqlglot.FAIL_TO_PASS),
    ],
)
async def test_without_the_whole_fix_it_is_unresolved(
    desk: Desk,
    sqlglot_row: dict[str, Any],
    repairer: Server,
    word: str,
    reason: str,
    missing: list[str],
) -> None:
    desk.model(repairer.url)
    statement = f"{sqlglot_row['problem_statement']}\n({word})"
    name = put(desk, sqlglot_row, "full", problem_statement=statement)
    done = await asyncio.to_thread(seed_command, desk, name, "--evaluate")
    assert done.status == 0, done
    verdict = json.loads(
        (desk.run / "eval_outputs" / sqlglot.INSTANCE_ID / "report.json").read_text()
    )[sqlglot.INSTANCE_ID]
    assert verdict["resolved"] is False
    assert verdict["velora"]["reason"] == reason
    assert verdict["tests_status"]["FAIL_TO_PASS"]["failure"] == missing


PEEK = r"""
skip="--exclude-dir=proc --exclude-dir=sys --exclude-dir=.velora-*"  # the last: this very command
grep -rIlF -e 'LocationProperty: lambda self, e: self.property' -e nth_is_deleted $skip /
grep -rlF -e tests/dialects/test_presto.py::TestPresto -e 26.3.9 $skip /
env | grep -i -e patch -e pass_to -e fail_to -e key
cat /proc/*/cmdline /proc/*/environ | tr '\0' '\n' | grep -e 'nth_i[s]' -e 'a-key-fo[r]'
cd /app/repo
git log --all --format=%s | grep -v 'sqlglot 26.3.8'
git tag; git remote; git branch -a | grep -v main; git reflog | tail -n +2
git cat-file --batch-all-objects --batch-check | while read -r id kind size; do
  [ "$kind" = commit ] && git cat-file -p "$id" | grep -F 26.3.9
  [ "$kind" = blob ] && git cat-file -p "$id" | grep -aF nth_is_deleted
done
echo looked
"""


async def test_nothing_of_the_answer_is_in_the_container(
    desk: Desk, sqlglot_row: dict[str, Any]
) -> None:
    """An agent that looks everywhere finds no line of the gold patch or the tests, no future
    commit, no tag, no remote and no key."""
    turns = [{"calls": [{"tool": "execute_bash", "arguments": {"command": PEEK, "timeout": 240}}]}]
    async with Server({"turns": turns}) as server:
        desk.model(server.url)
        name = put(desk, sqlglot_row, "full")
        done = await asyncio.to_thread(seed_command, desk, name)
    assert done.status == 0, done
    events = desk.events(sqlglot.INSTANCE_ID)
    looked = next(e for e in events if isinstance(e, Observed) and e.tool == "execute_bash")
    seen = "\n".join(line for line in looked.content.splitlines() if not line.startswith("grep: "))
    assert seen.startswith("looked\n"), looked.content
    assert any(isinstance(e, Noted) and e.code == "history_sealed" for e in events)
