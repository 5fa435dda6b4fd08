"""A task that SWE-bench's harness accepts: an image with /testbed, its rows and predictions.

What stands for miniconda in the image is a file whose `conda` does nothing, so that entering the
environment costs no grader anything; pytest is the image's own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.images.sqlglot import base_image

NAMESPACE = "velora-bench"
REPO = "bench/testbed"
TEST_COMMAND = "time pytest -rA"
"""With what its own seconds are, in the log of whoever runs it."""

TEST_FILE = "tests/test_calc.py"
PATCH = """\
diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,5 +1,5 @@
 def add(a, b):
-    return a - b
+    return a + b
 
 
 def sub(a, b):
"""  # noqa: W293
TEST_PATCH = f"""\
diff --git a/{TEST_FILE} b/{TEST_FILE}
--- a/{TEST_FILE}
+++ b/{TEST_FILE}
@@ -1,4 +1,8 @@
-from calc import sub
+from calc import add, sub
+
+
+def test_add():
+    assert add(2, 3) == 5
 
 
 def test_sub():
"""  # noqa: W293
EVAL_SCRIPT = f"""\
#!/bin/bash
set -uxo pipefail
source /opt/miniconda3/bin/activate
conda activate testbed
cd /testbed
git config --global --add safe.directory /testbed
cd /testbed
git status
git show
git -c core.fileMode=false diff {{base}}
source /opt/miniconda3/bin/activate
conda activate testbed
git checkout {{base}} {TEST_FILE}
git apply -v - <<'EOF_114329324912'
{TEST_PATCH}
EOF_114329324912
: '>>>>> Start Test Output'
{TEST_COMMAND} {TEST_FILE}
: '>>>>> End Test Output'
git checkout {{base}} {TEST_FILE}
"""
"""What SWE-bench 4 makes of the row, as `harness.py` sees to, and a row of version 5 holds."""

_IMAGE = "velora-bench/testbed:1"
_FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n\n\ndef sub(a, b):\n    return a - b\n",
    TEST_FILE: "from calc import sub\n\n\ndef test_sub():\n    assert sub(3, 2) == 1\n",
    "conftest.py": "",
}
_BUILD = """\
FROM {base}
COPY wheels /tmp/wheels
RUN pip install -q --break-system-packages --no-index --find-links /tmp/wheels pytest \\
 && ln -s python3 /usr/bin/python && rm -r /tmp/wheels
RUN mkdir -p /opt/miniconda3/bin && echo 'conda() {{ :; }}' >/opt/miniconda3/bin/activate
COPY testbed /testbed
WORKDIR /testbed
ENV GIT_COMMITTER_DATE=2026-01-01T00:00:00Z GIT_AUTHOR_DATE=2026-01-01T00:00:00Z
RUN for i in $(seq 200); do seq $i >file$i.txt; done && git init -q && git add -A \\
 && git -c user.name=b -c user.email=b@example.invalid commit -qm base
"""


def image() -> str:
    """The image; built where it is missing, from what PyPI and Debian have."""
    have = subprocess.run(["docker", "image", "inspect", _IMAGE], capture_output=True, check=False)
    if have.returncode == 0:
        return _IMAGE
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for path, text in _FILES.items():
            (work / "testbed" / path).parent.mkdir(parents=True, exist_ok=True)
            (work / "testbed" / path).write_text(text)
        download = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:"]
        wheels = ["-d", str(work / "wheels"), "--python-version", "3.11", "pytest==8.4.2"]
        subprocess.run([*download, *wheels], check=True, capture_output=True)
        (work / "Dockerfile").write_text(_BUILD.format(base=base_image()))
        build = ["docker", "build", "-q", "--network", "none", "-t", _IMAGE, name]
        subprocess.run(build, check=True, capture_output=True)
    return _IMAGE


def base_commit() -> str:
    """The image's commit."""
    show = ["docker", "run", "--rm", "--network", "none", image(), "git", "rev-parse", "HEAD"]
    return subprocess.run(show, check=True, capture_output=True, text=True).stdout.strip()


def rows(count: int) -> list[dict[str, Any]]:
    """`count` rows with SWE-bench's fields, those of version 4 and of version 5."""
    base = base_commit()
    return [
        {
            "repo": REPO,
            "instance_id": f"bench__testbed-{number}",
            "base_commit": base,
            "patch": PATCH,
            "test_patch": TEST_PATCH,
            "problem_statement": "add subtracts",
            "hints_text": "",
            "created_at": "2026-01-01T00:00:00Z",
            "version": "1",
            "environment_setup_commit": base,
            "FAIL_TO_PASS": json.dumps([f"{TEST_FILE}::test_add"]),
            "PASS_TO_PASS": json.dumps([f"{TEST_FILE}::test_sub"]),
            "image": f"{NAMESPACE}/sweb.eval.x86_64.bench_1776_testbed-{number}:latest",
            "log_parser": "parse_log_pytest",
            "eval_type": "pass_and_fail",
            "eval_script": EVAL_SCRIPT.format(base=base),
        }
        for number in range(count)
    ]


def seconds(log: str) -> float:
    """What `time` said in a log."""
    found = re.search(r"real\t(\d+)m([\d.]+)s\n", log)
    if found is None:
        raise ValueError(f"the log does not say how long the tests took:\n{log}")
    return 60 * int(found[1]) + float(found[2])


@contextmanager
def files(work: Path, count: int) -> Iterator[tuple[Path, Path]]:
    """Data set and predictions in `work`; while the block runs the images have the rows' names."""
    made = rows(count)
    dataset, predictions = work / "testbed.jsonl", work / "predictions.jsonl"
    dataset.write_text("".join(json.dumps(row) + "\n" for row in made))
    predictions.write_text(
        "".join(
            json.dumps(
                {
                    "instance_id": row["instance_id"],
                    "model_name_or_path": "bench",
                    "model_patch": PATCH,
                }
            )
            + "\n"
            for row in made
        )
    )
    names = [str(row["image"]) for row in made]
    for name in names:
        subprocess.run(["docker", "tag", image(), name], check=True, capture_output=True)
    try:
        yield dataset, predictions
    finally:
        subprocess.run(["docker", "rmi", *names], check=False, capture_output=True)
