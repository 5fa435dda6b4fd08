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
        row: the row as read, unknown fields included.
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
    row: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    problems: tuple[str, ...] = ()
