"""The dataset families, and the order in which a row is asked whether it is of one.

What is told by the most particular fields comes first, so that a family whose rows also have
another's fields is not taken for it:

1. `nemo`: a row within a row;
2. `multi_swe_bench`, `r2e_gym`, `swe_bench_pro`, `swe_polybench`: fields that nobody else has;
3. `swe_smith`: its images' name;
4. `velora`: a test command with one of Velora's own fields, whatever else the row kept of its
   origin;
5. `swe_rebench_v2` before `swe_rebench`: both have an `install_config`;
6. `swe_bench_live`: `test_cmds`;
7. `swe_gym` before `swe_bench`: the same fields, other repositories;
8. `velora` again, for everything else.

A row that names its `family`, or `--family`, is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from velora.errors import UsageError, nearest
from velora.instances.families import (
    multi_swe_bench,
    nemo,
    r2e_gym,
    swe_bench,
    swe_bench_live,
    swe_bench_pro,
    swe_gym,
    swe_polybench,
    swe_rebench,
    swe_rebench_v2,
    swe_smith,
    velora,
)
from velora.instances.families.protocol import LISTS, Family, Fields

_OTHERS: tuple[Family, ...] = (
    multi_swe_bench.FAMILY,
    r2e_gym.FAMILY,
    swe_bench_pro.FAMILY,
    swe_polybench.FAMILY,
    swe_smith.FAMILY,
    velora.FAMILY,
    swe_rebench_v2.FAMILY,
    swe_rebench.FAMILY,
    swe_bench_live.FAMILY,
    swe_gym.FAMILY,
    swe_bench.FAMILY,
)


def _first(row: Mapping[str, Any], families: tuple[Family, ...]) -> Family:
    return next((one for one in families if one.detect(row)), velora.FAMILY)


ORDER: tuple[Family, ...] = (nemo.family(lambda row: _first(row, _OTHERS)), *_OTHERS)
FAMILIES: dict[str, Family] = {one.name: one for one in ORDER}


def find(row: Mapping[str, Any]) -> Family:
    """The family that the row's fields show."""
    return _first(row, ORDER)


def get(name: str) -> Family:
    """The family of a name.

    Raises:
        UsageError: there is none; the hint names the nearest.
    """
    if name not in FAMILIES:
        raise UsageError(f"there is no dataset family '{name}'", hint=nearest(name, FAMILIES))
    return FAMILIES[name]


__all__ = ["FAMILIES", "LISTS", "ORDER", "Family", "Fields", "find", "get"]
