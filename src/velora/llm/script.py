"""The YAML format of scripted answers: what `scripted:FILE.yaml` and the tests' HTTP server play.

A file holds one script, for every conversation::

    turns:
      - say: I look at the code first.          # the visible text; optional
        reasoning: The bug must be in parse().  # optional
        calls:                                  # tool calls, any number; optional
          - tool: execute_bash
            arguments: {command: ls -la}
      - calls:
          - tool: finish
            arguments: '{"message": not JSON'   # a text is sent exactly as it stands
    finish: All done.                           # message of every turn after the last; optional

or several, of which the first whose `when` the task prompt contains is played; one without
`when` suits every conversation::

    scripts:
      - when: TypeError in parse()
        turns: [...]
      - turns: [...]

`{workdir}` in a call's arguments stands for the working directory that the task prompt names in its
`<uploaded_files>`.

A conversation's turn is the number of answers already in it, so a script keeps no state. After
the last turn every answer is a call of `finish`. An unknown key, an empty turn or a value of the
wrong type is a `UsageError` that names the file and the turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from velora.errors import UsageError, nearest

FINISHED = "The script has no further turns."
"""What `finish` says after the last turn where the script does not say it."""

PLACE = "{workdir}"
_WORKDIR = re.compile(r"<uploaded_files>\n(.+)\n</uploaded_files>")


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; `arguments` is the JSON text that the model is said to have written."""

    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer."""

    say: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """The answers of one conversation; `when` is "" or a text that the task prompt contains."""

    turns: tuple[Turn, ...]
    finish: str = FINISHED
    when: str = ""

    def turn(self, index: int, prompt: str) -> Turn:
        """Turn `index` (from 0), or the call of `finish` that follows the last one."""
        if index < len(self.turns):
            return _placed(self.turns[index], prompt)
        return Turn(calls=(Call("finish", dumps({"message": self.finish})),))


def _placed(turn: Turn, prompt: str) -> Turn:
    """The turn with `{workdir}` filled in from its task prompt."""
    named = workdir(prompt)
    if not named or not any(PLACE in call.arguments for call in turn.calls):
        return turn
    path = dumps(named)[1:-1]  # it stands inside JSON text
    calls = (replace(one, arguments=one.arguments.replace(PLACE, path)) for one in turn.calls)
    return replace(turn, calls=tuple(calls))


def workdir(prompt: str) -> str:
    """The working directory that a task prompt names; "" where it names none."""
    named = _WORKDIR.search(prompt)
    return named[1] if named else ""


def choose(scripts: Sequence[Script], prompt: str) -> Script | None:
    """The first script that suits a task prompt."""
    return next((one for one in scripts if one.when in prompt), None)


def load(path: Path) -> tuple[Script, ...]:
    """Read a file of scripts.

    Raises:
        UsageError: it cannot be read, is not YAML, or is not a script.
    """
    import yaml

    try:
        data = yaml.safe_load(path.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"cannot read the script: {reason}", where=str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"not YAML: {error}", where=str(path)) from None
    return parse(data, str(path))


def parse(data: Any, source: str) -> tuple[Script, ...]:
    """The scripts in what a YAML file holds; `source` names it in errors."""
    top = _mapping(data, source, {"turns", "finish", "scripts"})
    if ("turns" in top) == ("scripts" in top):
        hint = "one script: 'turns: [...]'; several: 'scripts: [{when: TEXT, turns: [...]}]'"
        raise UsageError("either 'turns' or 'scripts' is needed", where=source, hint=hint)
    if "turns" in top:
        return (_script(top, source),)
    if "finish" in top:
        raise UsageError("'finish' belongs into each script", where=source)
    scripts = _sequence(top["scripts"], source, "scripts")
    return tuple(
        _script(
            _mapping(one, f"{source}: script {number}", {"when", "turns", "finish"}),
            f"{source}: script {number}",
        )
        for number, one in enumerate(scripts, 1)
    )


def _script(data: dict[str, Any], where: str) -> Script:
    if "turns" not in data:
        raise UsageError("'turns' is missing", where=where)
    turns = _sequence(data["turns"], where, "turns")
    return Script(
        turns=tuple(_turn(one, f"{where}: turn {number}") for number, one in enumerate(turns, 1)),
        finish=_text(data, "finish", where) or FINISHED,
        when=_text(data, "when", where),
    )


def _turn(data: Any, where: str) -> Turn:
    fields = _mapping(data, where, {"say", "reasoning", "calls"})
    calls = _sequence(fields.get("calls", []), where, "calls")
    turn = Turn(
        say=_text(fields, "say", where),
        reasoning=_text(fields, "reasoning", where),
        calls=tuple(_call(one, f"{where}, call {n}") for n, one in enumerate(calls, 1)),
    )
    if not turn.say and not turn.calls:
        raise UsageError("the turn says nothing and calls nothing", where=where)
    return turn


def _call(data: Any, where: str) -> Call:
    fields = _mapping(data, where, {"tool", "arguments"})
    tool = _text(fields, "tool", where)
    if not tool:
        raise UsageError("'tool' is missing", where=where)
    match fields.get("arguments", {}):
        case str() as text:
            return Call(tool, text)
        case dict() as arguments:
            try:
                return Call(tool, dumps(arguments))
            except (TypeError, ValueError) as error:
                hint = "quote it: YAML reads 2024-01-01 as a date"
                message = f"'arguments' holds what JSON cannot: {error}"
                raise UsageError(message, where=where, hint=hint) from None
        case other:
            message = f"'arguments' must be a mapping or a text, not {_kind(other)}"
            raise UsageError(message, where=where)


def _mapping(data: Any, where: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise UsageError(f"must be a mapping, not {_kind(data)}", where=where)
    for key in data:
        if key not in known:
            hint = nearest(str(key), known)
            raise UsageError(f"unknown key '{key}'", where=where, hint=hint)
    return data


def _sequence(data: Any, where: str, name: str) -> list[Any]:
    if not isinstance(data, list):
        raise UsageError(f"'{name}' must be a list, not {_kind(data)}", where=where)
    return data


def _text(data: dict[str, Any], key: str, where: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        hint = "put quotes around it"
        raise UsageError(f"'{key}' must be a text, not {_kind(value)}", where=where, hint=hint)
    return value


def _kind(value: Any) -> str:
    kinds = {dict: "a mapping", list: "a list", str: "a text", type(None): "nothing"}
    return kinds.get(type(value), f"{value!r}")


def dumps(value: Any) -> str:
    """JSON as models write it: readable, and nothing that JSON does not have (NaN)."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
