"""VeloraHarness's readings of `go test`.

`parse_log_gotest_json` names a test `package/Test` and knows passes and failures. The others read
`--- PASS: TestName (0.00s)`, without the package; `parse_log_go_test` cuts names at the first
character that is no letter, digit or underscore, so all sub-tests get their parent's name, and
makes one failure out of any log that speaks of a failed build.
"""

from __future__ import annotations

import json
import re

from velora.grading.parsers.reference.rules import Rules
from velora.grading.protocol import Parsed, Status, TestResult

_ACTIONS = {"pass": Status.PASSED, "fail": Status.FAILED}
_WORDS = {"PASS": Status.PASSED, "FAIL": Status.FAILED, "SKIP": Status.SKIPPED}
_ROW = re.compile(r"---\s++(PASS|FAIL|SKIP):\s++(\w++)")
_BUILD = ("no required module provides package", "[setup failed]", "cannot find package")
_JSON = re.compile(r"[ \t\r]*[\[{\"\-0-9tfnNI]")


class GotestJsonRules(Rules):
    """`parse_log_gotest_json`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line[:1] == "{":
            if '"Test"' not in line and "\\u" not in line:
                return
            if '"pass"' not in line and '"fail"' not in line and "\\u" not in line:
                return
        elif not _JSON.match(line):
            return
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            return
        except (ValueError, RecursionError):
            self.fault(number)
            return
        if not isinstance(event, dict) or isinstance(event.get("Action"), list | dict):
            self.fault(number)
            return
        status = _ACTIONS.get(event.get("Action", ""))
        if status is None or "Test" not in event:
            return
        if "Package" not in event:
            self.fault(number)
            return
        self.put(f"{event['Package']}/{event['Test']}", status, number, line)


class GotestRules(Rules):
    """`parse_log_gotest`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "--- " not in line:
            return
        text = line.strip()
        status = _WORDS.get(text[4:8])
        if status is None or not text.startswith("--- ") or text[8:10] != ": ":
            return
        end = text.rfind(" (", 11, len(text) - 2) if text.endswith(")") else -1
        if end > 0:
            self.put(text[10:end], status, number, text)


class GoTestRules(Rules):
    """`parse_log_go_test`."""

    def __init__(self) -> None:
        super().__init__()
        self._build: TestResult | None = None

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "---" in line and (found := _ROW.match(text := line.strip())):
            self.put(found[2], _WORDS[found[1]], number, text)
        if self._build is None and (
            "build failed" in line.lower() or any(part in line for part in _BUILD)
        ):
            self._build = TestResult(Status.FAILED, number, line[:500], invented=True)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self._build is not None:
            self.results = {"BUILD_FAILED": self._build}
        return super().finish()
