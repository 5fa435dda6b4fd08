"""R2E-Gym: commits of Python repositories, with an expected status for each test.

The tests lie in the image, in `/r2e_tests`, and a script that runs them in the repository. Both are
taken away from the agent, and linked to where the script looks for them when it is graded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from velora.instances.decode import Undecodable
from velora.instances.families.cells import has, table, text
from velora.instances.families.protocol import Family, Fields

LINK = "if [ -d /r2e_tests ]; then rm -rf r2e_tests && ln -s /r2e_tests r2e_tests; fi"


def detect(row: Mapping[str, Any]) -> bool:
    """An image and the expected statuses."""
    return has(row, "docker_image", "expected_output_json")


def adapt(row: Mapping[str, Any]) -> Fields:
    """There are no lists of names: every test that is expected to pass has to.

    Tests that are expected to fail are left out: that they still fail proves nothing.
    """
    repo, commit = text(row, "repo_name"), text(row, "commit_hash")
    fields: Fields = {
        "instance_id": text(row, "instance_id") or (f"{repo}:{commit}" if repo and commit else ""),
        "repo": text(row, "repo") or repo,
        "base_commit": text(row, "base_commit"),
        "repo_path": text(row, "repo_path") or "/testbed",
        "language": "python",
        "problem_statement": _statement(text(row, "problem_statement")),
        "setup": ("[ -e /root/.venv ] || ln -s /testbed/.venv /root/.venv || :",),
        "hide": ("rm -rf /r2e_tests /root/r2e_tests r2e_tests run_tests.sh",),
        "restore": ("run_tests.sh", "r2e_tests"),
        "test_setup": (LINK,),
        "activation": ('export PATH="/testbed/.venv/bin:$PATH"',),
        "test_command": "bash run_tests.sh",
        "test_output_parser": "pytest",
    }
    try:
        expected = table(row["expected_output_json"], "expected_output_json")
    except Undecodable as error:
        return fields | {"problems": (str(error),)}
    fields["FAIL_TO_PASS"] = [name for name, status in expected.items() if status == "PASSED"]
    fields["PASS_TO_PASS"] = []
    return fields


def _statement(statement: str) -> str:
    """The issue alone, where it stands between its marks."""
    _, begin, rest = statement.partition("[ISSUE]")
    issue, end, _ = rest.partition("[/ISSUE]")
    return issue.strip() if begin and end else statement


FAMILY = Family("r2e_gym", detect, adapt)
