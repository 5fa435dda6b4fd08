from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import orjson
import pytest

from tests.journal.sample import (
    PATCH,
    failed_attempt,
    new_run,
    play,
    ticking,
    unchanged,
    whole_attempt,
)
from velora.errors import Outcome, UsageError
from velora.journal.events import Graded
from velora.journal.output import append_row
from velora.journal.owed import owed
from velora.journal.projections import Reconciled, rebuild, reconcile
from velora.journal.projector import Projector
from velora.journal.report import summarize, write_report
from velora.journal.run import RunDirectory
from velora.journal.store import EVENTS, AttemptJournal, read
from velora.journal.store import PATCH as PATCH_FILE


def rows(run: RunDirectory) -> list[tuple[str, int]]:
    lines = run.output_file.read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") for line in lines)
    return [(row["instance_id"], row["attempt"]) for row in map(orjson.loads, lines)]


def tree(run: RunDirectory) -> dict[str, bytes]:
    """All projections by name."""
    roots = (run.infer_logs, run.llm_completions, run.output_file, run.report_file)
    files = [f for root in roots for f in ([root] if root.is_file() else root.rglob("*"))]
    return {str(f.relative_to(run.path)): f.read_bytes() for f in files if f.is_file()}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """Three instances, ids of every sort, retries, a torn attempt, a late verdict."""
    run = new_run(tmp_path)
    play(run, whole_attempt("b"), clock=ticking(1000))
    play(run, failed_attempt("a/ö", 1, Outcome.SANDBOX_LOST), clock=ticking(2000))
    directory = play(run, list(whole_attempt("a/ö", 2))[:-1], clock=ticking(900))
    play(run, list(whole_attempt("c"))[:9], clock=ticking(3000), finish=False)
    listener = Projector(run, "a/ö", 2)
    with AttemptJournal.reopen(directory, redact=unchanged, listeners=[listener]) as journal:
        journal.append(Graded(False, "tests_failed"))
    return run


def test_rows_are_the_attempts_that_came_to_a_valid_end(run: RunDirectory) -> None:
    assert rows(run) == [("b", 1), ("a/ö", 2)]


def test_everything_can_be_made_anew_byte_for_byte(run: RunDirectory) -> None:
    write_report(run, summarize(run, ["a/ö", "b", "c", "never tried"]))
    before = tree(run)
    assert len(before) == 4 + 11 + 2  # logs, calls, rows and report
    rebuild(run)
    assert tree(run) == before
    for path in (run.infer_logs, run.llm_completions):
        for file in sorted(path.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
    rebuild(run)
    assert tree(run) == before
    run.output_file.unlink()
    rebuild(run)
    assert rows(run) == [("a/ö", 2), ("b", 1)]  # in the order in which they ended
    assert sorted(tree(run)["output.jsonl"].splitlines()) == sorted(
        before["output.jsonl"].splitlines()
    )
    assert not (run.path / ".rebuild").exists()


def test_a_rebuild_that_fails_leaves_the_old_files(run: RunDirectory) -> None:
    before = tree(run)
    with (run.attempt_dir("b", 1) / EVENTS).open("ab") as file:
        file.write(b"rubbish\n")
    with pytest.raises(UsageError, match="not JSON"):
        rebuild(run)
    assert tree(run) == before


def test_completions_can_be_switched_off(tmp_path: Path) -> None:
    run = new_run(tmp_path, configuration={"llm": {"log_completions": False}})
    play(run, whole_attempt("a"))
    assert list(run.llm_completions.iterdir()) == []
    write_report(run, summarize(run))
    before = tree(run)
    rebuild(run)
    assert tree(run) == before


def test_nothing_is_reconciled_where_nothing_is_wrong(run: RunDirectory) -> None:
    before = tree(run)
    assert reconcile(run) == Reconciled(torn=0, added=0)
    assert tree(run) == before
    assert reconcile(RunDirectory(run.path / "empty")) == Reconciled(0, 0)


@pytest.mark.parametrize("kept", [0, 1, 100, -1, -2])
def test_a_row_torn_anywhere_is_written_again(run: RunDirectory, kept: int) -> None:
    whole = run.output_file.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    torn = last[:kept]
    run.output_file.write_bytes(whole[: -len(last)] + torn)
    assert reconcile(run) == Reconciled(torn=len(torn), added=1)
    assert run.output_file.read_bytes() == whole
    assert reconcile(run) == Reconciled(0, 0)


def test_rows_that_are_missing_are_added_in_the_order_of_their_ends(run: RunDirectory) -> None:
    run.output_file.unlink()
    assert reconcile(run) == Reconciled(torn=0, added=2)
    assert rows(run) == [("a/ö", 2), ("b", 1)]


def test_rows_of_other_origin_are_left_alone(run: RunDirectory) -> None:
    foreign = b'{"test_result": {}, "instance_id": "b"}\n'  # OpenHands': no attempt, other order
    first, second = run.output_file.read_bytes().splitlines(keepends=True)
    run.output_file.write_bytes(foreign + second)
    assert reconcile(run) == Reconciled(0, 0)
    assert run.output_file.read_bytes() == foreign + second
    run.output_file.write_bytes(b"[]\n" + first)
    with pytest.raises(UsageError, match=r"not a row of output.jsonl") as caught:
        reconcile(run)
    assert caught.value.where == f"{run.output_file}:1"


def test_a_patch_that_is_not_the_journals_is_never_published(run: RunDirectory) -> None:
    run.output_file.unlink()
    path = run.attempt_dir("b", 1) / PATCH_FILE
    for content in (PATCH + b"\n", b""):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="not the patch that") as caught:
            reconcile(run)
        assert caught.value.where == str(path)


def test_rows_from_many_threads_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    lines = [orjson.dumps({"n": n, "x": "y" * 300_000}) + b"\n" for n in range(24)]
    threads = [threading.Thread(target=append_row, args=(path, line)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_bytes().splitlines(keepends=True)) == sorted(lines)


WRITER = """
import sys
from itertools import count
from pathlib import Path
from tests.journal.sample import play, whole_attempt
from velora.journal.run import RunDirectory
run = RunDirectory(Path(sys.argv[1]))
with run.lock():
    print("ready", flush=True)
    for number in count():
        play(run, whole_attempt(f"i-{number}"))
"""


def test_kill_in_the_middle_then_every_attempt_exactly_once(tmp_path: Path) -> None:
    """A real process is killed again and again while it writes attempts as fast as it can."""
    run = new_run(tmp_path)
    for number in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER.replace("count()", f"count({number} * 1000)"), run.path],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            threading.Event().wait(0.15 + number * 0.037)
            os.kill(writer.pid, signal.SIGKILL)
        if number % 2:  # what a power cut does besides
            _tear(run)
        with run.lock():
            reconcile(run)
            _check(run)


def _tear(run: RunDirectory) -> None:
    size = run.output_file.stat().st_size
    os.truncate(run.output_file, size - 17)


def _check(run: RunDirectory) -> None:
    ids: list[str] = []
    for directory in run.attempt_dirs():
        said: list[str] = []
        records = read(directory, say=said.append) if (directory / EVENTS).exists() else []
        ids += [records[0].event.instance_id] if records else []  # type: ignore[union-attr]
    done = [one.instance_id for one in owed(ids, 1, run) if one.done]
    assert sorted(rows(run)) == [(instance_id, 1) for instance_id in sorted(done)]
    assert done
