"""One row per dataset family, written by hand from the documented schemas; none is a copy of a real
row. Repositories, ids and patches are made up, so that only the form is what it is in the field."""

from __future__ import annotations

import json
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GOLD_COMMIT = "89abcdef0123456789abcdef0123456789abcdef"

PATCH = """diff --git a/pkg/core.py b/pkg/core.py
index 1111111..2222222 100644
--- a/pkg/core.py
+++ b/pkg/core.py
@@ -1,2 +1,2 @@
 def one():
-    return 2
+    return 1
"""
TEST_PATCH = """diff --git a/tests/test_core.py b/tests/test_core.py
--- a/tests/test_core.py
+++ b/tests/test_core.py
@@ -1 +1,2 @@
 import pkg
+assert pkg.one() == 1
diff --git a/tests/data.json b/tests/data.json
new file mode 100644
--- /dev/null
+++ b/tests/data.json
@@ -0,0 +1 @@
+{}
"""
NAMES = ["tests/test_core.py::test_one"]
KEPT = ["tests/test_core.py::test_two[a, b]"]

CORE: dict[str, Any] = {
    "repo": "acme/widget",
    "instance_id": "acme__Widget-12",
    "base_commit": COMMIT,
    "patch": PATCH,
    "test_patch": TEST_PATCH,
    "problem_statement": "one() gives 2",
    "hints_text": "look at pkg/core.py",
    "created_at": "2024-01-02T03:04:05Z",
    "version": "3.2",
    "FAIL_TO_PASS": json.dumps(NAMES),
    "PASS_TO_PASS": json.dumps(KEPT),
}

EVAL_SCRIPT = f"""#!/bin/bash
set -uxo pipefail
source /opt/miniconda3/bin/activate
conda activate testbed
cd /testbed
export LANG=en_US.UTF-8
git config --global --add safe.directory /testbed
cd /testbed
git status
git show
git -c core.fileMode=false diff {COMMIT}
source /opt/miniconda3/bin/activate
conda activate testbed
python -m pip install -e .
git checkout {COMMIT} tests/test_core.py
git apply -v - <<'EOF_114329324912'
{TEST_PATCH}
EOF_114329324912
: '>>>>> Start Test Output'
pytest -rA tests/test_core.py
: '>>>>> End Test Output'
git checkout {COMMIT} tests/test_core.py
"""

SWE_BENCH = CORE | {
    "environment_setup_commit": COMMIT,
    "difficulty": "15 min - 1 hour",
    "image": "swebench/sweb.eval.x86_64.acme_1776_widget-12:latest",
    "log_parser": "parse_log_pytest",
    "eval_type": "pass_and_fail",
    "eval_script": EVAL_SCRIPT,
}
SWE_GYM = CORE | {"repo": "getmoto/moto", "instance_id": "getmoto__moto-7", "test_command": ""}
SWE_REBENCH = CORE | {
    "environment_setup_commit": COMMIT,
    "meta": {"is_lite": True},
    "docker_image": "swerebench/sweb.eval.x86_64.acme_1776_widget-12",
    "install_config": {
        "python": "3.9",
        "install": "pip install -e .[dev]",
        "test_cmd": "pytest --no-header -rA --tb=line",
        "env_vars": {"TZ": "UTC", "WORD": "two words"},
        "log_parser": "parse_log_pytest",
        "no_use_env": None,
    },
    "FAIL_TO_PASS": NAMES,
    "PASS_TO_PASS": KEPT,
}
SWE_REBENCH_V2 = CORE | {
    "instance_id": "acme__widget-12",
    "created_at": 1704164645000,
    "language": "go",
    "image_name": "docker.io/swerebenchv2/acme-widget:12-0123456",
    "interface": "func One() int",
    "install_config": {
        "base_image_name": "go_1.22",
        "install": ["go mod download"],
        "test_cmd": ["go build ./...", "go test -v ./..."],
        "log_parser": "parse_log_gotest",
    },
    "FAIL_TO_PASS": ["TestOne"],
    "PASS_TO_PASS": [],
}
SWE_BENCH_LIVE = CORE | {
    "docker_image": "starryzhang/sweb.eval.x86_64.acme_1776_widget-12",
    "rebuild_cmds": ["make build"],
    "test_cmds": ["pytest -rA --junitxml=out.xml > test.log 2>&1"],
    "print_cmds": ["cat test.log"],
    "log_parser": "pytest",
}
SWE_SMITH: dict[str, Any] = {
    "instance_id": "acme__widget.0123abcd.func_basic__x1y2z3",
    "repo": "swesmith/acme__widget.0123abcd",
    "patch": PATCH,
    "FAIL_TO_PASS": NAMES,
    "PASS_TO_PASS": KEPT,
    "problem_statement": "one() is wrong",
    "created_at": "2025-01-02T03:04:05",
    "image_name": "swesmith.x86_64.acme__widget.0123abcd",
}
R2E_GYM: dict[str, Any] = {
    "repo_name": "widget",
    "docker_image": f"namanjain12/widget_final:{GOLD_COMMIT}",
    "commit_hash": GOLD_COMMIT,
    "parsed_commit_content": "{}",
    "execution_result_content": "{}",
    "modified_files": ["pkg/core.py"],
    "relevant_files": ["pkg/core.py"],
    "prompt": "",
    "problem_statement": "Below is an issue.\n[ISSUE]\none() gives 2\n[/ISSUE]\n",
    "expected_output_json": json.dumps({"Core.test_one": "PASSED", "Core.test_old": "FAILED"}),
}
RUNS = {"run": "NONE", "test": "FAIL", "fix": "PASS"}
MULTI_SWE_BENCH: dict[str, Any] = {
    "org": "Acme",
    "repo": "widget.js",
    "number": 12,
    "state": "closed",
    "title": "Mend one()",
    "body": "This returns 1 from one().",
    "base": {"label": "acme:main", "ref": "main", "sha": COMMIT},
    "resolved_issues": [
        {"number": 9, "title": "one() gives 2", "body": "It should give 1."},
        {"number": 10, "title": "docs", "body": None},
    ],
    "fix_patch": PATCH,
    "test_patch": TEST_PATCH,
    "fixed_tests": {"one": RUNS, "new": RUNS},
    "p2p_tests": {"kept": {"run": "PASS", "test": "PASS", "fix": "PASS"}},
    "f2p_tests": {"one": {"run": "FAIL", "test": "FAIL", "fix": "PASS"}, "another row's": None},
    "s2p_tests": {"skipped": {"run": "SKIP", "test": "SKIP", "fix": "PASS"}},
    "n2p_tests": {"new": RUNS},
    "run_result": {"passed_count": 1, "failed_count": 0, "skipped_count": 1},
    "lang": "js",
}
SWE_POLYBENCH = CORE | {
    "language": "Java",
    "Dockerfile": "FROM maven:3.9\nWORKDIR /build\nRUN x\nworkdir /app/widget\nRUN mvn -q",
    "F2P": "['WidgetTest.one']",
    "P2P": "['WidgetTest.two']",
    "test_command": "mvn -B test",
    "modified_nodes": "[]",
    "task_category": "Bug Fix",
}
for _name in ("FAIL_TO_PASS", "PASS_TO_PASS"):
    del SWE_POLYBENCH[_name]
SWE_BENCH_PRO: dict[str, Any] = {
    "repo": "acme/widget",
    "instance_id": f"instance_Acme__Widget-{GOLD_COMMIT}-vnan",
    "base_commit": COMMIT,
    "patch": PATCH,
    "test_patch": TEST_PATCH,
    "problem_statement": "one() gives 2",
    "requirements": "one() gives 1",
    "interface": "one() -> int",
    "repo_language": "python",
    "fail_to_pass": str(NAMES),
    "pass_to_pass": "[]",
    "selected_test_files_to_run": "['tests/test_core.py', 'tests/b.py']",
    "before_repo_set_cmd": f"git reset --hard {COMMIT}\ngit clean -fd \ngit checkout {COMMIT} \n"
    f"git checkout {GOLD_COMMIT} -- tests/test_core.py",
    "dockerhub_tag": f"acme.widget-Acme__Widget-{GOLD_COMMIT}-vnan",
    "run_script": '#!/bin/bash\npytest -rA "$1"\n',
    "base_dockerfile": "FROM x\nENV A=1\nENV B='two words'\nRUN ls",
}
NEMO: dict[str, Any] = {
    "instance_id": "acme__Widget-12",
    "dataset_name": "SWE-bench/SWE-bench_Verified",
    "split": "test",
    "problem_statement": "one() gives 2",
    "container_formatter": "docker://registry.example/sweb.eval.x86_64.{instance_id}",
    "instance_dict": json.dumps({k: v for k, v in SWE_BENCH.items() if k != "problem_statement"}),
}
VELORA: dict[str, Any] = CORE | {
    "environment_setup_commit": COMMIT,
    "language": "Python",
    "test_command": "source /saved/ENV || source /saved/*/ENV && pytest -rA",
    "test_output_parser": "python/parse_log_pytest_v3",
    "image_storage_uri": "acme_widget:0123456",
    "repo_path": "/app/repo",
}
ROWS: dict[str, dict[str, Any]] = {
    "velora": VELORA,
    "nemo": NEMO,
    "multi_swe_bench": MULTI_SWE_BENCH,
    "r2e_gym": R2E_GYM,
    "swe_bench_pro": SWE_BENCH_PRO,
    "swe_polybench": SWE_POLYBENCH,
    "swe_smith": SWE_SMITH,
    "swe_rebench_v2": SWE_REBENCH_V2,
    "swe_rebench": SWE_REBENCH,
    "swe_bench_live": SWE_BENCH_LIVE,
    "swe_gym": SWE_GYM,
    "swe_bench": SWE_BENCH,
}
