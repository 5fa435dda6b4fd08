from __future__ import annotations

from pathlib import Path

import pytest

from tests.journal.sample import (
    answered,
    failed_attempt,
    new_run,
    patch_taken,
    play,
    started,
    unchanged,
    whole_attempt,
)
from velora.errors import POLICY, Outcome, UsageError
from velora.journal.codec import encode
from velora.journal.events import (
    AttemptEnded,
    Event,
    Graded,
    Noted,
    Record,
    Resumed,
    SandboxReady,
)
from velora.journal.owed import AttemptState, attempt_state, owed
from velora.journal.past import CONTINUED, NOT_CONTINUED
from velora.journal.run import RunDirectory
from velora.journal.store import EVENTS, AttemptJournal


def one(run: RunDirectory, wanted: int = 1, *, evaluate: bool = False) -> tuple[int, int, object]:
    (due,) = owed(["a"], wanted, run, evaluate=evaluate)
    return due.attempts, due.next_attempt, due.ungraded


def test_everything_is_owed_at_first(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    due = owed(["b", "a"], 3, run, evaluate=True)
    assert [d.instance_id for d in due] == ["b", "a"]
    assert [(d.attempts, d.next_attempt, d.ungraded, d.done) for d in due] == [
        (3, 1, (), False)
    ] * 2


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_outcome_counts_as_the_table_says(tmp_path: Path, outcome: Outcome) -> None:
    run = new_run(tmp_path)
    play(run, failed_attempt("a", 1, outcome))
    due = one(run, evaluate=True)
    assert due == ((0, 2, (1,)) if POLICY[outcome].valid else (1, 2, ()))
    assert one(run)[0] == (0 if POLICY[outcome].valid else 1)


def test_a_torn_attempt_is_kept_and_its_number_not_used_again(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    play(run, list(whole_attempt("a"))[:-2], finish=False)  # no end, no verdict
    events = run.attempt_dir("a", 1) / EVENTS
    whole = events.read_bytes()
    events.write_bytes(whole + b'{"seq":99,"at":1.0,"kind":"attempt_ended","outcome":"fini')
    run.attempt_dir("a", 2).mkdir()  # killed before the first event
    (due,) = owed(["a"], 1, run, evaluate=True)
    assert (due.attempts, due.next_attempt, due.torn, due.valid) == (1, 3, (1, 2), 0)
    assert [s.outcome for s in due.states] == [Outcome.INTERRUPTED] * 2
    assert events.read_bytes().startswith(whole)


def continued(run: RunDirectory, wanted: int = 1, *, resume: bool = True) -> tuple[int, ...]:
    (due,) = owed(["a"], wanted, run, resume=resume)
    return due.continued


def more(directory: Path, *events: Event) -> None:
    with AttemptJournal.reopen(directory, redact=unchanged) as journal:
        for event in events:
            journal.append(event)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_is_no_result_is_gone_on_with(tmp_path: Path, outcome: Outcome) -> None:
    run = new_run(tmp_path)
    play(run, failed_attempt("a", 1, outcome))
    assert continued(run) == (() if POLICY[outcome].valid else (1,))
    assert continued(run, resume=False) == ()


def test_a_failure_before_the_first_answer_saves_nothing(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    play(run, [started("a", 1), AttemptEnded(Outcome.SANDBOX_FAILED)])
    assert continued(run) == ()
    play(run, [started("a", 2), AttemptEnded(Outcome.INTERRUPTED)])
    play(run, [started("a", 3)], finish=False)
    run.attempt_dir("a", 4).mkdir()  # killed before the first event
    assert continued(run, 9) == (2, 3, 4)
    assert continued(run, 2) == (3, 4), "the latest first"


@pytest.mark.parametrize(
    ("outcome", "gone_on"),
    [
        (Outcome.SANDBOX_LOST, False),
        (Outcome.INTERNAL_ERROR, False),
        (Outcome.PATCH_FAILED, False),
        (Outcome.SANDBOX_FAILED, True),
        (Outcome.PROVIDER_UNAVAILABLE, True),
        (Outcome.PROVIDER_REJECTED, True),
        (Outcome.INTERRUPTED, True),
    ],
)
def test_what_may_be_its_own_doing_is_tried_once_more(
    tmp_path: Path, outcome: Outcome, gone_on: bool
) -> None:
    run = new_run(tmp_path)
    directory = play(run, failed_attempt("a", 1, outcome))
    again = (Noted(CONTINUED, ""), Resumed(1, 0, 0), AttemptEnded(outcome))
    more(directory, *again)
    assert (continued(run) == (1,)) is gone_on
    if not gone_on:
        more(directory, Noted(CONTINUED, ""), answered(number=2), AttemptEnded(outcome))
        assert continued(run) == (1,), "it has come further since"


def test_one_that_is_given_up_is_not_gone_on_with(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    directory = play(run, failed_attempt("a", 1, Outcome.INTERRUPTED))
    more(directory, Noted(CONTINUED, ""), Noted(NOT_CONTINUED, "the image is another one"))
    (due,) = owed(["a"], 1, run)
    assert (due.attempts, due.next_attempt, due.continued) == (1, 2, ())


def test_an_end_that_was_gone_on_from_is_none(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    directory = play(run, failed_attempt("a", 1, Outcome.SANDBOX_LOST))
    more(directory, Noted(CONTINUED, ""), SandboxReady("host", "1", "", "", "", "/r", ""))
    (due,) = owed(["a"], 1, run)
    assert (due.torn, due.continued) == ((1,), (1,))
    more(directory, patch_taken(), AttemptEnded(Outcome.FINISHED))
    (due,) = owed(["a"], 1, run)
    assert (due.done, due.continued, due.valid) == (True, (), 1)


def test_a_verdict_is_owed_until_there_is_one(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    directory = play(run, list(whole_attempt("a"))[:-1])
    assert one(run) == (0, 2, ())
    assert one(run, evaluate=True) == (0, 2, (1,))
    for event, ungraded in (
        (Graded(None, "grader_failed", error="no disk"), (1,)),
        (Graded(False, "tests_failed", {"log": ["x" * 50_000]}), ()),
        (Noted("afterthought", "x"), ()),
    ):
        with AttemptJournal.reopen(directory, redact=unchanged) as journal:
            journal.append(event)
        assert one(run, evaluate=True) == (0, 2, ungraded)
    state = attempt_state(directory, 1)
    assert state.verdict is not None
    assert state.verdict.reason == "tests_failed"
    with AttemptJournal.reopen(directory, redact=unchanged) as journal:
        journal.append(Graded(None, "grader_failed", error="again"))
    assert attempt_state(directory, 1).grading_error == "again"
    assert one(run, evaluate=True) == (0, 2, (1,))


def test_several_attempts_are_counted_apart(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    play(run, whole_attempt("a", 1))
    play(run, failed_attempt("a", 2, Outcome.SANDBOX_LOST))
    play(run, list(whole_attempt("a", 3))[:-1])
    (due,) = owed(["a"], 4, run, evaluate=True)
    assert (due.attempts, due.next_attempt, due.ungraded, due.valid) == (2, 4, (3,), 1)
    (enough,) = owed(["a"], 1, run)
    assert (enough.attempts, enough.done, enough.valid) == (0, True, 2)


def test_last_lines_that_are_no_events_are_named(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    directory = play(run, whole_attempt("a"))
    with (directory / EVENTS).open("ab") as file:
        file.write(b"rubbish\n")
    with pytest.raises(UsageError, match="not JSON") as caught:
        owed(["a"], 1, run)
    assert caught.value.where == str(directory / EVENTS)


def test_five_thousand_attempts(tmp_path: Path) -> None:
    """Half of them torn; each with a first line as long as real rows are."""
    run = RunDirectory(tmp_path)
    first = encode(Record(0, 1.0, started()))[:-2] + b" " * 20_000 + b"}\n"
    ended = encode(Record(2, 3.0, AttemptEnded(Outcome.FINISHED)))
    body = first + encode(Record(1, 2.0, patch_taken()))
    ids = [f"owner__repo-{number}" for number in range(2_500)]
    for instance_id in ids:
        for attempt, content in ((1, body), (2, body + ended)):
            directory = run.attempt_dir(instance_id, attempt)
            directory.mkdir(parents=True)
            (directory / EVENTS).write_bytes(content)
    due = owed(ids, 2, run)
    assert {(d.attempts, d.next_attempt, d.torn, d.valid) for d in due} == {(1, 3, (1,), 1)}
    assert due[0].states == (
        AttemptState(1, None, continuable=True),
        AttemptState(2, AttemptEnded(Outcome.FINISHED), ended_at=3.0),
    )
