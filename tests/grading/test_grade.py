"""Whole gradings of a tiny repository on the host sandbox."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.grading.conftest import (
    FIX_ADD,
    GOLD,
    INSTANCE,
    TEST_PATCH,
    commit,
    files,
    populate,
)
from velora.errors import SandboxLost, TaskInvalid, UsageError
from velora.grading.grade import grade_empty
from velora.grading.protocol import NameVerdict, Status, Verdict
from velora.sandbox.protocol import Sandbox

Grade = Callable[..., Awaitable[Verdict]]


def statuses(names: tuple[NameVerdict, ...]) -> dict[str, Status | None]:
    return {each.name.rpartition(".")[2]: each.status for each in names}


def report(tmp_path: Path) -> Any:
    return json.loads((tmp_path / "out" / "report.json").read_text())["calc-1"]


async def test_the_gold_patch_is_resolved(graded: Grade, tmp_path: Path) -> None:
    verdict = await graded(GOLD)
    assert verdict.resolved
    assert verdict.reason == "resolved"
    assert verdict.patch_applied is True
    assert verdict.exit_code == 0
    assert verdict.warnings == ()
    assert [each.rule for each in verdict.fail_to_pass] == ["exact"] * 3
    assert verdict.apply_log == (
        "model patch: git apply: ok",
        "test patch 1 of 2: git apply: ok",
        "test patch 2 of 2: git apply: ok",
    )
    found = report(tmp_path)
    assert found["resolved"] is True
    assert found["patch_exists"] is True
    assert found["patch_is_None"] is False
    assert found["patch_successfully_applied"] is True
    assert found["tests_status"]["FAIL_TO_PASS"] == {
        "success": list(INSTANCE.fail_to_pass),
        "failure": [],
    }
    assert found["tests_status"]["PASS_TO_FAIL"] == {"success": [], "failure": []}
    out = tmp_path / "out"
    assert (out / "patch.diff").read_text() == GOLD
    assert "Ran 4 tests" in (out / "test_output.txt").read_text()
    assert INSTANCE.test_command in (out / "eval.sh").read_text()
    assert "resolved" in (out / "run_instance.log").read_text()
    assert sorted(path.name for path in out.iterdir()) == [
        "eval.sh",
        "patch.diff",
        "report.json",
        "run_instance.log",
        "test_output.txt",
    ]


async def test_half_a_fix_is_not_resolved(graded: Grade, tmp_path: Path) -> None:
    verdict = await graded(FIX_ADD)
    assert not verdict.resolved
    assert verdict.reason == "tests_failed"
    assert statuses(verdict.fail_to_pass) == {
        "test_add": Status.PASSED,
        "test_sub": Status.FAILED,
        "test_both": Status.FAILED,
    }
    assert statuses(verdict.pass_to_pass) == {"test_same": Status.PASSED}
    assert report(tmp_path)["tests_status"]["FAIL_TO_PASS"]["failure"] == [
        "tests.test_calc.Calc.test_sub",
        "tests.test_more.More.test_both",
    ]


async def test_an_empty_patch_needs_no_sandbox(tmp_path: Path) -> None:
    verdict = grade_empty(INSTANCE, tmp_path / "out")
    assert (verdict.resolved, verdict.reason) == (False, "empty_patch")
    assert verdict.patch_applied is None
    found = report(tmp_path)
    assert found["patch_exists"] is False
    assert found["patch_successfully_applied"] is False
    assert len(found["tests_status"]["FAIL_TO_PASS"]["failure"]) == 3


async def test_a_blank_patch_is_empty(graded: Grade) -> None:
    assert (await graded(" \n")).reason == "empty_patch"


async def test_tests_that_the_model_edited_are_put_back(
    graded: Grade, repo: Path, tmp_path: Path
) -> None:
    cheat = TEST_PATCH.replace("calc.add(2, 3), 5", "calc.add(2, 3), -1")
    cheat += """diff --git a/tests/test_more.py b/tests/test_more.py
new file mode 100644
--- /dev/null
+++ b/tests/test_more.py
@@ -0,0 +1 @@
+raise SystemExit("mine")
"""
    verdict = await graded(GOLD + cheat)
    assert verdict.resolved
    assert verdict.apply_log[-1] == (
        "model patch: touches test files, put back to the image's: "
        "tests/test_calc.py, tests/test_more.py"
    )
    assert "mine" in (tmp_path / "out" / "patch.diff").read_text()
    assert "mine" not in (repo / "tests/test_more.py").read_text()


async def test_a_model_that_replaced_the_tests_directory_by_a_link(
    graded: Grade, repo: Path
) -> None:
    removals = """diff --git a/tests/__init__.py b/tests/__init__.py
deleted file mode 100644
index e69de29..0000000
diff --git a/tests/test_calc.py b/tests/test_calc.py
deleted file mode 100644
--- a/tests/test_calc.py
+++ /dev/null
@@ -1,8 +0,0 @@
"""
    removals += "".join(f"-{line}\n" for line in files()["tests/test_calc.py"].splitlines())
    link = """diff --git a/tests b/tests
new file mode 120000
--- /dev/null
+++ b/tests
@@ -0,0 +1 @@
+elsewhere
\\ No newline at end of file
"""
    verdict = await graded(GOLD + removals + link)
    assert verdict.patch_applied is True
    assert (repo / "tests").is_dir()
    assert not (repo / "tests").is_symlink()
    assert "test_add" in (repo / "tests/test_calc.py").read_text()


async def test_a_patch_that_does_not_apply(graded: Grade, repo: Path, tmp_path: Path) -> None:
    bad = GOLD.replace("return a - b", "return a * b")
    verdict = await graded(bad)
    assert (verdict.resolved, verdict.reason) == (False, "patch_apply_failed")
    assert verdict.patch_applied is False
    assert [line.split(" (")[0] for line in verdict.apply_log] == [
        "model patch: git apply: failed",
        "model patch: git apply --3way: failed",
        "model patch: patch --fuzz=5: failed",
    ]
    assert report(tmp_path)["patch_successfully_applied"] is False
    assert {path.name for path in repo.iterdir()} == {".git", "calc.py", "tests"}
    assert (repo / "calc.py").read_text() == files()["calc.py"]


async def test_a_test_patch_that_does_not_apply_is_the_tasks_fault(graded: Grade) -> None:
    with pytest.raises(TaskInvalid, match="test patch 1 of 1 does not apply"):
        await graded(GOLD, test_patches=(TEST_PATCH.replace("     def test_same", "-    gone"),))


async def test_a_test_patch_that_is_in_the_image(graded: Grade, repo: Path) -> None:
    merged = files()["tests/test_calc.py"] + "".join(
        line[1:] + "\n" for line in TEST_PATCH.splitlines()[7:] if line.startswith("+")
    )
    (repo / "tests/test_calc.py").write_text(merged)
    verdict = await graded(GOLD)
    assert verdict.resolved
    assert "test patch 1 of 2: already applied: ok" in verdict.apply_log


async def test_the_time_limit(graded: Grade, tmp_path: Path) -> None:
    command = INSTANCE.test_command + " ; sleep 300 & sleep 300"
    verdict = await graded(GOLD, timeout=2.0, test_command=command)
    assert (verdict.resolved, verdict.reason) == (False, "tests_timed_out")
    assert verdict.timed_out
    assert verdict.exit_code is None
    assert verdict.duration < 20


async def test_printed_verdicts_prove_nothing(graded: Grade) -> None:
    forger = """diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,5 +1,10 @@
+import sys
+
+
 def add(a, b):
+    sys.stderr.write("ok\\n")
+    sys.stderr.write("test_add (tests.test_calc.Calc.test_add) ... ok\\n")
     return a - b
 
 
 def sub(a, b):
"""  # noqa: W293
    verdict = await graded(forger)
    assert verdict.reason == "tests_failed"
    assert statuses(verdict.fail_to_pass)["test_add"] is Status.FAILED


async def test_the_command_runs_as_it_is(graded: Grade, tmp_path: Path) -> None:
    command = (
        "export WORD='a b' && cd tests && cd ..\n"
        f"if [[ $WORD == 'a b' ]]; then {INSTANCE.test_command}; fi\n"
        "echo proxy=${http_proxy-none}$HTTP_PROXY; exit 7"
    )
    verdict = await graded(GOLD, test_command=command)
    assert verdict.resolved
    assert verdict.exit_code == 7
    assert any("status 7" in warning for warning in verdict.warnings)
    assert "proxy=none\n" in (tmp_path / "out" / "test_output.txt").read_text()


async def test_no_test_ran(graded: Grade) -> None:
    verdict = await graded(GOLD, test_command="echo OK; no-such-program")
    assert (verdict.reason, verdict.exit_code) == ("no_tests_parsed", 127)


async def test_a_name_that_is_missing(graded: Grade, tmp_path: Path) -> None:
    verdict = await graded(GOLD, pass_to_pass=("tests.test_calc.Calc.test_sam",))
    assert verdict.reason == "tests_missing"
    assert report(tmp_path)["velora"]["missing"] == ["tests.test_calc.Calc.test_sam"]


async def test_without_fail_to_pass_nothing_is_resolved(graded: Grade) -> None:
    assert (await graded(GOLD, fail_to_pass=())).reason == "no_fail_to_pass"


async def test_rows_that_cannot_be_graded(graded: Grade, tmp_path: Path) -> None:
    with pytest.raises(TaskInvalid, match="FAIL_TO_PASS is cut"):
        await graded(GOLD, problems=("FAIL_TO_PASS is cut",))
    with pytest.raises(TaskInvalid, match="test_command"):
        await graded(GOLD, test_command=" ")
    with pytest.raises(UsageError, match="did you mean 'pytest'"):
        await graded(GOLD, test_output_parser="pytests")
    assert not (tmp_path / "out" / "report.json").exists()


async def test_a_row_without_parser(graded: Grade) -> None:
    verdict = await graded(GOLD, test_output_parser="", language="python")
    assert (verdict.resolved, verdict.parser) == (True, "auto:unittest")


async def test_a_sandbox_that_is_gone(graded: Grade, host: Sandbox, tmp_path: Path) -> None:
    await host.stop()
    with pytest.raises(SandboxLost):
        await graded(GOLD)
    assert not (tmp_path / "out" / "report.json").exists()
    assert "no verdict" in (tmp_path / "out" / "run_instance.log").read_text()


async def test_the_working_directory_is_no_repository(graded: Grade, tmp_path: Path) -> None:
    root = tmp_path / "plain"
    populate(root, files())
    assert (await graded(GOLD, workdir=str(root))).resolved


async def test_the_working_directory_lies_inside_a_repository(
    graded: Grade, tmp_path: Path
) -> None:
    root = tmp_path / "outer"
    inner = {f"python/{name}": text for name, text in files().items()}
    populate(root, {**inner, "README": "outer\n"})
    commit(root)
    verdict = await graded(GOLD, workdir=str(root / "python"))
    assert verdict.resolved
    assert "return a + b" in (root / "python/calc.py").read_text()


async def test_nothing_stays_behind(graded: Grade, tmp_path: Path) -> None:
    await graded(GOLD, test_command=f"echo scratch=${{0%/*}}; {INSTANCE.test_command}")
    log = (tmp_path / "out" / "test_output.txt").read_text()
    scratch = Path(log.partition("scratch=")[2].partition("\n")[0])
    assert scratch.match("/tmp/velora-grade-*")
    assert not scratch.exists()
