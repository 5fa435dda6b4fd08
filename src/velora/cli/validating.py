"""The work of `velora validate`: a line for each instance as it is known, and the counts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import orjson

from velora.cli.interrupt import Interrupted, run_until_interrupted
from velora.cli.output import say
from velora.engine import validate as engine
from velora.engine.validate import QUARANTINE, Request, Result, Validation
from velora.grading.soundness import Soundness

_SHOWN = 5


def default_cache() -> Path:
    """The user's own, by the XDG base directory specification."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "velora" / "base-runs"


def validate(request: Request, *, json: bool) -> int:
    """Carry it out and report; returns the exit status: 1 if an instance is not sound."""

    def tell(result: Result) -> None:
        if json:
            print(orjson.dumps(result.row()).decode(), flush=True)
        else:
            say(_line(result))

    try:
        validation = run_until_interrupted(engine.validate(request, tell))
    except Interrupted:
        say("velora: interrupted; the same command goes on from here", to=sys.stderr)
        return 130
    _print(validation, json=json)
    good = (Soundness.SOUND, Soundness.SLOW)
    return 0 if all(result.soundness in good for result in validation.results) else 1


def _line(result: Result) -> str:
    said = "; ".join(filter(None, (finding.why for finding in result.findings)))
    tests = result.findings[0].tests
    named = f" ({', '.join(tests[:_SHOWN])}{', ...' if len(tests) > _SHOWN else ''})"
    return (
        f"{result.soundness.replace('_', ' '):16} {result.instance_id}"
        f"{f': {said}' if said else ''}{named if tests else ''}"
    )


def _print(validation: Validation, *, json: bool) -> None:
    if json:
        facts = {
            "event": "summary",
            "directory": str(validation.directory),
            "instances": len(validation.results),
            "counts": validation.counts,
        }
        print(orjson.dumps(facts).decode())
        return
    counted = (f"{name.replace('_', ' ')} {n}" for name, n in validation.counts.items() if n)
    say(f"{len(validation.results)} instances: {', '.join(counted)}", to=sys.stderr)
    say(f"quarantine: {validation.directory / QUARANTINE}", to=sys.stderr)
