"""False assertions in Python's tests: pytest's functions and methods, unittest's methods.

The text is parsed on this machine and changed by the tree's positions; a file that does not parse
here is left alone. In each test the first equality that is always reached is made false: the side
that is expected becomes a value that equals nothing honest. Where a literal of a plain type is
expected, the value is of that type, so that the comparison goes the way it went before; else it is
`object()`. Of two sides that both look computed each is compared, for either may be the product's.
A test without such an equality gets an `assert False`, at its end or before the first statement
that may leave it early: no comparison can be found out with that, but a runner can.

"Always reached" means: straight in the test's body, or in a `with` that raises on, or in a loop
over a literal, and behind nothing that may leave the test. An assertion that honest code may pass
by proves nothing.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from velora.grading.falsify.mutated import Edit, Mutated, Scopes, edited

_BOM = "\ufeff"
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_TEST = re.compile(r"test|runTest\Z")
_EXPECTED_TO_FAIL = re.compile(r"xfail|expected_?failure|\braises\b", re.IGNORECASE)
_SWALLOWS = re.compile(r"raises|warns|suppress|ignor|swallow|deprecated|expect", re.IGNORECASE)
_EQUAL = re.compile(r"(?:assert\w*equals?|eq_)\Z", re.IGNORECASE)
_OTHER = re.compile(r"not|greater|less", re.IGNORECASE)
_ANY_TYPE = frozenset({"assertequal", "assertequals", "assert_equal", "assert_equals", "eq_"})
_NEW = "object()"
_FAIL = "assert False"
_LARGE = 1e9

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Loop = ast.For | ast.AsyncFor | ast.While
_Display = ast.List | ast.Tuple | ast.Set | ast.Dict | ast.JoinedStr


def mutate(text: str, wanted: Collection[Scopes] | None = None) -> Mutated:
    """See `velora.grading.falsify.mutate`."""
    source = text.removeprefix(_BOM)
    tree = _tree(source)
    if tree is None:
        return Mutated(text)
    editor = _Editor.of(source)
    found: list[tuple[Scopes, list[Edit]]] = []
    for scopes, function in _tests(tree.body, ()):
        if (wanted is None or scopes in wanted) and (edits := editor.edits(function)):
            found.append((scopes, edits))
    new = editor.apply(edit for _, edits in found for edit in edits)
    if not _compiles(new):
        kept: list[tuple[Scopes, list[Edit]]] = []
        for each in found:
            if _compiles(editor.apply(edit for _, edits in [*kept, each] for edit in edits)):
                kept.append(each)
        found = kept
        new = editor.apply(edit for _, edits in found for edit in edits)
    if not found:
        return Mutated(text)
    tests = tuple(dict.fromkeys(scopes for scopes, _ in found))
    return Mutated(text[: len(text) - len(source)] + new, tests)


def _tree(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _compiles(source: str) -> bool:
    """More than parsing: the compiler has rules of its own, as for `yield` in comprehensions."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "<test>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _tests(body: Sequence[ast.stmt], scopes: Scopes) -> Iterator[tuple[Scopes, _Function]]:
    for node in body:
        if isinstance(node, _Function):
            if _TEST.match(node.name) and not _expected_to_fail(node):
                yield (*scopes, node.name), node
        elif isinstance(node, ast.ClassDef):
            if not _expected_to_fail(node):
                yield from _tests(node.body, (*scopes, node.name))
        elif isinstance(node, ast.If):
            yield from _tests([*node.body, *node.orelse], scopes)
        elif isinstance(node, ast.Try):
            handlers = [each for handler in node.handlers for each in handler.body]
            yield from _tests([*node.body, *handlers, *node.orelse, *node.finalbody], scopes)
        elif isinstance(node, ast.With):
            yield from _tests(node.body, scopes)


def _expected_to_fail(node: _Function | ast.ClassDef) -> bool:
    return any(_EXPECTED_TO_FAIL.search(ast.unparse(each)) for each in node.decorator_list)


@dataclass(frozen=True, slots=True)
class _Editor:
    """A text as bytes, which is what the tree's columns count, and where its lines start."""

    data: bytes
    starts: tuple[int, ...]

    @staticmethod
    def of(source: str) -> _Editor:
        data = source.encode()
        return _Editor(data, (0, *(match.end() for match in _NEWLINE.finditer(data))))

    def apply(self, edits: Iterator[Edit]) -> str:
        changes = ((edit.start, edit.end, edit.new.encode()) for edit in edits)
        return edited(self.data, changes).decode()

    def edits(self, function: _Function) -> list[Edit]:
        """What makes a test false."""
        reached, leaving = _reached(function.body)
        for statement in reached:
            if edits := self._equality(statement):
                return edits
        if leaving is not None:
            return [self._before(leaving)]
        return [self._behind(function.body)]

    def _at(self, line: int | None, column: int | None) -> int:
        return self.starts[(line or 1) - 1] + (column or 0)

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        start = self._at(node.lineno, node.col_offset)
        return start, self._at(node.end_lineno, node.end_col_offset)

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self.data[start:end].decode()

    def _replaced(self, node: ast.expr, new: str) -> Edit:
        return Edit(*self._span(node), new)

    def _indent(self, node: ast.stmt) -> str | None:
        """What stands before a statement on its line, if that is blank."""
        before = self.data[self.starts[node.lineno - 1] : self._span(node)[0]].decode()
        return None if before.strip() else before

    def _before(self, node: ast.stmt) -> Edit:
        start, _ = self._span(node)
        indent = self._indent(node)
        return Edit(start, start, f"{_FAIL}; " if indent is None else f"{_FAIL}\n{indent}")

    def _behind(self, body: Sequence[ast.stmt]) -> Edit:
        """At the end of a body."""
        _, end = self._span(body[-1])
        indent = self._indent(body[0])
        if indent is None:
            return Edit(end, end, f"; {_FAIL}")
        newline = _NEWLINE.search(self.data, end)
        if newline is None:
            return Edit(len(self.data), len(self.data), f"\n{indent}{_FAIL}\n")
        return Edit(newline.end(), newline.end(), f"{indent}{_FAIL}\n")

    def _equality(self, statement: ast.stmt) -> list[Edit]:
        """A statement's equality made false; nothing where it has none."""
        if isinstance(statement, ast.Assert):
            return self._asserted(statement.test)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            return self._called(statement.value)
        if isinstance(statement, ast.If) and _fails(statement.body[0]):
            return self._compared(statement.test, ast.NotEq)
        return []

    def _asserted(self, test: ast.expr) -> list[Edit]:
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return next((edits for each in test.values if (edits := self._asserted(each))), [])
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self._compared(test.operand, ast.NotEq)
        return self._compared(test, ast.Eq)

    def _compared(self, test: ast.expr, kind: type[ast.cmpop]) -> list[Edit]:
        """A comparison by `==` made false, or one by `!=` made true."""
        if not isinstance(test, ast.Compare) or not all(isinstance(op, kind) for op in test.ops):
            return []
        if len(test.ops) > 1:
            return [self._replaced(test.comparators[-1], _NEW)]
        left, right = test.left, test.comparators[0]
        sign, both = ("==", "or") if kind is ast.Eq else ("!=", "and")
        if _literal(right):
            new = f"({self._text(left)}) {sign} {self._other(right)}"
        elif _literal(left):
            new = f"{self._other(left)} {sign} ({self._text(right)})"
        else:
            sides = (f"({self._text(each)}) {sign} {_NEW}" for each in (left, right))
            new = f" {both} ".join(sides)
        return [self._replaced(test, f"({new})")]

    def _called(self, call: ast.Call) -> list[Edit]:
        name = _name(call.func)
        if not _EQUAL.match(name) or _OTHER.search(name) or len(call.args) < 2:
            return []
        first, second = call.args[:2]
        if isinstance(first, ast.Starred) or isinstance(second, ast.Starred):
            return []
        if _literal(second):
            return [self._replaced(second, self._other(second))]
        if _literal(first):
            return [self._replaced(first, self._other(first))]
        if name.lower() not in _ANY_TYPE:
            return [self._replaced(second, _NEW)]
        one, other = self._text(first), self._text(second)
        either = f"(({one}) == {_NEW} or ({other}) == {_NEW})"
        return [self._replaced(first, either), self._replaced(second, "True")]

    def _other(self, node: ast.expr) -> str:
        """A value that equals nothing honest, in place of a literal; of its type, where that is
        one of the plain ones."""
        text = self._text(node)
        if isinstance(node, ast.Constant):
            value = node.value
            if type(value) is int or (type(value) is float and abs(value) < _LARGE):
                return f"({text} + 7919)"
            if isinstance(value, str):
                return f'({text} + "7919")'
            if isinstance(value, bytes):
                return f'({text} + b"7919")'
        elif isinstance(node, ast.List | ast.Tuple):
            if any(not isinstance(each, ast.Starred) for each in node.elts):
                inner = f"{_NEW} for _ in {text if text[:1] in '([' else f'({text})'}"
                return f"[{inner}]" if isinstance(node, ast.List) else f"tuple({inner})"
        elif isinstance(node, ast.Dict) and any(key is not None for key in node.keys):
            return f"{{key: {_NEW} for key in {text}}}"
        return _NEW


def _reached(body: Sequence[ast.stmt]) -> tuple[list[ast.stmt], ast.stmt | None]:
    """The statements of a body that run if nothing before them raises, and the first that may leave
    it."""
    found: list[ast.stmt] = []
    for statement in body:
        inner: Sequence[ast.stmt] = ()
        if isinstance(statement, ast.With | ast.AsyncWith):
            if not any(_SWALLOWS.search(ast.unparse(i.context_expr)) for i in statement.items):
                inner = statement.body
        elif isinstance(statement, ast.For) and _filled(statement.iter):
            inner = statement.body
        if inner:
            more, leaving = _reached(inner)
            found += more
            if leaving is not None:
                return found, leaving
        elif _leaves(statement):
            return found, statement
        found.append(statement)
    return found, None


def _filled(node: ast.expr) -> bool:
    """A literal with at least one element."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return False
    return any(not isinstance(each, ast.Starred) for each in node.elts)


def _leaves(statement: ast.stmt) -> bool:
    """It may leave the test or a loop around it without raising."""
    kinds: tuple[type[ast.stmt], ...] = (ast.Return, ast.Break, ast.Continue)
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _Loop) and node is statement:
            kinds = (ast.Return,)
        if isinstance(node, kinds):
            return True
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _fails(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        return True
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and _name(call.func) == "fail"


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _literal(node: ast.expr) -> bool:
    """It is written out, and so is what is expected; nothing in it is awaited, yielded or named."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, ast.Constant)
    if not isinstance(node, ast.Constant | _Display):
        return False
    bad = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    return not any(isinstance(each, bad) for each in ast.walk(node))
