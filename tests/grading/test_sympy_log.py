"""The cases of SymPy's output that real runs seldom show."""

from __future__ import annotations

from velora.grading.parsers.python.sympy_log import FRAMEWORK
from velora.grading.protocol import Parsed

HEAD = "============================= test process starts =============================="
RULE = "_" * 80


def statuses(parsed: Parsed) -> dict[str, str]:
    return {name: str(result.status) for name, result in parsed.results.items()}


def log(*lines: str) -> Parsed:
    return FRAMEWORK.parse("\n".join([HEAD, *lines]) + "\n")


def ended(text: str) -> str:
    return f"================ tests finished: {text}, in 0.01 seconds ================="


def test_every_verdict() -> None:
    parsed = log(
        "a/test_x.py[7] ",
        "test_a ok",
        "test_b F",
        "test_c E",
        "test_d f",
        "test_e X",
        "test_g no engine s",
        "test_h ok            [FAIL]",
        ended("2 passed, 1 failed, 1 skipped, 1 exceptions"),
    )
    assert statuses(parsed) == {
        "a/test_x.py:test_a": "PASSED",
        "a/test_x.py:test_b": "FAILED",
        "a/test_x.py:test_c": "ERROR",
        "a/test_x.py:test_d": "XFAIL",
        "a/test_x.py:test_e": "XPASS",
        "a/test_x.py:test_g": "SKIPPED",
        "a/test_x.py:test_h": "PASSED",
    }
    assert parsed.complete
    assert parsed.warnings == ()


def test_a_block_with_too_many_names() -> None:
    lines = ["x.py[2] ", "test_a ", "test_forged ok", "ok", "test_b ok      [OK]"]
    parsed = log(*lines, ended("2 passed"))
    assert statuses(parsed) == {"x.py:test_a": "PASSED", "x.py:test_b": "PASSED"}


def test_sections_and_totals_within_a_block_are_output() -> None:
    lines = ["x.py[2] ", "test_a ", RULE, "____ x.py:test_b ____", ended("9 passed"), "ok"]
    parsed = log(*lines, "test_b ok    [OK]", ended("2 passed"))
    assert set(statuses(parsed).values()) == {"PASSED"}


def test_failures_without_a_list() -> None:
    parsed = log(
        "x.py[3] E.F                 [FAIL]",
        "",
        RULE,
        "____ x.py:test_a ____",
        RULE,
        "____ x.py::test_b ____",
        " tests finished: 1 passed, 1 failed, ",
        "1 exceptions, in 0.01 seconds ",
    )
    assert statuses(parsed) == {"x.py:test_a": "ERROR", "x.py:test_b": "FAILED"}
    assert parsed.complete


def test_nothing() -> None:
    assert FRAMEWORK.parse("") == Parsed()
    assert not log().complete
