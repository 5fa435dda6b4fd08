"""Running a program and seeing what it took."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took: seconds of wall and CPU (its children's waited-for CPU included),
    its own peak resident set in bytes, and when it began (unix seconds)."""

    wall: float
    cpu: float
    resident: int
    began: float


def run(argv: Sequence[str], *, cwd: Path | None = None, ok: Sequence[int] = (0,)) -> Usage:
    """Run a program to its end.

    Raises:
        RuntimeError: its status is not in `ok`; with its output.
    """
    with tempfile.TemporaryFile() as output:
        began, start = time.time(), time.monotonic()
        process = subprocess.Popen(argv, cwd=cwd, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in ok:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(argv)}: status {process.returncode}\n{text}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, began)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the scripted server saw it; times are unix seconds."""

    received: float
    answered: float
    conversation: str
    turn: int


class Served:
    """A scripted model server in a process of its own, and its log."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log
        self._seen = 0

    def calls(self) -> list[Call]:
        """The requests since the last time this was asked."""
        rows = [orjson.loads(line) for line in self._log.read_bytes().splitlines()]
        new, self._seen = rows[self._seen :], len(rows)
        return [Call(r["received"], r["answered"], r["conversation"], r["turn"]) for r in new]


@contextmanager
def serving(python: str, script: Path, directory: Path) -> Iterator[Served]:
    """Serve a script while the block runs."""
    log = directory / f"{script.stem}.requests.jsonl"
    log.touch()
    argv = [python, "-m", "tests.servers.openai", "--script", str(script), "--log", str(log)]
    process = subprocess.Popen([*argv, "--lenient"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Served(process.stdout.readline().strip(), log)
    finally:
        process.terminate()
        process.wait()


def gaps(calls: Iterable[Call]) -> dict[int, list[float]]:
    """Milliseconds from an answer to the next request of its conversation, by that one's turn."""
    by_conversation: dict[str, list[Call]] = {}
    for call in calls:
        by_conversation.setdefault(call.conversation, []).append(call)
    found: dict[int, list[float]] = {}
    for talk in by_conversation.values():
        talk.sort(key=lambda call: call.turn)
        for before, after in itertools.pairwise(talk):
            found.setdefault(after.turn, []).append((after.received - before.answered) * 1000)
    return found


def median(values: Iterable[float]) -> float:
    """The median."""
    return statistics.median(values)
