"""Multi-SWE-bench: seven languages, pull requests told by owner, repository and number.

A row tells of three runs: without patches (*run*), with the tests (*test*), with the fix (*fix*);
each test's class is what became of it. Those that the fix turned green are FAIL_TO_PASS, whether
they failed before (f2p), were skipped (s2p) or did not exist (n2p); the classes and the three
statuses stay in `row`. The images hold both patches, which the agent must not find.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from velora.instances.decode import Undecodable, decode_id, decode_text
from velora.instances.families import swe_bench
from velora.instances.families.cells import has, names, table, text
from velora.instances.families.protocol import Family, Fields

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def detect(row: Mapping[str, Any]) -> bool:
    """The three parts of its ids, and its name for the patch."""
    return has(row, "org", "repo", "number", "fix_patch")


def ident(org: str, repo: str, number: str) -> str:
    """`owner__repo-number`, as the data set's newer rows have it themselves."""
    return f"{org}__{repo}-{number}"


def adapt(row: Mapping[str, Any]) -> Fields:
    """The script of the fix run, without the patches that it would apply."""
    org, name = text(row, "org"), text(row, "repo").rpartition("/")[2]
    problems: list[str] = []
    number = ""
    try:
        number = decode_id(row["number"], "number")
    except Undecodable as error:
        problems.append(str(error))
    fields: Fields = {
        "instance_id": text(row, "instance_id") or ident(org, name, number),
        "repo": f"{org}/{name}",
        "problem_statement": text(row, "problem_statement") or statement(row),
        "patch": decode_text(row["fix_patch"], "fix_patch"),
        "base_commit": text(row, "base_commit") or _base(row),
        "hide": ("rm -f /home/fix.patch /home/test.patch",),
    }
    if not _PLAIN.fullmatch(org) or not _PLAIN.fullmatch(name):
        return fields | {"problems": (*problems, f"org and repo name no repository: {org}/{name}")}
    python = text(row, "language", "lang").lower() == "python"
    if not python:
        fields["repo_path"] = text(row, "repo_path") or f"/home/{name}"
        fields["image_names"] = names((f"mswebench/{org}_m_{name}:pr-{number}".lower(),))
        fields["activation"] = ("sed '/git apply/d' /home/fix-run.sh >/home/velora-run.sh",)
        fields["test_command"] = text(row, "test_command") or "bash /home/velora-run.sh"
    else:
        fields |= _python(row, org, name, number)
        problems += fields.pop("problems", ())
    try:
        fields["FAIL_TO_PASS"] = [
            *_tests(row, "f2p_tests"),
            *_tests(row, "s2p_tests"),
            *_tests(row, "n2p_tests"),
        ]
        fields["PASS_TO_PASS"] = _tests(row, "p2p_tests")
    except Undecodable as error:
        problems.append(str(error))
    return fields | {"problems": tuple(problems)}


def statement(row: Mapping[str, Any]) -> str:
    """The issues that the pull request resolves; its own title and text where there are none.

    The pull request tells of the solution, so it is no part of the task where an issue is.
    """
    issues = row.get("resolved_issues")
    listed = issues if isinstance(issues, list | tuple) else ()
    written = [_issue(one) for one in listed if isinstance(one, dict)]
    return "\n\n".join(one for one in written if one) or _issue(row)


def _issue(one: Mapping[str, Any]) -> str:
    return "\n\n".join(part for part in (text(one, "title").strip(), text(one, "body")) if part)


def _base(row: Mapping[str, Any]) -> str:
    base = row.get("base")
    return text(base, "sha") if isinstance(base, dict) else ""


def _tests(row: Mapping[str, Any], key: str) -> Iterable[str]:
    value = row.get(key) or {}
    # A column store pads every row with the names of all others, without statuses.
    return [name for name, runs in table(value, key).items() if runs is not None]


def _python(row: Mapping[str, Any], org: str, name: str, number: str) -> Fields:
    """The Python part is SWE-bench's tasks in SWE-bench's images."""
    tail = f"{name}-{number}"
    seen: Fields = {**row, "repo": f"{org}/{name}", "base_commit": _base(row)}
    return {
        "repo_path": text(row, "repo_path") or "/testbed",
        "language": "python",
        "image_names": names(
            (
                f"swebench/sweb.eval.x86_64.{org}_1776_{tail}".lower(),
                f"luolin101/sweb.eval.x86_64.{org}_s_{tail}".lower(),
            )
        ),
    } | swe_bench.tests_of(seen)


FAMILY = Family("multi_swe_bench", detect, adapt)
