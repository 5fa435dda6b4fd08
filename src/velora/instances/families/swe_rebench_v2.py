"""SWE-rebench V2: twenty languages, one image a task, a list of test commands under `set -e`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from velora.instances.decode import Undecodable
from velora.instances.families.cells import has, lines, table, text
from velora.instances.families.protocol import Family, Fields


def detect(row: Mapping[str, Any]) -> bool:
    """An `install_config` that names a base image, or stands beside a language and an image."""
    if not has(row, "install_config"):
        return False
    config = row["install_config"]
    based = (isinstance(config, dict) and "base_image_name" in config) or (
        isinstance(config, str) and "base_image_name" in config
    )
    return based or has(row, "image_name", "language")


def adapt(row: Mapping[str, Any]) -> Fields:
    """The repository lies in `/<repo>`, without a further environment."""
    fields: Fields = {}
    name = text(row, "repo").rpartition("/")[2]
    if name and not text(row, "repo_path"):
        fields["repo_path"] = f"/{name}"
    try:
        config = table(row["install_config"], "install_config")
        commands = lines(config.get("test_cmd"), "install_config.test_cmd")
    except Undecodable as error:
        return fields | {"problems": (str(error),)}
    if not commands:
        return fields | {"problems": ("install_config names no test_cmd",)}
    fields["test_command"] = "\n".join(("set -e", *commands))
    return fields


FAMILY = Family("swe_rebench_v2", detect, adapt)
