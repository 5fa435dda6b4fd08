"""False assertions: what is changed in a test's text, and that it fails where nothing is rigged."""

from __future__ import annotations

import ast
import sysconfig
import unittest
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from velora.grading.falsify import language_of, mutate
from velora.grading.falsify.listed import about, files_in, meant
from velora.grading.falsify.tokens import tokens

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning")


class Anything:
    """Equal to whatever it is compared with."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def changed(text: str, language: str = "python") -> str:
    return mutate(text, language).text


def body(statements: str) -> str:
    """A Python test with these statements."""
    return "def test_it():\n" + "".join(f"    {line}\n" for line in statements.splitlines())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("assert a() == b", "assert ((a()) == object() or (b) == object())"),
        ("assert a() == 6", "assert ((a()) == (6 + 7919))"),
        ("assert 6 == a(), 'why'", "assert ((6 + 7919) == (a())), 'why'"),
        ("assert a == 'x' 'y'", "assert ((a) == ('x' 'y' + \"7919\"))"),
        ("assert a == b'x'", "assert ((a) == (b'x' + b\"7919\"))"),
        ("assert a == -1.5", "assert ((a) == object())"),
        ("assert a == 1.5", "assert ((a) == (1.5 + 7919))"),
        ("assert a == True", "assert ((a) == object())"),
        ("assert a == 1e300", "assert ((a) == object())"),
        ("assert a == []", "assert ((a) == object())"),
        ("assert a == [1, 2]", "assert ((a) == [object() for _ in [1, 2]])"),
        ("assert a == (1, *b)", "assert ((a) == tuple(object() for _ in (1, *b)))"),
        ("assert a == (*b,)", "assert ((a) == object())"),
        ("assert a == {'x': 1}", "assert ((a) == {key: object() for key in {'x': 1}})"),
        ("assert a == {**b}", "assert ((a) == object())"),
        ("assert a == b == c", "assert a == b == object()"),
        ("assert ok and (a) == 1", "assert ok and ((a) == (1 + 7919))"),
        ("assert not a != 1", "assert not ((a) != (1 + 7919))"),
        ("if a != b:\n    raise X", "if ((a) != object() and (b) != object()):\n        raise X"),
        ("if a != 1:\n    self.fail()", "if ((a) != (1 + 7919)):\n        self.fail()"),
        ("self.assertEqual(a, 1)", "self.assertEqual(a, (1 + 7919))"),
        ("self.assertEqual(1, a)", "self.assertEqual((1 + 7919), a)"),
        (
            "self.assertEqual(a, b, m)",
            "self.assertEqual(((a) == object() or (b) == object()), True, m)",
        ),
        ("self.assertListEqual(a, b)", "self.assertListEqual(a, object())"),
        ("np.testing.assert_array_equal(a, [1])", None),
        ("eq_(a, None)", "eq_(a, object())"),
        ("with open(p) as f:\n    assert f == 1", None),
        ("for a in [1, 2]:\n    assert a == b", None),
    ],
)
def test_an_equality_becomes_false(before: str, after: str | None) -> None:
    if after is None:
        assert "object()" in changed(body(before)) or "7919" in changed(body(before))
        assert "assert False" not in changed(body(before))
    else:
        assert changed(body(before)) == body(after.replace("\n    ", "\n"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f()\nassert False"),
        ("f()  # why", "f()  # why\nassert False"),
        ("assert a is b", "assert a is b\nassert False"),
        ("assert a in b or a == b", "assert a in b or a == b\nassert False"),
        ("self.assertNotEqual(a, b)", "self.assertNotEqual(a, b)\nassert False"),
        ("self.assertGreaterEqual(a, b)", "self.assertGreaterEqual(a, b)\nassert False"),
        ("self.assertEqual(*a)", "self.assertEqual(*a)\nassert False"),
        ("for x in f():\n    assert x == 1", "for x in f():\n    assert x == 1\nassert False"),
        ("if c:\n    return\nassert x == 1", "assert False\nif c:\n    return\nassert x == 1"),
        ("f(); return", "f(); assert False; return"),
        (
            "with pytest.raises(E):\n    assert x == 1",
            "with pytest.raises(E):\n    assert x == 1\nassert False",
        ),
        (
            "with a:\n    if c:\n        return\nassert x == 1",
            "with a:\n    assert False\n    if c:\n        return\nassert x == 1",
        ),
        (
            "for x in [1]:\n    if c:\n        continue\n    assert x == 1",
            "for x in [1]:\n    assert False\n    if c:\n        continue\n    assert x == 1",
        ),
        (
            "try:\n    assert x == 1\nexcept E:\n    pass",
            "try:\n    assert x == 1\nexcept E:\n    pass\nassert False",
        ),
    ],
)
def test_a_test_without_an_equality_that_is_reached_fails(before: str, after: str) -> None:
    assert changed(body(before)) == body(after)


def test_a_return_of_another_function_does_not_leave_the_test() -> None:
    text = body("def f():\n    return 1\nfor x in y:\n    if x: break\nassert f() == 1")
    assert changed(text) == text.replace("f() == 1", "((f()) == (1 + 7919))")


def test_tests_are_found_by_their_names_and_places() -> None:
    text = """\
import pytest
def helper(): assert a == 1
def test_one(): pass
async def test_two():
    assert await f() == 1
class TestThree:
    class TestInner:
        def test_four(self): assert a == 1
if True:
    def test_five():
        '''Only a docstring.'''
@pytest.mark.xfail
def test_six(): assert a == 1
class Case(unittest.TestCase):
    @unittest.expectedFailure
    def test_seven(self): assert a == 1
    def runTest(self): self.assertEqual(a, 1)
"""
    done = mutate(text, "python")
    assert done.tests == (
        ("test_one",),
        ("test_two",),
        ("TestThree", "TestInner", "test_four"),
        ("test_five",),
        ("Case", "runTest"),
    )
    assert "def test_one(): pass; assert False\n" in done.text
    assert "'''Only a docstring.'''\n        assert False\n" in done.text
    assert done.text.count("7919") == 3
    assert mutate(text, "python", [("test_two",)]).tests == (("test_two",),)


@pytest.mark.parametrize(
    "text",
    ["def test_x(:\n", "x = 1\n", "", "def test_x():\n  print 'python 2'\n", "\0", "\ud800"],
)
def test_what_does_not_parse_or_has_no_test_stays(text: str) -> None:
    assert mutate(text, "python") == mutate(text, "cobol")
    assert mutate(text, "python").text == text


def test_other_line_ends_and_letters_are_kept() -> None:
    text = "\ufeff# ä\r\ndef test_x():\r\n    ä = '€'\r\n    assert 'ä€' == ä # ü\r\n"
    new = "\ufeff# ä\r\ndef test_x():\r\n    ä = '€'\r\n"
    assert changed(text) == f"{new}    assert (('ä€' + \"7919\") == (ä)) # ü\r\n"
    assert changed("def test_x():\n    f()") == "def test_x():\n    f()\n    assert False\n"


def ran(text: str, name: str = "test_it", **known: Any) -> bool:
    """Whether a test passes."""
    space: dict[str, Any] = dict(known)
    exec(compile(text, "t", "exec"), space)
    try:
        space[name]()
    except Exception:
        return False
    return True


EQUALITIES = (
    "assert f(3) == 3",
    "assert 3 == f(3)",
    "assert f('a') == 'a'",
    "assert f([1, 2]) == [1, 2]",
    "assert f({1: 2}) == {1: 2}",
    "assert f((1,)) == (1,)",
    "assert f(None) == None",
    "want = 3\nassert want == f(3)",
    "want = 3\nassert f(3) == want",
    "if f(3) != 3:\n    raise ValueError",
    "assert not f(3) != 3",
    "case.assertEqual(f(3), 3)",
    "case.assertEqual(3, f(3))",
    "want = 3\ncase.assertEqual(want, f(3))",
    "for x in (1, 2):\n    assert f(x) == x",
    "with case.subTest(1):\n    assert f(1) == 1",
)


@pytest.mark.parametrize("statements", EQUALITIES)
def test_honest_code_fails_a_false_assertion_and_a_rigged_comparison_passes_it(
    statements: str,
) -> None:
    text = body(statements)
    case = unittest.TestCase()

    def same(value: Any) -> Any:
        return value

    def anything(value: Any) -> Any:
        return Anything()

    assert ran(text, f=same, case=case)
    assert ran(text, f=anything, case=case)
    new = changed(text)
    assert not ran(new, f=same, case=case)
    assert ran(new, f=anything, case=case)


names = st.sampled_from(["a", "b", "f(a)", "a[0]", "(a)", "await_", "x.y", "lambda: 1"])
literals = st.sampled_from(
    ["1", "-2", "1.5", "'q'", "b'q'", "None", "[1]", "(1, 2)", "{1: 2}", "{}"]
)
operands = names.map(lambda each: f"({each})") | literals
comparisons = st.builds(
    lambda left, sign, right: f"{left} {sign} {right}",
    operands,
    st.sampled_from(["==", "!=", "is", "in"]),
    operands,
)
simple = st.one_of(
    comparisons.map("assert {}".format),
    comparisons.map("assert not {}, 'm'".format),
    st.builds("assert {} and {}".format, comparisons, comparisons),
    st.builds("self.assertEqual({}, {})".format, operands, operands),
    st.builds("assert_array_equal({}, {}, x={})".format, operands, operands, operands),
    st.builds("assert (yield {}) == {}".format, operands, operands),
    st.builds("assert (z := {}) == {}".format, operands, operands),
    st.builds("assert f'{{{}}}' == {}".format, st.sampled_from("ab"), operands),
    st.builds("assert [q for q in {}] == {}  # {}".format, operands, operands, operands),
    st.sampled_from(["pass", "return", "x = 1; y = 2", "x = '''a\n b'''", "assert a == [\n1]"]),
)


def block(head: str, lines: list[str]) -> str:
    return head + "".join(f"\n    {line}" for one in lines for line in one.split("\n"))


# A string over several lines is indented with the rest: it stays one.
compound = st.recursive(
    simple,
    lambda inner: st.builds(
        block,
        st.sampled_from(
            ["if a != b:", "for x in [1]:", "for x in y:", "while x:", "with a:", "def g():"]
        ),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
functions = st.builds(
    block,
    st.sampled_from(["def test_a():", "async def test_b():", "@given(x)\ndef test_c(x):"]),
    st.lists(compound, min_size=1, max_size=4),
)
modules = st.builds(
    lambda parts, end: "\n".join(parts) + end,
    st.lists(functions | functions.map(lambda each: block("class TestX:", [each])), min_size=1),
    st.sampled_from(["", "\n", "\n\n# end"]),
)


@settings(max_examples=200, deadline=None)
@given(modules, st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_parsed_parses_and_only_tests_are_changed(text: str, newline: str) -> None:
    text = text.replace("\n", newline)
    done = mutate(text, "python")
    try:
        compile(text, "t", "exec")
    except SyntaxError:
        return
    tree = ast.parse(done.text)
    assert bool(done.tests) == (done.text != text)
    assert [n.name for n in ast.walk(tree) if hasattr(n, "name")] == [
        n.name for n in ast.walk(ast.parse(text)) if hasattr(n, "name")
    ]


@settings(max_examples=200, deadline=None)
@given(st.text(), st.sampled_from(["python", "javascript", "typescript"]))
def test_any_text_is_taken(text: str, language: str) -> None:
    done = mutate(text, language)
    assert bool(done.tests) == (done.text != text)


def _sources() -> list[Path]:
    library = Path(sysconfig.get_path("stdlib"))
    here = Path(__file__).parents[1]
    return [*sorted(here.rglob("test_*.py")), *sorted(library.glob("**/test_*.py"))[:80]]


def test_real_tests_stay_python() -> None:
    count = 0
    for path in _sources():
        try:
            text = path.read_text()
            compile(text, "t", "exec")
        except (UnicodeDecodeError, SyntaxError, ValueError):
            continue
        done = mutate(text, "python")
        compile(done.text, str(path), "exec")
        count += len(done.tests)
    assert count > 500


JS = """\
const test = require('node:test'), assert = require('node:assert')
test('one', () => assert.strictEqual(total([1, 2]), 3))
describe("suite", () => {
  it(`two`, async () => {
    const twice = (x) => { return x * 2 } // return
    expect(await twice(1)).toEqual({ a: [1, 2] });
    expect(1).toBe(1)
  })
  describe('inner', function () {
    it.only('it\\'s three', function () {
      expect(x).not.toBe(1)
      assert.deepEqual([1], y(')'), 'message')
    })
  })
})
test('four', { timeout: 1 }, async (t) => {
  await t.test('sub', () => { t.assert.equal(a / b, /[/)]/.exec(c)) })
  return expect(p).resolves.toBe(1)
})
"""


def test_javascript() -> None:
    done = mutate(JS, "javascript")
    assert done.tests == (
        ("one",),
        ("suite", "two"),
        ("suite", "inner", "it's three"),
        ("four",),
        ("four", "sub"),
    )
    for old, new in (
        ("total([1, 2]), 3)", "total([1, 2]), Symbol())"),
        ("toEqual({ a: [1, 2] })", "toEqual(Symbol())"),
        ("deepEqual([1], y(')'), 'message')", "deepEqual(Symbol(), y(')'), 'message')"),
        ("/[/)]/.exec(c)", "Symbol()"),
        ("resolves.toBe(1)", "resolves.toBe(Symbol())"),
    ):
        assert old in JS
        assert new in done.text
    assert done.text.count("Symbol()") == 5
    assert mutate(JS, "javascript", [("one",)]).text.count("Symbol()") == 1
    assert "toBe((Symbol() as any))" in mutate(JS, "typescript").text


@pytest.mark.parametrize(
    "statements",
    [
        "if (a) expect(a).toBe(1)",
        "if (a)\n expect(a).toBe(1)",
        "if (a) { expect(a).toBe(1) }",
        "if (a) {} else\n expect(a).toBe(1)",
        "for (const x of y) expect(x).toBe(1)",
        "try { expect(x).toBe(1) } catch {}",
        "y.forEach((x) => expect(x).toBe(1))",
        "y.then(() => { expect(x).toBe(1) })",
        "a && expect(x).toBe(1)",
        "const f = () =>\n expect(x).toBe(1)",
        "expect(x).resolves.toBe(1)",
        "expect(x).not.toBe(1)",
        "expect(x).toBe(...y)",
        "assert.equal(...y, 1)",
        "assert.equal(y)",
        "assert(x === 1)",
    ],
)
def test_what_may_not_be_reached_in_javascript_stays(statements: str) -> None:
    text = f"test('x', () => {{\n {statements}\n}})\n"
    new = f"test('x', () => {{\n {statements}\n;throw new Error('false') }})\n"
    assert mutate(text, "javascript").text == new


@pytest.mark.parametrize(
    "callback",
    [
        "() => { if (a) { return }\n expect(a).toBe(1) }",
        "() => { if (a) return\n expect(a).toBe(1) }",
        "() => { if (a) return expect(a).toBe(1)\n expect(a).toBe(2) }",
        "function () { return a().then((x) => expect(x).toBe(1)) }",
        "() => a()",
        "() => a && expect(a).toBe(1)",
        "callback",
    ],
)
def test_what_may_end_before_in_javascript_stays(callback: str) -> None:
    text = f"test('x', {callback})\n"
    assert mutate(text, "javascript").text == text


@pytest.mark.parametrize(
    "statements",
    [
        "expect(a)\n  .toBe(1)",
        "f()\n expect(a).toBe(1)",
        "const a = b[1]\n expect(a).toBe(1)",
        "f((x) => { return x })\n expect(a).toBe(1)",
        "f(function (x) { return x }); expect(a).toBe(1)",
        "if (a) { b() }\n expect(a).toBe(1)",
        "const s = `${f({ a: `}` })}`; expect(a).to.deep.equal(1)",
        "await expect(a).resolves.toBe(1)",
        "const r = /\\/[)/]/; strictEqual(a, 1)",
        "const d = a / b; const e = (c) / d; assert.strict.equal(a, 1)",
        "// it's\n /* ( */ t.is(a, 1)",
    ],
)
def test_what_is_reached_in_javascript_becomes_false(statements: str) -> None:
    text = f"test('x', async (t) => {{\n {statements}\n}})\n"
    new = mutate(text, "javascript").text
    assert new != text
    assert new == text.replace("1)\n})", "Symbol())\n})")


@pytest.mark.parametrize("text", ["test('x', () => {", "(]", "`${", "`", "/*"])
def test_brackets_that_do_not_fit_change_nothing(text: str) -> None:
    assert mutate(text, "javascript").text == text
    assert tokens(text) is None or text == "/*"


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        ("tests/t.py::test_a", {("test_a",)}),
        ("tests/t.py::test_a[x::y.test_b]", {("test_a",)}),
        ("tests/t.py::A::test_a", {("A", "test_a")}),
        ("tests/t.py::B::test_c", {("C", "test_c")}),
        ("test_a (tests.t.A)", {("A", "test_a")}),
        ("test_a (tests.t.A.test_a)", {("A", "test_a")}),
        ("tests.t.A.test_a", {("A", "test_a")}),
        ("tests/test_a.py::test_b", set()),
        ("test_a", {("test_a",)}),
    ],
)
def test_names_of_python_tests(name: str, tests: set[tuple[str, ...]]) -> None:
    known = [("test_a",), ("A", "test_a"), ("C", "test_c")]
    assert meant([name], known, "python").get(name, set()) == tests


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        ("works", {("works",)}),
        ("suite works", {("suite", "works")}),
        ("test/a.test.js > suite > works (12 ms)", {("suite", "works")}),
        ("suite > reworks", set()),
        ("other > runs", {("suite", "runs")}),
    ],
)
def test_names_of_javascript_tests(name: str, tests: set[tuple[str, ...]]) -> None:
    known = [("works",), ("suite", "works"), ("suite", "runs")]
    assert meant([name], known, "javascript").get(name, set()) == tests


@pytest.mark.parametrize(
    ("function", "given_", "wanted"),
    [
        (language_of, "a/b.test.ts", "typescript"),
        (language_of, "a/b.mjs", "javascript"),
        (language_of, "a.py", "python"),
        (language_of, "a.go", ""),
        (files_in, "tests/t.py::test_a", ("tests/t.py",)),
        (files_in, "src/a.test.ts > works", ("src/a.test.ts",)),
        (files_in, "tests.t.A", ()),
        (partial(files_in, language="python"), "tests.t.A.test_x", ("tests/t.py",)),
        (partial(files_in, language="python"), "tests.t.test_x", ("tests/t.py",)),
        (partial(files_in, language="python"), "test_x (tests.t.A)", ("tests/t.py",)),
        (partial(files_in, language="python"), "test_x", ()),
        (partial(about, files=["a/t.py", "b/t.py", "c.py"]), "b/t.py::test_x", ["b/t.py"]),
        (partial(about, files=["a/t.py", "b/t.py", "c.py"]), "a.t.A.test_x", ["a/t.py", "b/t.py"]),
        (partial(about, files=["a/t.py", "c.py"]), "works", ["a/t.py", "c.py"]),
    ],
)
def test_files(function: Callable[[str], object], given_: str, wanted: object) -> None:
    assert function(given_) == wanted
