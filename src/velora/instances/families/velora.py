"""Velora's own rows, and every row that is none of another family: they say all by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from velora.instances.families.cells import text
from velora.instances.families.protocol import LISTS, Family, Fields

OWN = ("test_output_parser", "image_storage_uri", "velora_instance_id", "task_specific_image")


def detect(row: Mapping[str, Any]) -> bool:
    """A test command and one of Velora's own fields, with something in both.

    Such a row may hold SWE-bench's fields besides, so it is looked for before that.
    """
    return bool(text(row, "test_command")) and bool(text(row, *OWN))


def adapt(row: Mapping[str, Any]) -> Fields:
    """The lists that a row may give, as lists; a column of such a name with anything else in it
    is somebody else's."""
    return {key: row[key] for key in LISTS if isinstance(row.get(key), list)}


FAMILY = Family("velora", detect, adapt)
