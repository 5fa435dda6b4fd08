"""SWE-Gym: SWE-bench's fields for eleven other Python repositories, which tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from velora.instances.families import swe_bench
from velora.instances.families.cells import has, image, names, text
from velora.instances.families.protocol import Family, Fields

REPOSITORIES = frozenset(
    {
        "bokeh/bokeh",
        "conan-io/conan",
        "dask/dask",
        "facebookresearch/hydra",
        "getmoto/moto",
        "iterative/dvc",
        "modin-project/modin",
        "pandas-dev/pandas",
        "project-monai/monai",
        "pydantic/pydantic",
        "python/mypy",
    }
)


def detect(row: Mapping[str, Any]) -> bool:
    """SWE-bench's fields, and one of the repositories."""
    core = has(row, "instance_id", "base_commit", "test_patch", "version")
    core = core and not text(row, "test_command")
    return core and text(row, "repo").lower() in REPOSITORIES


def adapt(row: Mapping[str, Any]) -> Fields:
    """As SWE-bench's, from other images."""
    ident = text(row, "instance_id")
    return {
        "image_names": names((image("xingyaoww", ident, "_s_"),)),
        "repo_path": text(row, "repo_path") or "/testbed",
        "language": "python",
    } | swe_bench.tests_of(row)


FAMILY = Family("swe_gym", detect, adapt)
