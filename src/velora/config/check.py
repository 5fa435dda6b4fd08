"""Checks of one key at a time: is it known, is its value of the right type, said in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from velora.config.effects import WITHOUT_EFFECT
from velora.config.masking import names_secret
from velora.config.settings import Section
from velora.errors import UsageError, nearest


@dataclass(frozen=True, slots=True)
class Place:
    """A table of a configuration file.

    Attributes:
        source: the file's name, or what else the values come from.
        path: the table's path, such as `("llm", "gpt")`.
        lines: the file's lines by path, as `locate.positions` finds them.
    """

    source: str
    path: tuple[str, ...]
    lines: Mapping[tuple[str, ...], int]

    def __str__(self) -> str:
        return self.at()

    @property
    def title(self) -> str:
        """The table's header: `[llm.gpt]`."""
        return f"[{'.'.join(self.path)}]" if self.path else ""

    def at(self, *keys: str) -> str:
        """Where a key of the table stands: `config.toml:7: [llm.gpt]`."""
        line = self.lines.get((*self.path, *keys))
        source = f"{self.source}:{line}" if line else self.source
        return f"{source}: {self.title}" if self.title else source

    def below(self, name: str) -> Place:
        """The table `name` in this one."""
        return Place(self.source, (*self.path, name), self.lines)


def known_keys(family: str, section: type[Section]) -> set[str]:
    """All keys that `[family]` may hold, those without effect among them."""
    return set(section.model_fields) | set(WITHOUT_EFFECT[family])


def check_known(table: Mapping[str, Any], known: Iterable[str], place: Place) -> None:
    """Refuse keys that are not in `known`.

    Raises:
        UsageError: naming the key, its line and the nearest spelling.
    """
    allowed = set(known)
    for key, value in table.items():
        if key in allowed:
            continue
        if isinstance(value, Mapping) and len(place.path) > 1:
            name = ".".join((*place.path[1:], key))
            hint = f'a name with a dot needs quotes: [{place.path[0]}."{name}"]'
        else:
            hint = nearest(key, allowed)
        raise UsageError(f"unknown key '{key}'", where=place.at(key), hint=hint)


def checked(
    section: type[Section],
    key: str,
    value: Any,
    place: Place,
    *,
    from_text: bool = False,
    hidden: bool = False,
) -> Any:
    """`value` as the section's field `key` has it.

    Args:
        section: whose field it is.
        key: the field's name, known to exist.
        value: as the file has it.
        place: the table that it stands in, for messages.
        from_text: the value is text of necessity (a variable, a flag); a number or a truth value
            is read from it.
        hidden: a message must not repeat the value. One whose name tells a secret never is.

    Raises:
        UsageError: it is of the wrong type, or out of range.
    """
    if isinstance(value, list) and get_origin(section.model_fields[key].annotation) is tuple:
        value = tuple(value)  # TOML has lists alone
    try:
        model = section.model_validate({key: value}, strict=not from_text)
    except ValidationError as error:
        first = error.errors()[0]
        keys = [str(part) for part in first["loc"] if part in _path_in(key, value)]
        name = ".".join(keys) or key
        message, hint = _plain(first, hidden=hidden or names_secret(name))
        raise UsageError(f"{name} {message}", where=place.at(*(keys or [key])), hint=hint) from None
    return getattr(model, key)


def _path_in(key: str, value: Any) -> set[Any]:
    """The parts of a location that are keys of the file, not of pydantic."""
    parts: set[Any] = {key}
    if isinstance(value, Mapping):
        for name, inner in value.items():
            parts |= {name} | _path_in(name, inner)
    return parts


_KINDS = (
    ("int", "a whole number"),
    ("float", "a number"),
    ("bool", "true or false"),
    ("string", "text in quotes"),
    ("dict", "a table"),
    ("list", "a list"),
    ("tuple", "a list"),
)


def _plain(error: ErrorDetails, *, hidden: bool) -> tuple[str, str]:
    """Pydantic's error as the end of a sentence that begins with the key, and a hint."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    given = "" if hidden else f", not {_described(value)}"
    if kind == "literal_error":
        known = [
            word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")
        ]
        return f"must be one of {', '.join(known)}{given}", (
            nearest(value, known) if isinstance(value, str) and not hidden else ""
        )
    if kind == "greater_than":
        return f"must be greater than {context['gt']:g}{given}", ""
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']:g}{given}", ""
    if kind == "value_error":
        return "is wrong" if hidden else f"is wrong: {context['error']}", ""
    for prefix, words in _KINDS:
        if kind.startswith(prefix):
            return f"must be {words}{given}", ""
    return f"is wrong: {error['msg'].lower()}", ""


def _described(value: Any) -> str:
    """A value in words that show its type."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text '{value}'"
        case Mapping():
            return "a table"
        case list():
            return "a list"
    return f"a {type(value).__name__}"
