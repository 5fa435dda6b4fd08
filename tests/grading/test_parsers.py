"""What holds for every parser, and how they are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from velora.errors import UsageError
from velora.grading.log import read_log
from velora.grading.parsers import registry
from velora.grading.parsers.text import lines
from velora.grading.protocol import Status

PIECES = st.sampled_from(
    [
        "============================= test session starts ==============================",
        "=========================== short test summary info ============================",
        "=================================== FAILURES ===================================",
        "=== 1 passed in 0.01s ===",
        "2 failed, 1 passed in 0.01s",
        "!!!!!!! stopping after 1 failures !!!!!!!",
        "collected 2 items",
        "PASSED a.py::t",
        "FAILED a.py::t - x",
        "SUBFAILED(i=1) a.py::t",
        "a.py::t ",
        "a.py::t PASSED [ 50%]",
        "a.py::t FAILED [ 50%]",
        "[gw0] [ 50%] PASSED a.py::t",
        "PASSED",
        "..F [100%]",
        "test_a (m.C) ... ",
        "test_a (m.C.test_a)",
        "Says something. ... ok",
        "test_b (m.C) ... ok",
        "  test_a (m.C.test_a) (i=1) ... FAIL",
        "ok",
        "ERROR",
        "=" * 70,
        "-" * 70,
        "FAIL: test_b (m.C)",
        "Ran 2 tests in 0.001s",
        "OK",
        "FAILED (failures=1)",
        "",
    ]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "", "\x1b[0m\n"])
LOGS = st.lists(st.tuples(PIECES | st.text(max_size=20), ENDS)).map(
    lambda parts: "".join(piece + end for piece, end in parts)
)


@given(LOGS)
@settings(max_examples=300)
def test_no_text_is_too_odd(text: str) -> None:
    count = text.count("\n") + 1
    for name in ("pytest", "unittest", "auto"):
        parsed = registry.get(name)(text)
        for result in parsed.results.values():
            assert isinstance(result.status, Status)
            assert 1 <= result.line <= count


@given(LOGS)
def test_nothing_is_invented(text: str) -> None:
    for result_name in registry.get("pytest")(text).results:
        assert result_name in text.replace("\x1b[0m", "")
    for result_name in registry.get("unittest")(text).results:
        assert result_name.rpartition(".")[2].split(" ")[0] in text.replace("\x1b[0m", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "auto"),
        ("auto", "auto"),
        ("pytest", "pytest"),
        (" unittest ", "unittest"),
        ("python/parse_log_pytest", "pytest"),
        ("python/parse_log_pytest_v2", "pytest"),
        ("python/parse_log_pytest_v3", "pytest"),
        ("parse_log_pytest_v3", "pytest"),
        ("python/parse_log_unittest", "unittest"),
    ],
)
def test_the_names_that_datasets_use(name: str, expected: str) -> None:
    assert registry.resolve(name) == expected


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("pytets", "did you mean 'pytest'"),
        ("python/parse_log_pytest_v4", "python/parse_log_pytest_v"),
        ("go/parse_log_gotest_json", "parse_log_pytest"),
    ],
)
def test_an_unknown_name_is_an_error(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="unknown test output parser") as caught:
        registry.get(name)
    assert hint in str(caught.value)


UNITTEST = f"test_a (m.C) ... ok\n\n{'-' * 70}\nRan 1 test in 0.1s\n\nOK\n"
PYTEST = """=== test session starts ===
collected 1 item
a.py::t PASSED [100%]
=== 1 passed in 0.1s ===
"""


def test_auto_refuses_a_log_that_fits_two() -> None:
    label, parsed = registry.parse("auto", PYTEST + UNITTEST)
    assert (label, parsed.results) == ("auto", {})
    assert "both fit" in parsed.warnings[0]


def test_the_language_decides_for_a_row_without_parser() -> None:
    label, parsed = registry.parse("", PYTEST + UNITTEST, prefer="pytest")
    assert (label, list(parsed.results)) == ("auto:pytest", ["a.py::t"])
    assert "the language decided" in parsed.warnings[0]
    assert registry.parse("auto", PYTEST + UNITTEST, prefer="pytest")[0] == "auto"
    assert registry.parse("", UNITTEST, prefer="pytest")[0] == "auto:unittest"


def test_auto_says_when_nothing_fits() -> None:
    label, parsed = registry.parse("", "make: nothing to be done\n")
    assert label == "auto"
    assert parsed.warnings == ("auto: no parser (pytest, unittest) finds a test",)


def test_lines() -> None:
    text = "one\r\n\x1b[31mtwo\x1b[0m\rthree\n\x1b]0;title\x07four\x0cfive\n\nlast"
    assert list(lines(text)) == [
        (1, "one"),
        (2, "two"),
        (2, "three"),
        (3, "four\x0cfive"),
        (4, ""),
        (5, "last"),
    ]


def test_a_long_log_is_read_at_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n" + b"noise \xff\n" * 1000 + b"last\n")
    text, warnings = read_log(path, limit=400)
    assert text.startswith("first\n")
    assert text.endswith("noise \ufffd\nlast\n")
    assert "bytes left out" in text
    assert len(text) < 500
    assert len(warnings) == 1
    assert read_log(path)[1] == ()
