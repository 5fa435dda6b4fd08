"""VeloraHarness's readings of JavaScript test runs.

`parse_log_jest` gives the title alone, so equal titles of two suites are one name, the last wins.
`parse_log_jest_json` reads `[PASSED] name` lines made from `jest --json`. `parse_log_mocha_json`
reads mocha's json-stream and names a test by five digits of its file's SHA-1 and its title.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from velora.grading.parsers.reference.rules import Rules
from velora.grading.protocol import Status

_MARKS = {"✓": Status.PASSED, "✕": Status.FAILED, "○": Status.SKIPPED}
_DURATION = re.compile(r"\(\d+\s*m?s\)\Z")
_JSON = re.compile(r"[ \t\r]*[\[{\"\-0-9tfnNI]")


class JestRules(Rules):
    """`parse_log_jest`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        text = line.strip()
        status = _MARKS.get(text[:1])
        if status is None or not text[1:2].isspace():
            return
        title = text[2:]
        at = title.rfind("(")
        if at >= 2 and title[at - 1].isspace() and _DURATION.match(title, at):
            title = title[: at - 1]
        self.put(title, status, number, text)


class JestJsonRules(Rules):
    """`parse_log_jest_json`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "ED]" not in line:
            return
        text = line.strip()
        for head, status in (("[PASSED]", Status.PASSED), ("[FAILED]", Status.FAILED)):
            if text.startswith(head) and text[8:9].isspace():
                self.put(text[9:], status, number, text)


class MochaJsonRules(Rules):
    """`parse_log_mocha_json`."""

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if not _JSON.match(line):
            return
        try:
            state = json.loads(line)
        except json.JSONDecodeError:
            return
        except (ValueError, RecursionError):
            self.fault(number)
            return
        if isinstance(state, list):
            if len(state) > 1 and not self._event(state[0], state[1], number, line):
                self.fault(number)
        elif not isinstance(state, str) and (not isinstance(state, dict) or len(state) > 1):
            self.fault(number)

    def _event(self, kind: Any, test: Any, number: int, line: str) -> bool:
        """False where the original raises."""
        if isinstance(kind, list | dict):
            return False
        if kind not in ("pass", "fail"):
            return True
        if not isinstance(test, dict | list | str):
            return False
        if "title" not in test or "file" not in test:
            return True
        if not isinstance(test, dict) or not isinstance(test["file"], str):
            return False
        status = Status.PASSED if kind == "pass" else Status.FAILED
        try:
            file = test["file"].encode()
        except UnicodeEncodeError:
            return False
        digest = hashlib.sha1(file, usedforsecurity=False).hexdigest()
        self.put(f"[{digest[:5]}] {test['title']}", status, number, line)
        return True
