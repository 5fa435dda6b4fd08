"""`ledger.jsonl`: one line for each call of a model that was paid for, in the order of payment.

```
{"instance_id": "a", "attempt": 1, "seq": 7, "at": <unix seconds>, "model": "gpt-4o",
 "purpose": "agent", "prompt": 1200, "cache_read": 1024, "cache_write": 0, "completion": 80,
 "reasoning": 64, "retries": 0, "cost": 0.0021}
```

`attempt` and `seq` are the event in that attempt's journal which holds the answer; `purpose` is
`agent` or `condenser`; `prompt` includes the cached tokens and `completion` the reasoning; `cost`
is null where nobody knows the price. The `math.fsum` of the costs at the instances that
`report.json` is about is its `cost`, exactly. A projection: it can be made again from the journals.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from velora.journal.events import Answered, AttemptStarted, Condensed, Record, paid
from velora.journal.files import cut, torn_tail, write_atomic
from velora.journal.run import RunDirectory
from velora.journal.store import EVENTS, records

_KINDS = (AttemptStarted, Answered, Condensed)


def line(instance_id: str, attempt: int, record: Record) -> bytes | None:
    """The line of a record that holds a paid answer; None for all others."""
    completion = paid(record.event)
    if completion is None:
        return None
    usage = completion.usage
    fields = {
        "instance_id": instance_id,
        "attempt": attempt,
        "seq": record.seq,
        "at": record.at,
        "model": completion.model,
        "purpose": "agent" if isinstance(record.event, Answered) else "condenser",
        "prompt": usage.prompt,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "completion": usage.completion,
        "reasoning": usage.reasoning,
        "retries": completion.retries,
        "cost": completion.cost,
    }
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def mend(run: RunDirectory) -> None:
    """Take off a last line that a crash cut short; what it said comes back by `agree`."""
    with contextlib.suppress(FileNotFoundError):
        size, torn = torn_tail(run.ledger_file)
        if torn:
            cut(run.ledger_file, size)


def agree(run: RunDirectory, instance_ids: Iterable[str], *, calls: int, cost: float) -> None:
    """See to it that the ledger says what the journals do, as the report has just added them up.

    After a crash it may lack lines of events that are in the journal, and after a power cut have
    lines of events that are not. Where count or sum differ, it is made anew.

    Args:
        run: the caller holds its lock.
        instance_ids: the instances that the report is about.
        calls, cost: over these.
    """
    try:
        found = _sum(run.ledger_file, set(instance_ids))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        found = None
    if found != (calls, cost):
        rewrite(run, run.ledger_file)


def _sum(path: Path, instance_ids: set[str]) -> tuple[int, float]:
    costs: list[float] = []
    calls = 0
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        for one in map(orjson.loads, file):
            if one["instance_id"] in instance_ids:
                calls += 1
                costs.append(one["cost"] or 0.0)
    return calls, math.fsum(costs)


def rewrite(run: RunDirectory, path: Path) -> None:
    """Make the ledger of all attempts anew, into `path`.

    Raises:
        UsageError: a journal is damaged; names file and line.
    """
    lines = sorted(_lines(run))
    write_atomic(path, b"".join(text for *_, text in lines))


def _lines(run: RunDirectory) -> Iterator[tuple[float, str, int, int, bytes]]:
    for directory in run.attempt_dirs():
        key: tuple[str, int] | None = None
        if not (directory / EVENTS).is_file():
            continue
        for record in records(directory, only=_KINDS):
            if isinstance(record.event, AttemptStarted):
                key = record.event.instance_id, record.event.attempt
            elif key and (text := line(*key, record)):
                yield record.at, *key, record.seq, text


def costs(run: RunDirectory) -> dict[tuple[str, int], list[float]]:
    """The known costs of all calls so far, by instance and attempt, from the journals.

    Raises:
        UsageError: a journal is damaged; names file and line.
    """
    found: dict[tuple[str, int], list[float]] = {}
    for _, instance_id, attempt, _, text in _lines(run):
        cost = orjson.loads(text)["cost"]
        found.setdefault((instance_id, attempt), []).append(cost or 0.0)
    return found
