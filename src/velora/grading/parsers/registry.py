"""The parsers by name, and `auto`, which chooses one by what the log shows.

A parser is `str -> Parsed`: pure, linear in the log's length, and it never raises.

The names that datasets carry in `test_output_parser` (`python/parse_log_pytest_v3` and so on)
are accepted with and without their language. For now they mean the strict parser of their
framework: the same log may give other names than VeloraHarness's parser of that name, which cuts
ids at blanks and doubles methods; `verdict` bridges those two. Parsers with exactly its results
belong into `DATASET_NAMES` in place of these entries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from velora.errors import UsageError, nearest
from velora.grading.parsers import pytest_log, unittest_log
from velora.grading.protocol import Parsed

Parser = Callable[[str], Parsed]

AUTO = "auto"

STRICT: dict[str, Parser] = {
    "pytest": pytest_log.parse,
    "unittest": unittest_log.parse,
}
"""Velora's own parsers."""

DATASET_NAMES: dict[str, str] = {
    "parse_log_pytest": "pytest",
    "parse_log_pytest_v2": "pytest",
    "parse_log_pytest_v3": "pytest",
    "parse_log_unittest": "unittest",
}
"""Names that datasets use, and the strict parser that each of them means."""

_LANGUAGE = "python/"


def resolve(name: str) -> str:
    """The parser that `name` means: a key of `STRICT`, or `auto` (also for "").

    Raises:
        UsageError: there is no such parser.
    """
    word = name.strip()
    if word in ("", AUTO) or word in STRICT:
        return word or AUTO
    bare = word.removeprefix(_LANGUAGE)
    if bare in DATASET_NAMES:
        return DATASET_NAMES[bare]
    known = [*STRICT, AUTO, *DATASET_NAMES, *(_LANGUAGE + each for each in DATASET_NAMES)]
    raise UsageError(f"unknown test output parser '{name}'", hint=nearest(word, known))


def get(name: str) -> Parser:
    """The parser called `name`; "" is `auto`.

    Raises:
        UsageError: there is no such parser; the hint names the nearest.
    """
    found = resolve(name)
    return _auto if found == AUTO else STRICT[found]


def parse(name: str, text: str, *, prefer: str = "") -> tuple[str, Parsed]:
    """Parse and say by whom: `pytest`, or `auto:pytest` where the log decided; plain `auto`
    where it could not.

    Args:
        name: a parser's name; "" (the row names none) is `auto` with the help of `prefer`.
        prefer: the parser that the row's language usually has.

    Raises:
        UsageError: there is no such parser.
    """
    found = resolve(name)
    if found != AUTO:
        return found, STRICT[found](text)
    return choose(text, prefer="" if name.strip() else prefer)


def choose(text: str, *, prefer: str = "") -> tuple[str, Parsed]:
    """Try every parser; the one that finds something reads the log. Two are one too many, unless
    one of them is `prefer`."""
    fitting = {name: parsed for name, parser in STRICT.items() if _fits(parsed := parser(text))}
    if len(fitting) == 1:
        name, parsed = fitting.popitem()
        return f"{AUTO}:{name}", parsed
    if prefer in fitting:
        parsed = fitting[prefer]
        note = f"auto: {' and '.join(fitting)} fit this log; the language decided for {prefer}"
        return f"{AUTO}:{prefer}", replace(parsed, warnings=(note, *parsed.warnings))
    if not fitting:
        return AUTO, Parsed(warnings=(f"auto: no parser ({', '.join(STRICT)}) finds a test",))
    names = " and ".join(fitting)
    return AUTO, Parsed(warnings=(f"auto: {names} both fit this log; name one of them",))


def _fits(parsed: Parsed) -> bool:
    return bool(parsed.results) or parsed.complete


def _auto(text: str) -> Parsed:
    return choose(text)[1]
