"""Task images of many languages, each with a real project, a bug, its fix and the tests for it.

    python -m tests.images.languages data/ [NAME ...]    # builds what is missing, writes task files

The images are made from a Debian root file system and Debian's packages. What fails before the fix
and passes after it is found by running the tests in the image, twice each way.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import inspect
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.images.sqlglot import base_image
from tests.images.tasks import TASKS
from tests.images.tasks.task import State, Task
from tests.images.upstream import CACHE, run
from velora.config.settings import EvaluationSettings, SandboxSettings
from velora.engine.choice import open_place
from velora.engine.places import Place
from velora.grading import measure, verdict
from velora.grading.report import Diary
from velora.instances.model import Instance

ROWS = CACHE / "languages"
WORKDIR = "/testbed"
_DATE = "2025-01-24T14:02:10+0000"


@dataclass(frozen=True, slots=True)
class Built:
    """A task whose image is there.

    Attributes:
        row: for a task file.
        half: a patch that is a part of the fix.
    """

    row: dict[str, Any]
    half: str


def main(out: Path, names: Sequence[str]) -> None:
    """Write a task file for each task."""
    out.mkdir(parents=True, exist_ok=True)
    for task in TASKS:
        if not names or task.name in names:
            row = build(task).row
            path = out / f"{task.name}.jsonl"
            path.write_text(json.dumps(row) + "\n")
            fails, passes = len(row["FAIL_TO_PASS"]), len(row["PASS_TO_PASS"])
            print(f"{path}: FAIL_TO_PASS {fails}, PASS_TO_PASS {passes}")


def build(task: Task) -> Built:
    """Build the image if it is missing; find out what fails and what passes."""
    ROWS.mkdir(parents=True, exist_ok=True)
    with (ROWS / ".lock").open("w") as lock:  # another test process may be at it
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = _digest(task)
        image = f"velora-test/{task.name}:{digest}"
        kept = ROWS / f"{task.name}-{digest}.json"
        if not (kept.exists() and _has(image)):
            kept.write_text(json.dumps(_build(task, image), indent=1))
        return Built(**json.loads(kept.read_text()))


def _build(task: Task, image: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="velora-task-") as name:
        work = Path(name)
        gold, tests, half = _patches(task, work / "patches")
        base = _repository(work / "repo", task.fixed, task.broken)
        _image(task, work, image)
    row: dict[str, Any] = {
        "instance_id": f"{task.language}__{task.name}",
        "repo": task.name,
        "base_commit": base,
        "problem_statement": task.problem,
        "language": task.language,
        "patch": gold,
        "test_patch": tests,
        "test_command": task.command,
        "test_output_parser": task.parser,
        "image_storage_uri": image,
        "repo_path": WORKDIR,
    }
    fails, passes = asyncio.run(_lists(task, row))
    return {"row": row | {"FAIL_TO_PASS": fails, "PASS_TO_PASS": passes}, "half": half}


def _digest(task: Task) -> str:
    """Of all that image and lists are made from, as far as it is in this repository."""
    module = inspect.getmodule(task.fixed)
    assert module is not None
    return hashlib.sha256(inspect.getsource(module).encode()).hexdigest()[:12]


def _repository(repo: Path, *states: State) -> str:
    """A repository with one commit; returns its id."""
    repo.mkdir()
    for make in states:
        make(repo)
    git(repo, "init", "-q", "-b", "main")
    git(repo, "add", "-A", "-f")
    git(repo, "commit", "-q", "-m", "before")
    return git(repo, "rev-parse", "HEAD").strip()


def _patches(task: Task, repo: Path) -> tuple[str, str, str]:
    """The gold patch, the test patch and half of the gold patch."""
    _repository(repo, task.fixed, task.broken)
    changed = _become(repo, task.fixed)
    sources = [path for path in changed if not task.is_test(path)]
    tests = [path for path in changed if task.is_test(path)]
    assert sources, (task.name, changed)
    assert tests, (task.name, changed)
    gold, test = _diff(repo, sources), _diff(repo, tests)
    _become(repo, task.fixed, task.half)
    half = _diff(repo, sources)
    assert half.strip() not in {"", gold.strip()}, task.name
    return gold, test, half


def _become(repo: Path, *states: State) -> list[str]:
    """Put other content in place of the commit's; which files differ."""
    for entry in repo.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for make in states:
        make(repo)
    git(repo, "add", "-A", "-f")
    return git(repo, "diff", "--cached", "--name-only").splitlines()


def _diff(repo: Path, paths: Sequence[str]) -> str:
    return git(repo, "diff", "--cached", "--binary", "--no-renames", "--", *paths)


def _image(task: Task, work: Path, image: str) -> None:
    lines = [f"FROM {base_image()}", *(f"ENV {key}={value}" for key, value in task.env.items())]
    lines += [*task.install, f"COPY repo {WORKDIR}"]
    for number, (target, source) in enumerate(task.extra.items()):
        shutil.copytree(source(), work / f"extra-{number}", symlinks=True)
        lines.append(f"COPY extra-{number} {target}")
    lines += [f"WORKDIR {WORKDIR}", *task.build]
    (work / "Dockerfile").write_text("\n".join(lines) + "\n")
    run(["docker", "build", "-q", "-t", image, str(work)])


def _has(image: str) -> bool:
    done = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    return done.returncode == 0


async def _lists(task: Task, row: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What fails before the fix and passes after it, and what passes both times; a name that does
    not do the same in two runs is in neither."""
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
    settings = SandboxSettings(backend="docker")
    async with open_place(settings, run="lists", instances=[instance]) as place:
        before = [await _passed(place, instance, b"") for _ in range(2)]
        after = [await _passed(place, instance, row["patch"].encode()) for _ in range(2)]
    passes = after[0] & after[1]
    fails = passes - before[0] - before[1]
    assert fails, f"{task.name}: nothing fails before the fix and passes after it"
    return sorted(fails), sorted(passes & before[0] & before[1])


async def _passed(place: Place, instance: Instance, patch: bytes) -> set[str]:
    with tempfile.TemporaryDirectory() as name:
        async with place.sandbox(instance, attempt=1, network=False) as started:
            task = measure.Task(
                instance, started.sandbox, WORKDIR, Path(name), EvaluationSettings().timeout
            )
            tests = measure.tests_of(task, patch)
            applied = await measure.put_in(task, patch, tests, Diary(), "/tmp/lists")
            assert applied.model_applied, applied.log
            evidence = (await measure.run_tests(task, Diary(), "/tmp/lists")).evidence
    seen = {test for each in evidence for test in each.parsed.results}
    names, _ = verdict.judge(sorted(seen), (), evidence)
    return {each.name for each in names if each.passed}


def git(repo: Path, *args: str) -> str:
    """Git with an identity and a date that are always the same."""
    facts = {"NAME": "task", "EMAIL": "task@example.invalid", "DATE": _DATE}
    roles = ("AUTHOR", "COMMITTER")
    who = {f"GIT_{role}_{what}": value for role in roles for what, value in facts.items()}
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", **who}
    done = subprocess.run(["git", "-C", str(repo), *args], env=env, check=True, capture_output=True)
    return done.stdout.decode()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data"), sys.argv[2:])
