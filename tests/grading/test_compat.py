"""Every cell of the decision table of the graders in use, as they were run or read."""

from __future__ import annotations

import pytest

from velora.grading import compat
from velora.grading.compat import GRADERS, Outcome, multi_swe_bench
from velora.grading.protocol import Status

P, F, E, S, X, XP = (
    Status.PASSED,
    Status.FAILED,
    Status.ERROR,
    Status.SKIPPED,
    Status.XFAIL,
    Status.XPASS,
)

FIX, KEEP = "t.py::test_fix", "t.py::test_keep"
OTHER = "u.py::test_other"
CUT, CUT_1, CUT_2 = "t.py::test_c[a", "t.py::test_c[a b]", "t.py::test_c[a c]"
COLUMNS = list(GRADERS)
WORDS = {"Y": Outcome.RESOLVED, ".": Outcome.UNRESOLVED, "p": Outcome.PARTIAL}

# v5 FO v4 SM MS VE NE RB RM PB LI PR R2
ROWS: list[tuple[str, list[str], dict[str, Status], str]] = [
    ("PASSED/PASSED", [FIX], {FIX: P, KEEP: P}, "Y Y Y Y Y Y Y Y Y Y Y Y Y"),
    ("PASSED/ERROR", [FIX], {FIX: P, KEEP: E}, ". Y . . . . . . . Y . . ."),
    ("PASSED/SKIPPED", [FIX], {FIX: P, KEEP: S}, "Y Y Y Y . Y . . . Y Y . ."),
    ("PASSED/XFAIL", [FIX], {FIX: P, KEEP: X}, "Y Y Y Y Y Y . . . Y Y . ."),
    ("PASSED/XPASS", [FIX], {FIX: P, KEEP: XP}, "Y Y Y Y . Y . . . Y Y . ."),
    ("PASSED/missing", [FIX], {FIX: P}, ". Y . Y . . . . . Y Y . ."),
    ("SKIPPED/PASSED", [FIX], {FIX: S, KEEP: P}, ". Y Y Y . . . . . . . . ."),
    ("XFAIL/PASSED", [FIX], {FIX: X, KEEP: P}, "Y Y Y Y Y . . . . . Y . ."),
    ("XPASS/PASSED", [FIX], {FIX: XP, KEEP: P}, "Y Y Y Y . . . . . . Y . ."),
    ("missing/PASSED", [FIX], {KEEP: P}, ". Y . Y . . . . . . . . ."),
    ("nothing ran", [FIX], {}, ". Y . Y . . . . . . . . ."),
    ("one failed", ["a", "a2"], {"a": P, "a2": F, KEEP: P}, "p p p p . Y . . . . . . ."),
    ("one missing", ["a", "a2"], {"a": P, KEEP: P}, "p Y p Y . Y Y . . . . . ."),
    ("a longer name passed", ["test_z"], {"test_zb": P, KEEP: P}, ". Y . Y . Y Y . . . . . ."),
    (
        "and it failed",
        ["test_z"],
        {"test_zb": P, "test_z": F, KEEP: P},
        ". . . . . Y . . . . . . .",
    ),
    ("another file", ["t1.py::test_z"], {"t2.py::test_z": P, KEEP: P}, ". Y . Y . . Y . . . . . ."),
    ("unlisted failed", [FIX], {FIX: P, KEEP: P, OTHER: F}, "Y Y Y Y Y Y Y Y Y Y Y Y ."),
    ("unlisted passed", [FIX], {FIX: P, KEEP: P, OTHER: P}, "Y Y Y Y Y Y Y Y . Y Y Y ."),
    ("cut, agreed", [CUT], {CUT_1: P, CUT_2: P, KEEP: P}, "Y Y . Y . Y Y . . . . . ."),
    ("cut, not agreed", [CUT], {CUT_1: P, CUT_2: F, KEEP: P}, ". Y . Y . Y Y . . . . . ."),
    ("phantom", [FIX, "[100%]"], {FIX: P, KEEP: P}, "p Y p Y . . . . . . . . ."),
]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    ("f2p", "results", "cells"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_the_table(column: str, f2p: list[str], results: dict[str, Status], cells: str) -> None:
    expected = dict(zip(COLUMNS, cells.split(), strict=True))[column]
    assert GRADERS[column](f2p, [KEEP], results) is WORDS[expected]


def test_multi_swe_bench_minds_tests_that_nobody_listed() -> None:
    fine, tested = {FIX: P, KEEP: P, OTHER: F}, {FIX: F, KEEP: P, OTHER: P}
    assert multi_swe_bench([FIX], [KEEP], fine) is Outcome.RESOLVED
    assert multi_swe_bench([FIX], [KEEP], fine, tested=tested) is Outcome.UNRESOLVED
    gone = {FIX: F, KEEP: P}
    before = {KEEP: P, OTHER: P}
    found = multi_swe_bench([FIX], [KEEP], fine, before=before, tested=gone)
    assert found is Outcome.UNRESOLVED


def test_all_at_once() -> None:
    found = compat.verdicts([FIX], [KEEP], {FIX: P, KEEP: S})
    assert list(found) == COLUMNS
    assert found["velora-harness"] is Outcome.RESOLVED
    assert found["swe-bench-pro"] is Outcome.UNRESOLVED


def test_graders_that_compare_each_with_each_are_left_out_of_large_runs() -> None:
    results = {f"t.py::test_{n}": P for n in range(3000)}
    found = compat.verdicts(list(results), [], results)
    assert set(COLUMNS) - set(found) == {
        "velora-harness",
        "nemo",
        "swe-bench",
        "swe-bench-fail-only",
    }
