from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journal.sample import ticking, unchanged, whole_attempt
from velora.errors import Outcome, UsageError
from velora.journal import store
from velora.journal.events import AttemptEnded, Graded, Noted, Record
from velora.journal.files import lines_backwards, torn_tail
from velora.journal.store import AttemptJournal, read, read_patch, records


def write(directory: Path) -> list[Record]:
    with AttemptJournal.create(directory, redact=unchanged, clock=ticking()) as journal:
        written = [journal.append(event) for event in whole_attempt()]
        journal.sync()
    return written


def test_what_is_appended_is_read_back_numbered_and_timed(tmp_path: Path) -> None:
    written = write(tmp_path / "a" / "b")
    assert [record.event for record in written] == list(whole_attempt())
    assert read(tmp_path / "a" / "b") == read(tmp_path / "a" / "b" / store.EVENTS) == written
    assert [record.seq for record in written] == list(range(len(written)))
    assert written[1].at == written[0].at + 0.25


def test_a_record_is_what_stands_on_the_disk(tmp_path: Path) -> None:
    heard: list[Record] = []
    with AttemptJournal.create(
        tmp_path, redact=lambda t: t.replace("hunter22", "***"), listeners=[heard.append]
    ) as journal:
        record = journal.append(Noted("code", "key hunter22", {"half": "\ud800"}))
    assert record.event == Noted("code", "key ***", {"half": "\ufffd"})
    assert heard == [record] == read(tmp_path)


def test_times_increase_even_where_the_clock_does_not(tmp_path: Path) -> None:
    times = iter([100.0, 100.0, 50.0, 100.5])
    with AttemptJournal.create(tmp_path, redact=unchanged, clock=lambda: next(times)) as journal:
        written = [journal.append(Noted("c", "t")) for _ in range(4)]
    assert [r.at for r in written] == [100.0, 100.000001, 100.000002, 100.5]


def test_an_attempt_is_never_written_over(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(FileExistsError):
        AttemptJournal.create(tmp_path, redact=unchanged)


def test_a_verdict_is_added_later(tmp_path: Path) -> None:
    written = write(tmp_path)
    with AttemptJournal.reopen(tmp_path, redact=unchanged, clock=lambda: 0.0) as journal:
        record = journal.append(Graded(False, "tests_failed"))
    assert record.seq == len(written)
    assert record.at > written[-1].at
    assert read(tmp_path) == [*written, record]


@pytest.mark.parametrize("tail", [b'{"seq":99,"at":1.0,"ki', b"\0\0\0\0", b"{}", b"x" * 200_000])
def test_a_torn_last_line_is_left_out_and_put_aside(tmp_path: Path, tail: bytes) -> None:
    written = write(tmp_path)
    path = tmp_path / store.EVENTS
    with path.open("ab") as file:
        file.write(tail)
    said: list[str] = []
    assert read(tmp_path, say=said.append) == written
    assert said == [
        f"{path}:{len(written) + 1}: the last line was cut off by a crash and is left out"
    ]
    assert path.read_bytes().endswith(tail)  # reading changes nothing
    with AttemptJournal.reopen(tmp_path, redact=unchanged) as journal:
        record = journal.append(Graded(True, "resolved"))
    assert read(tmp_path) == [*written, record]
    assert (tmp_path / store.TORN).read_bytes() == tail + b"\n"


def test_a_damaged_line_is_named_by_file_and_number(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / store.EVENTS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b'{"seq":3,"at":1.0,"kind":"dreamt"}\n', *lines[4:]]))
    with pytest.raises(UsageError, match="unknown kind of event 'dreamt'") as caught:
        read(tmp_path)
    assert caught.value.where == f"{path}:4"
    path.write_bytes(b"no JSON\n")
    with pytest.raises(UsageError, match="not JSON"):
        AttemptJournal.reopen(tmp_path, redact=unchanged)


def test_some_kinds_are_read_without_the_others(tmp_path: Path) -> None:
    write(tmp_path)
    some = list(records(tmp_path, only=(AttemptEnded, Graded)))
    assert [type(record.event) for record in some] == [AttemptEnded, Graded]


def test_a_missing_journal_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path)
    with pytest.raises(FileNotFoundError):
        AttemptJournal.reopen(tmp_path, redact=unchanged)


def test_the_patch_is_stored_byte_for_byte(tmp_path: Path) -> None:
    assert read_patch(tmp_path) == b""
    with AttemptJournal.create(tmp_path, redact=lambda _: "***") as journal:
        journal.write_patch(b"\xff\r\n\0")
        journal.write_patch(b"\xff\r\n\0again")
    assert read_patch(tmp_path) == b"\xff\r\n\0again"
    assert sorted(p.name for p in tmp_path.iterdir()) == [store.EVENTS, store.PATCH]


def test_a_write_that_fails_half_way_leaves_no_half_line(tmp_path: Path) -> None:
    """A file size limit stands for the full disk: the first write is short, the next one fails."""
    pid = os.fork()
    if not pid:
        _fill(tmp_path)
    assert os.waitpid(pid, 0)[1] == 0
    assert [r.event.code for r in read(tmp_path) if isinstance(r.event, Noted)] == ["a", "c"]


def _fill(directory: Path) -> None:
    status = 1
    try:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        journal = AttemptJournal.create(directory, redact=unchanged)
        journal.append(Noted("a", "fits"))
        try:
            journal.append(Noted("b", "x" * 8192))
        except OSError:
            journal.append(Noted("c", "fits again"))
            status = 0
    finally:
        os._exit(status)


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b".")), max_size=12))
@pytest.mark.parametrize("block", [1, 7, 64])
def test_lines_come_backwards(
    tmp_path_factory: pytest.TempPathFactory, block: int, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes(b"\n".join(lines))  # the last is torn
    assert list(lines_backwards(path, block=block)) == list(reversed(lines[:-1]))
    kept, torn = torn_tail(path)
    assert path.read_bytes()[kept:] == torn == (lines[-1] if lines else b"")


def test_an_ended_attempt_reads_the_same_as_a_typed_outcome(tmp_path: Path) -> None:
    write(tmp_path)
    (ended,) = [r.event for r in read(tmp_path) if isinstance(r.event, AttemptEnded)]
    assert ended.outcome is Outcome.FINISHED
