"""SWE-smith: a bug put into a repository; one image a repository commit, one branch a task.

The branch is named after the task. Its last commit takes the tests away that fail, the one before
it brings the bug in, and behind that lies the repository without it: history is the solution here.
So the agent gets a single commit without a past, and in grading the tests come from the parent of
the branch's end. The row's `patch` brings the bug in; the gold patch is its reverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any

from velora.instances.decode import Undecodable, decode_names
from velora.instances.families.cells import CONDA, names, text
from velora.instances.families.protocol import Family, Fields
from velora.instances.families.reverse import reversed_diff

PYTEST = "pytest --disable-warnings --color=no --tb=no --verbose"
"""The command of SWE-smith's Python profiles."""

ORPHAN = "git -c user.name=velora -c user.email=velora@localhost commit-tree -m start 'HEAD^{tree}'"


def detect(row: Mapping[str, Any]) -> bool:
    """Its images and its mirrors of repositories carry its name."""
    return "swesmith" in text(row, "image_name") or text(row, "repo").startswith("swesmith/")


def adapt(row: Mapping[str, Any]) -> Fields:
    """Branch, image, reversed patch, and the test files of the listed names."""
    ident = text(row, "instance_id")
    fields: Fields = {
        "image_names": names(_images(row)),
        "repo_path": text(row, "repo_path") or "/testbed",
        "setup": (checkout(ident),),
        "hide": (f"orphan=$({ORPHAN})", 'git checkout -q --detach "$orphan"'),
    }
    problems: list[str] = []
    try:
        fields["patch"] = reversed_diff(text(row, "patch"))
    except ValueError as error:
        problems.append(f"patch cannot be reversed: {error}")
    try:
        fields |= _tests(row)
    except Undecodable as error:
        problems.append(str(error))
    return fields | {"problems": tuple(problems)}


def checkout(branch: str) -> str:
    """The branch as the image has it, or by the repository's remote where there is a network."""
    name = quote(branch)
    return (
        f"git checkout -q --detach {name} -- 2>/dev/null || "
        f"git checkout -q --detach {quote('origin/' + branch)} -- 2>/dev/null || "
        f"{{ git fetch -q origin {name} && git checkout -q --detach FETCH_HEAD; }}"
    )


def _images(row: Mapping[str, Any]) -> tuple[str, ...]:
    name = text(row, "image_name")
    bare = name.replace("__", "_1776_")
    return (bare if "/" in bare else f"jyangballin/{bare}",) if bare else ()


def _tests(row: Mapping[str, Any]) -> Fields:
    listed = decode_names(row.get("FAIL_TO_PASS"), "FAIL_TO_PASS")
    listed += decode_names(row.get("PASS_TO_PASS"), "PASS_TO_PASS")
    files = tuple(dict.fromkeys(name.split("::", 1)[0] for name in listed))
    fields: Fields = {}
    python = bool(files) and all(file.endswith(".py") for file in files)
    if python:
        fields["restore"] = files
        paths = " ".join(map(quote, files))
        parent = (
            "if [ \"$(git log -1 --format=%s)\" = 'Remove F2P Tests' ]; "
            f"then git checkout -q HEAD~1 -- {paths}; fi"
        )
        fields["test_setup"] = (parent,)
    if text(row, "test_command"):
        return fields
    if not python:
        raise Undecodable(
            "the test command of SWE-smith's other languages stands in its package's profiles; "
            "put it into the row's test_command"
        )
    return fields | {
        "activation": CONDA,
        "test_command": " ".join([PYTEST, *map(quote, files)]),
        "test_output_parser": "pytest",
        "language": "python",
    }


FAMILY = Family("swe_smith", detect, adapt)
