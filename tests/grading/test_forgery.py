"""The forgeries of `forgeries.py`, each really applied and graded: none turns a verdict green."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.grading import forgeries, forgeries_node, forgeries_rigged
from tests.grading.conftest import commit, populate
from tests.grading.forgeries import FORGERIES, Forgery
from velora.config.settings import EvaluationSettings
from velora.errors import TaskInvalid
from velora.grading.grade import grade
from velora.grading.protocol import Verdict
from velora.instances.model import Instance
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import Sandbox, SandboxSpec

NODE = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def python_instance(flags: str = "-rA") -> Instance:
    return Instance(
        instance_id="tally-1",
        problem_statement="total leaves the first value out",
        language="python",
        fail_to_pass=forgeries.FAIL_TO_PASS,
        pass_to_pass=forgeries.PASS_TO_PASS,
        test_patches=(forgeries.TEST_PATCH,),
        test_command=f"export PYTHONDONTWRITEBYTECODE=1; {sys.executable} -m pytest -p "
        f"no:cacheprovider --tb=no {flags} tests",
        test_output_parser="pytest",
    )


def node_instance() -> Instance:
    return Instance(
        instance_id="tally-2",
        problem_statement="total leaves the first value out",
        language="javascript",
        fail_to_pass=forgeries_node.FAIL_TO_PASS,
        pass_to_pass=forgeries_node.PASS_TO_PASS,
        test_patches=(forgeries_node.TEST_PATCH,),
        test_command=forgeries_node.COMMAND,
        test_output_parser="node-test",
    )


def rigged_instance(command: str = "") -> Instance:
    instance = python_instance()
    return replace(
        instance,
        fail_to_pass=forgeries_rigged.FAIL_TO_PASS,
        pass_to_pass=forgeries_rigged.PASS_TO_PASS,
        test_patches=(forgeries_rigged.TEST_PATCH,),
        test_command=command or instance.test_command,
    )


def written(repo: Path, files: dict[str, str]) -> bytes:
    """The patch that writes `files` ("" deletes one) into a clean repository."""
    populate(repo, {name: text for name, text in files.items() if text})
    for name, text in files.items():
        if not text and (repo / name).exists():
            (repo / name).unlink()
    subprocess.run(["git", "add", "-A", "-f"], cwd=repo, check=True)
    diff = ["git", "diff", "HEAD", "--binary", "--no-renames"]
    patch = subprocess.run(diff, cwd=repo, check=True, capture_output=True).stdout
    assert patch
    subprocess.run(["git", "reset", "-q", "--hard"], cwd=repo, check=True)
    subprocess.run(["git", "clean", "-qfdx"], cwd=repo, check=True)
    return patch


async def graded(
    tmp_path: Path,
    instance: Instance,
    files: dict[str, str],
    *,
    gold: bool = True,
    repository: dict[str, str] | None = None,
    modules: Path | None = None,
) -> Verdict:
    """Grade the patch that writes `files` ("" deletes one).

    Args:
        gold: the instance has its gold patch.
        repository: in place of the language's.
        modules: a `node_modules` that the repository has.
    """
    image = tmp_path / "image" / "repo"
    python = instance.language != "javascript"
    populate(image, repository or (forgeries if python else forgeries_node).REPOSITORY)
    if modules is not None:
        (image / ".gitignore").write_text("node_modules/\n")
        (image / "node_modules").symlink_to(modules)
    commit(image)
    patch = written(image, files)
    fixed = {"tally.py": forgeries.FIXED} if python else {"tally.js": forgeries_node.FIXED}
    if gold:
        instance = replace(instance, patch=written(image, fixed).decode())
    number = iter(range(10))

    @asynccontextmanager
    async def fresh() -> AsyncIterator[tuple[Sandbox, str]]:
        repo = tmp_path / f"copy-{next(number)}" / "repo"
        shutil.copytree(image, repo, symlinks=True)
        sandbox = HostSandbox(SandboxSpec(image="", workdir=str(repo)))
        await sandbox.start()
        try:
            yield sandbox, str(repo)
        finally:
            await sandbox.stop()

    async with fresh() as (sandbox, workdir):
        return await grade(
            instance,
            patch,
            sandbox=sandbox,
            workdir=workdir,
            out_dir=tmp_path / "out",
            settings=EvaluationSettings(timeout=60),
            fresh=fresh,
        )


# What only a run with false assertions tells from a fix.
RIGGED = {"equal_to_all", "patched_call", "forged_report", "patched_assert"}


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda one: one.name)
async def test_a_forgery_is_not_green(tmp_path: Path, forgery: Forgery) -> None:
    check(await graded(tmp_path, python_instance(), forgery.files), forgery)


@NODE
@pytest.mark.parametrize("forgery", forgeries_node.FORGERIES, ids=lambda one: one.name)
async def test_a_forgery_in_javascript_is_not_green(tmp_path: Path, forgery: Forgery) -> None:
    check(await graded(tmp_path, node_instance(), forgery.files), forgery)


def check(verdict: Verdict, forgery: Forgery) -> None:
    assert not verdict.resolved, verdict
    assert (verdict.reason == "rigged") == (forgery.name in RIGGED), verdict


@pytest.mark.parametrize("forgery", forgeries_rigged.FORGERIES, ids=lambda one: one.name)
async def test_a_rigged_run_is_not_green(tmp_path: Path, forgery: Forgery) -> None:
    verdict = await graded(tmp_path, rigged_instance(), forgery.files)
    print(verdict.reason, verdict.falsified)
    assert not verdict.resolved, verdict


@NODE
async def test_the_fix_in_javascript_is_green(tmp_path: Path) -> None:
    verdict = await graded(tmp_path, node_instance(), {"tally.js": forgeries_node.FIXED})
    assert verdict.resolved, verdict
    assert (verdict.flags, verdict.warnings) == ((), ())


@pytest.mark.parametrize("command", ["-rA", "-v", "-q"])
async def test_the_fix_is_green(tmp_path: Path, command: str) -> None:
    verdict = await graded(tmp_path, python_instance(command), {"tally.py": forgeries.FIXED})
    assert verdict.resolved, verdict
    assert verdict.flags == ()
    assert verdict.warnings == ()
    source = "report" if command == "-q" else "log"
    assert {each.source for each in verdict.fail_to_pass} == {source}


async def test_without_a_command_the_language_s_own_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    instance = replace(python_instance(), test_command="", test_output_parser="")
    verdict = await graded(tmp_path, instance, {"tally.py": forgeries.FIXED})
    assert verdict.resolved, verdict
    assert verdict.parser == "auto:pytest"
    assert "the row has no test_command; its language's was run: pytest" in verdict.warnings[0]
    script = (tmp_path / "out/eval.sh").read_text()
    assert "/saved/ENV" in script
    with pytest.raises(TaskInvalid, match="no test_command"):
        await graded(tmp_path / "2", replace(instance, language="cobol"), {"tally.py": "x"})


async def test_a_fix_with_a_harmless_configuration_is_green(tmp_path: Path) -> None:
    files = {"tally.py": forgeries.FIXED, "pytest.ini": "[pytest]\ntestpaths = tests\n"}
    verdict = await graded(tmp_path, python_instance(), files)
    assert verdict.resolved, verdict
    assert [(flag.kind, flag.path) for flag in verdict.flags] == [("runner", "pytest.ini")]
    assert verdict.warnings == ("resolved with the image's own pytest.ini too",)


async def test_what_only_a_changed_runner_makes_green_is_said(tmp_path: Path) -> None:
    (forgery,) = (one for one in FORGERIES if one.name == "outcome_hook_as_plugin")
    verdict = await graded(tmp_path, python_instance(), forgery.files)
    assert verdict.reason == "depends_on_runner_files"
    assert (tmp_path / "out/second_test_output.txt").exists()
    assert "1 passed" in (tmp_path / "out/second_test_output.txt").read_text()
