"""What is taken off names on both sides, in the lists and in the log.

`junit_quoted`
    VeloraHarness's table parser for Java puts quotes around names: `"com.acme.CalcTest.adds"`.
`php_backslashes`
    Lists that went through JSON twice have `Acme\\\\\\\\CalcTest` for `Acme\\\\CalcTest`.
`durations`
    ` (12 ms)`, ` (1.2 s)`, ` [1.3 ms]`, ` in 29 msec` at the end: they change from run to run.
    Vitest's ` 12ms` and ` in 2 seconds` may belong to a title, so they are taken off a listed name
    alone, and only where the log has no test that it fits with them.
"""

from __future__ import annotations

import re

JUNIT_QUOTED = "junit_quoted"
PHP_BACKSLASHES = "php_backslashes"
DURATIONS = "durations"

_UNIT = r"(?:ms|msecs?|s|secs?|seconds?|m|mins?|minutes?)"
_NUMBER = r"\d{1,9}(?:[.,]\d{1,9})?"
_DURATION = re.compile(
    rf"\s(?:\({_NUMBER}\s?{_UNIT}\)|\[{_NUMBER}\s?{_UNIT}\]|in {_NUMBER}\s?msecs?)\Z"
)
_BARE = re.compile(rf"\s(?:in {_NUMBER}\s?{_UNIT}|{_NUMBER}m?s)\Z")
_LONGEST = 40
_CLOSED = frozenset(")]")


def plain(name: str) -> tuple[str, str]:
    """The name without all that, and the rules that took something off, joined by `+`."""
    rules: list[str] = []
    text = name
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 2:
        text = text[1:-1]
        rules.append(JUNIT_QUOTED)
    if "\\\\" in text:
        text = text.replace("\\\\", "\\")
        rules.append(PHP_BACKSLASHES)
    start = max(1, len(text) - _LONGEST)
    may_end = text[-1:] in _CLOSED or text.find(" in ", start) > 0
    if may_end and (found := _DURATION.search(text, start)):
        text = text[: found.start()]
        rules.append(DURATIONS)
    return text, "+".join(rules)


def without_bare_duration(text: str) -> str:
    """`text` without a duration that may belong to a title; "" if there is none."""
    found = _BARE.search(text, max(1, len(text) - _LONGEST))
    return text[: found.start()] if found else ""
