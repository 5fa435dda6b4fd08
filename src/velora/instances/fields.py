"""A row → an `Instance`: which keys a field may stand under, and how each is decoded.

The row's family comes first (`instances.families`): what it makes of the row is read over the row
itself. Of several spellings in one row the first of `ALIASES` that is not blank counts. What a row
lacks entirely (an id, a problem statement) is an error of the file; a value that cannot be read is
a problem of the row, which is kept so that it can be reported as `task_invalid`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from velora import languages
from velora.errors import UsageError, nearest
from velora.instances import families
from velora.instances.decode import (
    Undecodable,
    decode_id,
    decode_names,
    decode_patches,
    decode_text,
    is_blank,
)
from velora.instances.model import Instance
from velora.instances.rows import Row

T = TypeVar("T")

ALIASES: dict[str, tuple[str, ...]] = {
    "instance_id": ("instance_id", "velora_instance_id"),
    "problem_statement": ("problem_statement", "issue_statement"),
    "repo": ("repo",),
    "base_commit": ("base_commit", "commit_hash"),
    "hints_text": ("hints_text",),
    "language": ("language", "repo_language", "lang"),
    "version": ("version",),
    "fail_to_pass": ("FAIL_TO_PASS", "fail_to_pass", "F2P", "f2p", "fail_to_pass_tests"),
    "pass_to_pass": ("PASS_TO_PASS", "pass_to_pass", "P2P", "p2p", "pass_to_pass_tests"),
    "patch": ("patch", "functional_patch"),
    "test_patches": ("test_patches", "test_patch"),
    "test_command": ("test_command",),
    "test_output_parser": ("test_output_parser",),
    "image": ("image_storage_uri", "task_specific_image", "docker_image", "image_name", "image"),
    "repo_path": ("repo_path",),
}
"""The keys of each field, the one that counts first."""


def instance_of(row: Row, family: str = "") -> Instance:
    """Read a row.

    Args:
        family: the row's; where none is named the row's own `family` counts, and else its fields.

    Raises:
        UsageError: it has no id, or no problem statement at all; there is no such family.
    """
    if family:
        families.get(family)
        row = replace(row, value={**row.value, "family": family})
    given = row.value.get("family")
    known = isinstance(given, str) and given in families.FAMILIES
    adapter = families.FAMILIES[str(given)] if known else families.find(row.value)
    try:
        fields = adapter.adapt(row.value)
    except Undecodable as error:
        fields = {"problems": (str(error),)}
    except KeyError as error:  # a family that the row's fields do not show was named
        (key,) = error.args
        if key in row.value:
            raise
        fields = {"problems": (f"family {adapter.name}: the row has no field {key!r}",)}
    reader = _Reader(row, fields)
    reader.problems += fields.get("problems", ())
    if not known and not is_blank(given):
        close = nearest(str(given), families.FAMILIES)
        reader.problems.append(f"family: there is no dataset family {given!r}; {close}")
    instance_id = _id(row, reader.fields)
    reader.present("problem_statement")
    statement = reader.text("problem_statement")
    if not statement.strip():
        reader.problems.append("problem_statement is empty")
    if row.damaged:
        reader.problems.append("the row held half of a surrogate pair, which stands for no text")
    return Instance(
        instance_id=instance_id,
        problem_statement=statement,
        repo=reader.text("repo"),
        base_commit=reader.text("base_commit").strip(),
        hints_text=reader.text("hints_text"),
        language=languages.canonical(reader.text("language")),
        version=reader.text("version"),
        fail_to_pass=reader.field("fail_to_pass", decode_names, ()),
        pass_to_pass=reader.field("pass_to_pass", decode_names, ()),
        patch=reader.text("patch"),
        test_patches=reader.field("test_patches", decode_patches, ()),
        test_command=reader.text("test_command"),
        test_output_parser=reader.text("test_output_parser").strip(),
        image=reader.text("image").strip(),
        repo_path=reader.text("repo_path").strip(),
        family=adapter.name,
        image_names=reader.strings("image_names"),
        setup=reader.strings("setup"),
        hide=reader.strings("hide"),
        test_setup=reader.strings("test_setup"),
        restore=reader.strings("restore"),
        activation=reader.strings("activation"),
        fail_only=adapter.fail_only(row.value),
        row=row.value,
        source=row.where,
        problems=tuple(reader.problems),
    )


class _Reader:
    """The fields of one row; what cannot be read goes to `problems`."""

    def __init__(self, row: Row, adapted: dict[str, Any]) -> None:
        self.row = row
        self.adapted = adapted
        # What the family says stands, also where it is that there is nothing.
        said = {key for keys in ALIASES.values() if keys[0] in adapted for key in keys}
        self.fields = {k: v for k, v in row.value.items() if k not in said} | adapted
        self.problems: list[str] = []

    def present(self, name: str) -> None:
        if not any(key in self.fields for key in ALIASES[name]):
            raise _missing(name, self.row)

    def text(self, name: str) -> str:
        return self.field(name, decode_text, "")

    def field(self, name: str, decode: Callable[[Any, str], T], default: T) -> T:
        key = _key(name, self.fields)
        if not key:
            return default
        try:
            return decode(self.fields[key], key)
        except Undecodable as error:
            self.problems.append(str(error))
            return default

    def strings(self, name: str) -> tuple[str, ...]:
        """A list that the family made; a column that only happens to have its name is none."""
        try:
            return decode_names(self.adapted.get(name), name)
        except Undecodable as error:
            self.problems.append(str(error))
            return ()


def _key(name: str, row: Mapping[str, Any]) -> str:
    return next((key for key in ALIASES[name] if not is_blank(row.get(key))), "")


def _id(row: Row, fields: Mapping[str, Any]) -> str:
    key = _key("instance_id", fields)
    if not key:
        if any(key in row.value for key in ALIASES["instance_id"]):
            raise UsageError("instance_id is empty", where=row.where)
        raise _missing("instance_id", row)
    try:
        return decode_id(fields[key], key)
    except Undecodable as error:
        raise UsageError(str(error), where=row.where) from None


def _missing(name: str, row: Row) -> UsageError:
    there = ", ".join(row.value) or "none"
    close = nearest(name, row.value)
    close = f"{close} " if close.startswith("did you mean") else ""
    return UsageError(
        f"the row has no {name}", where=row.where, hint=f"{close}fields that are there: {there}"
    )
