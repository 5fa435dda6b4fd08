from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

from tests.journal.sample import (
    PATCH,
    answered,
    call,
    new_run,
    patch_taken,
    play,
    started,
    ticking,
    unchanged,
    whole_attempt,
)
from velora.errors import Outcome
from velora.journal.events import (
    AttemptEnded,
    Event,
    Noted,
    Observed,
    PatchTaken,
    Prompted,
    Record,
    Resumed,
    SandboxReady,
)
from velora.journal.output import row_of
from velora.journal.past import AGENT_ENDED, CONTINUED, Past, past_of
from velora.journal.projections import rebuild
from velora.journal.projector import Projector
from velora.journal.report import summarize
from velora.journal.store import AttemptJournal, read

DONE = Noted(AGENT_ENDED, "the agent is done", {"outcome": "timed_out", "detail": "too late"})
READY = SandboxReady("host", "1", "", "", "", "/r", "directory")
PROMPTED = Prompted("", "Mend it.", ())
THINK = call(1, "think", "{}")


def at(*timed: tuple[float, Event]) -> list[Record]:
    return [Record(number, time, event) for number, (time, event) in enumerate(timed)]


def test_there_may_be_nothing() -> None:
    assert past_of([]) == Past()


def test_only_the_time_of_the_stretches_counts() -> None:
    past = past_of(
        at(
            (100.0, started()),
            (103.0, READY),
            (104.0, PROMPTED),
            (110.0, answered(THINK)),
            (111.0, AttemptEnded(Outcome.INTERRUPTED)),
            (5000.0, Noted(CONTINUED, "")),
            (5002.0, READY),
            (5009.0, Resumed(1, 0, 0)),
            (5010.0, Observed("call_1", "think", {}, "")),
            (5013.0, answered(number=2)),
            (9000.0, Noted(CONTINUED, "")),
            (9001.0, READY),
        )
    )
    assert past.worked == (110 - 104) + (5013 - 5009)
    assert past.duration == 11 + 13 + 1
    assert (past.answers, past.calls) == (2, 1)
    assert past.ready == READY
    assert past.end is None


def test_how_the_agent_ended_and_its_patch() -> None:
    events: list[Event] = [started(), READY, PROMPTED, answered(), DONE]

    def of(*more: Event) -> Past:
        return past_of([Record(n, float(n), e) for n, e in enumerate([*events, *more])])

    assert of().end == (Outcome.TIMED_OUT, "too late")
    assert of().patch is None
    assert of(PatchTaken("failed", detail="no")).patch is None
    assert of(patch_taken()).patch == patch_taken()
    assert of(PatchTaken("failed"), patch_taken()).patch == patch_taken()


def gone_on(path: Path) -> Path:
    """An attempt that was stopped in the middle, and came to its end later."""
    run = new_run(path)
    whole = list(whole_attempt("a"))
    first, rest = [*whole[:9], AttemptEnded(Outcome.INTERRUPTED, "stopped", 2)], whole[9:]
    directory = play(run, first)
    assert not run.output_file.exists()
    again: Iterable[Event] = [Noted(CONTINUED, ""), *whole[1:3], *rest]
    projector = Projector(run, "a", 1)
    clock = ticking(1_767_400_000.0)
    with AttemptJournal.reopen(
        directory, redact=unchanged, listeners=[projector], clock=clock
    ) as journal:
        projector.catch_up(read(directory))
        for event in again:
            if isinstance(event, PatchTaken):
                journal.write_patch(PATCH)
            journal.append(event)
    projector.finish()
    return directory


def test_projections_go_on_with_it(tmp_path: Path) -> None:
    directory = gone_on(tmp_path)
    run = new_run(tmp_path)
    places = (run.infer_logs, run.llm_completions)
    live = {f: f.read_bytes() for p in places for f in p.rglob("*") if f.is_file()}
    row = run.output_file.read_bytes()
    assert row == row_of(directory, run.metadata())
    assert orjson.loads(row)["metrics"]["cost_unknown_calls"] == 1
    assert len(orjson.loads(row)["metrics"]["token_usages"]) == 4
    rebuild(run)
    assert {f: f.read_bytes() for p in places for f in p.rglob("*") if f.is_file()} == live
    assert run.output_file.read_bytes() == row


def test_a_log_that_is_behind_or_ahead_is_put_right(tmp_path: Path) -> None:
    directory = gone_on(tmp_path)
    run = new_run(tmp_path)
    log, (call_1, *others) = run.infer_log("a", 1), sorted(run.llm_completions.rglob("*.json"))
    want = {file: file.read_bytes() for file in (log, call_1, *others)}
    log.write_bytes(want[log][:1000])
    call_1.write_bytes(b"{")
    stale = call_1.with_name("gpt-4o-1.json")
    stale.write_bytes(b"{}")
    Projector(run, "a", 1).catch_up(read(directory))
    assert {file: file.read_bytes() for file in want} == want
    assert not stale.exists()
    log.write_bytes(want[log] + b"what the disk kept and the journal lost")
    Projector(run, "a", 1).catch_up(read(directory))
    assert log.read_bytes() == want[log]


def test_the_report_counts_it_once(tmp_path: Path) -> None:
    directory = gone_on(tmp_path)
    summary = summarize(new_run(tmp_path))
    assert (summary.attempts, summary.outcomes, summary.spent.calls) == (1, {"finished": 1}, 4)
    with AttemptJournal.reopen(directory, redact=unchanged) as journal:
        journal.append(READY)
    assert summarize(new_run(tmp_path)).outcomes == {"interrupted": 1}
