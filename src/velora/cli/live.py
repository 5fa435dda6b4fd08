"""What a run looks like while it runs: a progress line on a terminal, plain lines elsewhere,
one JSON object a line with --json. All three are observers of the journal."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import asdict
from types import TracebackType
from typing import Any, Protocol, Self

import orjson

from velora.cli.output import say
from velora.engine.observer import AttemptKey
from velora.engine.session import Due
from velora.errors import POLICY, Outcome
from velora.journal.events import (
    Answered,
    AttemptEnded,
    AttemptStarted,
    Graded,
    Noted,
    Record,
    Resumed,
    SandboxReady,
    paid,
)
from velora.journal.past import NOT_CONTINUED


class Live(Protocol):
    """An observer with a beginning and an end."""

    def __enter__(self) -> Self:
        """Start showing."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing."""
        ...

    def announce(self, due: Due) -> None:
        """Say what there is to do."""
        ...

    def __call__(self, key: AttemptKey, record: Record) -> None:
        """Take note of a record."""
        ...


def choose(total: int, *, json: bool) -> Live:
    """The kind that fits the output; `total` is the number of attempts wanted, 0 if none are."""
    if json:
        return JsonLines()
    return Progress(total) if sys.stderr.isatty() else PlainLines(total)


class Bare:
    """Nothing to start, nothing to stop."""

    def __enter__(self) -> Self:
        """See `Live`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """See `Live`."""


class JsonLines(Bare):
    """Starts, ends and verdicts as JSON objects on stdout."""

    def announce(self, due: Due) -> None:
        """See `Live`."""
        if due.resumes:
            say(orjson.dumps({"event": "resuming", **asdict(due)}).decode())

    def __call__(self, key: AttemptKey, record: Record) -> None:
        """See `Live`."""
        event = record.event
        line: dict[str, Any] = {"instance_id": key.instance_id, "attempt": key.attempt}
        if isinstance(event, AttemptStarted):
            line |= {"event": "started"}
        elif isinstance(event, Resumed):
            line |= {
                "event": "resumed",
                "answers": event.answers,
                "calls": event.calls,
                "differences": event.differences,
            }
        elif isinstance(event, AttemptEnded):
            line |= {
                "event": "ended",
                "outcome": event.outcome,
                "detail": event.detail,
                "steps": event.steps,
                "seconds": round(event.duration, 3),
            }
        elif isinstance(event, Graded):
            line |= {"event": "graded", "resolved": event.resolved, "reason": event.reason}
        else:
            return
        say(orjson.dumps(line).decode())


class PlainLines(Bare):
    """A line a start, end and verdict, on stderr."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._began = time.monotonic()
        self._ended = 0

    def announce(self, due: Due) -> None:
        """See `Live`."""
        if due.resumes:
            say(announcement(due), to=sys.stderr)

    def __call__(self, key: AttemptKey, record: Record) -> None:
        """See `Live`."""
        text = describe(key, record)
        if not text:
            return
        if isinstance(record.event, AttemptEnded):
            self._ended += 1
        seconds = f"{time.monotonic() - self._began:7.1f} s"
        count = f" {self._ended}/{self._total}" if self._total else ""
        say(f"[{seconds}{count}] {text}", to=sys.stderr)


def announcement(due: Due) -> str:
    """What a run that is not the first in its directory has to do."""
    parts = [
        f"{counted(due.continued, 'attempt')} gone on with",
        f"{due.new} new",
        f"{counted(due.gradings, 'patch', 'patches')} to grade",
        f"{counted(due.done, 'instance')} done before",
    ]
    return f"resuming: {', '.join(part for part in parts if not part.startswith('0 '))}"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def describe(key: AttemptKey, record: Record) -> str:
    """One line for people, or "" for what needs none."""
    event = record.event
    name = key.instance_id if key.attempt == 1 else f"{key.instance_id} (attempt {key.attempt})"
    if isinstance(event, AttemptStarted):
        return f"{name}: started"
    if isinstance(event, Resumed):
        answers = counted(event.answers, "answer")
        odd = f", {event.differences} otherwise than before" if event.differences else ""
        return f"{name}: goes on after {answers} ({counted(event.calls, 'call')} run again{odd})"
    if isinstance(event, Noted) and event.code == NOT_CONTINUED:
        return f"{name}: not gone on with: {first_line(event.text)}"
    if isinstance(event, AttemptEnded):
        detail = f": {first_line(event.detail)}" if event.detail else ""
        return f"{name}: {event.outcome} after {event.steps} steps{detail}"
    if isinstance(event, Graded):
        if event.resolved is None:
            return f"{name}: not graded: {first_line(event.error)}"
        return f"{name}: {'resolved' if event.resolved else f'unresolved ({event.reason})'}"
    if isinstance(event, Noted) and event.code in {"llm_retry", "key_refused"}:
        return f"{name}: {event.text}"
    if isinstance(event, Noted) and event.code in {"provider_down", "provider_back"}:
        # Every attempt that waits has the note; one line is enough.
        return event.text if event.data.get("first") else ""
    return ""


def first_line(text: str) -> str:
    """The first line of a text, or what fits of it."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 200 else line[:197] + "..."


class Progress:
    """A progress bar with counts, on a terminal."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"),
            console=self._console,
        )
        self._task = self._bar.add_task("attempts", total=total, counts="")
        self._counts: Counter[str] = Counter()
        self._steps = 0
        self._cost = 0.0
        self._running: set[AttemptKey] = set()

    def announce(self, due: Due) -> None:
        """See `Live`."""
        if due.resumes:
            self._console.print(announcement(due), highlight=False, markup=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, key: AttemptKey, record: Record) -> None:
        """See `Live`."""
        event = record.event
        if isinstance(event, AttemptStarted | SandboxReady):
            self._running.add(key)
        elif completion := paid(event):
            self._steps += isinstance(event, Answered)
            self._cost += completion.cost or 0.0
        elif isinstance(event, AttemptEnded):
            self._running.discard(key)
            self._counts[event.outcome] += 1
            if not POLICY[event.outcome].retried:
                self._bar.advance(self._task)
        elif isinstance(event, Graded) and event.resolved is not None:
            self._counts["resolved" if event.resolved else "unresolved"] += 1
        text = describe(key, record)
        if text and not (isinstance(event, AttemptEnded) and event.outcome is Outcome.FINISHED):
            self._console.print(text, highlight=False, markup=False)
        counts = ", ".join(f"{name} {n}" for name, n in sorted(self._counts.items()))
        running = f"{len(self._running)} running, {self._steps} steps, ${self._cost:.2f}"
        self._bar.update(self._task, counts=f"{running}  {counts}")
