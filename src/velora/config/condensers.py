"""The sections that a condenser names: other condensers, and models that write summaries.

`[condenser.NAME] llm_config` and `condensers` are references to other sections, so those are read
as strictly as if they had been chosen on the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from velora.config.families import Entry, Family, resolve, section_name, select
from velora.errors import UsageError

_WINDOW = "conversation_window"


@dataclass(slots=True)
class Named:
    """What a condenser names, directly and through others.

    Attributes:
        condensers: values of the sections by name.
        llms: names of the `[llm.NAME]`, each with the place that asks for it; `llm` is `[llm]`.
        notices: one sentence each, for the user.
    """

    condensers: dict[str, dict[str, Any]] = field(default_factory=dict)
    llms: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def follow(
    families: Mapping[str, Family], name: str, values: dict[str, Any], env: Mapping[str, str]
) -> Named:
    """Everything that the chosen condenser names; its references in `values` become plain names.

    Args:
        families: `condenser` and `llm`.
        name: the chosen section's; "" is `[condenser]`.
        values: its values, resolved.
        env: the process's environment.

    Raises:
        UsageError: a section is missing or wrong, or a pipeline contains itself.
    """
    named = Named()
    _follow(families, name, values, env, named, ())
    return named


def _follow(
    families: Mapping[str, Family],
    name: str,
    values: dict[str, Any],
    env: Mapping[str, str],
    named: Named,
    path: tuple[str, ...],
) -> None:
    family = families["condenser"]
    entries = select(family, name)
    key = name or family.kind
    if key in path:
        way = " → ".join((*path, key))
        where = _at(family, entries, "condensers")
        raise UsageError(f"a pipeline contains itself: {way}", where=where)
    if "type" in entries and entries["type"].value == _WINDOW:
        title = entries["type"].place.title
        named.notices.append(f'{title} type = "{_WINDOW}" is taken as "recent"')
    kind = values.get("type", "noop")
    if kind == "llm" and values.get("llm_config"):
        where = _at(family, entries, "llm_config")
        llm = section_name(families["llm"], values["llm_config"], asked=where) or "llm"
        values["llm_config"] = llm
        named.llms.setdefault(llm, where)
    if kind != "pipeline":
        return
    where = _at(family, entries, "condensers")
    stages = []
    for stage in values.get("condensers", ()):
        short = section_name(family, stage, asked=where)
        if not short:
            raise UsageError("a pipeline is made of [condenser.NAME] sections", where=where)
        stages.append(short)
        own, said = resolve(family, select(family, short), env)
        named.notices += said
        _follow(families, short, own, env, named, (*path, key))
        named.condensers[short] = own
    if not stages:
        hint = 'name sections, as condensers = ["short", "notes"]'
        raise UsageError("a pipeline needs condensers", where=where, hint=hint)
    values["condensers"] = tuple(stages)


def _at(family: Family, entries: Mapping[str, Entry], key: str) -> str:
    return entries[key].place.at(key) if key in entries else family.place.at()
