"""SWE-bench Pro: eleven repositories in several languages, each task with scripts of its own.

The last line of `before_repo_set_cmd` takes the tests from the commit of the solution, so it is
kept for grading; the lines before it bring the repository to its start. The scripts that run the
tests lie beside the data set, in `run_scripts/<id>/`, and are no columns of it: a row can only be
graded with `run_script.sh` in a column `run_script`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from shlex import quote
from typing import Any

from velora.instances.decode import Undecodable, decode_names
from velora.instances.families.cells import has, names, text
from velora.instances.families.protocol import Family, Fields

_TESTS = re.compile(r"git checkout [0-9a-f]{7,40}\s+--\s")
_ENV = re.compile(r"^\s*ENV\s+(.+)$", re.MULTILINE)
_LONGEST_TAG = 128
_SCRIPT = "/tmp/velora_run_script.sh"


def detect(row: Mapping[str, Any]) -> bool:
    """Its image tag, or its list of test files."""
    return has(row, "before_repo_set_cmd", "selected_test_files_to_run")


def adapt(row: Mapping[str, Any]) -> Fields:
    """Image, start, tests and what the agent is told."""
    tag = text(row, "dockerhub_tag")
    start, tests = _commands(text(row, "before_repo_set_cmd"))
    fields: Fields = {
        "image_names": names((f"jefzda/sweap-images:{_tag(tag)}",) if tag else ()),
        "repo_path": text(row, "repo_path") or "/app",
        "problem_statement": statement(row),
        "setup": start,
        "test_setup": tests,
        "activation": _environment(row),
    }
    if text(row, "test_command"):
        return fields
    script = text(row, "run_script", "run_script.sh")
    if not script:
        problem = (
            "the row has no run_script: SWE-bench Pro keeps it beside its rows, in "
            "run_scripts/<instance_id>/run_script.sh; put its text into a column run_script"
        )
        return fields | {"problems": (problem,)}
    try:
        files = decode_names(row["selected_test_files_to_run"], "selected_test_files_to_run")
    except Undecodable as error:
        return fields | {"problems": (str(error),)}
    fields["test_command"] = (
        f"cat >{_SCRIPT} <<'VELORA_RUN_SCRIPT'\n{script}\nVELORA_RUN_SCRIPT\n"
        f"bash {_SCRIPT} {quote(','.join(files))}"
    )
    return fields


def statement(row: Mapping[str, Any]) -> str:
    """The issue with the requirements and the interface that the tests rely on."""
    parts = [text(row, "problem_statement")]
    for title, key in (("Requirements", "requirements"), ("New interfaces", "interface")):
        if more := text(row, key):
            parts.append(f"{title}:\n{more}")
    return "\n\n".join(part for part in parts if part)


def _commands(script: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The commands for the start, and those that bring the tests."""
    commands = [line.strip() for line in script.splitlines() if line.strip()]
    return (
        tuple(line for line in commands if not _TESTS.match(line)),
        tuple(line for line in commands if _TESTS.match(line)),
    )


def _tag(tag: str) -> str:
    return tag.removesuffix("-vnan")[:_LONGEST_TAG]


def _environment(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The ENV lines of the Dockerfiles, where the row has them; the image has them otherwise."""
    return tuple(
        f"export {line.strip()}"
        for key in ("base_dockerfile", "instance_dockerfile")
        for line in _ENV.findall(text(row, key))
        if "=" in line
    )


FAMILY = Family("swe_bench_pro", detect, adapt)
