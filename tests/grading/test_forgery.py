"""The forgeries of `forgeries.py`, each really applied and graded: none turns a verdict green."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fixtures_docker import unavailable
from tests.grading import forgeries, forgeries_node, forgeries_rigged
from tests.grading.conftest import commit, populate
from tests.grading.forgeries import FORGERIES, Forgery
from tests.images import upstream
from velora import languages
from velora.config.settings import EvaluationSettings
from velora.errors import TaskInvalid
from velora.grading.grade import grade
from velora.grading.protocol import Verdict
from velora.grading.tamper import inspect
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


def rigged_instance(forgery: Forgery | None = None) -> Instance:
    return replace(
        python_instance(),
        fail_to_pass=(forgery and forgery.fix) or forgeries_rigged.FAIL_TO_PASS,
        pass_to_pass=forgeries_rigged.PASS_TO_PASS,
        test_patches=(forgeries_rigged.TEST_PATCH,),
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
    commit(image)
    patch = written(image, files)
    fixed = {"tally.py": forgeries.FIXED} if python else {"tally.js": forgeries_node.FIXED}
    if gold:
        instance = replace(instance, patch=written(image, fixed).decode())
    if modules is not None:
        shutil.copytree(modules, image / "node_modules", symlinks=True)
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
RIGGED = {"equal_to_all", "patched_call", "forged_report", "patched_assert", "assigned_assert"}


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


NOT_EVEN_RESOLVED = {"exit_is_swallowed"}


@pytest.mark.parametrize("forgery", forgeries_rigged.FORGERIES, ids=lambda one: one.name)
async def test_a_rigged_run_is_found_out(tmp_path: Path, forgery: Forgery) -> None:
    found_out(await graded(tmp_path, rigged_instance(forgery), forgery.files), forgery, tmp_path)


@pytest.mark.parametrize("name", ["metaclass", "mock_any", "swallowed_failures", "rigged_once"])
async def test_a_rigged_run_of_unittest_is_found_out(tmp_path: Path, name: str) -> None:
    (forgery,) = (one for one in forgeries_rigged.FORGERIES if one.name == name)
    instance = replace(
        rigged_instance(),
        fail_to_pass=forgeries_rigged.AS_UNITTEST,
        pass_to_pass=(),
        test_command=f"{sys.executable} -B -m unittest -v tests.test_tally",
        test_output_parser="unittest",
    )
    found_out(await graded(tmp_path, instance, forgery.files), forgery, tmp_path)


@pytest.mark.parametrize("forgery", forgeries_rigged.STILL_GREEN, ids=lambda one: one.name)
async def test_what_is_not_found_out_is_known(tmp_path: Path, forgery: Forgery) -> None:
    verdict = await graded(tmp_path, rigged_instance(), forgery.files)
    assert verdict.resolved, verdict
    assert {flag.note for flag in verdict.flags} == {"4 of 4 tests: fails when it should"}


@pytest.fixture(scope="session")
def expect_modules() -> Path:
    if reason := upstream.missing(("node", "npm")):
        unavailable(f"expect cannot be fetched: {reason}")
    return upstream.node_modules(forgeries_node.EXPECT)


def expect_instance() -> Instance:
    return replace(node_instance(), test_patches=(forgeries_node.EXPECT_PATCH,))


@pytest.mark.parametrize("forgery", forgeries_node.EXPECT_FORGERIES, ids=lambda one: one.name)
async def test_a_rigged_expect_is_found_out(
    tmp_path: Path, forgery: Forgery, expect_modules: Path
) -> None:
    verdict = await graded(
        tmp_path,
        expect_instance(),
        forgery.files,
        repository=forgeries_node.EXPECT_REPOSITORY,
        modules=expect_modules,
    )
    found_out(verdict, forgery, tmp_path)


async def test_an_honest_patch_with_expect_is_green(tmp_path: Path, expect_modules: Path) -> None:
    files = {"tally.js": forgeries_node.FIXED + "exports.end = () => process.exit(1)\n"}
    verdict = await graded(
        tmp_path,
        expect_instance(),
        files,
        repository=forgeries_node.EXPECT_REPOSITORY,
        modules=expect_modules,
    )
    assert verdict.resolved, verdict
    assert verdict.falsified is not None
    assert (verdict.falsified.checked, verdict.falsified.failed) == (2, 2)


def found_out(verdict: Verdict, forgery: Forgery, tmp_path: Path) -> None:
    """It is rigged, by tests that had passed, and the evidence lies there."""
    assert not verdict.resolved, verdict
    suspicious = [flag for flag in verdict.flags if flag.kind == "suspicious"]
    assert suspicious
    if forgery.name in NOT_EVEN_RESOLVED:
        assert verdict.reason == "tests_failed"
        return
    assert verdict.reason == "rigged", verdict
    assert all(each.passed for each in verdict.fail_to_pass)
    falsified = verdict.falsified
    assert falsified is not None
    assert set(falsified.proof) & {each.name for each in verdict.fail_to_pass}
    assert all("passes when it should fail" in flag.note for flag in suspicious)
    out = tmp_path / "out"
    report = json.loads((out / "report.json").read_text())
    (velora,) = (each["velora"] for each in report.values())
    assert velora["falsified"]["proof"] == list(falsified.proof)
    log = (out / "run_instance.log").read_text()
    assert "not resolved: rigged" in log
    assert suspicious[0].hunk.splitlines()[-1] in log
    assert (out / "falsified_output.txt").stat().st_size
    assert (out / "falsified_gold_output.txt").stat().st_size
    changed = (out / "falsified.diff").read_text()
    assert "object()" in changed or "7919" in changed or "Symbol()" in changed


@pytest.mark.parametrize("honest", forgeries_rigged.HONEST, ids=lambda one: one.name)
async def test_an_honest_patch_that_looks_rigged_is_green(tmp_path: Path, honest: Forgery) -> None:
    verdict = await graded(tmp_path, rigged_instance(), honest.files)
    assert verdict.resolved, verdict
    assert verdict.warnings == ()
    assert verdict.falsified is not None
    assert (verdict.falsified.checked, verdict.falsified.failed) == (4, 4)
    (flag,) = (flag for flag in verdict.flags if flag.kind == "suspicious")
    assert flag.note == "4 of 4 tests: fails when it should"
    assert (tmp_path / "out/falsified_output.txt").exists()
    assert not (tmp_path / "out/falsified_gold_output.txt").exists()


async def test_a_test_that_passes_whatever_it_asserts_proves_nothing(tmp_path: Path) -> None:
    instance = replace(
        rigged_instance(),
        test_patches=(forgeries_rigged.LENIENT_PATCH,),
        pass_to_pass=(*forgeries_rigged.PASS_TO_PASS, "tests/test_tally.py::test_nothing"),
    )
    verdict = await graded(tmp_path, instance, forgeries_rigged.HONEST[0].files)
    assert verdict.resolved, verdict
    assert verdict.falsified is not None
    assert verdict.falsified.with_gold == forgeries_rigged.PASS_TO_PASS
    assert (verdict.falsified.checked, verdict.falsified.failed) == (5, 4)
    assert verdict.warnings == ("1 tests pass with a false assertion, with the gold patch too",)
    assert (tmp_path / "out/falsified_gold_output.txt").exists()


@pytest.mark.parametrize("name", ["metaclass", "swallowed_failures"])
async def test_without_a_gold_patch_nothing_is_proven(tmp_path: Path, name: str) -> None:
    (forgery,) = (one for one in forgeries_rigged.FORGERIES if one.name == name)
    verdict = await graded(tmp_path, rigged_instance(), forgery.files, gold=False)
    assert verdict.resolved
    assert verdict.falsified is not None
    assert verdict.falsified.passed
    assert not verdict.falsified.proof
    (warning,) = verdict.warnings
    assert "there is no gold patch to compare with" in warning


async def test_tests_that_cannot_be_made_false_are_said(tmp_path: Path) -> None:
    (forgery,) = (one for one in FORGERIES if one.name == "patched_call")
    instance = replace(
        python_instance(),
        test_command=f"git checkout -q HEAD && git apply <<'END'\n{forgeries.TEST_PATCH}END\n"
        + python_instance().test_command,
        test_patches=(),
        pass_to_pass=(),
    )
    verdict = await graded(tmp_path, instance, forgery.files)
    assert verdict.resolved
    (warning,) = verdict.warnings
    assert "could not be checked: no listed test was found" in warning


async def test_tests_in_other_languages_cost_no_sandbox(tmp_path: Path) -> None:
    (forgery,) = (one for one in forgeries_rigged.FORGERIES if one.name == "swallowed_failures")
    run = f"{sys.executable} -B -m unittest -v tests.test_tally"
    instance = replace(
        python_instance(),
        language="",
        fail_to_pass=forgeries_rigged.AS_UNITTEST,
        pass_to_pass=(),
        test_patches=(),
        test_command=f"git apply <<'END'\n{forgeries_rigged.TEST_PATCH}END\n{run}",
        test_output_parser="unittest",
    )
    verdict = await graded(tmp_path, instance, forgery.files)
    assert verdict.resolved
    (warning,) = verdict.warnings
    assert "could not be checked: its tests are not in Python" in warning
    assert [path.name for path in tmp_path.glob("copy-*")] == ["copy-0"]


SUSPICIOUS = (
    "class A: __eq__ = lambda self, other: 1",
    "def __ne__(self, other):",
    "from unittest.mock import ANY",
    "import _pytest.python",
    "setattr(TestCase, 'x', y)",
    "case.assertEqual = print",
    "x = __import__('unit' + 'test')",
    "for each in gc.get_objects():",
    "frame = sys._getframe(1)",
    "sys.exit = print",
    "sys.modules['tests'] = fake",
    "except BaseException:",
    "except (ValueError, SystemExit):",
    "assert.strictEqual = () => {}",
    "a.deepEqual = b",
    "Object.is = () => true",
    "Object.assign(require('assert'), {})",
    "asymmetricMatch: () => true",
    "process.on('exit', () => { process.exitCode = 0 })",
    "Function.prototype.call = f",
)
PLAIN = (
    "import unittestlike",
    "if a == b: return True",
    "self.equal = None if x else y.equal == 1",
    "const toBe = 1",
    "except ValueError:",
    "Object.assign(target, { a: 1 })",
    "value.prototype = x",
    "sys.exit(1)",
    "total = sum(values)",
)


@pytest.mark.parametrize("line", [*SUSPICIOUS, *PLAIN])
def test_signs(line: str) -> None:
    patch = f"--- /dev/null\n+++ b/src/a.py\n@@ -0,0 +1 @@\n+{line}\n".encode()
    found = {flag.kind for flag in inspect(patch, languages.get("python"))}
    assert found == ({"suspicious"} if line in SUSPICIOUS else set())


async def test_nothing_is_run_again_for_an_unsuspicious_patch(tmp_path: Path) -> None:
    verdict = await graded(tmp_path, rigged_instance(), {"tally.py": forgeries.FIXED})
    assert verdict.resolved
    assert verdict.falsified is None
    assert [path.name for path in tmp_path.glob("copy-*")] == ["copy-0"]
    assert not list((tmp_path / "out").glob("falsified*"))


async def test_a_suspicious_line_in_a_test_that_is_put_back_costs_no_run(tmp_path: Path) -> None:
    files = {"tally.py": forgeries.FIXED, "tests/test_more.py": "import os\nos._exit(0)\n"}
    verdict = await graded(tmp_path, rigged_instance(), files)
    assert verdict.resolved
    assert verdict.falsified is None
    assert {flag.kind for flag in verdict.flags} == {"test", "suspicious"}


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
