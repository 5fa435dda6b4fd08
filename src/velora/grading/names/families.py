"""Spellings of one test that differ by the tool and its version. Each function gives the rule and
the spelling that stands for all, or None for a name that is in no other form.

`unittest_spaced`
    `test_m (mod.Class)` (Python up to 3.10) and `test_m (mod.Class.test_m)` (from 3.11 on), as
    unittest prints a test, for `mod.Class.test_m`.
`unittest_doubled`
    `mod.Class.test_m.test_m`, which VeloraHarness's unittest parser makes of 3.11's form.
`minitest`
    `test_m (Class::Sub)` for `Class::Sub#test_m`.
`separators`
    `class#method`, `class::method`, `Class > method()`, `method(com.acme.Class)` and `Outer$Inner`
    for `class.method` and `Outer.Inner`.
`go_subtest`
    Blanks in a Go sub-test's name, which go itself turns into underscores.
`titles_joined`
    `outer > inner > title` for `outer inner title`, as RSpec and Jest's JSON join them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Other = tuple[str, str]

UNITTEST_SPACED = "unittest_spaced"
UNITTEST_DOUBLED = "unittest_doubled"
MINITEST = "minitest"
SEPARATORS = "separators"
GO_SUBTEST = "go_subtest"
TITLES_JOINED = "titles_joined"

_SPACED = re.compile(r"(?P<method>\w+) \((?P<content>[\w.<>]+)\)\Z")
_MINITEST = re.compile(r"(?P<method>\w+) \((?P<class>\w+(?:::\w+)*)\)\Z")
_DOTTED = re.compile(r"[\w<>]++(?:\.[\w<>]++)+\Z")
_CLASS = r"[A-Za-z_$][\w$]*+(?:\.[\w$]++)*+"
_SEPARATED = re.compile(rf"(?P<class>{_CLASS})(?:#|::)(?P<method>[^\s:#/].*)\Z")
_METHOD_FIRST = re.compile(
    r"(?P<method>[\w$]++(?:\[[^\[\]]*\])?)\((?P<class>[\w$]++(?:\.[\w$]++)++)\)\Z"
)
_GRADLE = re.compile(rf"(?P<class>{_CLASS}(?: > [\w$]++)*) > (?P<method>[\w$]++(?:\(.*\).*)?)\Z")
_GO = re.compile(r"(?:.*/)?(?:Test|Example|Fuzz|Benchmark)\w*/")


def unittest(name: str) -> Other | None:
    """`module.Class.method`."""
    if name[-1:] == ")":
        spaced = _SPACED.match(name)
        if spaced:
            method, content = spaced["method"], spaced["content"]
            same = content.endswith("." + method)
            return UNITTEST_SPACED, content if same else f"{content}.{method}"
        return None
    head, dot, method = name.rpartition(".")
    if dot and head.endswith(f".{method}") and head.count(".") >= 2 and _DOTTED.match(name):
        return UNITTEST_DOUBLED, head
    return None


def minitest(name: str) -> Other | None:
    """`Class#test_m`."""
    found = _MINITEST.match(name) if name[-1:] == ")" and " (" in name else None
    return (MINITEST, f"{found['class']}#{found['method']}") if found else None


def separators(name: str) -> Other | None:
    """`class.method`."""
    if "#" in name or "::" in name:
        found = _SEPARATED.match(name)
        if found and found["class"].endswith(".py"):
            return None
    elif " > " in name:
        found = _GRADLE.match(name)
    elif name[-1:] == ")" and "(" in name:
        found = _METHOD_FIRST.match(name)
    else:
        found = None
    if found:
        cls, method = found["class"].replace(" > ", "."), found["method"]
    elif " " in name or "/" in name or "::" in name:
        return None
    else:
        cls, _, method = name.rpartition(".")
    text = f"{cls.replace('$', '.')}.{method.removesuffix('()')}" if cls else ""
    return (SEPARATORS, text) if text and text != name else None


def go_subtest(name: str) -> Other | None:
    """Underscores for blanks."""
    if " " in name and "/" in name and _GO.match(name):
        return GO_SUBTEST, name.replace(" ", "_")
    return None


def titles_joined(name: str) -> Other | None:
    """Suites and title joined by blanks."""
    return (TITLES_JOINED, name.replace(" > ", " ")) if " > " in name else None


FAMILIES: tuple[Callable[[str], Other | None], ...] = (
    unittest,
    minitest,
    separators,
    go_subtest,
    titles_joined,
)
