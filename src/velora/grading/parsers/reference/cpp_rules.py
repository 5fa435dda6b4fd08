"""VeloraHarness's reading of test runs in C++: one chain for GoogleTest, Catch2 and others.

The first of these that finds anything is all that counts: a JUnit report in the log, GoogleTest,
Automake, TAP, Boost.Test, CTest, doctest. (The original asks one more, for Catch2's `PASS: name`,
behind Automake, which takes the same lines, so it never answers.) A report with any `<system-out>`
in a test is taken for broken. Where there are no names, most make some from counts.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from velora.grading.parsers.reference.rules import Rules, invented, number_in
from velora.grading.protocol import Parsed, Status

_LARGEST = 64 * 1024 * 1024  # characters of a report that are kept

Counts = tuple[tuple[Status, int], ...]


class _Part(Rules):
    """One of the chain."""

    number = 1

    def names_from(self, counts: Counts, prefix: str = "") -> None:
        """Make names from counts."""
        for name, status in invented(counts, first=0, prefix=prefix):
            self.invent(name, status, self.number, "made from counts")


class _Junit(_Part):
    """A report, from the first `<?xml` to the last end of its root."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._size = 0

    def take_raw(self, number: int, line: str) -> None:
        """A line that `splitlines` has not split."""
        if not self._lines:
            at = line.find("<?xml")
            if at < 0:
                return
            self.number = number
            line = line[at:]
        self._size += len(line) + 1
        if self._size <= _LARGEST:
            self._lines.append(line)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self._lines:
            self._read("\n".join(self._lines))
        return super().finish()

    def _read(self, text: str) -> None:
        root = "testsuites" if "<testsuites" in text else "testsuite"
        end = text.rfind(f"</{root}>")
        if end >= 0 and f"<{root}" in text:
            text = text[: end + len(root) + 3]
        try:
            tree = ET.fromstring(text.strip())
        except (ET.ParseError, ValueError, LookupError):
            return
        suites = {"testsuites": tree.findall(".//testsuite"), "testsuite": [tree]}.get(tree.tag, [])
        for suite in suites:
            for case in suite.findall("testcase"):
                if case.find("system-out") is not None:
                    self.results = {}
                    return
                self._case(case)

    def _case(self, case: ET.Element) -> None:
        name, cls = case.get("name", ""), case.get("classname", "")
        if case.find("failure") is not None or case.find("error") is not None:
            status = Status.FAILED
        else:
            status = Status.SKIPPED if case.find("skipped") is not None else Status.PASSED
        self.put(f"{cls}.{name}" if cls else name, status, self.number, f"<testcase {name}>")


_OK = re.compile(r"\[\s*OK\s*\]\s+")
_FAILED = re.compile(r"\[\s*FAILED\s*\]\s+")
_GTEST_SUM = re.compile(r"\[  (PASSED|FAILED)  \]\s+(\d+)\s+test")


class _Gtest(_Part):
    def __init__(self) -> None:
        super().__init__()
        self._counts = {"PASSED": 0, "FAILED": 0}

    def take(self, number: int, line: str) -> None:
        """The next line."""
        if "]" not in line or "[" not in line:
            return
        for pattern, status in ((_OK, Status.PASSED), (_FAILED, Status.FAILED)):
            found = pattern.search(line)
            end = line.find("(", found.end() + 1) if found else -1
            if found and end > 0:
                self.put(line[found.end() : end].strip(), status, number, line)
                return
        for word in ("PASSED", "FAILED"):
            found = next((m for m in _GTEST_SUM.finditer(line) if m[1] == word), None)
            if found:
                self._counts[word] += number_in(found[2])
                self.number = number

    def finish(self) -> Parsed:
        """The end of the log."""
        if not self.results:
            passed, failed = self._counts.values()
            self.names_from(((Status.PASSED, passed), (Status.FAILED, failed)))
        return super().finish()


_SUITE = re.compile(r"Testsuite summary for\s+(\S+)")
_AUTOMAKE_SUM = re.compile(r"#\s+(TOTAL|PASS|FAIL|ERROR|XPASS):\s*(\d+)")


class _Automake(_Part):
    def __init__(self) -> None:
        super().__init__()
        self._suite = ""
        self._counts = dict.fromkeys(("TOTAL", "PASS", "FAIL", "ERROR", "XPASS"), 0)

    def take(self, number: int, line: str) -> None:
        """The next line."""
        first = line[:1]
        if first == "P" and line.startswith("PASS:"):
            self.put(line[5:].strip(), Status.PASSED, number, line)
        elif first == "F" and line.startswith("FAIL:"):
            self.put(line[5:].strip(), Status.FAILED, number, line)
        elif first == "#" and (found := _AUTOMAKE_SUM.match(line)):
            self._counts[found[1]] += number_in(found[2])
            self.number = number
        if not self._suite and "Testsuite" in line and (found := _SUITE.search(line)):
            self._suite = found[1]

    def finish(self) -> Parsed:
        """The end of the log."""
        prefix = f"{self._suite}." if self._suite else ""
        if self.results:
            self.results = {f"{prefix}{name}": each for name, each in self.results.items()}
        else:
            counts = self._counts
            failed = counts["FAIL"] + counts["ERROR"] + counts["XPASS"]
            passed = counts["PASS"] or max(0, counts["TOTAL"] - failed)
            self.names_from(((Status.PASSED, passed), (Status.FAILED, failed)), prefix)
        return super().finish()


_TAP = re.compile(r"(not\s+)?ok\s+(\d+)\s*")


class _Tap(_Part):
    def take(self, number: int, line: str) -> None:
        """The next line."""
        if line[:1] not in ("o", "n") or not (found := _TAP.match(line)):
            return
        status = Status.FAILED if found[1] else Status.PASSED
        name = line[found.end() :].strip()
        if not name:
            self.invent(f"test_{found[2]}", status, number, line)
            return
        name = name.partition(":")[0].strip()
        self.put(name.removeprefix("- ").strip(), status, number, line)


_BOOST = {
    "cases": re.compile(r"Running\s+(\d+)\s+test\s+case"),
    "failed": re.compile(r'in\s+"([^"]+)"'),
    "suite": re.compile(r'test suite\s+"([^"]+)"'),
}


class _Boost(_Part):
    def __init__(self) -> None:
        super().__init__()
        self._cases = 0
        self._failed = 0
        self._suites: set[str] = set()
        self._suite = "BoostTests"

    def take(self, number: int, line: str) -> None:
        """The next line."""
        if "Running" in line and (found := _BOOST["cases"].search(line)):
            self._cases = number_in(found[1])
            self.number = number
        if '"' not in line:
            return
        if found := _BOOST["failed"].search(line):
            suite, slash, test = found[1].partition("/")
            if not slash:
                suite, test = self._suite, found[1]
            self._failed += 1
            self._suites.add(suite)
            self.put(f"{suite}.{test}", Status.FAILED, number, line)
        if found := _BOOST["suite"].search(line):
            self._suite = found[1]

    def finish(self) -> Parsed:
        """The end of the log."""
        suite = next(iter(self._suites)) if len(self._suites) == 1 else self._suite
        self.names_from(((Status.PASSED, max(0, self._cases - self._failed)),), f"{suite}.")
        return super().finish()


_CTEST = re.compile(r"Test\s+#\d+:\s+(\S+)")
_CTEST_SUM = re.compile(r"(\d+)\s+tests?\s+failed\s+out\s+of\s+(\d+)")
_CTEST_ALL = re.compile(r"100%\s+tests\s+passed")
_OUT_OF = re.compile(r"out\s+of\s+(\d+)")


class _Ctest(_Part):
    def __init__(self) -> None:
        super().__init__()
        self._counts: Counts = ()

    def take(self, number: int, line: str) -> None:
        """The next line."""
        if "Test" in line and (found := _CTEST.search(line)):
            for word, status in (("Passed", Status.PASSED), ("***Failed", Status.FAILED)):
                name, end = found[1], found.end()
                if word not in line[end:]:
                    name = name[: max(0, name.rfind(word))]
                if name:
                    self.put(name, status, number, line)
        if not self._counts and "out" in line:
            if found := _CTEST_SUM.search(line):
                failed, total = number_in(found[1]), number_in(found[2])
                self._counts = ((Status.PASSED, total - failed), (Status.FAILED, failed))
                self.number = number
            elif (found := _CTEST_ALL.search(line)) and (
                last := _OUT_OF.findall(line, found.end())
            ):
                self._counts = ((Status.PASSED, number_in(last[-1])),)
                self.number = number

    def finish(self) -> Parsed:
        """The end of the log."""
        if not self.results:
            self.names_from(self._counts)
        return super().finish()


_DOCTEST = re.compile(r"test\s+cases:\s+\d+\s+\|\s+(\d+)\s+passed\s+\|\s+(\d+)\s+failed")


class _Doctest(_Part):
    def __init__(self) -> None:
        super().__init__()
        self._counts: Counts = ()

    def take(self, number: int, line: str) -> None:
        """The next line."""
        if "cases:" in line and (found := _DOCTEST.search(line)):
            passed, failed = number_in(found[1]), number_in(found[2])
            self._counts = ((Status.PASSED, passed), (Status.FAILED, failed))
            self.number = number

    def finish(self) -> Parsed:
        """The end of the log."""
        self.names_from(self._counts)
        return super().finish()


class CppRules:
    """`parse_log_google_test` and `parse_log_catch2`."""

    def __init__(self) -> None:
        self._junit = _Junit()
        self._parts = (_Gtest(), _Automake(), _Tap(), _Boost(), _Ctest(), _Doctest())

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        self._junit.take_raw(number, line)
        for piece in line.splitlines():
            for part in self._parts:
                part.take(number, piece)

    def finish(self) -> Parsed:
        """The end of the log."""
        for part in (self._junit, *self._parts):
            parsed = part.finish()
            if parsed.results:
                return parsed
        return Parsed()
