"""Task images of many languages, each with a real project, a bug, its fix and the tests for it.

    python -m tests.images.languages data/ [NAME ...]    # builds what is missing, writes task files

The images are made from a Debian root file system and Debian's packages; what fails before the fix
and passes after it is found by running the tests in the image, twice each way.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.images.sqlglot import base_image
from tests.images.tasks import TASKS
from tests.images.tasks.task import Task
from tests.images.upstream import CACHE, run
from velora.config.settings import EvaluationSettings, SandboxSettings
from velora.engine.choice import open_place
from velora.engine.places import Place
from velora.grading.measure import Measured, put_in, run_tests
from velora.grading.measure import Task as Grading
from velora.grading.protocol import Source, Status
from velora.grading.report import Diary
from velora.instances.model import Instance

_ROWS = CACHE / "languages"
_DATE = "2025-01-24T14:02:10+0000"


def main(out: Path, names: Sequence[str]) -> None:
    """Write a task file for each task."""
    out.mkdir(parents=True, exist_ok=True)
    for task in TASKS:
        if not names or task.name in names:
            row = build(task)
            path = out / f"{task.name}.jsonl"
            path.write_text(json.dumps(row) + "\n")
            f2p, p2p = len(row["FAIL_TO_PASS"]), len(row["PASS_TO_PASS"])
            print(f"{path}: {f2p} fail before, {p2p} pass before and after")


def build(task: Task) -> dict[str, Any]:
    """The task's row; its image is built if it is missing."""
    digest = _digest(task)
    image = f"velora-test/{task.name}:{digest}"
    kept = _ROWS / f"{task.name}-{digest}.json"
    if kept.exists() and _has(image):
        return dict(json.loads(kept.read_text()))
    with tempfile.TemporaryDirectory(prefix="velora-task-") as name:
        work = Path(name)
        gold, tests = _patches(task, work)
        _image(task, work, image)
    row: dict[str, Any] = {
        "instance_id": f"{task.language}__{task.name}",
        "repo": task.name,
        "problem_statement": task.problem,
        "language": task.language,
        "patch": gold,
        "test_patch": tests,
        "test_command": task.command,
        "test_output_parser": task.parser,
        "image_storage_uri": image,
        "repo_path": "/testbed",
    }
    row["FAIL_TO_PASS"], row["PASS_TO_PASS"] = asyncio.run(_lists(row))
    assert row["FAIL_TO_PASS"], f"{task.name}: nothing fails before and passes after"
    _ROWS.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(row, indent=1))
    return row


def _digest(task: Task) -> str:
    """Of all that the image and the lists are made from, as far as it is in this repository."""
    module = inspect.getmodule(task.before)
    assert module is not None
    said = (inspect.getsource(module), str(task.install), str(task.build), task.command)
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:12]


def _patches(task: Task, work: Path) -> tuple[str, str]:
    """Makes the repository as it is before the fix; gold and test patch."""
    repo = work / "repo"
    repo.mkdir()
    task.before(repo)
    git(repo, "init", "-q", "-b", "main")
    git(repo, "add", "-A", "-f")
    git(repo, "commit", "-q", "-m", "before")
    for entry in repo.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    task.after(repo)
    git(repo, "add", "-A", "-f")
    changed = git(repo, "diff", "--cached", "--name-only").splitlines()
    parts = []
    for wanted in (False, True):
        chosen = [name for name in changed if task.is_test(name) is wanted]
        assert chosen, f"{task.name}: no {'test' if wanted else 'source'} file changes"
        parts.append(git(repo, "diff", "--cached", "--binary", "--no-renames", "--", *chosen))
    git(repo, "reset", "-q", "--hard")
    git(repo, "clean", "-qfdx")
    return parts[0], parts[1]


def _image(task: Task, work: Path, image: str) -> None:
    env = [f"ENV {key}={value}" for key, value in task.env.items()]
    extra = []
    for number, (target, source) in enumerate(task.extra.items()):
        shutil.copytree(source(), work / f"extra-{number}", symlinks=True)
        extra.append(f"COPY extra-{number} {target}")
    repo = ["COPY repo /testbed", "WORKDIR /testbed"]
    lines = [f"FROM {base_image()}", *env, *task.install, *extra, *repo]
    (work / "Dockerfile").write_text("\n".join([*lines, *task.build, ""]))
    run(["docker", "build", "-q", "-t", image, str(work)])


def _has(image: str) -> bool:
    done = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    return done.returncode == 0


async def _lists(row: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What fails before the fix and passes after it, and what passes both times, in two runs
    each."""
    instance = Instance(
        instance_id=row["instance_id"],
        problem_statement=row["problem_statement"],
        language=row["language"],
        patch=row["patch"],
        test_patches=(row["test_patch"],),
        test_command=row["test_command"],
        test_output_parser=row["test_output_parser"],
        image=row["image_storage_uri"],
        repo_path=row["repo_path"],
    )
    async with open_place(SandboxSettings(backend="docker"), run="lists", instances=[instance]) as place:
        before = [await _passed(place, instance, b"") for _ in range(2)]
        after = [await _passed(place, instance, row["patch"].encode()) for _ in range(2)]
    passes = after[0][0] & after[1][0]
    fails = passes - before[0][0] - before[1][0]
    return sorted(fails), sorted(passes & before[0][0] & before[1][0])


async def _passed(place: Place, instance: Instance, patch: bytes) -> tuple[set[str], Measured]:
    with tempfile.TemporaryDirectory() as name:
        async with place.sandbox(instance, attempt=1, network=False) as started:
            timeout = EvaluationSettings().timeout
            grading = Grading(instance, started.sandbox, "/testbed", Path(name), timeout)
            diary = Diary()
            tmp = "/tmp/velora-lists"
            applied = await put_in(grading, patch, diary, tmp)
            assert applied.model_applied, applied.log
            measured = await run_tests(grading, diary, tmp)
    results: dict[str, Status] = {}
    for each in measured.evidence:
        if each.source is not Source.REFERENCE:
            for test, result in each.parsed.results.items():
                results.setdefault(test, result.status)
    return {test for test, status in results.items() if status is Status.PASSED}, measured


def git(repo: Path, *args: str) -> str:
    """Git with an identity and a date that are always the same."""
    facts = {"NAME": "task", "EMAIL": "task@example.invalid", "DATE": _DATE}
    roles = ("AUTHOR", "COMMITTER")
    who = {f"GIT_{role}_{what}": value for role in roles for what, value in facts.items()}
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", **who}
    done = subprocess.run(["git", "-C", str(repo), *args], env=env, check=True, capture_output=True)
    return done.stdout.decode("utf-8", "surrogateescape")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data"), sys.argv[2:])
