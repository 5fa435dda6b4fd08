"""Logs of one long run of thousands of tests, and what these print.

Every test has a name of its own, as in a real run, so the results fill memory as they would; all
pass, and the totals say so: a parser that reads the log must find each of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, cycle
from pathlib import Path

TESTS = 20
"""Tests of a suite."""

FIRST = 100_000
"""The first suite's number; all have as many digits, since some frameworks align what follows."""

Noise = Callable[[int], list[str]]
"""So many lines that a program prints."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a framework prints.

    Attributes:
        suite: a suite's lines, by its number; every test's name holds it.
        head, foot: what stands before and behind the suites, by how many there are.
        more: results of a suite beside its tests'.
    """

    suite: Callable[[int, Noise], list[str]]
    head: Callable[[int], list[str]] = lambda _: []
    foot: Callable[[int], list[str]] = lambda _: []
    more: int = 0


def write(path: Path, name: str, size: int, noise: str, *, printed: int) -> int:
    """Write a log of some `size` bytes in the style of a parser; returns its results.

    Args:
        noise: lines that the tests print, again and again; `printed` of them a test.
    """
    style = STYLES[name]
    source = cycle(noise.splitlines())

    def some(count: int) -> list[str]:
        return [next(source) for _ in range(count * printed)]

    sample = sum(len(_text(style.suite(FIRST + at, some))) for at in range(50)) / 50
    suites = int(size / sample) + 1
    bodies = (style.suite(FIRST + at, some) for at in range(suites))
    with path.open("wb") as file:
        for lines in chain([style.head(suites)], bodies, [style.foot(suites)]):
            file.write(_text(lines))
    return suites * (TESTS + style.more)


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _each(line: str, *, quiet: bool = False, mark: str = "") -> Callable[[int, Noise], list[str]]:
    """A suite of one line (or more) a test, in which `{k}` is the suite, `{i}` the test, `{t}` the
    same from 1, `{n}` the test's number in the run.

    Args:
        quiet: what is printed stands behind the suite, not within it.
        mark: what the lines begin with that are printed.
    """

    def suite(at: int, noise: Noise) -> list[str]:
        lines: list[str] = []
        for test in range(TESTS):
            lines.append(line.format(k=at, i=test, t=test + 1, n=(at - FIRST) * TESTS + test + 1))
            if not quiet:
                lines += (mark + text for text in noise(test % 3))
        return lines if not quiet else lines + [mark + text for text in noise(TESTS)]

    return suite


def _under(
    heading: str, inner: Callable[[int, Noise], list[str]], end: str = ""
) -> Callable[[int, Noise], list[str]]:
    def suite(at: int, noise: Noise) -> list[str]:
        tail = end.format(k=at).split("\n") if end else []
        return [*heading.format(k=at).split("\n"), *inner(at, noise), *tail]

    return suite


def _said(*lines: str) -> Callable[[int], list[str]]:
    return lambda suites: [line.format(s=suites, n=suites * TESTS) for line in lines]


def _json(at: int, noise: Noise) -> list[str]:
    lines: list[str] = []
    for test in range(TESTS):
        event = {"Time": "2026-01-05T12:00:01.5Z", "Action": "run", "Package": f"example.com/p{at}"}
        event |= {"Test": f"TestNumber{test}"}
        lines.append(json.dumps(event, separators=(",", ":")))
        for text in noise(test % 3):
            printed = event | {"Action": "output", "Output": f"{text}\n"}
            lines.append(json.dumps(printed, separators=(",", ":")))
        passed = event | {"Action": "pass", "Elapsed": 0.01}
        lines.append(json.dumps(passed, separators=(",", ":")))
    del event["Test"]
    return [*lines, json.dumps(event | {"Action": "pass"}, separators=(",", ":"))]


def _xml(at: int, noise: Noise) -> list[str]:
    lines = [f'<testsuite name="suite{at}" tests="{TESTS}" failures="0" errors="0" time="0.2">']
    for test in range(TESTS):
        case = f'<testcase classname="pkg.suite{at}" name="test_number_{test}" time="0.01"'
        printed = noise(test % 3)
        text = "\n".join(printed).replace("&", "&amp;").replace("<", "&lt;")
        out = f"><system-out>{text}</system-out></testcase>" if printed else "/>"
        lines += (case + out).split("\n")
    return [*lines, "</testsuite>"]


_RULE = "-" * 70
_BARS = "=" * 30

STYLES: dict[str, Style] = {
    "pytest": Style(
        _each("tests/test_{k}.py::TestCase::test_number_{i} PASSED [ 50%]", quiet=True),
        _said(f"{_BARS} test session starts {_BARS}", "collected {n} items", ""),
        _said("", f"{_BARS} {{n}} passed in 9.01s {_BARS}"),
    ),
    "unittest": Style(
        _each("test_number_{i} (tests.test_{k}.Case.test_number_{i}) ... ok"),
        foot=_said("", _RULE, "Ran {n} tests in 9.010s", "", "OK"),
    ),
    "django": Style(
        _each("test_number_{i} (tests.test_{k}.Case.test_number_{i}) ... ok"),
        _said("Found {n} test(s).", "System check identified no issues (0 silenced)."),
        _said("", _RULE, "Ran {n} tests in 9.010s", "", "OK"),
    ),
    "nose2": Style(
        _each("tests.test_{k}.test_number_{i} ... ok"),
        foot=_said("", _RULE, "Ran {n} tests in 9.010s", "", "OK"),
    ),
    "jest": Style(
        _under("PASS src/part{k}.test.js", _each("  ✓ does number {i} (2 ms)", quiet=True)),
        foot=_said(
            "", "Test Suites: {s} passed, {s} total", "Tests:       {n} passed, {n} total",
            "Snapshots:   0 total", "Time:        9.01 s",
        ),
    ),
    "vitest": Style(
        _each(" ✓ src/part{k}.test.js > calc > does number {i} 2ms"),
        _said("", " RUN  v3.2.7 /repo", ""),
        _said(
            "", " Test Files  {s} passed ({s})", "      Tests  {n} passed ({n})",
            "   Start at  14:45:53", "   Duration  9.01s",
        ),
    ),
    "mocha": Style(
        _under("\n  part {k}", _each("    ✔ does number {i} (2ms)")),
        _said("", "> sample@1.0.0 test", "> mocha", "", ""),
        _said("", "", "  {n} passing (9s)", ""),
    ),
    "tap": Style(
        _each("ok {n} - part {k} does number {i}", mark="# "),
        _said("TAP version 13"),
        _said("1..{n}"),
    ),
    "gotest": Style(
        _under(
            "",
            _each("=== RUN   TestPart{k}Number{i}\n--- PASS: TestPart{k}Number{i} (0.01s)"),
            "PASS\nok  \texample.com/sample/p{k}\t0.210s",
        )
    ),
    "gotest-json": Style(_json),
    "gotestsum": Style(
        _each("PASS p{k}.TestPart{k}Number{i} (0.01s)"),
        foot=_said("", "DONE {n} tests in 9.010s"),
    ),
    "cargo": Style(
        _under(
            "     Running tests/part{k}.rs (target/debug/deps/part{k}-29fea46aa3985efc)\n\n"
            f"running {TESTS} tests",
            _each("test part::number_{i} ... ok"),
            f"\ntest result: ok. {TESTS} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; "
            "finished in 0.20s\n",
        ),
    ),
    "gtest": Style(
        _under(
            f"[----------] {TESTS} tests from Part{{k}}",
            _each("[ RUN      ] Part{k}.Number{i}\n[       OK ] Part{k}.Number{i} (1 ms)"),
            f"[----------] {TESTS} tests from Part{{k}} (20 ms total)\n",
        ),
        _said("[==========] Running {n} tests from {s} test suites."),
        _said(
            "[----------] Global test environment tear-down",
            "[==========] {n} tests from {s} test suites ran. (9010 ms total)",
            "[  PASSED  ] {n} tests.",
        ),
    ),
    "ctest": Style(
        _each(
            "      Start {n}: part{k}_number{i}\n"
            "{n}/9999999 Test #{n}: part{k}_number{i} .......   Passed    0.01 sec",
            quiet=True,
        ),
        _said("Test project /repo/build"),
        _said("", "100% tests passed, 0 tests failed out of {n}", "", "Total Test time = 9.01 sec"),
    ),
    "gradle": Style(
        _each("\ncom.acme.Part{k}Test > testNumber{i} PASSED", quiet=True),
        _said("> Task :test"),
        _said("", "BUILD SUCCESSFUL in 9s"),
    ),
    "bats": Style(_each("ok {n} part {k} does number {i}", mark="# "), _said("1..{n}")),
    "prove": Style(
        _under(
            "t/part{k}.t ..",
            _each("ok {t} - does number {i}", mark="# "),
            f"1..{TESTS}\nok",
        ),
        foot=_said(
            "All tests successful.", "Files={s}, Tests={n},  9 wallclock secs", "Result: PASS"
        ),
        more=1,
    ),
    "minitest": Style(
        _each("Part{k}Test#test_number_{i} = 0.01 s = ."),
        _said("Run options: -v --seed=1", "", "# Running:", ""),
        _said(
            "", "Finished in 9.010000s, 1.0 runs/s, 1.0 assertions/s.", "",
            "{n} runs, {n} assertions, 0 failures, 0 errors, 0 skips",
        ),
    ),
    "rspec": Style(
        _under("\nPart {k}", _each("  does number {i}", mark="log: ")),
        foot=_said("", "Finished in 9.01 seconds", "{n} examples, 0 failures", ""),
    ),
    "junit-xml": Style(
        _xml,
        _said('<?xml version="1.0" encoding="utf-8"?>', "<testsuites>"),
        _said("</testsuites>"),
    ),
}  # fmt: skip
