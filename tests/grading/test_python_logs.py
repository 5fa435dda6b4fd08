"""What only Python's logs are asked: that the line which decided is near the name, that colours
change nothing, what ran again, how long it took; and that no reader trips over any text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from velora.grading.log import FileLog
from velora.grading.parsers import registry
from velora.grading.parsers.text import plain
from velora.grading.protocol import Parsed, Status, TestResult

NAMES = ("pytest", "unittest", "django", "nose", "nose2", "sympy")
LOGS = Path(__file__).parent / "logs"
CASES = [log for name in NAMES for log in sorted((LOGS / name).glob("*.txt"))]


def read(log: str) -> Parsed:
    return registry.parse(log.partition("/")[0], FileLog(LOGS / f"{log}.txt")).parsed


def _id(log: Path) -> str:
    return f"{log.parent.name}/{log.stem}"


@pytest.mark.parametrize("log", CASES, ids=_id)
def test_the_line_that_decided_is_near_the_name(log: Path) -> None:
    (framework,) = registry.get(log.parent.name)
    text = plain(log.read_bytes().decode("utf-8", "replace"))
    lines = text.split("\n")
    for name, result in framework.parse(text).results.items():
        # With -s and for tests that run tests the verdict comes many lines later.
        far = 60 if log.stem.endswith(("nocapture", "nested")) else 8
        near = "\n".join(lines[max(0, result.line - far) : result.line])
        assert any(word in near for word in re.findall(r"test\w+|\w+", name)[-3:])


@pytest.mark.parametrize("log", CASES, ids=_id)
def test_colours_change_nothing(log: Path) -> None:
    (framework,) = registry.get(log.parent.name)
    text = log.read_bytes().decode("utf-8", "replace")
    if "\r" in text or "\x1b" in text:
        return
    plain = {name: each.status for name, each in framework.parse(text).results.items()}
    colored = text.replace("PASSED", "\x1b[32mPASSED\x1b[0m").replace("ok\n", "\x1b[1mok\x1b[0m\n")
    assert {name: each.status for name, each in framework.parse(colored).results.items()} == plain


@pytest.mark.parametrize("case", ["4.6.11-rerun", "9.0.2-rerun", "9.0.2-rerun-xdist"])
def test_what_passed_when_it_ran_again_is_flaky(case: str) -> None:
    results = read(f"pytest/{case}").results
    assert {name: each.flaky for name, each in results.items()} == {
        "sub/sample_flaky.py::test_flaky": True,
        "sub/sample_flaky.py::test_always_fails": False,
    }


def test_durations_where_the_log_has_them() -> None:
    seconds = {
        log: [each.duration for each in read(log).results.values() if each.duration is not None]
        for log in ("pytest/9.0.2-durations", "pytest/9.0.2-times", "unittest/3.13-durations")
    }
    assert {log: len(found) > 3 for log, found in seconds.items()} == dict.fromkeys(seconds, True)
    assert all(0 <= each < 10 for found in seconds.values() for each in found)
    assert all(each.duration is None for each in read("pytest/9.0.2-verbose").results.values())


@pytest.mark.parametrize(
    ("log", "passed", "died", "never"),
    [
        ("pytest/9.0.2-crash", "sample_crash.py::test_before", "sample_crash.py::test_dies", "aft"),
        ("pytest/9.0.2-timeout", "sample_hang.py::test_quick", "sample_hang.py::test_hangs", "nev"),
        ("unittest/3.6-crash", "sample_crash.Crash.test_a", "sample_crash.Crash.test_c", "test_d"),
        ("unittest/3.13-crash", "sample_crash.Crash.test_a", "sample_crash.Crash.test_c", "test_d"),
        ("sympy/1.14.0-crash", "test_crash.py:test_three", "test_crash.py:test_two", "test_one"),
    ],
)
def test_the_test_in_flight_at_a_crash_is_an_error(
    log: str, passed: str, died: str, never: str
) -> None:
    results = read(log).results
    assert (results[passed].status, results[died].status) == (Status.PASSED, Status.ERROR)
    assert not any(never in name.rpartition("test")[2] for name in results)


def test_no_name_is_there_that_did_not_run() -> None:
    for log in CASES:
        truth = json.loads(log.with_suffix(".json").read_text())["results"]
        assert set(read(_id(log)).results) <= set(truth)


LINES = st.sampled_from(
    sorted({line for log in CASES for line in log.read_text(errors="replace").split("\n")})
)
TEXTS = st.lists(LINES | st.text(max_size=20), max_size=60).map("\n".join)


@given(TEXTS, st.sampled_from(NAMES))
@settings(max_examples=400, deadline=None)
def test_no_mixture_of_real_lines_is_too_odd(text: str, name: str) -> None:
    (framework,) = registry.get(name)
    count = text.count("\n") + 1
    for result in framework.parse(text).results.values():
        assert isinstance(result, TestResult)
        assert 1 <= result.line <= count


HOSTILE = (
    "a::b ",
    "a.py::b [",
    "PASSED ",
    "FAILED a.py::b - ",
    "SUBFAILED[x] (y) ",
    " SUBFAIL a.py::b",
    "[gw0] ",
    "=",
    "= ",
    "1 passed, ",
    "a (b.c) ... ",
    "a (",
    ") ... ",
    "skipped '",
    "ok",
    "test_a ",
    "a.b.",
    "a.py[1] ",
    "tests finished: 1 passed, ",
    "0.1s call a.py::b ",
)


@pytest.mark.parametrize("name", ["pytest", "unittest", "nose2", "sympy"])
@pytest.mark.parametrize(
    "opening",
    [
        "== test session starts ==\ncollecting ... collected 2 items\n\na.py::t ",
        "== test session starts ==\ncollected 2 items\n\n== short test summary info ==",
        "test_a (m.C) ... ok\ntest_b:1",
        f"test_a (m.C) ... ok\n{'=' * 70}\nFAIL: x",
        "== test process starts ==\na.py[3] \ntest_a ",
    ],
)
def test_a_hostile_line_costs_little(name: str, opening: str) -> None:
    (framework,) = registry.get(name)
    for piece in HOSTILE:
        line = piece * (500_000 // len(piece))
        framework.parse(f"{opening}\n{line}\n{line[:-1]}\n")
