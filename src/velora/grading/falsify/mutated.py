"""What making tests false comes to: edits of a text, and the tests that they are in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import AnyStr

Scopes = tuple[str, ...]
"""A test by its name, after the classes or suites that it stands in, from the outermost."""


@dataclass(frozen=True, slots=True)
class Mutated:
    """A test file with false assertions, and the tests that have one."""

    text: str
    tests: tuple[Scopes, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """`new` in place of what stands from `start` to `end`, which are offsets."""

    start: int
    end: int
    new: str


def edited(text: AnyStr, edits: Iterable[tuple[int, int, AnyStr]]) -> AnyStr:
    """`text` with all edits made; none may overlap another."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text
