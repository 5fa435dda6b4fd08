"""Makes assertions of tests false, and runs such tests where a green verdict may be rigged.

Code under test runs in one process with its runner, and a patch can make the runner, the report or
the comparison itself say whatever it likes. Such a patch betrays itself when the tests are wrong: a
test that asserts what is not true, and passes, shows that its passing is no evidence.

`mutate` is the pure half: a test file's text in, the same text with false assertions out, under the
same names and in the same places. `python` and `javascript` do it; `listed` says which tests of a
file the listed names mean; `check` runs them and judges.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath

from velora.grading.falsify import javascript, python
from velora.grading.falsify.mutated import Mutated, Scopes

_SUFFIXES = {
    "python": (".py",),
    "javascript": (".js", ".jsx", ".mjs", ".cjs"),
    "typescript": (".ts", ".tsx", ".mts", ".cts"),
}


def language_of(path: str) -> str:
    """The language of a test file that can be falsified, by its suffix, or ""."""
    suffix = PurePosixPath(path).suffix
    return next((name for name, suffixes in _SUFFIXES.items() if suffix in suffixes), "")


def mutate(text: str, language: str, wanted: Collection[Scopes] | None = None) -> Mutated:
    """The text of a test file with one false assertion in each test.

    An assertion is made false only where it is reached whenever nothing before it raises, so that
    an honest run of the test fails. The text between the places that are changed stays as it is.

    Args:
        language: `python`, `javascript` or `typescript`; in others nothing is changed.
        wanted: the tests to change; None is all.
    """
    if language == "python":
        return python.mutate(text, wanted)
    if language in ("javascript", "typescript"):
        return javascript.mutate(text, wanted, typed=language == "typescript")
    return Mutated(text)
