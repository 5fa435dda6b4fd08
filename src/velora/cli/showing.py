"""One trajectory as text: what the model said, did and saw, the patch and the verdict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from velora.config.names import safe_name
from velora.errors import UsageError, nearest
from velora.journal.events import (
    Answered,
    AttemptEnded,
    AttemptStarted,
    Condensed,
    Event,
    Graded,
    Noted,
    Nudged,
    Observed,
    PatchTaken,
    Prompted,
    Record,
    Repeated,
    Resumed,
    SandboxReady,
    SnapshotTaken,
)
from velora.journal.run import RunDirectory, numbered
from velora.journal.store import EVENTS, lines, read, read_patch

HEAD = 12
"""Lines of an output that are shown without --full."""


def show(path: Path, instance_id: str, attempt: int, *, full: bool, json: bool) -> int:
    """Print the trajectory; returns the exit status."""
    directory = find(path, instance_id, attempt)
    if json:
        for _, line in lines(directory / EVENTS):
            sys.stdout.write(line.decode())
        return 0
    for record in read(directory):
        text = render(record, full=full)
        if text:
            print(text)
        if isinstance(record.event, PatchTaken) and record.event.status == "patch":
            print(read_patch(directory).decode("utf-8", "replace"))
    return 0


def find(path: Path, instance_id: str = "", attempt: int = 0) -> Path:
    """The directory of the attempt that is meant.

    Raises:
        UsageError: nothing there, or more than one to choose from.
    """
    if path.name == EVENTS:
        path = path.parent
    if (path / EVENTS).exists():
        return path
    run = RunDirectory(path)
    if not run.journal.is_dir():
        raise UsageError(
            "no trajectory here", where=str(path), hint="name a run's directory or an events.jsonl"
        )
    known = sorted(entry.name for entry in run.journal.iterdir())
    name = safe_name(instance_id) if instance_id else (known[0] if len(known) == 1 else "")
    if name not in known:
        asked = f"there is no instance '{instance_id}'" if instance_id else "which instance?"
        raise UsageError(asked, where=str(path), hint=nearest(instance_id, known))
    numbers = numbered(run.journal / name)
    chosen = attempt or numbers[-1]
    if chosen not in numbers:
        raise UsageError(
            f"there is no attempt {chosen}", where=str(path), hint=f"there are {numbers}"
        )
    return run.journal / name / f"attempt-{chosen}"


def render(record: Record, *, full: bool = False) -> str:
    """One event as text; "" for what needs none."""
    return "\n".join(_lines(record.event, full))


def _lines(event: Event, full: bool) -> list[str]:
    match event:
        case AttemptStarted():
            return [f"=== {event.instance_id}, attempt {event.attempt}, {event.model}"]
        case SandboxReady():
            return [f"    {event.backend} {event.image} in {event.workdir}".rstrip()]
        case SnapshotTaken():
            return [f"    warning: {warning}" for warning in event.warnings]
        case Prompted():
            return ["--- task", *_cut(event.instruction, full)]
        case Answered():
            return _answer(event)
        case Observed():
            status = "" if event.exit_code in {None, 0} else f"[exit status {event.exit_code}]"
            return [f"    {line}" for line in _cut(event.content, full)] + (
                [f"    {status}"] if status else []
            )
        case Nudged():
            return ["--- harness", *_cut(event.content, full)]
        case Condensed():
            return _condensed(event, full)
        case Resumed():
            return [f"=== resumed after {event.answers} answers, {event.differences} differences"]
        case Repeated():
            return [f"    {event.tool} gave something else this time", *_cut(event.content, full)]
        case Noted():
            return [f"    note: {line}" for line in _cut(event.text, full)]
        case PatchTaken():
            return [f"--- patch: {event.status} {', '.join(event.files)}", event.detail]
        case AttemptEnded():
            detail = f": {event.detail}" if event.detail else ""
            return [f"=== {event.outcome} after {event.steps} steps{detail}"]
        case Graded():
            word = {True: "resolved", False: "unresolved", None: "not graded"}[event.resolved]
            return [f"=== {word} ({event.error or event.reason})"]


def _condensed(event: Condensed, full: bool) -> list[str]:
    """From here on the model no longer sees all that is told above."""
    facts = [f"{event.start - event.kept} messages left out from here on"]
    if event.masked:
        facts.append(f"observations before message {event.masked} masked")
    if event.clipped:
        facts.append(f"observations cut to {event.longest} characters")
    head = f"--- condensed by {event.condenser} ({event.reason}): {', '.join(facts)}"
    return [head, *_cut(event.summary, full)]


def _answer(event: Answered) -> list[str]:
    message = event.completion.message
    lines = ["--- model"]
    if message.reasoning:
        lines += [f"    ({line})" for line in message.reasoning.strip().splitlines()]
    if message.content:
        lines += message.content.strip().splitlines()
    lines += [f"  > {call.name} {_arguments(call.arguments)}" for call in message.tool_calls]
    return lines


def _arguments(text: str) -> str:
    import orjson

    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    if isinstance(value, dict) and set(value) == {"command"}:
        return str(value["command"]).replace("\n", "\n    ")
    return text


def _cut(text: str, full: bool) -> list[str]:
    lines = text.rstrip().splitlines()
    if full or len(lines) <= HEAD + 1:
        return lines
    return [*lines[:HEAD], f"... {len(lines) - HEAD} more lines (--full shows them)"]
