"""A trajectory as it was recorded, read for a replay: a journal, or a row of `output.jsonl`.

A row has no events; its tool calls and their results are taken from the history in OpenHands'
schema. What OpenHands itself wrote can be read too, but its observations are worded otherwise, so
each of them differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from velora.agent.kinds import CODEACT
from velora.config.settings import Settings
from velora.engine.regrade import stored_settings
from velora.errors import UsageError, nearest
from velora.instances.fields import instance_of
from velora.instances.model import Instance
from velora.instances.rows import Row
from velora.journal import metadata
from velora.journal.events import Answered, Event, Observed
from velora.journal.past import past_of
from velora.journal.store import EVENTS, read, read_patch


@dataclass(frozen=True, slots=True)
class Step:
    """A recorded call; `number` is that of the model's answer, from 1."""

    number: int
    call: Observed


@dataclass(frozen=True, slots=True)
class Recorded:
    """A trajectory.

    Attributes:
        steps: the calls that have a result, in order.
        patch: the model's diff; None where none is on record.
        workdir, digest: of the sandbox of then; "" where they are not on record.
        agent: its class.
    """

    instance: Instance
    settings: Settings
    steps: tuple[Step, ...]
    patch: bytes | None
    workdir: str = ""
    digest: str = ""
    agent: str = CODEACT


def from_journal(directory: Path) -> Recorded:
    """The attempt whose journal lies in a directory.

    Raises:
        UsageError: it is damaged, or holds no attempt.
    """
    past = past_of(read(directory))
    if past.started is None:
        raise UsageError("no attempt has begun here", where=str(directory / EVENTS))
    run = _metadata(directory.parent.parent.parent / "metadata.json")
    ready = past.ready
    instance = instance_of(Row(f"{run.get('dataset', '')}:0", past.started.row))
    return Recorded(
        instance=_placed(instance, ready.image if ready else ""),
        settings=_settings(run, directory),
        steps=tuple(_steps(past.events)),
        patch=None if past.patch is None else read_patch(directory),
        workdir=ready.workdir if ready else "",
        digest=ready.digest if ready else "",
        agent=past.started.agent,
    )


def from_rows(path: Path, instance_id: str, attempt: int) -> Recorded:
    """A row of an `output.jsonl`.

    Args:
        instance_id: which; "" where there is one.
        attempt: which; 0 is the last.

    Raises:
        UsageError: there is none or more than one to choose from, or it is no row with a history.
    """
    rows = list(_rows(path))
    ids = list(dict.fromkeys(str(row.get("instance_id", "")) for row in rows))
    chosen = instance_id or (ids[0] if len(ids) == 1 else "")
    if chosen not in ids:
        asked = f"there is no instance '{instance_id}'" if instance_id else "which instance?"
        raise UsageError(asked, where=str(path), hint=nearest(instance_id, ids))
    found = [row for row in rows if row["instance_id"] == chosen]
    found = [row for row in found if attempt in {0, row.get("attempt", 1)}]
    if not found or not isinstance(found[-1].get("history"), list):
        raise UsageError(f"no attempt of '{chosen}' with a history", where=str(path))
    row = found[-1]
    run = _metadata(path.parent / "metadata.json")
    patch = (row.get("test_result") or {}).get("git_patch")
    instance = instance_of(Row(f"{run.get('dataset') or path}:0", row.get("instance") or row))
    details = (row.get("metadata") or {}).get("details") or {}
    return Recorded(
        instance=_placed(instance, str(details.get("image", ""))),
        settings=_settings(run, path.parent),
        steps=tuple(_of_history(row["history"])),
        patch=patch.encode() if isinstance(patch, str) else None,
        workdir=str(details.get("workdir", "")),
        digest=str(details.get("image_digest", "")),
        agent=str((row.get("metadata") or {}).get("agent_class") or CODEACT),
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                where, hint = f"{path}:{number}", "name an events.jsonl or an output.jsonl"
                raise UsageError(f"not JSON ({error})", where=where, hint=hint) from None
            if isinstance(row, dict):
                yield row


def _metadata(path: Path) -> dict[str, Any]:
    try:
        return metadata.load(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _settings(run: Mapping[str, Any], where: Path) -> Settings:
    return stored_settings(run, where=str(where)) if run else Settings()


def _placed(instance: Instance, image: str) -> Instance:
    """With the image by the path that was found for it, where it is a directory."""
    return replace(instance, image=image) if image and Path(image).is_dir() else instance


def _steps(events: tuple[Event, ...]) -> Iterator[Step]:
    number = 0
    for event in events:
        if isinstance(event, Answered):
            number += 1
        elif isinstance(event, Observed):
            yield Step(number, event)


def _of_history(history: list[dict[str, Any]]) -> Iterator[Step]:
    results = {e["cause"]: e for e in history if "observation" in e and "cause" in e}
    answers: dict[str, int] = {}
    for event in history:
        call = event.get("tool_call_metadata") or {}
        if "action" not in event or not call.get("function_name"):
            continue
        answer = call.get("model_response") or {}
        number = answers.setdefault(str(answer.get("id") or len(answers)), len(answers) + 1)
        result = results.get(event.get("id"))
        if result is not None:
            yield Step(number, _observed(call, answer, result))


def _observed(call: Mapping[str, Any], answer: Mapping[str, Any], result: Mapping[str, Any]) -> Any:
    extras = result.get("extras") or {}
    code = (extras.get("metadata") or {}).get("exit_code")
    return Observed(
        call_id=call["tool_call_id"],
        tool=call["function_name"],
        arguments=_arguments(answer, call["tool_call_id"]),
        content=str(result.get("content", "")),
        error=result.get("observation") == "error",
        exit_code=code if result.get("observation") == "run" else None,
        extras={"running": True} if extras.get("running") else {},
    )


def _arguments(answer: Mapping[str, Any], call_id: str) -> dict[str, Any]:
    for choice in answer.get("choices") or ():
        for call in (choice.get("message") or {}).get("tool_calls") or ():
            if call.get("id") == call_id:
                try:
                    value = orjson.loads(call["function"]["arguments"] or "{}")
                except orjson.JSONDecodeError:
                    return {}
                return value if isinstance(value, dict) else {}
    return {}
