"""Which results of a log a listed test name stands for.

The name itself comes first. Where the log does not have it, rules are tried, each of which says how
one spelling becomes another; nothing else is a match, and a part of a name never is. Two sorts:

- *Spellings* (`spellings.py`, `families.py`): the same test written in another way. Two tests that
  one spelling fits make it ambiguous.
- *Parts* (`parts.py`): the listed name lacks something that the log's names have: a package, a
  file, a suite, what stood behind a blank. It stands for every test that has what is left, and all
  of them must pass. Or it names a whole suite: then it stands for the tests of that.

Where two rules lead to different tests the name is ambiguous. What a log shows is indexed once, so
a look-up costs what the name's length costs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from velora.grading.names.families import FAMILIES
from velora.grading.names.parts import PARTS, described
from velora.grading.names.spellings import DURATIONS, plain, without_bare_duration
from velora.grading.protocol import TestResult

EXACT = "exact"
MISSING = "missing"
AMBIGUOUS = "ambiguous"
DOCSTRING = "docstring"

_PLACE = re.compile(r"[\w./-]+\.\w+:\d+\Z")


@dataclass(frozen=True, slots=True)
class Match:
    """The names in the log that a listed name stands for, and by which rule: several rules are
    joined by `+`. No name goes with `missing` and `ambiguous`. `suite`: the listed name is that of
    a suite, and these are its tests."""

    rule: str
    names: tuple[str, ...] = ()
    suite: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    rule: str
    names: frozenset[str]
    many: bool
    suite: bool = False


class NameIndex:
    """The names in a log, ready to be matched."""

    def __init__(self, results: Mapping[str, TestResult]) -> None:
        self._results = results
        self._plain: dict[str, list[tuple[str, str]]] = {}
        self._families: list[dict[str, list[tuple[str, str]]]] = [{} for _ in FAMILIES]
        self._parts: list[dict[str, list[str]]] = [{} for _ in PARTS]
        self._described: dict[str, list[str]] = {}
        self._built = False

    def match(self, name: str) -> Match:
        """Find what `name` stands for."""
        if name in self._results:
            return Match(EXACT, (name,))
        if not self._built:
            self._build()
        text, changed = plain(name)
        found = self._fitting(text, changed)
        if not found and (shorter := without_bare_duration(text)):
            found = self._fitting(shorter, _joined(changed, DURATIONS))
        if not found:
            return Match(MISSING)
        names = found[0].names
        fitting = [each for each in found if each.many or len(names) == 1]
        if not fitting or any(each.names != names for each in found):
            return Match(AMBIGUOUS)
        suite = all(each.suite for each in fitting)
        return Match(fitting[0].rule, tuple(sorted(names)), suite)

    def _fitting(self, text: str, changed: str) -> list[_Found]:
        """What `text`, which the rules `changed` made of a listed name, leads to."""
        return [*self._spelled(text, changed), *self._partly(text, changed)]

    def _spelled(self, text: str, changed: str) -> list[_Found]:
        """What spellings of `text` lead to."""
        found: list[_Found] = []
        same = self._named(text)
        if same:
            rule = changed or same[0][1]
            found.append(_Found(rule, frozenset(name for name, _ in same), many=False))
        for family, table in zip(FAMILIES, self._families, strict=True):
            other = family(text)
            rule, key = other or ("", text)
            hits = table.get(key, [])
            if other:
                hits = [*self._named(key), *hits]
            if hits:
                rules = _joined(changed, rule or hits[0][1])
                found.append(_Found(rules, frozenset(name for name, _ in hits), many=False))
        return found

    def _partly(self, text: str, changed: str) -> list[_Found]:
        """What `text` as a part leads to."""
        found: list[_Found] = []
        for part, table in zip(PARTS, self._parts, strict=True):
            key = part.asked(text)
            if key and (names := table.get(key)):
                rules = _joined(changed, part.rule)
                found.append(_Found(rules, frozenset(names), part.many, part.suite))
        if names := self._described.get(text):
            found.append(_Found(_joined(changed, DOCSTRING), frozenset(names), many=True))
        return found

    def _named(self, text: str) -> list[tuple[str, str]]:
        """The names that are `text`, as they are or plain, each with the rule."""
        named = self._plain.get(text, [])
        return [(text, ""), *named] if text in self._results else named

    def _build(self) -> None:
        self._built = True
        for name, result in self._results.items():
            text, changed = plain(name)
            if changed:
                self._plain.setdefault(text, []).append((name, changed))
            for family, table in zip(FAMILIES, self._families, strict=True):
                if other := family(text):
                    rule, key = other
                    table.setdefault(key, []).append((name, _joined(changed, rule)))
            for part, parts in zip(PARTS, self._parts, strict=True):
                for key in part.shown(text):
                    parts.setdefault(key, []).append(name)
            if title := described(name, result.raw):
                self._described.setdefault(title, []).append(name)


def alike(name: str, other: str) -> bool:
    """One of two names read from one line is the other with whole words before or behind it, or
    is the place in a source file that Check prints in front of a test's name."""
    short, long = sorted((plain(name)[0], plain(other)[0]), key=len)
    if _PLACE.match(name):
        return True
    begins = long.startswith(short) and not _word(long[len(short) : len(short) + 1])
    ends = long.endswith(short) and not _word(long[: -len(short)][-1:])
    return bool(short) and (begins or ends)


def _word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def _joined(*rules: str) -> str:
    return "+".join(rule for rule in rules if rule)
