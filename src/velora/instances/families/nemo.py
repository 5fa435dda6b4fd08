"""NeMo's rows (nemotron-style): another family's row within one field, and a pattern for images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from velora.instances.decode import Undecodable
from velora.instances.families.cells import has, names, table, text
from velora.instances.families.protocol import Family, Fields

_DIRECTORIES = {"swe-bench-ext": "/workspace/repo", "nv-internal-1": "/app"}


def detect(row: Mapping[str, Any]) -> bool:
    """The row within, and the image's pattern."""
    return has(row, "instance_dict", "container_formatter")


def family(find: Callable[[Mapping[str, Any]], Family]) -> Family:
    """The family, which needs the others' detection for the row within.

    Args:
        find: the family of a row that is none of NeMo's.
    """

    def adapt(row: Mapping[str, Any]) -> Fields:
        try:
            inner = table(row["instance_dict"], "instance_dict")
        except Undecodable as error:
            return {"problems": (str(error),)}
        own = {key: value for key, value in row.items() if key not in inner}
        whole = {**inner, **own}
        for key in ("instance_id", "problem_statement"):
            whole[key] = text(row, key) or inner.get(key)
        found = find(whole)
        adapted = found.adapt(whole)
        named = _image(text(row, "container_formatter"), text(whole, "instance_id"))
        return {
            **inner,
            "instance_id": whole["instance_id"],
            "problem_statement": whole["problem_statement"],
            **_directory(row, whole),
            **adapted,
            "image_names": names((named, *adapted.get("image_names", ()))),
        }

    return Family("nemo", detect, adapt)


def _directory(row: Mapping[str, Any], whole: Mapping[str, Any]) -> Fields:
    usual = _DIRECTORIES.get(text(row, "dataset_name"), "")
    return {"repo_path": usual} if usual and not text(whole, "repo_path") else {}


def _image(pattern: str, ident: str) -> str:
    """The image by the pattern; a `.sif` file is none that an engine has."""
    if not pattern or pattern.endswith(".sif") or not ident:
        return ""
    name = pattern.replace("{instance_id}", ident.replace("__", "_1776_").lower())
    return name.removeprefix("docker://")
