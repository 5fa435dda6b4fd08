"""What `velora replay` prints: a line a call, the first difference, the patch."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from velora.cli.interrupt import Interrupted, run_until_interrupted
from velora.cli.output import say
from velora.cli.showing import find
from velora.engine.recorded import Recorded, from_journal, from_rows
from velora.engine.replaying import Replayed, Result, replay
from velora.errors import UsageError
from velora.journal.store import EVENTS

SHOWN = 60
"""Lines of a difference that are printed."""


def run(path: Path, instance_id: str, attempt: int, *, image: str, backend: str, json: bool) -> int:
    """Replay, print, and return the exit status."""
    if not path.exists():
        hint = "name an events.jsonl, an attempt's or a run's directory, or an output.jsonl"
        raise UsageError("nothing is there", where=str(path), hint=hint)
    recorded = _recorded(path, instance_id, attempt)
    try:
        result = run_until_interrupted(
            replay(
                recorded,
                partial(_tell, json=json),
                backend=backend,
                image=image,
                notice=partial(_notice, json=json),
            )
        )
    except Interrupted:
        return 130
    if json:
        say(orjson.dumps(_summary(result)).decode())
    else:
        for line in _lines(result, recorded):
            say(line)
    return 0 if result.same else 1


def _recorded(path: Path, instance_id: str, attempt: int) -> Recorded:
    if path.is_file() and path.name != EVENTS:
        return from_rows(path, instance_id, attempt)
    return from_journal(find(path, instance_id, attempt))


def _tell(one: Replayed, *, json: bool) -> None:
    word = "not run again" if one.again is None else "same" if one.again.same else "different"
    call = one.step.call
    if json:
        line = {"event": "call", "step": one.step.number, "call_id": call.call_id}
        line |= {"tool": call.tool, "result": word}
        if one.again is not None and not one.again.same:
            line |= {
                "expected": {"content": call.content, "exit_code": call.exit_code},
                "got": {"content": one.again.content, "exit_code": one.again.exit_code},
            }
        say(orjson.dumps(line).decode())
    else:
        say(f"step {one.step.number:<4}{word:<14}{call.tool}  {_gist(call.arguments)}".rstrip())


def _notice(text: str, *, json: bool) -> None:
    say(orjson.dumps({"event": "notice", "text": text}).decode() if json else f"note: {text}")


def _summary(result: Result) -> dict[str, Any]:
    first = result.first.step if result.first else None
    return {
        "event": "summary",
        "same": result.same,
        "calls": result.calls,
        "differences": result.differences,
        "first": {"step": first.number, "call_id": first.call.call_id} if first else None,
        "patch": result.patch,
        "detail": result.detail,
    }


def _lines(result: Result, recorded: Recorded) -> Iterator[str]:
    yield f"{result.calls} calls run again, {result.differences} came out otherwise"
    if result.first is not None and result.first.again is not None:
        step, again = result.first.step, result.first.again
        yield f"first difference: step {step.number}, {step.call.tool} ({step.call.call_id})"
        if step.call.exit_code != again.exit_code:
            yield f"  exit code {step.call.exit_code} then, {again.exit_code} now"
        yield from _differences(step.call.content, again.content)
    match result.patch:
        case "same":
            yield "patch: the same"
        case "none":
            yield "patch: none is on record to compare with"
        case "failed":
            yield f"patch: it could not be taken: {result.detail}"
        case _:
            yield "patch: another one"
            then = (recorded.patch or b"").decode("utf-8", "replace")
            yield from _differences(then, result.diff.decode("utf-8", "replace"))


def _differences(then: str, now: str) -> Iterator[str]:
    lines = list(
        difflib.unified_diff(then.splitlines(), now.splitlines(), "then", "now", lineterm="", n=1)
    )
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  ... {len(lines) - SHOWN} more lines"


def _gist(arguments: dict[str, Any]) -> str:
    """The first line of what a call is about."""
    words = [str(arguments[name]) for name in ("command", "path", "code") if name in arguments]
    text = " ".join(words).strip().partition("\n")[0]
    return text if len(text) <= 80 else text[:77] + "..."
