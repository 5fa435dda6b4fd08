"""Which results of a log a listed test name stands for.

The name itself comes first. Where the log does not have it, these readings are tried, each under
its own rule; nothing else is a match, and a substring never is:

`cut_at_blank`
    VeloraHarness's pytest parsers cut ids at blanks, so lists hold names such as
    `tests/t.py::test_units[mol`. One stands for every id that goes on with a blank after it.
`unittest_spaced`
    `test_m (mod.Class)` (Python up to 3.10) and `test_m (mod.Class.test_m)` (from 3.11 on), the
    forms in which unittest prints a test, stand for `mod.Class.test_m`.
`unittest_doubled`
    `mod.Class.test_m.test_m`, which VeloraHarness's unittest parser makes of the form of 3.11,
    stands for `mod.Class.test_m`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

EXACT = "exact"
MISSING = "missing"
AMBIGUOUS = "ambiguous"
CUT_AT_BLANK = "cut_at_blank"
UNITTEST_SPACED = "unittest_spaced"
UNITTEST_DOUBLED = "unittest_doubled"

_SPACED = re.compile(r"(?P<method>\w+) \((?P<content>[\w.<>]+)\)\Z")
_DOTTED = re.compile(r"[\w<>]+(?:\.[\w<>]+)+\Z")


@dataclass(frozen=True, slots=True)
class Match:
    """The names in the log that a listed name stands for, and by which rule. `cut_at_blank` may
    give several, which must all pass; no name goes with `missing` and `ambiguous`."""

    rule: str
    names: tuple[str, ...] = ()


class NameIndex:
    """The names in a log, ready to be matched."""

    def __init__(self, names: Iterable[str]) -> None:
        self._sorted = sorted(names)
        self._names = frozenset(self._sorted)
        self._canonical: dict[str, list[str]] = {}
        for name in self._sorted:
            for _, reading in _unittest_readings(name):
                self._canonical.setdefault(reading, []).append(name)

    def match(self, name: str) -> Match:
        """Find what `name` stands for."""
        if name in self._names:
            return Match(EXACT, (name,))
        if "::" in name and name.count("[") > name.count("]"):
            found = self._starting_with(name + " ")
            return Match(CUT_AT_BLANK, found) if found else Match(MISSING)
        candidates: dict[str, str] = {}
        for rule, reading in ((EXACT, name), *_unittest_readings(name)):
            if rule != EXACT and reading in self._names:
                candidates.setdefault(reading, rule)
            for other in self._canonical.get(reading, ()):
                candidates.setdefault(other, rule if rule != EXACT else _rule_of(other))
        if len(candidates) > 1:
            return Match(AMBIGUOUS)
        for found_name, rule in candidates.items():
            return Match(rule, (found_name,))
        return Match(MISSING)

    def _starting_with(self, prefix: str) -> tuple[str, ...]:
        first = bisect_left(self._sorted, prefix)
        last = first
        while last < len(self._sorted) and self._sorted[last].startswith(prefix):
            last += 1
        return tuple(self._sorted[first:last])


def _unittest_readings(name: str) -> list[tuple[str, str]]:
    """Other spellings of one unittest name: the rule and what it makes of `name`."""
    spaced = _SPACED.match(name)
    if spaced:
        method, content = spaced["method"], spaced["content"]
        same = content.endswith("." + method)
        return [(UNITTEST_SPACED, content if same else f"{content}.{method}")]
    if _DOTTED.match(name):
        parts = name.split(".")
        if len(parts) >= 4 and parts[-1] == parts[-2]:
            return [(UNITTEST_DOUBLED, ".".join(parts[:-1]))]
    return []


def _rule_of(name: str) -> str:
    readings = _unittest_readings(name)
    return readings[0][0] if readings else EXACT
