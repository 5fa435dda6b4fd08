"""The work of `velora parse-log`: a log goes through the parsers that grading uses.

Standard input is put into a temporary file first, since `auto` reads a log more than once.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import orjson

from velora.cli.output import say
from velora.errors import UsageError
from velora.grading.log import FileLog
from velora.grading.parsers import registry
from velora.grading.parsers.tally import SEVERITY
from velora.grading.protocol import Status, TestResult

HEAD = 40
"""Tests that are listed without --all."""

STDIN = "-"


def parse_log(log: Path | None, parser: str, *, all_names: bool, json: bool) -> int:
    """Read a log and print what was read; returns the exit status.

    Raises:
        UsageError: no log is named, it cannot be read, or there is no such parser.
    """
    registry.resolve(parser)
    if log is None:
        raise UsageError("which log?", hint="name a file, or - for standard input")
    try:
        with _readable(log) as path:
            reading = registry.parse(parser, FileLog(path))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=str(log)) from None
    if json:
        say(_as_json(reading))
    else:
        for line in _as_text(reading, all_names=all_names):
            say(line)
    return 0 if reading.parsed.results else 1


def catalogue(log: Path | None, *, json: bool) -> int:
    """Print the parsers and how they name tests; returns the exit status.

    Raises:
        UsageError: a log is named too.
    """
    if log is not None:
        raise UsageError("--parsers lists the parsers and reads no log", where=str(log))
    known = [*registry.FRAMEWORKS.values(), *registry.REFERENCE.values()]
    if json:
        rows = [{"name": f.name, "names": f.names, "languages": f.languages} for f in known]
        say(orjson.dumps(rows).decode())
        return 0
    width = max(len(framework.name) for framework in known)
    for framework in known:
        say(f"{framework.name:<{width}}  {framework.names}")
    return 0


@contextmanager
def _readable(log: Path) -> Iterator[Path]:
    """The log as a file that can be read several times."""
    if str(log) != STDIN:
        yield log
        return
    with tempfile.NamedTemporaryFile(prefix="velora-log-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield Path(file.name)


def _as_json(reading: registry.Reading) -> str:
    parsed = reading.parsed
    facts = {
        "parser": _parser(reading),
        "why": reading.why,
        "candidates": reading.candidates,
        "complete": parsed.complete,
        "warnings": parsed.warnings,
        "results": {name: result.status for name, result in parsed.results.items()},
    }
    return orjson.dumps(facts).decode()


def _as_text(reading: registry.Reading, *, all_names: bool) -> Iterator[str]:
    parsed = reading.parsed
    yield f"parser    {_parser(reading)}{f' ({reading.why})' if reading.why else ''}"
    yield f"complete  {'yes' if parsed.complete else 'no: the log shows no end of the run'}"
    for warning in parsed.warnings:
        yield f"warning   {_printable(warning)}"
    counts = Counter(result.status for result in parsed.results.values())
    statuses = sorted(counts, key=SEVERITY.__getitem__, reverse=True)
    for status in statuses:
        yield f"{status.value:<8}{counts[status]:>7}"
    tests = len(parsed.results)
    yield f"{'tests':<8}{tests:>7}"
    if tests:
        yield ""
    shown = tests if all_names else HEAD
    for name, result in islice(_in_order(parsed.results, statuses), shown):
        yield f"{result.status.value:<8} {_printable(name)}{_flaky(result)}"
    if shown < tests:
        yield f"... {tests - shown} more (--all shows them)"


def _parser(reading: registry.Reading) -> str:
    return reading.label.removeprefix(f"{registry.AUTO}:")


def _in_order(
    results: Mapping[str, TestResult], statuses: Iterable[Status]
) -> Iterator[tuple[str, TestResult]]:
    """The tests of each status in turn."""
    for status in statuses:
        yield from (test for test in results.items() if test[1].status is status)


def _flaky(result: TestResult) -> str:
    return " (passed when run again)" if result.flaky and result.status is Status.PASSED else ""


def _printable(text: str) -> str:
    """`text` without anything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
