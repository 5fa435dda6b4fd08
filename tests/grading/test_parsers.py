"""What holds for every parser, and how they are found."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from velora.errors import UsageError
from velora.grading import log
from velora.grading.log import FileLog
from velora.grading.parsers import registry
from velora.grading.parsers.text import lines, plain
from velora.grading.protocol import Status
from velora.languages.profiles import ALL

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
        parsed = registry.parse(name, text).parsed
        for result in parsed.results.values():
            assert isinstance(result.status, Status)
            assert 1 <= result.line <= count


@given(LOGS)
def test_nothing_is_invented(text: str) -> None:
    for result_name in registry.parse("pytest", text).parsed.results:
        assert result_name in text.replace("\x1b[0m", "")
    for result_name in registry.parse("unittest", text).parsed.results:
        assert result_name.rpartition(".")[2].split(" ")[0] in text.replace("\x1b[0m", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "auto"),
        ("auto", "auto"),
        ("pytest", "pytest"),
        (" unittest ", "unittest"),
        ("python/parse_log_pytest_v3", "python/parse_log_pytest_v3"),
        ("parse_log_pytest_v3", "python/parse_log_pytest_v3"),
        ("pytest+parse_log_unittest", "pytest+python/parse_log_unittest"),
    ],
)
def test_the_names_that_datasets_use(name: str, expected: str) -> None:
    assert registry.resolve(name) == expected


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("pytets", "did you mean 'pytest'"),
        ("python/parse_log_pytest_v4", "python/parse_log_pytest_v"),
        ("java/parse_log_pytest_v3", "python/parse_log_pytest_v3"),
        ("pytest+nothing", "known"),
    ],
)
def test_an_unknown_name_is_an_error(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="unknown test output parser") as caught:
        registry.resolve(name)
    assert hint in str(caught.value)


UNITTEST = f"test_a (m.C) ... ok\n\n{'-' * 70}\nRan 1 test in 0.1s\n\nOK\n"
PYTEST = """=== test session starts ===
collected 1 item
a.py::t PASSED [100%]
=== 1 passed in 0.1s ===
"""


def test_auto_refuses_a_log_that_fits_two() -> None:
    reading = registry.parse("auto", PYTEST + UNITTEST)
    assert (reading.label, reading.parsed.results) == ("auto", {})
    assert "pytest and unittest both fit" in reading.why
    assert reading.candidates == ("pytest", "unittest")


def test_several_parsers_read_one_log() -> None:
    reading = registry.parse("pytest+unittest", PYTEST + UNITTEST)
    assert reading.label == "pytest+unittest"
    assert list(reading.parsed.results) == ["a.py::t", "m.C.test_a"]


def test_the_language_decides_for_a_row_without_parser() -> None:
    reading = registry.parse("", PYTEST + UNITTEST, prefer="pytest")
    assert (reading.label, list(reading.parsed.results)) == ("auto:pytest", ["a.py::t"])
    assert "the language decided" in reading.why
    assert registry.parse("auto", PYTEST + UNITTEST, prefer="pytest").label == "auto"
    assert registry.parse("", UNITTEST, prefer="pytest").label == "auto:unittest"


def test_auto_names_the_line_by_which_it_chose() -> None:
    assert registry.parse("", f"noise\n{PYTEST}").why == "line 2: '=== test session starts ==='"


def test_auto_says_when_nothing_fits() -> None:
    reading = registry.parse("", "make: nothing to be done\n")
    assert reading.label == "auto"
    assert reading.parsed.warnings == ("auto: no parser finds a test in this log",)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_of_cycles_is_left_as_it_was(enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        assert registry.parse("unittest", UNITTEST).parsed.results
        assert gc.isenabled() is enabled
        with pytest.raises(OSError, match="No such file"):
            registry.parse("unittest", FileLog(Path("/nonexistent")))
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


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


@given(st.text(alphabet="ab\r\n\x0c") | LOGS, st.booleans())
def test_lines_are_what_they_are_said_to_be(text: str, raw: bool) -> None:
    expected = []
    bare = text if raw else plain(text)
    for number, line in enumerate(
        (bare + "\n" * (bare[-1:] not in ("", "\n"))).split("\n")[:-1], 1
    ):
        inner = [line] if raw else line.removesuffix("\r").split("\r")
        expected += [(number, piece) for piece in inner]
    assert list(lines(text, raw=raw)) == expected


@given(st.binary(max_size=60) | LOGS.map(str.encode), st.integers(1, 7))
def test_a_file_has_the_lines_of_its_text(data: bytes, block: int) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name) / "log"
        path.write_bytes(data)
        patch.setattr(log, "_BLOCK", block)
        expected = list(lines(data.decode("utf-8", "replace")))
        assert list(FileLog(path).lines()) == expected


def test_of_an_endless_line_only_so_much_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n" + b"x" * 5_000_000 + b"\nthree\n" + b"y" * 3_000_000)
    file = FileLog(path, longest=1000)
    assert list(file.lines()) == [(1, "one"), (2, "x" * 1000), (3, "three"), (4, "y" * 1000)]
    assert file.warnings == (
        "line 2 has 5,000,000 bytes; only the first 1,000 were read",
        "line 4 has 3,000,000 bytes; only the first 1,000 were read",
    )


def test_the_parsers_that_others_name_are_there() -> None:
    known = set(registry.FRAMEWORKS)
    for framework in (*registry.FRAMEWORKS.values(), *registry.REFERENCE.values()):
        assert set(framework.strict) <= known, framework.name
        assert set(framework.hosts) <= known, framework.name
    assert {profile.parser for profile in ALL if profile.parser} <= known
