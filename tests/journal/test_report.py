from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journal.sample import (
    PATCH,
    answered,
    call,
    failed_attempt,
    new_run,
    patch_taken,
    play,
    started,
    ticking,
)
from velora.errors import Outcome, UsageError
from velora.journal.events import AttemptEnded, Event, Graded
from velora.journal.report import Attempt, report, summarize, summary_of, write_report
from velora.journal.store import EVENTS


def attempt(
    instance_id: str,
    number: int = 1,
    *,
    graded: Graded | None = None,
    patch: bytes = PATCH,
    outcome: Outcome = Outcome.FINISHED,
    cost: float | None = 0.5,
) -> Iterator[Event]:
    yield started(instance_id, number)
    yield answered(call(1, "think", "{}"), cost=cost)
    yield patch_taken(patch)
    yield AttemptEnded(outcome, steps=1, duration=10.0 * number)
    if graded:
        yield graded


RESOLVED = Graded(True, "resolved")
UNRESOLVED = Graded(False, "tests_failed")
EMPTY = Graded(False, "empty_patch")
BROKEN = Graded(None, "grader_failed", error="no disk")


def test_each_instance_is_in_its_class(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    play(run, attempt("solved", 1, graded=UNRESOLVED))
    play(run, attempt("solved", 2, graded=RESOLVED, cost=None))
    play(run, attempt("missed", graded=UNRESOLVED, outcome=Outcome.MAX_ITERATIONS))
    play(run, attempt("nothing", graded=EMPTY, patch=b""), patch=b"")
    play(run, attempt("nothing ungraded", patch=b""), patch=b"")
    play(run, attempt("ungraded"))
    play(run, attempt("grader", graded=BROKEN))
    play(run, failed_attempt("lost", 1, Outcome.SANDBOX_LOST))
    play(run, failed_attempt("retried", 1, Outcome.SANDBOX_LOST))
    play(run, attempt("retried", 2, graded=RESOLVED))
    play(run, failed_attempt("stopped", 1, Outcome.INTERRUPTED))
    play(run, list(attempt("torn"))[:2], finish=False)
    play(run, attempt("not wanted", graded=RESOLVED))
    wanted = [
        *["solved", "missed", "nothing", "nothing ungraded", "ungraded", "grader", "lost"],
        *["retried", "stopped", "torn", "never"],
    ]
    made = report(summarize(run, wanted))
    assert made["schema_version"] == 2
    assert made["total_instances"] == 11
    assert made["resolved_ids"] == ("retried", "solved")
    assert made["unresolved_ids"] == ("missed",)
    assert made["completed_ids"] == ("missed", "retried", "solved")
    assert made["empty_patch_ids"] == ("nothing", "nothing ungraded")
    assert made["error_ids"] == ("grader", "lost")
    assert made["infra_failure_ids"] == ("lost",)
    assert made["failure_reasons"] == {
        "grader": "grader_failed: no disk",
        "lost": "sandbox_lost: it broke",
    }
    assert made["incomplete_ids"] == ("never", "stopped", "torn", "ungraded")
    assert set(made["submitted_ids"]) == {
        *["solved", "missed", "nothing", "nothing ungraded", "ungraded", "grader", "retried"]
    }
    for name in ("resolved", "unresolved", "completed", "empty_patch", "error", "submitted"):
        assert made[f"{name}_instances"] == len(made[f"{name}_ids"])
    assert made["attempts"] == {"all": 12, "valid": 8, "graded": 5, "resolved": 2}
    assert made["outcomes"] == {
        "finished": 7,
        "interrupted": 2,
        "max_iterations": 1,
        "sandbox_lost": 2,
    }
    assert made["score"] == {"valid": 2 / 5, "all": 2 / 12, "sound": 2 / 5}
    assert made["calls"] == 12
    assert made["cost_unknown_calls"] == 1
    assert made["cost"] == pytest.approx(7 * 0.5 + 3 * 0.01 + 0.5)
    assert made["tokens"]["prompt"] == 12 * 1200
    assert made["pass_at_k"] == {"1": (0.5 + 0 + 0 + 1) / 4, "2": 1.0}
    assert made["pass_at_k_instances"] == {"1": 4, "2": 1}
    assert set(summarize(run).ids["total"]) == {*wanted, "not wanted"} - {"never"}


def test_without_verdicts_there_is_no_score(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    empty = summarize(run, ["a"])
    assert empty.ids["incomplete"] == ("a",)
    assert empty.seconds["wall"] == 0.0
    play(run, attempt("a"), clock=ticking(100, 2.0))
    summary = summarize(run, ["a"])
    assert (summary.score_valid, summary.score_all, summary.pass_at_k) == (None, None, {})
    assert summary.seconds == {
        "total": 10.0,
        "mean": 10.0,
        "median": 10.0,
        "max": 10.0,
        "wall": 6.0,
    }
    write_report(run, summary)
    assert orjson.loads(run.report_file.read_bytes())["incomplete_ids"] == ["a"]


@given(st.lists(st.booleans(), min_size=1, max_size=7))
def test_pass_at_k_is_the_share_of_draws_with_a_success(verdicts: list[bool]) -> None:
    ended = AttemptEnded(Outcome.FINISHED)
    attempts = [
        Attempt("a", ended=ended, graded=RESOLVED if good else UNRESOLVED) for good in verdicts
    ]
    summary = summary_of(attempts, ["a"])
    for k in range(1, len(verdicts) + 1):
        draws = list(combinations(verdicts, k))
        assert summary.pass_at_k[k] == pytest.approx(sum(map(any, draws)) / len(draws))
    assert len(summary.pass_at_k) == len(verdicts)


def test_the_last_grading_counts(tmp_path: Path) -> None:
    ended = AttemptEnded(Outcome.FINISHED)
    assert Attempt("a", ended=ended, graded=BROKEN).verdict is None
    lost = AttemptEnded(Outcome.SANDBOX_LOST)
    assert Attempt("a", ended=lost, graded=RESOLVED).verdict is None
    run = new_run(tmp_path)
    play(run, [*attempt("a", graded=RESOLVED), UNRESOLVED])
    assert summarize(run).resolved == 0


def test_damage_is_named(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    directory = play(run, attempt("a"))
    with (directory / EVENTS).open("ab") as file:
        file.write(b"rubbish\n")
    with pytest.raises(UsageError, match=rf"{EVENTS}:5"):
        summarize(run)
