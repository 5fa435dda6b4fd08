"""What `run`, `evaluate` and the demo share: carry out a request and report the result."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import orjson

from velora.cli.interrupt import Interrupted, run_until_interrupted
from velora.cli.live import Live, choose
from velora.cli.output import say
from velora.engine.prepare import Prepared, Request, prepare
from velora.engine.session import Result, carry_out
from velora.journal.metrics import Spent


def run(request: Request, *, dry_run: bool = False, json: bool = False) -> int:
    """`velora run`: prepare, carry out, report; returns the exit status."""
    prepared = prepare(request)
    for notice in prepared.notices:
        say(f"velora: {notice}", to=sys.stderr)
    if dry_run:
        say(orjson.dumps(described(prepared), option=orjson.OPT_INDENT_2).decode())
        return 0
    return execute(prepared, json=json)


def execute(prepared: Prepared, *, json: bool = False) -> int:
    """Carry out a prepared run and print its summary; returns the exit status."""
    total = len(prepared.instances) * prepared.settings.run.attempts
    return watched(lambda live: carry_out(prepared, live, live.announce), total, json=json)


def watched(work: Callable[[Live], Coroutine[Any, Any, Result]], total: int, *, json: bool) -> int:
    """Do `work` under the eyes of an observer and report its result; returns the exit status.

    Args:
        total: attempts wanted, 0 if none are.
    """
    with choose(total, json=json) as observer:
        try:
            result = run_until_interrupted(work(observer))
        except Interrupted:
            say("velora: interrupted; the same command goes on from here", to=sys.stderr)
            return 130
    report(result, json=json)
    return 0 if result.complete else 1


def described(prepared: Prepared) -> dict[str, object]:
    """The resolved configuration as `--dry-run` prints it; secrets are masked."""
    return {
        "config_file": str(prepared.source) if prepared.source else None,
        "dataset": str(prepared.request.dataset),
        "instances": len(prepared.instances),
        "families": dict(Counter(instance.family for instance in prepared.instances)),
        "agent_cls": prepared.agent_cls,
        "run_directory": str(prepared.directory.path),
        "configuration": prepared.configuration,
        "settings": prepared.shown,
    }


def report(result: Result, *, json: bool) -> None:
    """Print what came of a run: one JSON line on stdout, or a few lines on stderr."""
    if json:
        line: dict[str, object] = {
            "event": "summary",
            "run_directory": str(result.directory.path),
            **result.report,
        }
        if result.missing:
            line["missing_ids"] = result.missing
        print(orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS).decode())
        return
    for text in _lines(result):
        say(text, to=sys.stderr)


def _lines(result: Result) -> Iterator[str]:
    summary = result.summary
    if result.stopped:
        yield f"stopped: {result.stopped}"
    ends = ", ".join(f"{name} {count}" for name, count in sorted(summary.outcomes.items()))
    yield f"attempts: {ends or 'none'}"
    for name in ("resolved", "unresolved", "empty_patch", "error", "incomplete"):
        if ids := summary.ids[name]:
            yield f"{name.replace('_', ' ')}: {len(ids)}  {_some(ids)}"
    for name, ids in (
        ("in quarantine", summary.ids["quarantined"]),
        ("resolved, with something to look at", summary.flagged),
        ("unresolved, with rigged tests", summary.rigged),
    ):
        if ids:
            yield f"{name}: {len(ids)}  {_some(ids)}"
    if result.missing:
        yield f"without a prediction: {len(result.missing)}  {_some(result.missing)}"
    if summary.score_valid is not None and summary.score_all is not None:
        yield (
            f"score: {summary.score_valid:.1%} of the attempts with a verdict, "
            f"{summary.score_all:.1%} of all"
        )
    if summary.score_sound is not None and summary.ids["quarantined"]:
        yield f"score without the instances in quarantine: {summary.score_sound:.1%}"
    if summary.spent.calls:
        yield _money(summary.spent)
    yield f"run directory: {result.directory.path}"


def _money(spent: Spent) -> str:
    """What the model's calls came to, in one line."""
    unknown = spent.cost_unknown_calls
    known = f"${spent.cost:.4f}" if unknown < spent.calls else "cost unknown"
    if 0 < unknown < spent.calls:
        known = f"{known} + {unknown} calls of unknown price"
    rate = spent.cache_hit_rate
    cached = f", {rate:.0%} from the cache" if rate else ""
    written = f", {spent.cache_write:,} written to it" if spent.cache_write else ""
    reasoning = f", {spent.reasoning:,} of them reasoning" if spent.reasoning else ""
    retries = f", {spent.retries:,} retries" if spent.retries else ""
    return (
        f"model: {known}; {spent.calls:,} calls{retries}; tokens: {spent.prompt:,} prompt{cached}"
        f"{written}, {spent.completion:,} answer{reasoning}"
    )


def _some(ids: tuple[str, ...]) -> str:
    return ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
