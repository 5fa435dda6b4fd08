"""SWE-PolyBench: Java, JavaScript, TypeScript and Python tasks that carry their Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from velora.instances.families.cells import has, image, names, text
from velora.instances.families.protocol import Family, Fields

_WORKDIR = re.compile(r"^\s*WORKDIR\s+[\"']?(/[^\s\"']*)", re.MULTILINE | re.IGNORECASE)


def detect(row: Mapping[str, Any]) -> bool:
    """The three fields that no other has together."""
    return has(row, "Dockerfile", "test_command", "task_category")


def adapt(row: Mapping[str, Any]) -> Fields:
    """The repository lies where the Dockerfile ends up."""
    name = image("ghcr.io/timesler", text(row, "instance_id"), "__")
    fields: Fields = {"image_names": names((name.replace("/sweb.", "/swe-polybench."),))}
    directories = _WORKDIR.findall(text(row, "Dockerfile"))
    if directories and not text(row, "repo_path"):
        fields["repo_path"] = directories[-1]
    return fields


FAMILY = Family("swe_polybench", detect, adapt)
