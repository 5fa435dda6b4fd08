"""False assertions in JavaScript's and TypeScript's tests.

Found are tests that are called by a written title: `test('title', …)`, `it`, `specify` and
`t.test`, in `describe`s or not. In each the first equality that is always reached gets a fresh
`Symbol()` for what is expected: of `node:assert` and its likes (`equal`, `strictEqual`,
`deepEqual`, `deepStrictEqual`, `is`, `same`, with two arguments) and of `expect(x)` (`toBe`,
`toEqual`, `toStrictEqual`, `to.equal`, `to.eql`). A test without one throws at the end of its
callback's body; one that may return before that stays as it is.

"Always reached" means: a statement of its own in the callback's body, or the whole of an arrow
function's; not behind a `return` in a branch.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from velora.grading.falsify.mutated import Mutated, Scopes, edited
from velora.grading.falsify.tokens import (
    MARK,
    NUMBER,
    STRING,
    TEMPLATE,
    WORD,
    Token,
    Tokens,
    tokens,
)

_TESTS = frozenset({"test", "it", "specify"})
_SUITES = frozenset({"describe", "suite", "context"})
_HINTS = frozenset({"only", "concurrent", "sequential", "parallel", "serial"})
_EQUAL = frozenset(
    {"equal", "equals", "strictEqual", "deepEqual", "deepStrictEqual"}
    | {"is", "same", "strictSame", "eq"}
)
_TO_EQUAL = frozenset(["toBe", "toEqual", "toStrictEqual", "equal", "equals", "eql", "eq"])
_LINKS = frozenset(["to", "be", "deep", "resolves", "eventually"])
_WAITED = frozenset({"resolves", "eventually"})
_BRANCHES = frozenset(["if", "for", "while", "switch", "with", "catch"])
_GO_ON = frozenset(
    {"else", "do", "return", "await", "void", "typeof", "in", "of", "new", "case", "throw", "yield"}
)
_LITERALS = frozenset({"true", "false", "null", "undefined"})
_FAIL = ";throw new Error('false') "
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

_Place = tuple[int, int]


def mutate(text: str, wanted: Collection[Scopes] | None = None, *, typed: bool = False) -> Mutated:
    """See `velora.grading.falsify.mutate`.

    Args:
        typed: it is TypeScript, where a symbol in a number's place would not compile.
    """
    found = tokens(text)
    if found is None:
        return Mutated(text)
    new = "(Symbol() as any)" if typed else "Symbol()"
    reader = _Reader(found)
    edits: dict[tuple[int, int], str] = {}
    tests: dict[Scopes, None] = {}
    for scopes, callback in reader.tests():
        if wanted is not None and scopes not in wanted:
            continue
        expected, end = reader.expected(callback)
        if place := expected or end:
            edits[place] = new if expected else _FAIL
            tests[scopes] = None
    changes = ((*place, instead) for place, instead in edits.items())
    return Mutated(edited(text, changes), tuple(tests))


@dataclass(frozen=True, slots=True)
class _Body:
    """A callback's body by the indices of its first token and of the one behind its last; `block`
    is the index of its brace, or -1 for an arrow function's bare expression."""

    first: int
    end: int
    block: int


@dataclass(frozen=True, slots=True)
class _Call:
    """`test('title', …)` or `describe('title', …)`: the indices of its parentheses."""

    title: str
    open: int
    close: int
    suite: bool


class _Reader:
    """Finds tests and what they expect among a text's tokens."""

    def __init__(self, found: Tokens) -> None:
        self.all = found.all
        self.partner = found.partner
        self.around = found.around

    def tests(self) -> Iterator[tuple[Scopes, _Body]]:
        """The tests in the text's order, with their callbacks."""
        outer: list[_Call] = []
        for index in range(len(self.all)):
            while outer and outer[-1].close <= index:
                outer.pop()
            call = self._call(index)
            if call is None:
                continue
            scopes = (*(each.title for each in outer), call.title)
            if not call.suite and (body := self._callback(call)):
                yield scopes, body
            outer.append(call)

    def expected(self, body: _Body) -> tuple[_Place | None, _Place | None]:
        """From where to where the text says what a test expects, in its first equality; else the
        end of its body, if that is reached."""
        for index in range(body.first, body.end):
            if body.block >= 0 and self._leaves(index, body):
                return None, None
            if self._starts(index, body) and (place := self._assertion(index)):
                return place, None
        if body.block < 0:
            return None, None
        end = self.all[body.end].start
        return None, (end, end)

    def _text(self, index: int) -> str:
        """A word or a punctuation mark; "" for strings and beyond the ends."""
        if not 0 <= index < len(self.all):
            return ""
        token = self.all[index]
        return token.text if token.kind in (WORD, MARK) else ""

    def _call(self, index: int) -> _Call | None:
        word = self._text(index)
        if word not in _TESTS and word not in _SUITES:
            return None
        at = index + 1
        while self._text(at) == "." and self._text(at + 1) in _HINTS:
            at += 2
        if self._text(at) != "(" or self._text(at + 2) != ",":
            return None
        title = _title(self.all[at + 1])
        if title is None:
            return None
        return _Call(title, at, self.partner[at], word in _SUITES)

    def _callback(self, call: _Call) -> _Body | None:
        """The body of the function among a call's arguments."""
        for index in range(call.open + 3, call.close):
            if self.around[index] != call.open:
                continue
            if self._text(index) == "=>":
                if self._text(index + 1) == "{":
                    return self._block(index + 1)
                return _Body(index + 1, self._argument_end(index + 1, call.close), -1)
            if self._text(index) == "function":
                ahead = (
                    each
                    for each in range(index + 1, call.close)
                    if self._text(each) == "{" and self.around[each] == call.open
                )
                block = next(ahead, None)
                return None if block is None else self._block(block)
        return None

    def _block(self, brace: int) -> _Body:
        return _Body(brace + 1, self.partner[brace], brace)

    def _argument_end(self, index: int, close: int) -> int:
        """The index of the comma or parenthesis that ends the argument at `index`."""
        around = self.partner[close]
        ends = (
            each
            for each in range(index, close)
            if self._text(each) == "," and self.around[each] == around
        )
        return next(ends, close)

    def _leaves(self, index: int, body: _Body) -> bool:
        """A `return` of the callback's own that is not its last word in the body itself."""
        if self._text(index) != "return":
            return False
        at = self.around[index]
        if at == body.block:
            last = self._after_waiting(index)
            return not self._starts(last, body) or self._assertion(last) is None
        while at != body.block and at >= 0:
            if self._text(at) == "{" and self._function(at):
                return False
            at = self.around[at]
        return True

    def _function(self, brace: int) -> bool:
        """The brace opens a function's body."""
        before = self._text(brace - 1)
        if before == "=>":
            return True
        if before != ")":
            return False
        name = self._text(self.partner[brace - 1] - 1)
        return bool(name) and name not in _BRANCHES and name not in ("await", ")", "}")

    def _after_waiting(self, index: int) -> int:
        while self._text(index) in ("return", "await", "void"):
            index += 1
        return index

    def _starts(self, index: int, body: _Body) -> bool:
        """A statement of the body starts here, but for `return` and `await`."""
        first = index
        while first > body.first and self._text(first - 1) in ("return", "await", "void"):
            first -= 1
        if self.all[index].kind != WORD or self._text(index) in ("return", "await", "void"):
            return False
        if body.block < 0:
            return first == body.first
        if self.around[index] != body.block:
            return False
        before = self._text(first - 1)
        if first == body.first or before in (";", "}"):
            return True
        if self.all[first - 1].line == self.all[first].line or before in _GO_ON:
            return False
        if before == ")":
            opener = self._text(self.partner[first - 1] - 1)
            return opener not in _BRANCHES and opener != "await"
        return self.all[first - 1].kind != MARK or before == "]"

    def _assertion(self, index: int) -> _Place | None:
        """Where the assertion that starts at `index` says what it expects."""
        if self._text(index) == "expect" and self._text(index + 1) == "(":
            return self._expect(index)
        at = index
        while self._text(at + 1) == "." and self._is_word(at + 2):
            at += 2
        if not self._is_word(at) or self._text(at) not in _EQUAL or self._text(at + 1) != "(":
            return None
        arguments = self._arguments(at + 1)
        if len(arguments) < 2:
            return None
        first, second = arguments[:2]
        if self._text(first[0]) == "..." or self._text(second[0]) == "...":
            return None
        swapped = self._literal(first) and not self._literal(second)
        return self._place(first if swapped else second)

    def _expect(self, index: int) -> _Place | None:
        at = self.partner[index + 1] + 1
        waited = self._text(index - 1) in ("await", "return")
        while self._text(at) == ".":
            word = self._text(at + 1)
            if word in _TO_EQUAL and self._text(at + 2) == "(":
                arguments = self._arguments(at + 2)
                if arguments and self._text(arguments[0][0]) != "...":
                    return self._place(arguments[0])
                return None
            if word not in _LINKS or (word in _WAITED and not waited):
                return None
            at += 2
        return None

    def _arguments(self, open_: int) -> list[tuple[int, int]]:
        """The arguments of a call, each by the indices of its first token and the one behind."""
        found: list[tuple[int, int]] = []
        close = self.partner[open_]
        at = open_ + 1
        while at < close:
            end = self._argument_end(at, close)
            if end > at:
                found.append((at, end))
            at = end + 1
        return found

    def _place(self, argument: tuple[int, int]) -> _Place:
        return self.all[argument[0]].start, self.all[argument[1] - 1].end

    def _literal(self, argument: tuple[int, int]) -> bool:
        first, end = argument
        token = self.all[first]
        if token.kind in (STRING, NUMBER, TEMPLATE) or token.text in _LITERALS:
            return end == first + 1
        return token.text in ("[", "{") and self.partner.get(first) == end - 1

    def _is_word(self, index: int) -> bool:
        return 0 <= index < len(self.all) and self.all[index].kind == WORD


def _title(token: Token) -> str | None:
    if token.kind == STRING or (token.kind == TEMPLATE and "${" not in token.text):
        return _ESCAPED.sub(r"\1", token.text[1:-1])
    return None
