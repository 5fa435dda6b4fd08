"""Sections that come in families: `[llm]` and `[llm.NAME]`, where NAME inherits from the base.

A sub-table whose name is a key of the section (`[llm.extra_headers]`) is that key's value; any
other is a section of the family. All sections are checked; only the one that is selected is
interpolated, so that a variable which only another section needs may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from velora.config.check import Place, check_known, checked, known_keys
from velora.config.effects import WITHOUT_EFFECT
from velora.config.interpolate import BadReference, has_reference, interpolate
from velora.config.settings import Section
from velora.errors import UsageError, nearest


@dataclass(frozen=True, slots=True)
class Entry:
    """A value as the file has it, and the table that it stands in."""

    value: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Family:
    """A family of sections, checked; a section without named ones is a family of one.

    Attributes:
        kind: `llm`, `agent`, ...
        section: the type of each section.
        place: the base section's.
        base: the base section's entries.
        named: each named section's own entries.
    """

    kind: str
    section: type[Section]
    place: Place
    base: dict[str, Entry]
    named: dict[str, dict[str, Entry]]


def read_family(
    kind: str, section: type[Section], table: Any, place: Place, *, single: bool = False
) -> Family:
    """Check `[kind]` and all `[kind.NAME]`.

    Args:
        kind: the family's name.
        section: its sections' type.
        table: what the file has under the name.
        place: the base section's place.
        single: the section has no named ones.

    Raises:
        UsageError: an unknown key, or a value of the wrong type.
    """
    if not isinstance(table, Mapping):
        raise UsageError(f"'{kind}' must be a section, not a single value", where=place.at())
    known = known_keys(kind, section)
    base: dict[str, Any] = {}
    named: dict[str, Mapping[str, Any]] = {}
    for key, value in table.items():
        if key not in known and isinstance(value, Mapping) and not single:
            named[key] = value
        else:
            base[key] = value
    return Family(
        kind,
        section,
        place,
        _entries(kind, section, base, place, known),
        {
            name: _entries(kind, section, part, place.below(name), known)
            for name, part in named.items()
        },
    )


def _entries(
    kind: str, section: type[Section], table: Mapping[str, Any], place: Place, known: set[str]
) -> dict[str, Entry]:
    check_known(table, known, place)
    for key, value in table.items():
        # Which types a condenser may have is asked of the selected one only: configuration files
        # of VeloraHarness define several that they do not use.
        later = has_reference(value) or (kind == "condenser" and key == "type")
        if key in section.model_fields and not later:
            checked(section, key, value, place)
    return {key: Entry(value, place) for key, value in table.items()}


def select(family: Family, name: str, *, exclusive: tuple[str, ...] = ()) -> dict[str, Entry]:
    """The entries of `[kind.NAME]` with what it inherits; the base section's for "".

    Args:
        family: to choose from.
        name: as `section_name` gives it.
        exclusive: keys of which a section has one; the base's are not inherited beside it.
    """
    if not name:
        return family.base
    own = family.named[name]
    hidden = exclusive if any(key in own for key in exclusive) else ()
    return {key: entry for key, entry in family.base.items() if key not in hidden} | own


def section_name(family: Family, name: str, *, asked: str = "") -> str:
    """`name` without the family's prefix, known to exist; "" is the base section.

    Args:
        family: to choose from.
        name: as the user wrote it.
        asked: the place that asks for it, where that is the file itself.

    Raises:
        UsageError: there is no such section; the message lists those that exist.
    """
    kind = family.kind
    short = name if name in family.named else name.removeprefix(f"{kind}.")
    if short in family.named:
        return short
    if short in ("", kind):
        return ""
    if family.named:
        listed = ", ".join(f"[{kind}.{one}]" for one in sorted(family.named))
        close = nearest(short, family.named)
        hint = f"sections that exist: {listed}"
        hint = f"{close} {hint}" if close.startswith("did you mean") else hint
    else:
        hint = f"there is no section [{kind}.NAME] at all"
    raise UsageError(f"no section [{kind}.{short}]", where=asked or family.place.source, hint=hint)


def resolve(
    family: Family, entries: Mapping[str, Entry], env: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """The values of a selected section, interpolated and typed, and notices on the others.

    Raises:
        UsageError: a variable is missing, or its value is of the wrong type.
    """
    values: dict[str, Any] = {}
    notices: list[str] = []
    for key, entry in entries.items():
        if key not in family.section.model_fields:
            reason = WITHOUT_EFFECT[family.kind][key]
            notices.append(f"{entry.place.title} {key} has no effect: {reason}")
            continue
        from_text = has_reference(entry.value)
        try:
            value = interpolate(entry.value, env)
        except BadReference as error:
            hint = f"set {error.variable}, or give a default" if error.variable else ""
            message = f"{key}: {error}"
            raise UsageError(message, where=entry.place.at(key), hint=hint) from None
        values[key] = checked(
            family.section, key, value, entry.place, from_text=from_text, hidden=from_text
        )
    return values, notices
