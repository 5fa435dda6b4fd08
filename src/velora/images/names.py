"""The image names that are computed from a row. Pure functions; nobody is asked.

A row of a known family has that family's names (`Instance.image_names`). Velora's own rows may be
of any origin, so the names that SWE-bench, SWE-Gym, SWE-rebench and SWE-bench-Live would compute
are all tried for them. VeloraHarness's two conventions (`mswebench/sweb.eval…` for Python,
`…:pr-N` for the rest, both because its images carry both tags) are tried for every row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from velora.instances.model import Instance

FIELDS = ("task_specific_image", "docker_image", "image_name", "image")
"""Fields of a row that name its image outright, in the order in which they are believed."""

_EVAL = "sweb.eval.x86_64."


class Candidate(NamedTuple):
    """A name to try and the resolver that came up with it."""

    resolver: str
    name: str


def from_fields(row: Mapping[str, Any]) -> Iterator[Candidate]:
    """The images that the row names itself."""
    for field in FIELDS:
        name = text(row.get(field))
        if name:
            yield Candidate(f"row field {field}", name)


def computed(instance: Instance, prefix: str = "mswebench") -> Iterator[Candidate]:
    """The names that the family and the harnesses compute from the instance.

    Args:
        prefix: the registry namespace of the first two conventions, as in
            `EVAL_DOCKER_IMAGE_PREFIX`; a slash at its end is allowed.
    """
    ident = instance.instance_id.lower()
    namespace = prefix.strip().rstrip("/") or "mswebench"
    gym = ident.replace("__", "_s_")
    bench = ident.replace("__", "_1776_")
    for name in instance.image_names:
        yield Candidate(f"family {instance.family}", name)
    if _fits(gym):
        yield Candidate("VeloraHarness, Python", f"{namespace}/{_EVAL}{gym}")
    if "/" in instance.repo:
        owner_repo = instance.repo.lower().replace("/", "_m_")
        number = _number(instance.row) or _last_part(instance.instance_id)
        if _fits(owner_repo) and _fits(number):
            yield Candidate("Multi-SWE-bench", f"{namespace}/{owner_repo}:pr-{number}")
    if _fits(bench) and instance.family == "velora":
        yield Candidate("SWE-bench", f"swebench/{_EVAL}{bench}")
        yield Candidate("SWE-bench, built here", f"{_EVAL}{ident}")
        yield Candidate("SWE-Gym", f"xingyaoww/{_EVAL}{gym}")
        yield Candidate("SWE-rebench", f"swerebench/{_EVAL}{bench}")
        yield Candidate("SWE-bench-Live", f"starryzhang/{_EVAL}{bench}")


def text(value: Any) -> str:
    """A cell as text: "" for what is missing, blank or NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    word = str(value).strip()
    return "" if word.lower() in {"nan", "none", "null"} else word


def _number(row: Mapping[str, Any]) -> str:
    for field in ("number", "pr_number", "pull_number"):
        value = row.get(field)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # a spreadsheet's 12.0
        if text(value):
            return text(value)
    return ""


def _last_part(ident: str) -> str:
    # The one place where an id is taken apart: VeloraHarness tags `pr-<what follows the last
    # dash>`, whatever that is, and images in the field carry that tag.
    return ident.rsplit("-", 1)[1] if "-" in ident else ""


def _fits(word: str) -> bool:
    """May stand in a reference; an id of free text may not, and then no name is computed."""
    return bool(word) and all(c.isascii() and (c.isalnum() or c in "._-") for c in word)
