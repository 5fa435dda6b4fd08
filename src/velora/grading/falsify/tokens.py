"""JavaScript and TypeScript as far as brackets go: words, strings, templates, regular expressions
and punctuation with their places, without comments, and which bracket closes which.

It knows no grammar. What it takes wrongly (text in JSX, a slash that is not what it seems) shows as
brackets that do not fit, or changes nothing that matters here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WORD, STRING, NUMBER, TEMPLATE, REGEX, MARK = range(6)

_SCAN = re.compile(
    r"(?P<skip>\s+|//[^\n\r]*|/\*.*?(?:\*/|\Z)|\A#![^\n]*)"
    r"|(?P<word>[A-Za-z_$\u0080-\U0010ffff#@][\w$\u0080-\U0010ffff]*)"
    r"|(?P<number>\.?\d[\w.]*)"
    r"""|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"|(?P<mark>=>|\?\.(?!\d)|\.\.\.|.)",
    re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+/\w*")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
_OPENS = {"(": ")", "[": "]", "{": "}"}
_CLOSES = frozenset(_OPENS.values())
_BEFORE_REGEX = frozenset((*"(,=:[!&|?{};+-*%~^>", "=>"))
_WORDS_BEFORE_REGEX = frozenset(
    {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "do", "else", "await"}
)
_DEEP = 50


@dataclass(frozen=True, slots=True)
class Token:
    """One token, its place, and the line that it starts in."""

    kind: int
    text: str
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's tokens.

    Attributes:
        partner: by a bracket's index, that of the bracket that closes or opens it.
        around: for each token, the index of the innermost bracket that it stands in, or -1.
    """

    all: tuple[Token, ...]
    partner: dict[int, int]
    around: tuple[int, ...]


def tokens(text: str) -> Tokens | None:
    """The tokens of `text`; None where its brackets do not fit."""
    found = _scan(text)
    if found is None:
        return None
    partner: dict[int, int] = {}
    around: list[int] = []
    open_: list[int] = []
    for index, token in enumerate(found):
        if token.kind == MARK and token.text in _CLOSES:
            if not open_ or _OPENS[found[open_[-1]].text] != token.text:
                return None
            partner[index] = open_[-1]
            partner[open_.pop()] = index
        around.append(open_[-1] if open_ else -1)
        if token.kind == MARK and token.text in _OPENS:
            open_.append(index)
    return None if open_ else Tokens(tuple(found), partner, tuple(around))


def _scan(text: str) -> list[Token] | None:
    found: list[Token] = []
    at, line = 0, 1
    while at < len(text):
        kind, end = _next(text, at, found[-1] if found else None)
        if end < 0:
            return None
        if kind >= 0:
            found.append(Token(kind, text[at:end], at, end, line))
        line += text.count("\n", at, end)
        at = end
    return found


def _next(text: str, at: int, before: Token | None) -> tuple[int, int]:
    """The kind of the token at `at`, -1 for none, and where it ends, -1 for nowhere."""
    if text[at] == "`":
        return TEMPLATE, _template_end(text, at, 0)
    match = _SCAN.match(text, at)
    if match is None:
        return -1, -1
    if match["word"]:
        return WORD, match.end()
    if match["string"]:
        return STRING, match.end()
    if match["number"]:
        return NUMBER, match.end()
    if match["skip"]:
        return -1, match.end()
    if match["mark"] == "/" and _regex_may_follow(before):
        regex = _REGEX.match(text, at)
        if regex:
            return REGEX, regex.end()
    return MARK, match.end()


def _regex_may_follow(before: Token | None) -> bool:
    if before is None:
        return True
    if before.kind == WORD:
        return before.text in _WORDS_BEFORE_REGEX
    return before.kind == MARK and before.text in _BEFORE_REGEX


def _template_end(text: str, at: int, depth: int) -> int:
    """Where the template that begins at `at` ends, or -1."""
    if depth > _DEEP:
        return -1
    at += 1
    while True:
        match = _TEMPLATE.match(text, at)
        at = match.end() if match else at
        if text[at : at + 1] == "`":
            return at + 1
        if text[at : at + 2] != "${":
            return -1
        at = _substitution_end(text, at + 2, depth)
        if at < 0:
            return -1


def _substitution_end(text: str, at: int, depth: int) -> int:
    """Behind the brace that closes a template's `${`."""
    open_ = 1
    before: Token | None = None
    while at < len(text):
        if text[at] == "`":
            kind, end = TEMPLATE, _template_end(text, at, depth + 1)
        else:
            kind, end = _next(text, at, before)
        if end < 0:
            return -1
        if kind >= 0:
            before = Token(kind, text[at:end], at, end, 0)
            if kind == MARK:
                open_ += (before.text == "{") - (before.text == "}")
                if not open_:
                    return end
        at = end
    return -1
