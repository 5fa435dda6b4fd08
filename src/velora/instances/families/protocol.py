"""What a dataset family is: how its rows are told, and what they mean in the seed format's terms.

A family's module holds two pure functions and one `Family`. `adapt` returns only what the row does
not say itself in the seed format; everything else is read from the row as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Fields = dict[str, Any]
"""Of the seed format: the first keys of `fields.ALIASES`, those of the lists below, and `problems`
(sentences that make the instance invalid)."""

LISTS = ("image_names", "activation", "setup", "hide", "test_setup", "restore")
"""The fields that are lists of texts; their meanings are `Instance`'s."""


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of dataset.

    Attributes:
        name: as `--family` and `Instance.family` have it.
        detect: is this row of the family? Looks at which fields there are; cheap.
        adapt: the fields that the row has under other names, in other forms or not at all.
            Pure. What it cannot read it says in `problems`; it raises `Undecodable` only where
            nothing at all can be said.
        fail_only: does the family's own grader count a listed test of this row as passed unless
            it is shown as failed?
    """

    name: str
    detect: Callable[[Mapping[str, Any]], bool]
    adapt: Callable[[Mapping[str, Any]], Fields]
    fail_only: Callable[[Mapping[str, Any]], bool] = lambda row: False
