"""The parsers by name, and `auto`, which chooses one by what the log shows.

A name may also join several with a plus sign, `pytest+jest`: each reads the whole log, for commands
that run more than one framework.

The names that datasets carry in `test_output_parser` (`python/parse_log_pytest_v3` and so on)
are accepted with and without their language. They mean VeloraHarness's own rules; beside those the
strict parsers of the same frameworks read the log, as far as they find something in it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from velora.errors import UsageError, nearest
from velora.grading.log import Log, TextLog
from velora.grading.parsers import (
    beam,
    dotnet,
    generic,
    go,
    javascript,
    jvm,
    lua,
    native,
    perl,
    php,
    python,
    r,
    reference,
    ruby,
    rust,
    shell,
    swift,
)
from velora.grading.parsers.framework import Framework
from velora.grading.parsers.signs import find
from velora.grading.parsers.tally import together
from velora.grading.protocol import Evidence, Parsed, Source

AUTO = "auto"

_ROOMS = (
    python,
    javascript,
    go,
    rust,
    jvm,
    native,
    dotnet,
    ruby,
    php,
    beam,
    lua,
    perl,
    r,
    shell,
    swift,
    generic,
)

FRAMEWORKS: dict[str, Framework] = {
    framework.name: framework for room in _ROOMS for framework in room.FRAMEWORKS
}
"""Velora's own strict parsers."""

REFERENCE: dict[str, Framework] = {each.name: each for each in reference.FRAMEWORKS}
"""Parsers that reproduce VeloraHarness's, by the names that datasets use."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a log, by whom and why.

    Attributes:
        label: `pytest`; `auto:pytest` where the log decided; plain `auto` where it could not.
        parsed: the results under that parser's names.
        why: the line by which `auto` chose, and what else it weighed.
        candidates: the parsers that fit the log.
        beside: where `parsed` is VeloraHarness's reading, that of the strict parsers which find
            something in the same log; None where none does.
        inner: the reading of those whose output may stand within the output of the ones of
            `beside`.
        reference: `parsed` is VeloraHarness's reading.
        derived: see `Framework.derived`.
    """

    label: str
    parsed: Parsed
    why: str = ""
    candidates: tuple[str, ...] = ()
    beside: Parsed | None = None
    inner: Parsed | None = None
    reference: bool = False
    derived: bool = False

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What the verdict takes, best first."""
        if not self.reference:
            return (Evidence(Source.LOG, self.parsed),)
        found = [
            Evidence(source, parsed)
            for source, parsed in ((Source.LOG, self.beside), (Source.INNER, self.inner))
            if parsed is not None
        ]
        return (*found, Evidence(Source.REFERENCE, self.parsed, self.derived))


def resolve(name: str) -> str:
    """The parser that `name` means, as `get` takes it; `auto` for "".

    Raises:
        UsageError: there is no such parser; the hint names the nearest.
    """
    word = name.strip()
    if word in ("", AUTO):
        return AUTO
    if "+" in word:
        return "+".join(resolve(part) for part in word.split("+"))
    if word in FRAMEWORKS or word in REFERENCE:
        return word
    bare = word.rpartition("/")[2]
    for known in REFERENCE:
        if known.rpartition("/")[2] == bare and (known == word or "/" not in word):
            return known
    raise UsageError(
        f"unknown test output parser '{name}'",
        hint=nearest(word, [*FRAMEWORKS, AUTO, *REFERENCE]),
    )


def get(name: str) -> tuple[Framework, ...]:
    """The frameworks of a name that is not `auto`.

    Raises:
        UsageError: there is no such parser.
    """
    return tuple(FRAMEWORKS.get(one) or REFERENCE[one] for one in resolve(name).split("+"))


def parse(name: str, log: Log | str, *, prefer: str = "") -> Reading:
    """Read a log.

    Args:
        name: a parser's name; "" (the row names none) is `auto` with the help of `prefer`.
        prefer: the parser that the row's language usually has.

    Raises:
        UsageError: there is no such parser.
        OSError: the log cannot be read.
    """
    log = TextLog(log) if isinstance(log, str) else log
    found = resolve(name)
    if found == AUTO:
        return choose(log, prefer="" if name.strip() else prefer)
    frameworks = get(found)
    references = tuple(one for one in frameworks if one.name in REFERENCE)
    if not references:
        return Reading(found, read(frameworks, log))
    named = [one.name for one in frameworks if one.name in FRAMEWORKS]
    beside, inner, candidates = _beside(named, references, log)
    why = f"read beside it by {', '.join(candidates)}" if candidates else "no strict parser fits"
    derived = all(one.derived for one in references)
    parsed = read(references, log)
    return Reading(found, parsed, why, candidates, beside, inner, reference=True, derived=derived)


def _beside(
    named: list[str], references: tuple[Framework, ...], log: Log
) -> tuple[Parsed | None, Parsed | None, tuple[str, ...]]:
    """The readings, outer and inner, of the strict parsers that belong to `references` and find
    something, and of those that were `named`."""
    names = dict.fromkeys([*named, *(name for one in references for name in one.strict)])
    strict = [FRAMEWORKS[name] for name in names if name in FRAMEWORKS]
    if not strict:
        return None, None, ()
    signs = detect(log, strict)
    wanted = [one for one in strict if one.name in signs or one.name in named or not one.signs]
    fitting = {one.name: parsed for one in wanted if _fits(parsed := _run(one, log))}
    guests = {guest for name in fitting for guest in FRAMEWORKS[name].hosts} & set(fitting)
    if guests == set(fitting):
        guests = set()
    outer = [parsed for name, parsed in fitting.items() if name not in guests]
    inner = [parsed for name, parsed in fitting.items() if name in guests]
    return (
        together(outer) if outer else None,
        together(inner) if inner else None,
        tuple(fitting),
    )


def read(frameworks: tuple[Framework, ...], log: Log) -> Parsed:
    """Read a log with one framework, or with several whose results are put together."""
    found = together([_run(framework, log) for framework in frameworks])
    return replace(found, warnings=(*log.warnings, *found.warnings))


def choose(log: Log, *, prefer: str = "") -> Reading:
    """Read a log with the one framework that it shows the signs of and that finds tests in it.

    Two are one too many, unless one hosts the other's output or is `prefer`.
    """
    signs = detect(log)
    fitting = {name: parsed for name in signs if _fits(parsed := _run(FRAMEWORKS[name], log))}
    guests = {guest for name in fitting for guest in FRAMEWORKS[name].hosts} - {prefer}
    if not all(FRAMEWORKS[name].fallback for name in fitting):
        guests |= {name for name in fitting if FRAMEWORKS[name].fallback}
    chosen = [name for name in fitting if name not in guests]
    notes = [f"{name} too, but within another's output" for name in fitting if name in guests]
    if len(chosen) > 1 and prefer in chosen:
        notes.append(f"{' and '.join(chosen)} fit; the language decided for {prefer}")
        chosen = [prefer]
    fit = tuple(fitting)
    if len(chosen) == 1:
        (name,) = chosen
        parsed = fitting[name]
        number, line = signs[name]
        why = "; ".join([f"line {number}: {line.strip()[:120]!r}", *notes])
        warnings = (*log.warnings, *(f"auto: {note}" for note in notes), *parsed.warnings)
        return Reading(f"{AUTO}:{name}", replace(parsed, warnings=warnings), why, fit)
    if not chosen:
        seen = f"; it shows signs of {', '.join(signs)}" if signs else ""
        why = f"no parser finds a test in this log{seen}"
    else:
        why = f"{' and '.join(chosen)} both fit this log; name one of them, or {'+'.join(chosen)}"
    return Reading(AUTO, Parsed(warnings=(*log.warnings, f"auto: {why}")), why, fit)


def detect(log: Log, among: Iterable[Framework] = ()) -> dict[str, tuple[int, str]]:
    """The frameworks whose signs a log shows, each with the first line that shows one.

    Args:
        among: those to look for; all of them if there are none.
    """
    return find(among or FRAMEWORKS.values(), log.lines())


def _run(framework: Framework, log: Log) -> Parsed:
    with _uncollected():
        return _feed(framework, log)


def _feed(framework: Framework, log: Log) -> Parsed:
    reader = framework.reader()
    feed = reader.feed
    for number, line in log.lines(raw=framework.raw):
        feed(number, line)
    return reader.finish()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: readers make none, and it would look at the results, which
    may be millions, again and again."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _fits(parsed: Parsed) -> bool:
    return bool(parsed.results) or parsed.complete
