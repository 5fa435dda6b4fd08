"""One test case of a JUnit XML report: its name, where it comes from, its status.

Everybody writes this format a little differently. A verdict is a direct child of the test case, or
its `status` or `result` attribute; what stands deeper (`rerunFailure` and `flakyFailure` with
their traces, properties, output) is none. Of several the worst counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from velora.grading.parsers.tally import worse
from velora.grading.parsers.text import decimal
from velora.grading.protocol import Status

_CHILDREN = {
    "failure": Status.FAILED,
    "error": Status.ERROR,
    "warning": Status.FAILED,  # PHPUnit up to 9
    "skipped": Status.SKIPPED,
    "ignored": Status.SKIPPED,
    "disabled": Status.SKIPPED,
}
_ATTRIBUTES = {
    "notrun": Status.SKIPPED,  # GoogleTest's DISABLED_
    "disabled": Status.SKIPPED,
    "skipped": Status.SKIPPED,
    "suppressed": Status.SKIPPED,
    "ignored": Status.SKIPPED,
    "pending": Status.SKIPPED,
    "fail": Status.FAILED,
    "failed": Status.FAILED,
    "failure": Status.FAILED,
    "error": Status.ERROR,
}
_RERUNS = frozenset({"flakyFailure", "flakyError", "rerunFailure", "rerunError"})
_CTEST_SKIPS = ("SKIP_", "Disabled")  # any other reason of CTest's "not run" is a fault


@dataclass(frozen=True, slots=True)
class Origin:
    """What a report says of a test case, from which other spellings of its name can be made.

    Attributes:
        classname: the attribute (PHPUnit up to 5: `class`); "" if there is none.
        name: the attribute.
        file: the attribute, the test case's own or that of the innermost suite that has one.
        suites: the names of the suites around it, the outermost first.
    """

    classname: str
    name: str
    file: str = ""
    suites: tuple[str, ...] = ()

    def encode(self) -> str:
        """As `TestResult.raw` keeps it: `classname|name|file|suite|suite`, with `%7C` for a bar
        and `%25` for a percent sign."""
        parts = (self.classname, self.name, self.file, *self.suites)
        return "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts)

    @staticmethod
    def decode(raw: str) -> Origin | None:
        """The inverse; None for any text that is too short to be one."""
        parts = [part.replace("%7C", "|").replace("%25", "%") for part in raw.split("|")]
        return Origin(parts[0], parts[1], parts[2], tuple(parts[3:])) if len(parts) > 2 else None


@dataclass(slots=True)
class Suite:
    """A suite that is open. `failing` are the failing test cases in it, at any depth."""

    name: str
    file: str
    node: bool
    announced: int
    failing: int = 0

    @staticmethod
    def begin(attributes: Mapping[str, str]) -> Suite:
        """The suite of a start tag."""
        announced = sum(_count(attributes.get(key, "")) for key in ("failures", "errors"))
        node = "disabled" in attributes and "hostname" in attributes
        name = attributes.get("name", "")
        return Suite(name, attributes.get("file", ""), node, announced)


@dataclass(slots=True)
class Case:
    """A test case that is open."""

    name: str
    origin: Origin
    line: int
    duration: float | None
    ctest_notrun: bool
    status: Status = Status.PASSED
    flaky: bool = False
    reruns: int = 0  # failed ones, which Surefire's counts include

    @staticmethod
    def begin(attributes: Mapping[str, str], suites: list[Suite], line: int) -> Case | None:
        """The test case of a start tag; None if it has no name at all."""
        name = attributes.get("name", "")
        classname = attributes.get("classname") or attributes.get("class") or ""
        if not name and not classname:
            return None
        file = attributes.get("file", "")
        for suite in reversed(suites):
            file = file or suite.file
        path = tuple(suite.name for suite in suites)
        origin = Origin(classname, name, file, path)
        full = f"{classname}.{name}" if classname and name else classname or name
        if classname == name or name.endswith(" " + classname):
            full = name  # CTest, Jest; a class whose set-up failed (Surefire); Mocha's full titles
        if classname == "test" and suites and _node(suites):
            # node:test calls every class "test", and escapes quotation marks twice.
            full = " > ".join((*filter(None, path), name)).replace("&quot;", '"')
        status = attributes.get("status", "")
        case = Case(full, origin, line, seconds(attributes.get("time", "")), status == "notrun")
        for word in (status, attributes.get("result", "")):
            case.decide(_ATTRIBUTES.get(word.lower()))
        return case

    def child(self, element: str, attributes: Mapping[str, str]) -> None:
        """A direct child begins."""
        if element in _RERUNS:
            self.flaky = self.flaky or element.startswith("flaky")
            self.reruns += 1
            return
        status = _CHILDREN.get(element)
        if status is Status.SKIPPED:
            message = attributes.get("message", "")
            if attributes.get("type") == "pytest.xfail":
                status = Status.XFAIL
            elif self.ctest_notrun and message and not message.startswith(_CTEST_SKIPS):
                status = Status.ERROR
        self.decide(status)

    def decide(self, status: Status | None) -> None:
        """Another verdict: the worst stays."""
        if status is not None and worse(status, self.status):
            self.status = status


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _node(suites: list[Suite]) -> bool:
    """The way in which node:test nests suites: below a nameless root."""
    return not suites[0].name and all(suite.node for suite in suites[1:])


def seconds(text: str) -> float | None:
    """The `time` attribute. With a point, commas group thousands, as Surefire writes them."""
    text = text.strip().removesuffix("s").strip()
    if "." in text or text.count(",") > 1:
        text = text.replace(",", "")
    elif text.startswith("0,"):
        text = text.replace(",", ".")
    try:
        value = decimal(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
