"""VeloraHarness's rules: the readers against a second statement of the rules, on all logs of the
corpus and on logs that Hypothesis makes; and the cases that are easy to get wrong, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading import reference_rules, reference_rules_native
from tests.grading.reference_lines import LOGS
from velora.grading.parsers import registry
from velora.grading.parsers.registry import REFERENCE
from velora.grading.protocol import Parsed

RULES = reference_rules.RULES | reference_rules_native.RULES
NAMES = sorted(RULES)
TEXTS = sorted((Path(__file__).parent / "logs").glob("**/*.txt"))


def read(name: str, text: str) -> dict[str, str]:
    parsed = REFERENCE[name].parse(text)
    return {key: str(result.status) for key, result in parsed.results.items()}


def ruled(name: str, text: str) -> dict[str, str]:
    """What the rules say. Names of blanks alone mean nothing and are left out."""
    return {key: status for key, status in RULES[name](text).items() if key.strip()}


def test_every_parser_is_stated_twice() -> None:
    assert set(RULES) == set(REFERENCE)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_found_with_and_without_their_language(name: str) -> None:
    assert registry.resolve(name) == name
    bare = registry.resolve(name.rpartition("/")[2])
    assert REFERENCE[bare].reader is REFERENCE[name].reader
    assert REFERENCE[name].raw
    assert REFERENCE[name].strict


@pytest.mark.parametrize("log", TEXTS, ids=lambda log: f"{log.parent.name}/{log.stem}")
def test_on_the_corpus(log: Path) -> None:
    text = log.read_bytes().decode("utf-8", "replace").removesuffix("\n") + "\n"
    for name in NAMES:
        assert read(name, text) == ruled(name, text), name


@given(LOGS)
@settings(max_examples=200, deadline=None)
def test_on_made_logs(text: str) -> None:
    for name in NAMES:
        assert read(name, text) == ruled(name, text), name


@given(st.text(max_size=80) | LOGS.map(lambda text: text.replace("\n", "\r")))
@settings(max_examples=200, deadline=None)
def test_no_text_is_too_odd(text: str) -> None:
    count = text.count("\n") + 1
    for name in NAMES:
        for result in REFERENCE[name].parse(text).results.values():
            assert 1 <= result.line <= count


P, F, E, S = "PASSED", "FAILED", "ERROR", "SKIPPED"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("python/parse_log_pytest", "PASSED t.py::t[a b]\nPASSED t.py::t[a c]", {"t.py::t[a": P}),
        ("python/parse_log_pytest", "SKIPPED [1] t.py:3: no", {"[1]": S}),
        ("python/parse_log_pytest", "FAILED t.py::a - x\nPASSED t.py::a", {"t.py::a": P}),
        ("python/parse_log_pytest", "t.py::a PASSED", {}),
        ("python/parse_log_pytest_v2", "PASSED t.py::t[5m]", {"t.py::t]": P}),
        ("python/parse_log_pytest_v2", "PASSED t.py::a\tb", {"t.py::ab": P}),
        ("python/parse_log_pytest_v2", "\x1b[31mFAILED\x1b[0m t.py::a", {"t.py::a": F}),
        ("python/parse_log_pytest_v2", "\x1b[1;31mFAILED t.py::a", {}),
        ("python/parse_log_pytest_v2", "t.py::a PASSED", {"t.py::a": P}),
        ("python/parse_log_pytest_v2", "t.py::a PASSED [ 10%]", {}),
        ("python/parse_log_pytest_v3", "ERROR tests/x.py - boom", {"tests/x.py": E}),
        ("python/parse_log_pytest_v3", "PASSED t.py::t[a - b]", {"t.py::t[a": P}),
        ("python/parse_log_pytest_v3", "t.py::a FAILED", {"t.py::a": F}),
        ("python/parse_log_pytest_options", "PASSED t[/a/b c]", {"t[/a/b": P}),
        ("python/parse_log_pytest_options", "PASSED t[/a/b]", {"t[/b]": P}),
        ("python/parse_log_pytest_options", "PASSED t[//a/b]", {"t[//a/b]": P}),
        ("python/parse_log_pytest_options", "PASSED t[/a/*]", {"t[/a/*]": P}),
        ("python/parse_log_pytest_swesmith", "t.py::a   PASSEDx", {"t.py::a": P}),
        ("python/log_parser_hips_autograd", "[gw1] PASSED a\n[gw10] PASSED b", {"a": P}),
        ("python/log_parser_paramiko_paramiko", "PASSED  a\nFAILED b", {"b": F}),
        ("python/parse_log_matplotlib", "PASSED t[MouseButton.RIGHT]", {"t[3]": P}),
        ("python/parse_log_seaborn", "ERROR a\na PASSED [1%]\nFAILED b - x", {"a": P, "b": F}),
        ("python/parse_log_sympy", "__ a.py:test_x __\ntest_x ok", {"a.py:test_x": F, "test_x": P}),
        ("python/log_parser_python_mypy", "[gw0] PASSED a::b\nFAILED c - d", {"a::b": P, "d": F}),
        (
            "python/parse_log_django",
            "test_a (m.C) ... FAIL\nFAIL: test_a (m.C)",
            {"test_a (m.C)": F, "test_a": F},
        ),
        ("python/parse_log_django", "test_a (m.C) ... noise\nok", {"test_a (m.C)": P}),
        ("python/parse_log_unittest", "test_a (m.C.test_a) ... ok", {"m.C.test_a.test_a": P}),
        ("python/parse_log_unittest", "test_a (m.C) ... ok", {"m.C.test_a": P}),
        ("python/parse_log_unittest", "test_a (m.C) ... FAIL\nall ok", {"m.C.test_a": P}),
        ("python/parse_log_unittest", "test_a (m.C) ... ERROR\ntest_", {"test_a": E}),
        ("python/parse_log_unittest", "test_a (m.C)\nDoc. ... ok", {"m.C.test_a": P}),
        ("java/parse_log_junit", "a.B,c,PASS", {'"a.B.c"': P}),
        ("java/parse_log_junit", "a.B,c(1, 2),PASS", {}),
        ("java/parse_log_junit", '["a.B,c,PASS",\n"a.B,d,odd"]', {'"a.B.c"': P, '"a.B.d"': S}),
        ("java/parse_log_maven", "-Dtest=A#b\nBUILD SUCCESS\nBUILD FAILURE", {"A#b": F}),
        ("javascript/parse_log_jest", "✓ a (2 ms)\n✕ a\n✓ b (1.2 s)", {"a": F, "b (1.2 s)": P}),
        ("javascript/parse_log_jest", "✎ todo it\n○ skipped it", {"skipped it": S}),
        ("javascript/parse_log_jest_json", "[PASSED] a b\n[PENDING] c", {"a b": P}),
        (
            "javascript/parse_log_mocha_json",
            '["pass",{"title":"adds","file":"/app/a.js"}]',
            {"[4d170] adds": P},
        ),
        ("go/parse_log_gotest_json", '{"Action":"skip","Package":"p","Test":"T"}', {}),
        ("go/parse_log_gotest", "    --- PASS: TestA/b_c (0.1s)", {"TestA/b_c": P}),
        ("go/parse_log_go_test", "--- PASS: TestA/b (0s)\n--- FAIL: TestA (0s)", {"TestA": F}),
        ("rust/parse_log_cargo_test", "test a ...\nok\ntest b - should panic ... ok", {"a": P}),
        ("rust/parse_log_cargo", "test a - should panic ... ok", {"a - should panic": P}),
        ("c/parse_log_check_framework", "c.c:1:P:s:t:0: Passed", {"c.c:1": P}),
        ("c/parse_log_check_framework", "1/2 Test #1: a ....***Failed", {}),
        ("c/parse_log_check_framework", "1/2 Test #1: a b .... Passed", {"a b": P}),
        ("cpp/parse_log_google_test", "[       OK ] S.T/0 (1 ms)", {"S.T/0": P}),
        ("cpp/parse_log_google_test", "[  FAILED  ] S.T/0, where GetParam() = 4 (0 ms)", None),
        ("cpp/parse_log_catch2", "PASS: a\nTestsuite summary for x 1", {"x.a": P}),
        ("cpp/parse_log_catch2", "ok 1 - a: b # SKIP", {"a": P}),
        ("c/parse_log_meson", "1/2 a-b OK 0.1s\n2/2 a b OK 0.1s", {"a-b": P}),
        ("generic/parse_log_make", "FAIL: T\n--- PASS: T (0s)", {"T": F}),
        (
            "php/parse_log_phpunit",
            "Calc (A\\CalcTest)\n ✔ HTTP client v2",
            {"A\\CalcTest::testHttpClientV2": P},
        ),
        ("php/parse_log_phpunit", "A\\B::testToken", {"A\\B::testToken": P}),
        ("ruby/parse_log_minitest", "A#test_a? = 0.1 s = .\nA#test_b = 0.1 s = N", {"A#test_b": S}),
        ("ruby/parse_log_rspec", "a - b - passed", {"a - b": P}),
    ],
)
def test_by_hand(name: str, text: str, expected: dict[str, str] | None) -> None:
    found = read(name, text + "\n")
    assert found == ({"S.T/0, where GetParam": F} if expected is None else expected)


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("c/parse_log_check_framework", "66%: Checks: 3, Failures: 1, Errors: 0", 3),
        ("c/parse_log_check_framework", "50% tests passed, 1 tests failed out of 2", 2),
        ("cpp/parse_log_google_test", "[  PASSED  ] 2 tests.", 2),
        ("cpp/parse_log_google_test", "[doctest] test cases: 3 | 2 passed | 1 failed", 3),
        ("cpp/parse_log_google_test", "ok 1\nok 2", 2),
        ("cpp/parse_log_google_test", "Running 3 test cases...", 3),
        ("cpp/parse_log_google_test", "# TOTAL: 2\n# PASS: 2", 2),
        ("cpp/parse_log_google_test", "Checks\n[  PASSED  ] 999999999 tests.", 10_000),
        ("go/parse_log_go_test", "FAIL a [build failed]", 1),
        ("swelancer/parse_log_exitcode", "exit code: 0", 1),
    ],
)
def test_names_made_from_counts_say_so(name: str, text: str, names: int) -> None:
    results = REFERENCE[name].parse(text).results
    assert len(results) == names
    assert all(result.invented for result in results.values())


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("python/parse_log_pytest", "ERRORS are many"),
        ("python/parse_log_pytest_v2", "PASSED: it"),
        ("python/parse_log_pytest_v3", "one two PASSED"),
        ("python/parse_log_seaborn", "FAILED"),
        ("python/parse_log_django", "FAIL:"),
        ("javascript/parse_log_mocha_json", "7"),
        ("go/parse_log_gotest_json", "[1]"),
        ("go/parse_log_gotest_json", '{"Action":"pass","Test":"T"}'),
    ],
)
def test_a_line_that_breaks_the_original_is_skipped(name: str, line: str) -> None:
    parsed = REFERENCE[name].parse(f"{line}\n")
    assert parsed.results == {}
    assert "line 1: VeloraHarness's parser breaks off here" in parsed.warnings[0]


def test_a_report_in_the_log_comes_first() -> None:
    report = '<?xml version="1.0"?><testsuite><testcase classname="S" name="T"/></testsuite>'
    log = f"[       OK ] S.Other (1 ms)\n{report}\nmake: done\n"
    assert read("cpp/parse_log_google_test", log) == {"S.T": "PASSED"}
    broken = log.replace("/></", "><system-out/></testcase></")
    assert read("cpp/parse_log_google_test", broken) == {"S.Other": "PASSED"}


def test_how_often_a_name_was_seen() -> None:
    parsed: Parsed = REFERENCE["javascript/parse_log_jest"].parse("✓ a\n✓ b\n✕ a\n")
    assert {name: result.times for name, result in parsed.results.items()} == {"a": 2, "b": 1}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "part",
    [" ", "(", "[ ", "a", "1", ".", "Test #1: a ", "test ", "= ", ":P", "::test", "100% tests "],
)
def test_a_hostile_line_costs_no_more_than_its_length(name: str, part: str) -> None:
    heads = ("", "✓ ", "[ OK ] ", "1/2 Test #1: ", "Test a", "Ns\\A::test ", "A#b = ", "test a ")
    for head in heads:
        REFERENCE[name].parse(head + part * (50_000 // len(part)))
