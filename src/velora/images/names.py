"""The image names that dataset families compute from a row. Pure functions; nobody is asked.

Sources: VeloraHarness's two conventions (`mswebench/sweb.eval…` for Python, `…:pr-N` for the
rest, both tried here because its images carry both tags), SWE-bench, SWE-Gym, SWE-rebench,
SWE-bench-Live, Multi-SWE-bench and SWE-bench Pro.
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
    tag = text(row.get("dockerhub_tag"))
    if tag:
        yield Candidate("row field dockerhub_tag", f"jefzda/sweap-images:{tag}")


def computed(instance: Instance, prefix: str = "mswebench") -> Iterator[Candidate]:
    """The names that harnesses compute from the instance's id and repository.

    Args:
        prefix: the registry namespace of the first two conventions, as in
            `EVAL_DOCKER_IMAGE_PREFIX`; a slash at its end is allowed.
    """
    ident = instance.instance_id.lower()
    namespace = prefix.strip().rstrip("/") or "mswebench"
    gym = ident.replace("__", "_s_")
    bench = ident.replace("__", "_1776_")
    if _fits(gym):
        yield Candidate("VeloraHarness, Python", f"{namespace}/{_EVAL}{gym}")
    if "/" in instance.repo:
        owner_repo = instance.repo.lower().replace("/", "_m_")
        number = _number(instance.row) or _last_part(instance.instance_id)
        if _fits(owner_repo) and _fits(number):
            yield Candidate("Multi-SWE-bench", f"{namespace}/{owner_repo}:pr-{number}")
    if _fits(bench):
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
