"""Which tests of a file the listed names mean.

A name is read in the ways in which runners write it: `file::Class::method[1]`,
`method (module.Class)`, `module.Class.method`, and titles behind those of their suites. Where no
name of a test's own class or suite fits, its own name alone decides: tests are inherited. Of
several that fit, those by the most names are meant. A name that is taken wrongly does no harm: a
test that was not changed passes with the gold patch too, and proves nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from velora.grading.falsify.mutated import Scopes

_SPACED = re.compile(r"(?P<method>\w+) \((?P<content>[\w.]+)\)\Z")
_TOOK = re.compile(r"\s*\(?\d+(?:\.\d+)?\s?m?s\)?\Z")
_FILE = re.compile(r"[\w@+.-]+(?:/[\w@+.-]+)*\.(?:py|[cm]?[jt]sx?)(?=\Z|[\s:>|])")


def files_in(name: str, language: str = "") -> tuple[str, ...]:
    """The file that a listed name names, if it names one; in Python as a module too."""
    if found := _FILE.match(name):
        return (found[0],)
    if language != "python":
        return ()
    module = list(itertools.takewhile(lambda word: word[:1].islower(), _words(name)[:-1]))
    return (f"{'/'.join(module)}.py",) if module else ()


def about(name: str, files: Iterable[str]) -> list[str]:
    """The files that a listed name may be about: the one that it names, or those whose module it
    names; all where it names none of them."""
    known = list(files)
    if named := files_in(name):
        return [each for each in known if each == named[0] or each.endswith(f"/{named[0]}")]
    words = set(re.split(r"[^\w]+", name))
    return [each for each in known if PurePosixPath(each).stem in words] or known


def meant(names: Sequence[str], tests: Iterable[Scopes], language: str) -> dict[str, set[Scopes]]:
    """For each listed name the tests that it means; those that mean none are left out."""
    found: dict[str, set[Scopes]] = {}
    known = list(dict.fromkeys(tests))
    fits = _fits_python if language == "python" else _fits_titles
    for name in names:
        whole = [test for test in known if fits(name, test)]
        longest = max(map(len, whole), default=0)
        chosen = {test for test in whole if len(test) == longest}
        if chosen := chosen or {test for test in known if fits(name, test[-1:])}:
            found[name] = chosen
    return found


def _fits_python(name: str, test: Scopes) -> bool:
    words = _words(name)
    return words[len(words) - len(test) :] == test


def _words(name: str) -> Scopes:
    """The classes and the function of a test in Python, after what may stand before them."""
    if spaced := _SPACED.match(name):
        method, content = spaced["method"], spaced["content"]
        return (*content.removesuffix(f".{method}").split("."), method)
    plain = name.partition("[")[0]
    if "::" in plain:
        return tuple(plain.split("::")[1:])
    return tuple(re.split(r"[.\s/#]+", plain.strip()))


def _fits_titles(name: str, test: Scopes) -> bool:
    rest = _TOOK.sub("", name)
    if not _ends(rest, test[-1]):
        return False
    at = 0
    for title in test[:-1]:
        at = rest.find(title, at)
        if at < 0:
            return False
        at += len(title)
    return at <= len(rest) - len(test[-1])


def _ends(name: str, title: str) -> bool:
    """The name ends with the title, which begins where a word does."""
    if not title or not name.endswith(title):
        return False
    before = name[: len(name) - len(title)][-1:]
    return not (before.isalnum() or before == "_")
