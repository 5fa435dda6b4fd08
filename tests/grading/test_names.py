"""By which rules a listed name stands for tests of the log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velora.grading.names import AMBIGUOUS, EXACT, MISSING, Match, NameIndex, alike
from velora.grading.names.families import FAMILIES
from velora.grading.names.parts import PARTS
from velora.grading.names.spellings import plain
from velora.grading.protocol import Status, TestResult


def index(*names: str, raw: str = "") -> NameIndex:
    return NameIndex({name: TestResult(Status.PASSED, 1, raw) for name in names})


@pytest.mark.parametrize(
    ("listed", "in_log", "rule"),
    [
        ("m.C.test_a", "m.C.test_a", "exact"),
        ("t.py::test_a[mol", "t.py::test_a[mol per l]", "cut_at_blank"),
        ("t.py::test_a[x[y]", "t.py::test_a[x[y] z]", "cut_at_blank"),
        ("t.py::test_a[b", "t.py::test_a[b[5m] c]", "missing"),
        ("t.py::test_a[b]", "t.py::test_a[b[5m]", "pytest_cleaned"),
        ("t.py::test_a[/c.txt]", "t.py::test_a[/a/b/c.txt]", "pytest_options"),
        ("test_a (m.C)", "m.C.test_a", "unittest_spaced"),
        ("test_a (m.C.test_a)", "m.C.test_a", "unittest_spaced"),
        ("m.C.test_a", "test_a (m.C)", "unittest_spaced"),
        ("m.C.test_a.test_a", "m.C.test_a", "unittest_doubled"),
        ("m.C.test_a", "m.C.test_a.test_a", "unittest_doubled"),
        ("test_a (m.C)", "m.C.test_a.test_a", "unittest_spaced"),
        ("test_adds (Acme::Calc)", "Acme::Calc#test_adds", "minitest"),
        ("Acme::Calc#test_adds", "test_adds (Acme::Calc)", "minitest"),
        (r"Acme\\CalcTest::testAdds", r"Acme\CalcTest::testAdds", "php_backslashes"),
        (r"Acme\CalcTest::testHTTPClientV2", r"Acme\Calc > H t t p client v 2", "phpunit_testdox"),
        (r"Acme\CalcTest::testAddsTwo", r"Acme\CalcTest > Adds two", "phpunit_testdox"),
        (r"Acme\Calc > Adds two", r"Acme\CalcTest::testAddsTwo", "phpunit_testdox"),
        (r"Calc (Acme\Calc) > Adds two", r"Acme\CalcTest::testAddsTwo", "phpunit_testdox"),
        ("Calc > Adds two", r"Acme\CalcTest > Adds two", "phpunit_testdox"),
        (r"A\C::testX", r'A\C::testX with data set "a b"', "phpunit_data_sets"),
        (r"A\CTest::testX", r'A\C > X with data set "a b"', "phpunit_testdox"),
        ('"com.acme.CalcTest.adds"', "com.acme.CalcTest.adds", "junit_quoted"),
        ("com.acme.CalcTest#adds", "com.acme.CalcTest.adds", "separators"),
        ("com.acme.CalcTest::adds", "com.acme.CalcTest.adds", "separators"),
        ("com.acme.CalcTest > adds()", "com.acme.CalcTest.adds", "separators"),
        ("adds(com.acme.CalcTest)", "com.acme.CalcTest.adds", "separators"),
        ("com.acme.Outer.Inner.adds", "com.acme.Outer$Inner.adds", "separators"),
        ("Outer > Inner > adds()", "Outer$Inner.adds", "separators"),
        ("CalcTest > adds()", "com.acme.CalcTest.adds", "jvm_unqualified"),
        ("CalcTest.adds", "com.acme.CalcTest.adds", "jvm_unqualified"),
        ("TestX/sub_a", "example.com/p/TestX/sub_a", "go_unqualified"),
        ("TestX/sub a", "example.com/p/TestX/sub_a", "go_unqualified"),
        ("example.com/p/TestX/sub a", "example.com/p/TestX/sub_a", "go_subtest"),
        ("calc::tests::adds", "krate::calc::tests::adds", "rust_unqualified"),
        ("src/lib.rs - add (line 3)", "krate::src/lib.rs - add (line 3)", "rust_unqualified"),
        ("adds two", "src/a.test.js > calc > adds two", "title"),
        ("calc adds two", "src/a.test.js > calc > adds two", "title"),
        ("calc > adds two", "src/a.test.js > calc > adds two", "title"),
        ("calc adds two", "calc > adds two", "titles_joined"),
        ("calc > adds two", "calc adds two", "titles_joined"),
        ("[0a1b2] adds two", "calc > adds two", "mocha_file"),
        ("adds two (1.2 s)", "src/a.test.js > calc > adds two", "durations+title"),
        ("adds two [1.3 ms]", "adds two (12 ms)", "durations"),
        ("adds two in 29 msec", "adds two", "durations"),
        ("calc > adds two 3ms", "calc > adds two", "durations"),
        ("TestA.test_b[x.y]", "t.py::TestA::test_b[x.y]", "pytest_unqualified"),
        ("test_b[x.y]", "r2e_tests/t.py::test_b[x::y]", "pytest_unqualified"),
        ("test_b[a", "t.py::test_b[a - b]", "pytest_unqualified"),
        ("\x1b[1mtest_b\x1b[0m", "t.py::test_b", "pytest_unqualified"),
        ("\x1b[1mTestA.test_b[1\x1b[0m - 2]", "t.py::TestA::test_b[1 - 2]", "pytest_unqualified"),
        ("test_x", "sympy/core/tests/test_basic.py:test_x", "sympy_unqualified"),
        ("src/a.test.js:adds", "src/a.test.js > calc > adds", "file_and_title"),
        ("a.test.ts:is: a > b", "a.test.ts > calc > is: a > b", "file_and_title"),
    ],
)
def test_spellings(listed: str, in_log: str, rule: str) -> None:
    names = () if rule == MISSING else (in_log,)
    assert index(in_log).match(listed) == Match(rule, names)


@pytest.mark.parametrize(
    ("listed", "in_log"),
    [
        ("t.py::test_a", "t.py::test_ab"),
        ("t.py::test_ab", "t.py::test_a"),
        ("t1.py::test_a", "t2.py::test_a"),
        ("test_a", "t.py::TestA::test_a"),
        ("TestA.test_a", "t.py::TestB::TestA::test_a"),
        ("test_a", "t.py::test_a[1]"),
        ("est_a", "t.py::test_a"),
        ("a.b", "docs/t.rst::a::b"),
        ("test_x", "sympy/core/tests/test_basic.py:test_xy"),
        ("x", "sympy/core/tests/test_basic.py:x"),
        ("a.test.js:adds", "src/a.test.js > adds"),
        ("src/a.test.js:calc", "src/a.test.js > calc > adds"),
        ("src/b.test.js", "src/a.test.js > adds"),
        ("a.test.js", "src/a.test.js > adds"),
        ("com.acme.Calc", "com.acme.CalcTest.adds"),
        ("acme.CalcTest", "com.acme.CalcTest.adds"),
        ("CalcTest", "com.acme.CalcTest.adds"),
        ("com.acme.Outer$Inner", "com.acme.Outer.adds"),
        ("t.py::test_a", "t.py::test_a[1]"),
        ("t.py::test_a[mol", "t.py::test_a[mol]"),
        ("t.py::test_a[mol", "t.py::test_a[mole x]"),
        ("[", "t.py::test_a[1 2]"),
        ("[1]", "t.py::test_a[1]"),
        ("m.test.test", "m.test"),
        ("m.C.test_a", "other.C.test_a"),
        ("p/TestX", "q/TestX"),
        ("TestX", "p/TestX/sub"),
        ("adds", "calc > adds two"),
        ("b::adds", "krate::a::adds"),
        ("other.CalcTest.adds", "com.acme.CalcTest.adds"),
        ("calc > adds-two", "calc > adds two"),
        (r"A\CTest::testAddsTwo", r"B\C > Adds two"),
        ("[100%]", "t.py::test_a"),
        ("", "a"),
        ("waits (1 s) more", "waits more"),
        ("waits 5ms", "waits 6ms"),
        ("ends in 5 seconds", "ends in 6 seconds"),
        ("waits", "waits 6ms"),
    ],
)
def test_no_match(listed: str, in_log: str) -> None:
    assert index(in_log).match(listed) == Match(MISSING)


@pytest.mark.parametrize(
    ("listed", "in_log", "rule"),
    [
        ("t::u[mol", ["t::u[mol a]", "t::u[mol b]"], "cut_at_blank"),
        ("TestX", ["p/TestX", "q/TestX"], "go_unqualified"),
        ("adds", ["a.js > adds", "b.js > calc > adds"], "title"),
        ("calc adds", ["a.js > calc > adds", "b.js > calc > adds"], "title"),
        ("calc::adds", ["one::calc::adds", "two::calc::adds"], "rust_unqualified"),
        ("CalcTest.adds", ["a.CalcTest.adds", "b.CalcTest.adds"], "jvm_unqualified"),
        ("[0a1b2] adds", ["a.js > adds", "b.js > adds"], "mocha_file"),
        ("x a b", ["x > a b", "x a > b"], "title"),
        ("T.test_a", ["a.py::T::test_a", "b.py::T::test_a"], "pytest_unqualified"),
        ("test_a", ["a.py::test_a", "b.py::test_a"], "pytest_unqualified"),
        ("test_a[1", ["a.py::test_a[1 - 2]", "a.py::test_a[1 - 3]"], "pytest_unqualified"),
        ("test_x", ["a.py:test_x", "b.py:test_x"], "sympy_unqualified"),
        ("a.js:x", ["a.js > one > x", "a.js > two > x"], "file_and_title"),
    ],
)
def test_a_part_stands_for_every_test_that_has_it(
    listed: str, in_log: list[str], rule: str
) -> None:
    assert index(*in_log, "other", "t::u[mol]").match(listed) == Match(rule, tuple(in_log))


@pytest.mark.parametrize(
    ("listed", "in_log", "rule"),
    [
        (
            "com.acme.CalcTest",
            ["com.acme.CalcTest$Inner.testA", "com.acme.CalcTest.1 + 1 = 2", "com.acme.CalcTest.b"],
            "class",
        ),
        ("com.acme.Outer$Inner", ["com.acme.Outer$Inner.adds(int, int)[1]"], "class"),
        (
            "com.acme.CalcTest",
            ["com.acme.CalcTest > adds()", "com.acme.CalcTest > subs()"],
            "class",
        ),
        ("com.acme.CalcTest", ["adds(com.acme.CalcTest)"], "class"),
        ("src/a.test.js", ["src/a.test.js > adds", "src/a.test.js > calc > adds"], "file"),
        ("src/a.spec.ts  (23 tests)", ["src/a.spec.ts > adds"], "file"),
        ("src/a.spec.ts (23 tests | 1 skipped) 41ms", ["src/a.spec.ts > adds"], "durations+file"),
    ],
)
def test_a_suite_stands_for_its_tests(listed: str, in_log: list[str], rule: str) -> None:
    others = ("com.acme.CalcTestTwo.a", "src/a.test.jsx > adds", "src/b.spec.ts > adds")
    assert index(*in_log, *others).match(listed) == Match(rule, tuple(sorted(in_log)), suite=True)


@pytest.mark.parametrize(
    ("listed", "in_log"),
    [
        ("m.C.test_a", ["test_a (m.C)", "test_a (m.C.test_a)"]),
        ("com.acme.A#b", ["com.acme.A.b", "com.acme.A::b"]),
        (r"A\CTest::testAb", [r"A\C > Ab", r"A\C > A b"]),
        ('"a.B.c"', ["a.B#c", "a.B > c()"]),
        ("TestX", ["p/TestX", "calc > TestX"]),  # two rules, two tests
        ("test_a", ["t.py::test_a", "t.py:test_a"]),
        ("test_a", ["t.py::test_a", "a.js > test_a"]),
        ("src/a.js", ["src/a.js > b", "krate::src/a.js"]),
    ],
)
def test_two_tests_for_one_spelling_are_ambiguous(listed: str, in_log: list[str]) -> None:
    assert index(*in_log).match(listed) == Match(AMBIGUOUS)


def test_the_exact_name_comes_first() -> None:
    names = index("m.C.test.test", "m.C.test", "adds", "calc > adds")
    assert names.match("m.C.test.test") == Match(EXACT, ("m.C.test.test",))
    assert names.match("adds") == Match(EXACT, ("adds",))


def test_a_docstring() -> None:
    names = index("m.C.test_a", raw="Adds two numbers. ... ok")
    assert names.match("Adds two numbers.") == Match("docstring", ("m.C.test_a",))
    assert names.match("Adds two") == Match(MISSING)
    assert index("m.C.test_a", raw="test_a (m.C) ... ok").match("test_a") == Match(MISSING)
    shared = index("m.C.test_b", raw="test_a (m.C) ... test_b (m.C) ... ok")
    assert shared.match("test_a (m.C)") == Match(MISSING)
    printed = index("m.C.test_b", raw="test_a (m.C) ... ok")
    assert printed.match("test_a (m.C)") == Match(MISSING)


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("lib.a", "a", True),
        ("t.py::t[x]", "t.py::t[x] - y]", True),
        ("a name: with", "a name: with (blanks)", True),
        ("is: nested > by name", "a.js > calc > is: nested > by name", True),
        ("good.c:3", "all:one:0", True),
        ("m.C.test_writes", "m.C.test_other", False),
        ("lib.ba", "a", False),
        ("adds", "adds_two", False),
        ("", "a", False),
    ],
)
def test_names_of_one_line(name: str, other: str, expected: bool) -> None:
    assert alike(name, other) is expected
    if not name.endswith(":3"):
        assert alike(other, name) is expected


TEXTS = st.text("abC.:# >()[]\\/\"' 1smTest", max_size=24)


@given(TEXTS)
def test_rules_take_any_text(name: str) -> None:
    text, rules = plain(name)
    assert bool(rules) == (text != name)
    for family in FAMILIES:
        other = family(name)
        assert other is None or (other[0] and other[1] != name)
    for part in PARTS:
        assert all(isinstance(key, str) for key in (*part.shown(name), part.asked(name)))


@given(st.lists(TEXTS, max_size=5), TEXTS)
def test_no_name_is_matched_that_is_not_there(names: list[str], listed: str) -> None:
    match = index(*names).match(listed)
    assert set(match.names) <= set(names)
    assert (match.rule in (MISSING, AMBIGUOUS)) == (not match.names)
    if listed in names:
        assert match == Match(EXACT, (listed,))
