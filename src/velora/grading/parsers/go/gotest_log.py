"""Reads the text that `go test` prints, with `-v` or without.

Each package's tests come in one piece that a line with the package's name closes (`ok`, `FAIL`);
`package_tests` says which lines about tests are believed. An `ok` line after which a test of that
package still ends, or one that no line announced fails, was printed by a test itself. Where a log
never names the package (a test binary that was run by itself, a cut log), a test's name stands
alone.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.go import package_text
from velora.grading.parsers.go.package_tests import PackageTests
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, TestResult

_PACKAGE = re.compile(
    r"(?P<word>ok  |FAIL)\t(?P<name>[^\s\[]\S*)"
    r"(?:\t(?:[\d.]+s|\(cached\))(?:\s.*)?| \[(?P<broken>[a-z ]+ failed)\])$"
)


class GotestReader:
    """All packages of a log; `complete` if none is open at its end."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.package = PackageTests()
        self.passed: PackageTests | None = None  # closed by an `ok` line that may be printed
        self.prefix = ""
        self.number = 0
        self.closed = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first == "{":
            return  # an event of `go test -json`
        if (first in {"o", "F"}) and line.startswith(("ok  \t", "FAIL\t")):
            package = _PACKAGE.match(line)
            if package is not None:
                self._close(number, package)
                return
        if self.passed is not None and "--- " in line and package_text.verdict(line) is not None:
            self._reopen(line)
        package_text.read(self.package, number, line)
        if self.passed is not None and not self.package.empty:
            self._commit()

    def finish(self) -> Parsed:
        """The end of the log."""
        self._commit()
        complete = self.closed
        if not self.package.empty:
            complete = self.package.ended and not self.package.open
            if not complete:
                self.warnings.append("the last package has no closing line: it was cut off")
            self._take("", 0, passed=False)
        return Parsed(self.results, complete, tuple(self.warnings))

    def _close(self, number: int, found: re.Match[str]) -> None:
        self._commit()
        name = found["name"]
        if found["broken"]:
            self.warnings.append(f"line {number}: {name}: {found['broken']}")
            return
        passed = found["word"] != "FAIL"
        if passed and self.package.running:
            return  # printed by a test
        self.closed = True
        if passed and self.package.verbose:
            self.passed, self.prefix, self.number = self.package, name, number
            self.package = PackageTests()
        else:
            self._take(name, number, passed=passed)

    def _reopen(self, line: str) -> None:
        """A test ends that was not announced since the last `ok` line."""
        _, name, *_ = package_text.verdict(line) or ("", "")
        if self.passed is None or not self.package.empty:
            return
        if name in self.passed.results or (line.startswith("--- FAIL: ") and "/" not in name):
            self.warnings.append(f"line {self.number}: printed by a test: a package's last line")
            self.package, self.passed = self.passed, None

    def _commit(self) -> None:
        """The last `ok` line is true."""
        if self.passed is not None:
            later, self.package, self.passed = self.package, self.passed, None
            self._take(self.prefix, self.number, passed=True)
            self.package = later

    def _take(self, name: str, number: int, *, passed: bool) -> None:
        results, odd = self.package.close(passed=passed)
        for test, result in results.items():
            note(self.results, f"{name}/{test}" if name else test, result)
        if number:
            self.warnings += (f"line {number}: {name} {each}" for each in odd)
        self.package = PackageTests()


FRAMEWORK = Framework(
    name="gotest",
    reader=GotestReader,
    names="`package/path/TestName/sub_test`; `TestName` where the log does not name the package",
    signs=(
        r"=== RUN   \S+$|\s*--- (?:PASS|FAIL|SKIP): \S+ \(\d+\.\d+s\)$"
        r"|(?:ok  |FAIL)\t\S+(?:\t(?:[\d.]+s|\(cached\))| \[\w+ failed\]$)|\?   \t\S+\t\[no test"
    ),
    begins=r" =\-oF?",
    languages=("go",),
    hosts=("gotest-json",),
)
