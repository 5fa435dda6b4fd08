"""Gradings in real containers: an image with everything, and one with BusyBox alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fixtures_docker import busybox_image, debian_image, docker_engine, engine_here
from tests.grading.conftest import FIX_ADD, GOLD, INSTANCE, RIGGED, files
from velora.config.settings import EvaluationSettings
from velora.errors import SandboxLost
from velora.grading.grade import grade
from velora.grading.protocol import Status
from velora.images.engine import Engine
from velora.instances.model import Instance
from velora.sandbox.docker import DockerSandbox
from velora.sandbox.protocol import Sandbox, SandboxSpec

__all__ = ["busybox_image", "debian_image", "docker_engine", "engine_here"]

pytestmark = pytest.mark.docker

REPO = "/testbed/a repo"
SETTINGS = EvaluationSettings(timeout=60.0)
IN_DEBIAN = replace(INSTANCE, test_command="python3 -B -m unittest discover -v -s tests -t .")

# What BusyBox can run in place of Python: prints what unittest would.
SHELL_TESTS = """
for name in test_same test_add test_sub; do
  echo "$name (tests.test_calc.Calc.$name) ... ok"
done
echo; printf -- '-%.0s' $(seq 70); echo; echo "Ran 3 tests in 0.001s"; echo; echo OK
grep -q 'a + b' calc.py && grep -q test_sub tests/test_calc.py && [ -x run.sh ] && [ ! -e old ]
"""
MORE = """diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/old b/old
deleted file mode 100644
--- a/old
+++ /dev/null
@@ -1 +0,0 @@
-old
"""
IN_BUSYBOX = replace(
    INSTANCE,
    test_command=SHELL_TESTS,
    fail_to_pass=INSTANCE.fail_to_pass[:2],
)


@asynccontextmanager
async def started(engine: Engine, image: str) -> AsyncIterator[DockerSandbox]:
    sandbox = DockerSandbox(engine, SandboxSpec(image))
    await sandbox.start()
    try:
        for name, text in {**files(), "run.sh": "echo\n", "old": "old\n"}.items():
            await sandbox.write_file(f"{REPO}/{name}", text.encode())
        yield sandbox
    finally:
        await sandbox.stop()


async def graded(
    sandbox: DockerSandbox, instance: Instance, patch: str, out_dir: Path
) -> tuple[bool, str]:
    verdict = await grade(
        instance,
        patch.encode(),
        sandbox=sandbox,
        workdir=REPO,
        out_dir=out_dir,
        settings=SETTINGS,
    )
    return verdict.resolved, verdict.reason


@pytest.mark.parametrize(
    ("patch", "expected"), [(GOLD, (True, "resolved")), (FIX_ADD, (False, "tests_failed"))]
)
async def test_debian(
    docker_engine: Engine,
    debian_image: str,
    tmp_path: Path,
    patch: str,
    expected: tuple[bool, str],
) -> None:
    async with started(docker_engine, debian_image) as sandbox:
        assert await graded(sandbox, IN_DEBIAN, patch, tmp_path) == expected
        left = await sandbox.script("ls -d /tmp/velora-grade-* 2>/dev/null")
        assert left.stdout == b""


async def test_a_rigged_patch_is_found_out_in_fresh_containers(
    docker_engine: Engine, debian_image: str, tmp_path: Path
) -> None:
    @asynccontextmanager
    async def fresh() -> AsyncIterator[tuple[Sandbox, str]]:
        async with started(docker_engine, debian_image) as sandbox:
            yield sandbox, REPO

    async with fresh() as (sandbox, workdir):
        verdict = await grade(
            IN_DEBIAN,
            RIGGED.encode(),
            sandbox=sandbox,
            workdir=workdir,
            out_dir=tmp_path,
            settings=SETTINGS,
            fresh=fresh,
        )
    assert verdict.reason == "rigged"
    assert verdict.falsified is not None
    assert set(verdict.falsified.proof) == set(IN_DEBIAN.fail_to_pass)


async def test_busybox(docker_engine: Engine, busybox_image: str, tmp_path: Path) -> None:
    async with started(docker_engine, busybox_image) as sandbox:
        verdict = await grade(
            IN_BUSYBOX,
            (GOLD + MORE).encode(),
            sandbox=sandbox,
            workdir=REPO,
            out_dir=tmp_path,
            settings=SETTINGS,
        )
        assert verdict.resolved, verdict
        assert verdict.exit_code == 0
        assert verdict.apply_log[0] == "model patch: git apply: ok"
        assert {each.status for each in verdict.fail_to_pass} == {Status.PASSED}


async def test_a_container_that_dies_under_the_tests(
    docker_engine: Engine, busybox_image: str, tmp_path: Path
) -> None:
    async with started(docker_engine, busybox_image) as sandbox:
        deadly = replace(IN_BUSYBOX, test_command="echo begun; kill -9 -1; sleep 30")
        with pytest.raises(SandboxLost):
            await graded(sandbox, deadly, GOLD, tmp_path)
        assert not (tmp_path / "report.json").exists()
