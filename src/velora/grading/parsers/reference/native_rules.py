"""VeloraHarness's readings of test runs in C: Check and what stands around it, Meson, and "make".

`parse_log_check_framework` reads CTest's lines, Check's `file:line:P:...` (the name is what stands
before the `:P:`), `PASS: name`, any line that begins with pass or fail and has a colon, and
`Test x passed`. Where there is none of them, it makes names from counts.
"""

from __future__ import annotations

import re

from velora.grading.parsers.reference.go_rules import GoTestRules
from velora.grading.parsers.reference.rules import Rules, invented, number_in
from velora.grading.protocol import Parsed, Status, TestResult

_CTEST = re.compile(r"\d++/\d++\s++Test\s++#\d++:\s++(.+?)(?<=\S)\s++\.++\s++(Passed|Failed)")
_CHECK = re.compile(r":([PFE]):")
_ROW = re.compile(r"(PASS|FAIL|ERROR):\s++(?=.)")
_LOOSE = re.compile(r"PASS|FAIL", re.IGNORECASE)
_SIMPLE = re.compile(r"Test\s++(?=.)", re.IGNORECASE)
_WORD = re.compile(r"\s(passed|failed)\Z", re.IGNORECASE)
_LETTERS = {"P": Status.PASSED, "F": Status.FAILED, "E": Status.ERROR}
_WORDS = {
    "PASS": Status.PASSED,
    "FAIL": Status.FAILED,
    "ERROR": Status.ERROR,
    "SKIP": Status.SKIPPED,
}

_SUMS = {
    "check": re.compile(r"Checks:\s*(\d+),\s*Failures:\s*(\d+),\s*Errors:\s*(\d+)"),
    "ctest": re.compile(r"\d%\s+tests\s+passed,\s*(\d+)\s+tests\s+failed\s+out\s+of\s+(\d+)"),
    "TOTAL": re.compile(r"#\s+TOTAL:\s*(\d+)"),
    "PASS": re.compile(r"#\s+PASS:\s*(\d+)"),
    "FAIL": re.compile(r"#\s+FAIL:\s*(\d+)"),
    "ERROR": re.compile(r"#\s+ERROR:\s*(\d+)"),
}
_SIGNS = ("Checks:", "tests", "#")
_PERCENT = re.compile(r"\d%\s+tests\s+passed")
_OUT_OF = re.compile(r"out\s+of\s+\d")


class CheckRules(Rules):
    """`parse_log_check_framework`."""

    def __init__(self) -> None:
        super().__init__()
        self._sums: dict[str, tuple[int, ...]] = {}
        self._number = 1
        self._percent = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        text = line.strip()
        if text:
            self._result(number, text)
        if not self.results and any(sign in line for sign in _SIGNS):
            self._count(number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        if not self.results:
            for name, status in invented(self._counts(), first=1):
                self.invent(name, status, self._number, "made from counts")
        return super().finish()

    def _result(self, number: int, text: str) -> None:
        if text[0].isdecimal() and (found := _CTEST.match(text)):
            status = Status.PASSED if found[2] == "Passed" else Status.FAILED
            self.put(found[1], status, number, text)
        elif found := _CHECK.search(text, 1):
            self.put(text[: found.start()], _LETTERS[found[1]], number, text)
        elif found := _ROW.match(text):
            self.put(text[found.end() :], _WORDS[found[1]], number, text)
        elif found := _LOOSE.match(text):
            name = text.partition(":")[2].lstrip()
            status = Status.PASSED if found[0].lower() == "pass" else Status.FAILED
            if name:
                self.put(name, status, number, text)
            # Such a line may still be "Test x passed" for the original, but begins otherwise.
        elif (found := _SIMPLE.match(text)) and (word := _WORD.search(text, max(0, len(text) - 7))):
            status = Status.PASSED if word[1].lower() == "passed" else Status.FAILED
            self.put(text[found.end() : word.start()].rstrip(), status, number, text)

    def _count(self, number: int, line: str) -> None:
        if not self._percent and (found := _PERCENT.search(line)):
            self._percent = _OUT_OF.search(line, found.end()) is not None
        for kind, pattern in _SUMS.items():
            if kind not in self._sums and (found := pattern.search(line)):
                self._sums[kind] = tuple(number_in(each) for each in found.groups())
                self._number = number

    def _counts(self) -> tuple[tuple[Status, int], ...]:
        sums = self._sums
        if "check" in sums:
            checks, failures, errors = sums["check"]
        elif self._percent:
            failures, checks = sums.get("ctest", (0, 0))
            errors = 0
        elif "TOTAL" in sums and "PASS" in sums:
            (failures,), (errors,) = sums.get("FAIL", (0,)), sums.get("ERROR", (0,))
            checks = sums["PASS"][0] + failures + errors
        else:
            return ()
        passed = checks - failures - errors
        return ((Status.PASSED, passed), (Status.FAILED, failures), (Status.ERROR, errors))


_MESON = re.compile(r"\d++/\d++\s++([\w-]++)\s++(OK|FAIL|SKIP|TIMEOUT|ERROR)")
_MESON_WORDS = {
    "OK": Status.PASSED,
    "SKIP": Status.SKIPPED,
    **dict.fromkeys(("FAIL", "ERROR", "TIMEOUT"), Status.FAILED),
}
_MAKE = re.compile(r"(PASS|FAIL|ERROR|SKIP):\s*+(?=.)")
_MAKE_WORDS = {**_WORDS, "ERROR": Status.FAILED}


class MesonRules(Rules):
    """`parse_log_meson`: names of letters, digits, `_` and `-`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        text = line.strip()
        if text[:1].isdecimal() and (found := _MESON.match(text)):
            self.put(found[1], _MESON_WORDS[found[2]], number, text)


class MakeRules(Rules):
    """`parse_log_make`: `parse_log_go_test`, overruled by Meson, overruled by `PASS: name`."""

    def __init__(self) -> None:
        super().__init__()
        self._go = GoTestRules()
        self._meson = MesonRules()

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        self._go.feed(number, line)
        self._meson.feed(number, line)
        if ":" in line and (found := _MAKE.match(text := line.strip())):
            self.put(text[found.end() :], _MAKE_WORDS[found[1]], number, text)

    def finish(self) -> Parsed:
        """The end of the log."""
        results: dict[str, TestResult] = {}
        for rules in (self._go, self._meson):
            results.update(rules.finish().results)
        self.results = {**results, **self.results}
        return super().finish()
