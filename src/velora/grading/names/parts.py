"""Listed names that lack something which the log's names have.

Tests of which the list has the name without the place:

`pytest_unqualified`
    `TestA.test_b[1]` for `t.py::TestA::test_b[1]` of every file, cut at ` - ` and without colours,
    as R2E-Gym has them.
`sympy_unqualified`
    `test_x` for `path.py:test_x` of every file, as SWE-bench's parser for SymPy has them.
`file_and_title`
    `src/a.test.js:adds` for every test `adds` in the suites of that file: Multi-SWE-bench for Jest.

Suites, of which the list has no tests (see `verdict` for when one passes):

`class`
    `com.acme.CalcTest` for its tests and those of its nested classes: Multi-SWE-bench for Maven.
`file`
    `src/a.test.js`, also with Vitest's ` (3 tests)` behind it: Multi-SWE-bench for Jest and Vitest.

Names that a list's parser has changed:

`cut_at_blank`
    VeloraHarness's and SWE-bench's pytest parsers cut ids at blanks, so lists hold names such as
    `tests/t.py::test_units[mol`, with more `[` than `]`: every id that goes on behind the blank.
`pytest_cleaned`
    Versions 2 and 3 of the same parser drop every `[5m` and control character, from ids too.
`pytest_options`
    `t[/c]` for `t[/a/b/c]`, as `parse_log_pytest_options` shortens it.
`go_unqualified`
    `TestX/sub` for that test of every package; VeloraHarness's text parsers know no packages.
`rust_unqualified`
    `path::to::test` without the crate.
`jvm_unqualified`
    `CalcTest.adds` without the package, also with the other separators.
`title`
    The leaf title, or the title's path without the file, of test frameworks for JavaScript and
    others whose names are joined by ` > `; the path joined by ` > ` or by blanks.
`mocha_file`
    `[0a1b2] title`: VeloraHarness's json-stream parser has five digits of the file's SHA-1.
`phpunit_data_sets`
    `C::testX` for all of `C::testX with data set "a"`.
`phpunit_testdox`
    A method for testdox's text and the other way round: letters and digits decide, without case;
    the class with or without its `Test` at the end, or as testdox prettifies it.
`docstring`
    unittest and Django print a docstring's first line in place of the name; so do their lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from velora.grading.names.families import separators, unittest
from velora.grading.parsers.reference.pytest_rules import clean, shortened

_GO = re.compile(r"/(?=(?:Test|Example|Fuzz|Benchmark)(?![a-z]))")
_GO_ASKED = re.compile(r"(?:Test|Example|Fuzz|Benchmark)(?![a-z])")
_CRATE = re.compile(r"[a-z_][a-z0-9_-]*+::")
_PACKAGE = re.compile(r"(?:[a-z_][\w]*+\.)++(?=[A-Z][\w.]*\.)")
_JVM = re.compile(r"[A-Z]\w*+\.")
_FILE = re.compile(r"[^\s>]*(?:/|\.\w{1,5}\Z)")
_MOCHA = re.compile(r"\[[0-9a-f]{5}\] ")
_PHP_METHOD = re.compile(r"(?P<class>[\w\\]+)::(?P<method>\w.*)\Z")
_PHP_TEXT = re.compile(r"(?:[^()]*\((?P<full>[\w\\]+)\)|(?P<class>[\w\\]+)) > (?P<text>.+)\Z")
_NEITHER = re.compile(r"[\W_]+")
_DATA = " with data set "
_COLOUR = re.compile(r"\x1b\[\d*m")
_SYMPY = re.compile(r"\S+\.py:(?=test_\w+\Z)")
_PATH = re.compile(r"[\w$]++(?:\.[\w$]++)++")
_CLASS = re.compile(r"(?:[a-z_]\w*+[.])++[A-Z][\w$]*+(?:\.[A-Z][\w$]*+)*\Z")
_SOURCE = re.compile(r"[^\s>:]*\.\w{1,5}")
_COUNTED = re.compile(r"\s+\(\d+ tests?(?: \| [^()]*)?\)\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """A rule.

    Attributes:
        shown: the parts of a name in the log that a list may have in its place.
        asked: the part that a listed name asks for; "" if it cannot be one.
        many: it may stand for several tests. False: two make it ambiguous.
        suite: it stands for a suite with all its tests.
    """

    rule: str
    shown: Callable[[str], Iterable[str]]
    asked: Callable[[str], str]
    many: bool = True
    suite: bool = False


def _itself(name: str) -> str:
    return name


def _cut(name: str) -> Iterable[str]:
    if " " not in name or "::" not in name:
        return ()
    return {name.partition(" ")[0], *clean(name.replace(" - ", " ")).split()[:1]}


def _is_cut(name: str) -> str:
    return name if "::" in name and name.count("[") > name.count("]") else ""


def _cleaned(name: str) -> Iterable[str]:
    if "::" not in name or " " in name:
        return ()
    text = clean(name)
    return (text,) if text != name else ()


def _optioned(name: str) -> Iterable[str]:
    if "[/" not in name or "::" not in name:
        return ()
    text = shortened(name)
    return (text,) if text != name else ()


def _no_file(name: str) -> Iterable[str]:
    file, found, rest = name.partition("::")
    if not found or not file.endswith(".py"):
        return ()
    return (rest.replace("::", ".").partition(" - ")[0],)


def _no_file_asked(name: str) -> str:
    return _COLOUR.sub("", name).partition(" - ")[0]


def _sympy(name: str) -> Iterable[str]:
    found = _SYMPY.match(name) if ".py:" in name else None
    return (name[found.end() :],) if found else ()


def _file_and_title(name: str) -> Iterable[str]:
    file, *titles = name.split(" > ")
    if not titles or not _FILE.match(file):
        return ()
    return [f"{file}:{' > '.join(titles[at:])}" for at in range(len(titles))]


def _file_and_title_asked(name: str) -> str:
    found = _SOURCE.match(name) if ":" in name else None
    return name if found and name.startswith(":", found.end()) else ""


def _classes(name: str) -> Iterable[str]:
    """All classes around a test; where its own name is no identifier, that is what follows them."""
    other = separators(name)
    text = other[1] if other else name
    found = _PATH.match(text)
    if not found:
        return ()
    parts = found[0].replace("$", ".").split(".")
    if text[found.end() : found.end() + 1] != ".":
        parts.pop()
    return [".".join(parts[: at + 1]) for at, part in enumerate(parts) if part[:1].isupper()]


def _class_asked(name: str) -> str:
    return name.replace("$", ".") if _CLASS.match(name) else ""


def _file(name: str) -> Iterable[str]:
    file, arrow, _ = name.partition(" > ")
    return (file,) if arrow and _FILE.match(file) else ()


def _file_asked(name: str) -> str:
    file = _COUNTED.sub("", name)
    return file if _SOURCE.fullmatch(file) else ""


def _go(name: str) -> Iterable[str]:
    found = _GO.search(name) if "/" in name and "::" not in name else None
    return (name[found.end() :],) if found else ()


def _go_asked(name: str) -> str:
    return name.replace(" ", "_") if _GO_ASKED.match(name) else ""


def _rust(name: str) -> Iterable[str]:
    found = _CRATE.match(name) if "::" in name else None
    return (name[found.end() :],) if found else ()


def _jvm(name: str) -> Iterable[str]:
    other = separators(name)
    text = other[1] if other else name
    found = _PACKAGE.match(text) if "." in text else None
    return (text[found.end() :],) if found else ()


def _jvm_asked(name: str) -> str:
    other = separators(name)
    text = other[1] if other else name
    return text if "." in text and _JVM.match(text) else ""


def _titles(name: str) -> Iterable[str]:
    if " > " not in name:
        return ()
    parts = name.split(" > ")
    path = parts[1:] if _FILE.match(parts[0]) else parts
    return {parts[-1], " ".join(path), " > ".join(path)} - {name}


def _mocha_asked(name: str) -> str:
    return name[8:] if name[:1] == "[" and _MOCHA.match(name) else ""


def _data_set(name: str) -> Iterable[str]:
    return (name.partition(_DATA)[0],) if _DATA in name and "::" in name else ()


def _method_key(name: str) -> str:
    found = _PHP_METHOD.match(name) if "::" in name else None
    return _php_key(found["class"], found["method"]) if found else ""


def _text_key(name: str) -> str:
    found = _PHP_TEXT.match(name) if " > " in name else None
    return _php_key(found["full"] or found["class"], found["text"]) if found else ""


def _php_key(cls: str, text: str) -> str:
    letters = _NEITHER.sub("", text).lower().removeprefix("test")
    return f"{cls.removesuffix('Test')}::{letters}" if letters else ""


def _without_data(name: str) -> Iterable[str]:
    return _one(_text_key)(name.partition(_DATA)[0]) if _DATA in name else ()


def _prettified(name: str) -> Iterable[str]:
    found = _PHP_TEXT.match(name) if " > " in name and "\\" in name else None
    if not found:
        return ()
    cls = (found["full"] or found["class"]).rpartition("\\")[2].removesuffix("Test")
    return (f"{cls} > {found['text']}",)


def _pretty_asked(name: str) -> str:
    cls, arrow, text = name.partition(" > ")
    return f"{cls.replace(' ', '')} > {text}" if arrow and "\\" not in cls else ""


def _one(key: Callable[[str], str]) -> Callable[[str], Iterable[str]]:
    def keys(name: str) -> Iterable[str]:
        found = key(name)
        return (found,) if found else ()

    return keys


def described(name: str, line: str) -> str:
    """The docstring's line in the line that decided about `name`; "" if there is none, or if the
    line holds another test's name as well."""
    if line.count(" ... ") != 1 or "." not in name:
        return ""
    title = line.partition(" ... ")[0].strip()
    return title if " " in title and not unittest(title) else ""


PARTS: tuple[Part, ...] = (
    Part("cut_at_blank", _cut, _is_cut),
    Part("pytest_cleaned", _cleaned, _itself),
    Part("pytest_options", _optioned, _itself),
    Part("pytest_unqualified", _no_file, _no_file_asked),
    Part("sympy_unqualified", _sympy, _itself),
    Part("file_and_title", _file_and_title, _file_and_title_asked),
    Part("class", _classes, _class_asked, suite=True),
    Part("file", _file, _file_asked, suite=True),
    Part("go_unqualified", _go, _go_asked),
    Part("rust_unqualified", _rust, _itself),
    Part("jvm_unqualified", _jvm, _jvm_asked),
    Part("title", _titles, _itself),
    Part("mocha_file", _titles, _mocha_asked),
    Part("phpunit_data_sets", _data_set, _itself),
    Part("phpunit_testdox", _one(_text_key), _method_key, many=False),
    Part("phpunit_testdox", _one(_method_key), _text_key, many=False),
    Part("phpunit_testdox", _without_data, _method_key),
    Part("phpunit_testdox", _prettified, _pretty_asked),
)
