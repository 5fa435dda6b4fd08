"""What the families' modules share: looking into a row, test files of a diff, image names."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from velora.instances.decode import Undecodable, decode_patches, is_blank
from velora.instances.json_text import kind

CONDA = ("source /opt/miniconda3/bin/activate", "conda activate testbed")
"""How the images of SWE-bench and its relatives enter their environment."""

_FILE = re.compile(r"^diff --git a/.* b/(.*)$", re.MULTILINE)
_NEW = re.compile(r"^\+\+\+ b/(.*?)\r?(?:\t.*)?$", re.MULTILINE)
_DELETED = re.compile(r"^--- a/(.*?)\r?(?:\t.*)?\n\+\+\+ /dev/null", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def has(row: Mapping[str, Any], *keys: str) -> bool:
    """All the keys are there, blank or not."""
    return all(key in row for key in keys)


def text(row: Mapping[str, Any], *keys: str) -> str:
    """The first of the fields that is text and not blank, or ""."""
    return next((v for k in keys if isinstance(v := row.get(k), str) and not is_blank(v)), "")


def table(value: Any, where: str) -> dict[str, Any]:
    """A table, given as one, as JSON or as a Python literal.

    Raises:
        Undecodable: it is none.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            try:
                value = ast.literal_eval(value)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                raise Undecodable(f"{where} is no table: {value[:40]!r}") from None
    if not isinstance(value, dict):
        raise Undecodable(f"{where} must be a table, not {kind(value)}")
    return value


def lines(value: Any, where: str) -> tuple[str, ...]:
    """Shell commands: a text, or a list of texts in any form that lists come in.

    Raises:
        Undecodable: neither.
    """
    if is_blank(value):
        return ()
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return (value,)
    return decode_patches(value, where)


def changed_files(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The files that the row's test patch leaves behind, each once, in its order."""
    patch = "\n".join(decode_patches(row.get("test_patch"), "test_patch"))
    gone = set(_DELETED.findall(patch))
    found = _NEW.findall(patch) or _FILE.findall(patch)
    return tuple(dict.fromkeys(path for path in found if path not in gone))


def image(namespace: str, ident: str, joint: str = "_1776_", kind: str = "x86_64") -> str:
    """`namespace/sweb.eval.x86_64.<id>`, where image names may not hold `__`; "" for an id that
    no reference can hold."""
    name = ident.lower().replace("__", joint)
    if not _NAME.fullmatch(name) or "/" in name:
        return ""
    return f"{namespace}/sweb.eval.{kind}.{name}" if namespace else f"sweb.eval.{kind}.{name}"


def names(found: Iterable[str]) -> tuple[str, ...]:
    """Without blanks and repetitions."""
    return tuple(dict.fromkeys(name for name in found if name))
