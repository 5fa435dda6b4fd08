"""The task row, read once and strictly, with everything that the row held kept beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Instance:
    """One task.

    Attributes:
        instance_id: free text; never parsed for meaning.
        problem_statement: what the agent is told.
        test_patches: unified diffs that bring the tests, applied in order before grading.
        patch: the gold patch; never shown to the agent or put into its container.
        fail_to_pass, pass_to_pass: exact test names.
        repo_path: the working directory if the row names one, or "".
        image: `image_storage_uri`, or "" where it is blank or NaN.
        family: the dataset family by which the row was read (`instances.families`).
        image_names: names that the family's images have, tried in order after the row's own.
        setup: shell commands that bring a fresh container to the task's start: in the agent's
            before anything else, and in the grader's before the patch.
        hide: shell commands for the agent's container alone, after `setup`: they take away what
            the image holds of the solution (hidden tests, patches, commits).
        test_setup: shell commands for the grader's alone, after the patches: they put the tests
            of the image where they are looked for.
        restore: files that are put back to what `setup` left before the tests are run, as those
            of the test patches are.
        activation: shell commands in front of the test command, in the same script: they enter
            the environment, or build.
        fail_only: its tests' output names failing tests alone, so that a listed test which a whole
            run does not show counts as passed (`grading.verdict`).
        row: the row as read, unknown fields included; with `family` where the user named one.
        source: where it stands, as `tasks.jsonl:12`.
        problems: what is wrong with the row, one sentence each; an instance that has any is
            refused as `task_invalid`, and never graded.
    """

    instance_id: str
    problem_statement: str
    repo: str = ""
    base_commit: str = ""
    hints_text: str = ""
    language: str = ""
    version: str = ""
    fail_to_pass: tuple[str, ...] = ()
    pass_to_pass: tuple[str, ...] = ()
    patch: str = ""
    test_patches: tuple[str, ...] = ()
    test_command: str = ""
    test_output_parser: str = ""
    image: str = ""
    repo_path: str = ""
    family: str = "velora"
    image_names: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    test_setup: tuple[str, ...] = ()
    restore: tuple[str, ...] = ()
    activation: tuple[str, ...] = ()
    fail_only: bool = False
    row: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    problems: tuple[str, ...] = ()
