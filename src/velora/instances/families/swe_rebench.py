"""SWE-rebench and SWE-bench-extra (nebius): SWE-bench's fields and an `install_config`."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any

from velora.instances.decode import Undecodable
from velora.instances.families.cells import (
    CONDA,
    changed_files,
    has,
    image,
    lines,
    names,
    table,
    text,
)
from velora.instances.families.protocol import Family, Fields


def detect(row: Mapping[str, Any]) -> bool:
    """An `install_config`; the second version's is told apart by its own module first."""
    return has(row, "install_config", "instance_id")


def adapt(row: Mapping[str, Any]) -> Fields:
    """The command of `install_config` on the Python files of the test patch."""
    ident = text(row, "instance_id")
    fields: Fields = {
        "image_names": names((image("swerebench", ident),)),
        "repo_path": text(row, "repo_path") or "/testbed",
        "language": "python",
    }
    try:
        config = table(row["install_config"], "install_config")
        commands = lines(config.get("test_cmd"), "install_config.test_cmd")
        files = [file for file in changed_files(row) if file.endswith(".py")]
    except Undecodable as error:
        return fields | {"problems": (str(error),)}
    if not commands:
        return fields | {"problems": ("install_config names no test_cmd",)}
    fields["activation"] = (*(() if config.get("no_use_env") else CONDA), *exports(config))
    # The last command runs the tests, of the files that the test patch touches.
    fields["test_command"] = " ".join(["\n".join(commands), *map(quote, files)])
    fields["test_output_parser"] = "pytest" if "pytest" in commands[-1] else ""
    return fields


def exports(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The environment variables of an `install_config` as shell commands."""
    variables = config.get("env_vars")
    if not isinstance(variables, dict):
        return ()
    return tuple(f"export {name}={quote(str(value))}" for name, value in variables.items())


FAMILY = Family("swe_rebench", detect, adapt)
