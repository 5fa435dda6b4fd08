"""VeloraHarness's readings of unittest's output and of runners like it.

`parse_log_unittest` takes what stands between a line that begins with `test_` and the next such
line or rule as one text, and calls the test passed if ` ok` is anywhere in it. The class comes from
the line's first parentheses and the method is put behind it, so Python 3.11's
`test_m (mod.C.test_m)` becomes `mod.C.test_m.test_m`. An error loses the class.

The log is taken to end with a line end, as logs do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from velora.grading.parsers.reference.rules import Rules
from velora.grading.protocol import Parsed, Status

_RULES = ("=" * 70, "-" * 70)
_SLUGIFY = re.compile(r"\s\.{3}\s(ok|FAIL|ERROR)\Z")
_SLUG = re.compile(r"[a-zA-Z0-9_\-,.\s()']+\Z")
_SLUG_STATUSES = {"ok": Status.PASSED, "FAIL": Status.FAILED, "ERROR": Status.ERROR}


@dataclass(slots=True)
class _Test:
    """A line that begins with `test_` and what was seen since."""

    method: str
    name: str
    number: int
    line: str
    ok: bool = False
    fail: bool = False
    error: bool = False
    skipped: bool = False
    last: str = ""

    def see(self, text: str) -> None:
        """Another line, without the blanks around it."""
        self.ok = self.ok or " ok" in text or text.startswith("ok")
        self.fail = self.fail or "FAIL:" in text
        self.error = self.error or "ERROR:" in text
        self.skipped = self.skipped or "skipped" in text
        self.last = text

    @property
    def status(self) -> Status | None:
        """What the original makes of it."""
        if self.ok or self.last.endswith("ok"):
            return Status.PASSED
        if self.fail or self.last.endswith("FAIL"):
            return Status.FAILED
        if self.error or self.last.endswith("ERROR"):
            return Status.ERROR
        return Status.SKIPPED if self.skipped else None


class UnittestRules(Rules):
    """`parse_log_unittest`."""

    def __init__(self) -> None:
        super().__init__()
        self._test: _Test | None = None

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        text = line.strip()
        test = self._test
        if test is not None:
            if not text.startswith("test_") and not text.startswith(_RULES):
                test.see(text)
                return
            self._close(test)
        if text.startswith("test_"):
            method = text.split(None, 1)[0]
            cls = text.split("(", 2)[1].partition(")")[0] if "(" in text and ")" in text else ""
            name = f"{cls}.{method}" if cls else method
            self._test = _Test(method, name, number, text)
            self._test.see(text)
        elif text.startswith(("ERROR:", "FAILED:")):
            self._heading(number, text)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self._test is not None:
            self._test.see("")
            self._close(self._test)
        return super().finish()

    def _heading(self, number: int, text: str) -> None:
        words = text.split(None, 2)
        if len(words) < 2:
            return
        name = words[1]
        head, opened, rest = name.partition("(")
        if text.startswith("ERROR:"):
            self.put(head, Status.ERROR, number, text)
        else:
            content = rest.partition("(")[0].partition(")")[0]
            self.put(f"{content}.{head}" if opened else name, Status.FAILED, number, text)

    def _close(self, test: _Test) -> None:
        self._test = None
        status = test.status
        if status is not None:
            name = test.method if status is Status.ERROR else test.name
            self.put(name, status, test.number, test.line)


class TornadoRules(Rules):
    """`log_parser_tornadoweb_tornado`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line.endswith("... ok"):
            self.put(line.partition(" ... ")[0], Status.PASSED, number, line)
        elif " ... skipped " in line:
            self.put(line.partition(" ... ")[0], Status.SKIPPED, number, line)
        elif line.startswith(("ERROR:", "FAIL:")):
            self.put(" ".join(line.split(None, 3)[1:3]), Status.FAILED, number, line)


class SlugifyRules(Rules):
    """`log_parser_un33k_python_slugify`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        found = _SLUGIFY.search(line, max(0, len(line) - 10))
        if found and _SLUG.match(line, 0, found.start()):
            self.put(line[: found.start()], _SLUG_STATUSES[found[1]], number, line)


class SympyRules(Rules):
    """`parse_log_sympy`: failures by `___ file.py:test ___`, which lines of the list overrule."""

    def __init__(self) -> None:
        super().__init__()
        self._listed: list[tuple[str, Status, int, str]] = []

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if ".py:" in line:
            first, last = line.find(" "), line.rfind(" ")
            at = line.rfind(".py:", first + 1, last) if first >= 0 else -1
            if at >= 0:
                name = f"{line[first + 1 : at]}.py:{line[at + 4 : last]}"
                self.put(name, Status.FAILED, number, line)
        text = line.strip()
        if text.startswith("test_"):
            for end, status in (
                (" E", Status.ERROR),
                (" F", Status.FAILED),
                (" ok", Status.PASSED),
            ):
                if text.endswith(end):
                    self._listed.append((text.split(None, 1)[0], status, number, text))

    def finish(self) -> Parsed:
        """The end of the log."""
        for name, status, number, line in self._listed:
            self.put(name, status, number, line)
        return super().finish()
