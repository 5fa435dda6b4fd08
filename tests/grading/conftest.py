"""A tiny repository with a bug, its instance, and sandboxes to grade in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from velora.config.settings import EvaluationSettings
from velora.grading.grade import grade
from velora.grading.protocol import Verdict
from velora.instances.model import Instance
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import Sandbox, SandboxSpec

CALC = """def add(a, b):
    return a - b


def sub(a, b):
    return b - a


def same(a):
    return a
"""

FIX_ADD = """diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,5 +1,5 @@
 def add(a, b):
-    return a - b
+    return a + b
 
 
 def sub(a, b):
"""  # noqa: W293

FIX_SUB = """diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -3,7 +3,7 @@ def add(a, b):
 
 
 def sub(a, b):
-    return b - a
+    return a - b
 
 
 def same(a):
"""  # noqa: W293

GOLD = """diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,9 +1,9 @@
 def add(a, b):
-    return a - b
+    return a + b
 
 
 def sub(a, b):
-    return b - a
+    return a - b
 
 
 def same(a):
"""  # noqa: W293

RIGGED = """diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,9 +1,14 @@
+class Same:
+    def __eq__(self, other):
+        return not None
+
+
 def add(a, b):
-    return a - b
+    return Same()
 
 
 def sub(a, b):
-    return b - a
+    return Same()
 
 
 def same(a):
"""  # noqa: W293

TESTS = """import unittest

import calc


class Calc(unittest.TestCase):
    def test_same(self):
        self.assertEqual(calc.same(3), 3)
"""

TEST_PATCH = """diff --git a/tests/test_calc.py b/tests/test_calc.py
--- a/tests/test_calc.py
+++ b/tests/test_calc.py
@@ -6,3 +6,9 @@ import calc
 class Calc(unittest.TestCase):
     def test_same(self):
         self.assertEqual(calc.same(3), 3)
+
+    def test_add(self):
+        self.assertEqual(calc.add(2, 3), 5)
+
+    def test_sub(self):
+        self.assertEqual(calc.sub(5, 3), 2)
"""

ADDED_TEST = """diff --git a/tests/test_more.py b/tests/test_more.py
new file mode 100644
--- /dev/null
+++ b/tests/test_more.py
@@ -0,0 +1,8 @@
+import unittest
+
+import calc
+
+
+class More(unittest.TestCase):
+    def test_both(self):
+        self.assertEqual(calc.sub(calc.add(2, 3), 3), 2)
"""

PYTHON = os.path.realpath(sys.executable)
"""Not the environment's own, which a checkout under /tmp would have where sandboxes see none."""

INSTANCE = Instance(
    instance_id="calc-1",
    problem_statement="add and sub are wrong",
    test_patches=(TEST_PATCH, ADDED_TEST),
    patch=GOLD,
    fail_to_pass=(
        "tests.test_calc.Calc.test_add",
        "tests.test_calc.Calc.test_sub",
        "tests.test_more.More.test_both",
    ),
    pass_to_pass=("tests.test_calc.Calc.test_same",),
    test_command=f"{PYTHON} -B -m unittest discover -v -s tests -t .",
    test_output_parser="unittest",
)


def files() -> dict[str, str]:
    """The repository's files."""
    return {"calc.py": CALC, "tests/__init__.py": "", "tests/test_calc.py": TESTS}


def populate(root: Path, contents: dict[str, str]) -> None:
    """Write files below `root`."""
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def commit(root: Path, attributes: str = "") -> None:
    """Make `root` a git repository, with everything in it in one commit."""
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/attributes").write_text(attributes)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for args in (["add", "-A"], [*identity, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", *args], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """The repository, committed."""
    root = tmp_path / "repo"
    populate(root, files())
    commit(root)
    return root


@pytest.fixture
async def host(repo: Path) -> AsyncIterator[Sandbox]:
    """A started host sandbox on `repo`."""
    sandbox = HostSandbox(SandboxSpec(image="", workdir=str(repo)))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
def graded(host: Sandbox, repo: Path, tmp_path: Path) -> Callable[..., Any]:
    """Grades a patch: `await graded(patch, timeout=…, workdir=…, field=…)`."""

    async def run(
        patch: str | bytes, *, timeout: float = 60.0, workdir: str = "", **changes: Any
    ) -> Verdict:
        data = patch.encode() if isinstance(patch, str) else patch
        return await grade(
            replace(INSTANCE, **changes),
            data,
            sandbox=host,
            workdir=workdir or str(repo),
            out_dir=tmp_path / "out",
            settings=EvaluationSettings(timeout=timeout),
        )

    return run
