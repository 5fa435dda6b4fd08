"""`auto` finds what trying every sign on every line finds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # isort: skip

from velora.grading.log import FileLog, TextLog
from velora.grading.parsers import registry
from velora.grading.parsers.framework import Framework
from velora.grading.parsers.signs import Signs

SIGNED = [framework for framework in registry.FRAMEWORKS.values() if framework.signs]
LOGS = sorted((Path(__file__).parent / "logs").rglob("*.txt"))
CHARACTERS = "".join(chr(code) for code in range(0x110000) if chr(code) != "\n")
BLANKS = {character for character in CHARACTERS if character.isspace()}
SPECIMENS = {framework.name: st.from_regex(framework.signs) for framework in SIGNED}


def plainly(
    lines: Iterable[tuple[int, str]], among: Iterable[Framework] = ()
) -> dict[str, tuple[int, str]]:
    """`registry.detect` as one alternation of all that is wanted, tried on each line."""
    found: dict[str, tuple[int, str]] = {}
    wanted = [framework for framework in among or SIGNED if framework.signs]
    pattern = re.compile("|".join(f"({one.signs})" for one in wanted))
    for number, line in lines:
        while wanted and (match := pattern.match(line)) is not None:
            found[wanted.pop((match.lastindex or 1) - 1).name] = (number, line)
            pattern = re.compile("|".join(f"({one.signs})" for one in wanted))
    return found


def consumes(op: Any, argument: Any) -> set[str]:
    """The characters that one item of a parsed pattern matches."""
    assert op in (
        _constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY
    ), op  # fmt: skip
    state = _parser.parse("").state
    return set(_compiler.compile(_parser.SubPattern(state, [(op, argument)])).findall(CHARACTERS))


def begins(pattern: Any) -> tuple[set[str], bool]:
    """The characters that can stand behind the blanks with which a match of a parsed pattern
    begins, a blank if it can begin with any, and whether there may be nothing else."""
    found: set[str] = set()
    for op, argument in pattern:
        if op is _constants.AT:
            continue
        if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            first, blank = begins(argument[2])
            blank = blank or argument[0] == 0
        elif op is _constants.SUBPATTERN:
            first, blank = begins(argument[3])
        elif op is _constants.BRANCH:
            branches = [begins(branch) for branch in argument[1]]
            first = {character for branch, _ in branches for character in branch}
            blank = any(blank for _, blank in branches)
        else:
            matched = consumes(op, argument)
            blank = bool(matched & BLANKS)
            first = matched - BLANKS | ({" "} if blank else set())
        found |= first
        if not blank:
            return found, False
    return found, True


@pytest.mark.parametrize("framework", SIGNED, ids=lambda framework: str(framework.name))
def test_the_characters_at_which_a_sign_can_begin(framework: Framework) -> None:
    """Not one too few, or signs are missed; not one too many, or lines are tried in vain."""
    can, blank = begins(_parser.parse(framework.signs))
    assert not blank
    declared = re.compile(f"[{framework.begins}]" if framework.begins else ".")
    assert set(declared.findall(CHARACTERS)) - (BLANKS - {" "}) == can
    assert re.compile(framework.signs).groups == 0


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}/{log.stem}")
def test_a_log(log: Path) -> None:
    expected = plainly(FileLog(log).lines())
    found = registry.detect(FileLog(log))
    assert list(found.items()) == list(expected.items())
    few = SIGNED[:: 1 + len(log.stem) % 5]
    assert registry.detect(FileLog(log), few) == plainly(FileLog(log).lines(), few)


@st.composite
def lines_like_signs(draw: st.DrawFn) -> str:
    """A line that shows a sign, or hardly shows one any more."""
    line: str = draw(SPECIMENS[draw(st.sampled_from(SIGNED)).name])
    line = (
        draw(
            st.sampled_from(
                ["", "", "", " ", "\t", "   ", "\x0b\u3000", "\u00a0", "x", "1", "[", "\u0663"]
            )
        )
        + line
    )
    return line[draw(st.sampled_from([0, 0, 0, 1, 2])) :].replace("\n", " ")


@given(st.lists(lines_like_signs() | st.text(max_size=20), max_size=12))
@settings(max_examples=400, deadline=None)
def test_lines_like_signs(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    found = registry.detect(TextLog(text))
    assert list(found.items()) == list(plainly(TextLog(text).lines()).items())


def test_first_characters_without_end() -> None:
    signs = Signs(SIGNED)
    for character in CHARACTERS[:20_000]:
        # Karma's may begin anyhow.
        assert (signs[character] is None) is character.isspace()
    assert signs[""] is None
    assert len(signs) < 5000


def test_nothing_to_look_for() -> None:
    assert registry.detect(TextLog("TAP version 13\n"), [registry.FRAMEWORKS["django"]]) == {}
