"""config.toml → `Settings`: read strictly, inherited, interpolated, with flags laid over it.

Every key is known or refused by name, line and nearest spelling. A missing variable of the
selected sections is found here, before anything starts. Nothing is read but the file; the
environment is handed in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from velora.config.check import Place, checked
from velora.config.condensers import follow
from velora.config.credentials import with_key
from velora.config.effects import SECTIONS_WITHOUT_EFFECT
from velora.config.families import Entry, Family, read_family, resolve, section_name, select
from velora.config.locate import positions
from velora.config.settings import (
    AgentSettings,
    CondenserSettings,
    CoreSettings,
    EvaluationSettings,
    LLMSettings,
    McpSettings,
    RunSettings,
    SandboxSettings,
    Section,
    Settings,
)
from velora.errors import UsageError, nearest

SECTIONS: dict[str, type[Section]] = {
    "core": CoreSettings,
    "llm": LLMSettings,
    "agent": AgentSettings,
    "sandbox": SandboxSettings,
    "condenser": CondenserSettings,
    "mcp": McpSettings,
    "run": RunSettings,
    "evaluation": EvaluationSettings,
}
FAMILIES = ("llm", "agent", "condenser")
KEYS = ("api_key", "api_key_env")
DEFAULT_FILE = Path("config.toml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and what is to be said about it.

    Attributes:
        settings: resolved.
        notices: one sentence each, for the user.
        source: the file; None where there was none.
        llms: the names of all `[llm.NAME]`, sorted.
    """

    settings: Settings
    notices: tuple[str, ...]
    source: Path | None
    llms: tuple[str, ...] = ()

    def require_model(self) -> None:
        """Refuse a configuration that names no model.

        Raises:
            UsageError: listing the sections to choose from.
        """
        if self.settings.llm.model:
            return
        name = self.settings.llm_name
        hint = 'add model = "..." to it'
        if not name and self.llms:
            hint = f"choose one with --llm-config: {', '.join(self.llms)}"
        where = f"{self.source or DEFAULT_FILE}: [{f'llm.{name}' if name else 'llm'}]"
        raise UsageError("no model is named", where=where, hint=hint)


def load(
    path: Path | None,
    *,
    llm: str = "",
    agent: str = "",
    condenser: str = "",
    overrides: Mapping[str, Any] | None = None,
    env: Mapping[str, str],
) -> Loaded:
    """Read a configuration.

    Args:
        path: the file; None takes ./config.toml if there is one, else the defaults.
        llm, agent, condenser: the named section to use, `gpt` or `llm.gpt`; "" is what `[agent]`
            names (`llm_config`, `condenser`), else the base section.
        overrides: what stands above the file, by dotted name (`core.max_iterations`); None values
            are left out. Text is read as a number or a truth value where the setting is one.
        env: the process's environment. `OPENAI_API_KEY` serves where neither `api_key` nor
            `api_key_env` is set and the endpoint is OpenAI's or named by `base_url`.

    Raises:
        UsageError: the file, a section, a key, a value or a variable is wrong or missing.
    """
    source = _source(path)
    document, place = _document(source)
    families, notices = _families(document, place)

    values: dict[str, dict[str, Any]] = {}
    names = {"agent": section_name(families["agent"], agent)}
    chosen = select(families["agent"], names["agent"])
    values["agent"], said = resolve(families["agent"], chosen, env)
    notices += said

    def name_of(kind: str, wanted: str, key: str) -> str:
        if wanted or key not in chosen:
            return section_name(families[kind], wanted)
        return section_name(families[kind], values["agent"][key], asked=chosen[key].place.at(key))

    names["llm"] = name_of("llm", llm, "llm_config")
    names["condenser"] = name_of("condenser", condenser, "condenser")
    entries = select(families["llm"], names["llm"], exclusive=KEYS)
    key_place = _one_key(entries, families["llm"].place)
    values["llm"], said = resolve(families["llm"], entries, env)
    notices += said

    for kind in SECTIONS:
        if kind not in values:
            entries = select(families[kind], names.get(kind, ""))
            values[kind], said = resolve(families[kind], entries, env)
            notices += said

    _lay_over(values, overrides or {})
    notices += _no_change_timeout(values["sandbox"], families["sandbox"].place)
    values["llm"], said = with_key(values["llm"], env, key_place)
    notices += said
    named = follow(families, names["condenser"], values["condenser"], env)
    notices += named.notices
    llms: dict[str, LLMSettings] = {}
    for name, asked in named.llms.items():
        llms[name], said = _other_llm(families["llm"], name, env, asked)
        notices += said
    settings = Settings.model_validate(
        {kind: section(**values[kind]) for kind, section in SECTIONS.items()}
        | {f"{kind}_name": names[kind] for kind in FAMILIES}
        | {"condensers": {n: CondenserSettings(**own) for n, own in named.condensers.items()}}
        | {"condenser_llms": llms}
    )
    said_once = tuple(dict.fromkeys(notices))
    return Loaded(settings, said_once, source, tuple(sorted(families["llm"].named)))


def _other_llm(
    family: Family, name: str, env: Mapping[str, str], asked: str
) -> tuple[LLMSettings, list[str]]:
    """A further `[llm.NAME]`, that `asked` names; nothing on the command line changes it."""
    entries = select(family, "" if name == family.kind else name, exclusive=KEYS)
    key_place = _one_key(entries, family.place)
    values, notices = resolve(family, entries, env)
    if not values.get("model"):
        raise UsageError(
            f"[{name if name == family.kind else f'llm.{name}'}] names no model",
            where=asked,
            hint='add model = "..." to it',
        )
    values, said = with_key(values, env, key_place)
    return LLMSettings(**values), notices + said


def _source(path: Path | None) -> Path | None:
    if path is None:
        return DEFAULT_FILE if DEFAULT_FILE.exists() else None
    if not path.exists():
        raise UsageError("there is no such file", where=str(path), hint="see --config-file")
    return path


_TOML_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def _document(source: Path | None) -> tuple[dict[str, Any], Place]:
    if source is None:
        return {}, Place("config.toml", (), {})
    try:
        text = source.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(source)) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"is not UTF-8 (byte {error.start})", where=str(source)) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, where = str(error), str(source)
        if found := _TOML_LINE.search(message):
            message, where = message[: found.start()], f"{source}:{found[1]}"
            message += f" (column {found[2]})"
        raise UsageError(f"not valid TOML: {message}", where=where) from None
    return document, Place(str(source), (), positions(text))


def _families(document: Mapping[str, Any], place: Place) -> tuple[dict[str, Family], list[str]]:
    notices: list[str] = []
    for name, table in document.items():
        if name in SECTIONS_WITHOUT_EFFECT:
            notices.append(f"[{name}] has no effect: {SECTIONS_WITHOUT_EFFECT[name]}")
        elif name not in SECTIONS:
            raise _unknown_section(name, table, place)
    document, budget = _without_budget(document)
    families = {
        kind: read_family(
            kind, section, document.get(kind, {}), place.below(kind), single=kind not in FAMILIES
        )
        for kind, section in SECTIONS.items()
    }
    if budget is not None:
        entry = Entry(budget, place.below("core"))
        if _BUDGET in families["run"].base:
            raise UsageError(
                f"{_BUDGET} is also set in [run]", where=entry.place.at(_BUDGET), hint="keep one"
            )
        families["run"].base[_BUDGET] = entry
    return families, notices


_BUDGET = "max_budget_per_task"


def _without_budget(document: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The document without `[core] max_budget_per_task`, which is `[run]`'s here, and its value."""
    core = document.get("core")
    if not isinstance(core, Mapping) or _BUDGET not in core:
        return dict(document), None
    rest = {key: value for key, value in core.items() if key != _BUDGET}
    return {**document, "core": rest}, core[_BUDGET]


def _unknown_section(name: str, table: Any, place: Place) -> UsageError:
    if isinstance(table, Mapping | list):
        known = {*SECTIONS, *SECTIONS_WITHOUT_EFFECT}
        where = place.below(name).at()
        return UsageError("unknown section", where=where, hint=nearest(name, known))
    homes = [f"[{kind}]" for kind, section in SECTIONS.items() if name in section.model_fields]
    hint = f"it belongs under {' or '.join(homes)}" if homes else "keys stand in sections"
    return UsageError(f"unknown key '{name}'", where=place.at(name), hint=hint)


def _one_key(entries: Mapping[str, Entry], base: Place) -> Place:
    """The table that says where the key comes from; `base` where none does."""
    places = [entries[key].place for key in KEYS if key in entries]
    if len(places) > 1:
        raise UsageError(
            "api_key and api_key_env are both set",
            where=places[1].at("api_key_env"),
            hint="keep one of them",
        )
    return places[0] if places else base


def _lay_over(values: dict[str, dict[str, Any]], overrides: Mapping[str, Any]) -> None:
    for name, value in overrides.items():
        if value is None:
            continue
        kind, _, key = name.partition(".")
        section = SECTIONS.get(kind)
        if section is None or key not in section.model_fields:
            known = [f"{k}.{field}" for k, s in SECTIONS.items() for field in s.model_fields]
            hint = nearest(name, known)
            hint = hint if hint.startswith("did you mean") else ""
            raise UsageError(f"unknown setting '{name}'", where="command line", hint=hint)
        place = Place("command line", (kind,), {})
        from_text = isinstance(value, str)
        if name == "llm.api_key_env":
            values[kind].pop("api_key", None)
        values[kind][key] = checked(section, key, value, place, from_text=from_text)


def _no_change_timeout(sandbox: dict[str, Any], place: Place) -> list[str]:
    """Take the variable that the original's container read as the setting that it stands for."""
    variables = dict(sandbox.get("runtime_startup_env_vars", {}))
    limit = variables.pop("NO_CHANGE_TIMEOUT_SECONDS", None)
    if limit is None or "no_change_timeout" in sandbox:
        return []
    try:
        seconds = checked(SandboxSettings, "no_change_timeout", limit, place, from_text=True)
    except UsageError as error:
        message = f"NO_CHANGE_TIMEOUT_SECONDS, taken as no_change_timeout: {error.message}"
        where = place.at("runtime_startup_env_vars")
        raise UsageError(message, where=where, hint=error.hint) from None
    sandbox |= {"runtime_startup_env_vars": variables, "no_change_timeout": seconds}
    return [
        f"{place.title} runtime_startup_env_vars: NO_CHANGE_TIMEOUT_SECONDS is taken as "
        f"no_change_timeout = {seconds:g}"
    ]
