"""SWE-bench-Live, MultiLang and rows of RepoLaunch: lists of commands to rebuild, test and print.

The row's `log_parser` may be Python source that other harnesses execute. It is never executed
here: the log is read by a strict parser.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from velora.instances.decode import Undecodable
from velora.instances.families.cells import has, image, lines, names, text
from velora.instances.families.protocol import Family, Fields


def detect(row: Mapping[str, Any]) -> bool:
    """`test_cmds` with one of its companions."""
    companions = ("print_cmds", "rebuild_cmds", "log_parser", "parser")
    return has(row, "test_cmds") and any(key in row for key in companions)


def adapt(row: Mapping[str, Any]) -> Fields:
    """The rebuilding goes before the tests; what prints their log is part of the test command.

    All commands start in `/testbed`; the repository is there or one level below, which the search
    for the working directory finds out.
    """
    ident = text(row, "instance_id")
    fields: Fields = {"image_names": names((image("starryzhang", ident),))}
    named = text(row, "docker_image", "image_name", "image")
    if text(row, "platform").lower() == "windows" or ".win." in named:
        return fields | {"problems": ("the task needs a Windows container; none can be started",)}
    try:
        rebuild = lines(row.get("rebuild_cmds"), "rebuild_cmds")
        tests = lines(row["test_cmds"], "test_cmds")
        shown = lines(row.get("print_cmds"), "print_cmds")
    except Undecodable as error:
        return fields | {"problems": (str(error),)}
    if not tests:
        return fields | {"problems": ("test_cmds is empty",)}
    fields["activation"] = ("cd /testbed", *rebuild)
    fields["test_command"] = "\n".join((*tests, *shown))
    if text(row, "log_parser", "parser").strip().lower() == "pytest":
        fields["test_output_parser"] = "pytest"
    return fields


FAMILY = Family("swe_bench_live", detect, adapt)
