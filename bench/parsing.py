"""How fast the parsers read, against a bare loop over the log's lines: `python -m bench parse`.

Each parser reads two logs of 50 MB in a process of its own: its corpus' logs again and again, and
one that is nearly all noise, printed in the middle of a run.

`python -m bench parse-log` has the command read one long run of thousands of tests (`long_logs`),
each of which prints ten lines, by the parser's name and by `auto`, and a quarter as many bytes of
verdicts alone, and sees that it finds every test; `--log-mb 200` for long ones.

The floor is the same process' loop over the same file. Seconds are CPU seconds; the MB before the
unit are that process' peak memory.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import long_logs, measured
from bench.rows import PYTHON, ROOT, Bench, Row
from velora.cli.main import status
from velora.grading.log import FileLog
from velora.grading.parsers import registry

GOAL = 50
"""MB a second."""

SIZE = 50_000_000
NOISE = 1_000_000
"""Bytes of noise in the middle of each copy of a corpus log."""

LOGS = ROOT / "tests" / "grading" / "logs"


def parse(bench: Bench) -> Iterator[Row]:
    """MB/s of every parser that has a corpus, and of `auto`, which looks for all of them first."""
    noise = _noise()
    for name in registry.FRAMEWORKS:
        logs = [path.read_bytes() for path in _logs(name)]
        if not logs:
            continue
        for what, pieces in (("corpus", logs), ("noise", _within(logs, noise))):
            path = _write(bench.work / f"{what}.txt", pieces)
            yield from _rows(bench, name, what, path)
            if what == "noise" and name == next(iter(registry.FRAMEWORKS)):
                yield from _rows(bench, registry.AUTO, what, path)


def command(bench: Bench) -> Iterator[Row]:
    """MB/s of `velora parse-log` on long runs."""
    noise = _noise().decode()
    for name in long_logs.STYLES:
        path = bench.work / "long.txt"
        for what, printed, parsers in (
            ("verdicts", 0, (name,)),
            ("mixed", 10, (name, registry.AUTO)),
        ):
            size = bench.log_mb * 1_000_000 // (1 if printed else 4)
            tests = long_logs.write(path, name, size, noise, printed=printed)
            yield from (_command(bench, name, what, path, tests, each) for each in parsers)


def _command(bench: Bench, name: str, what: str, path: Path, tests: int, parser: str) -> Row:
    label = f"{name}, {what}" if parser == name else f"{name}, {what}, by {parser}"
    found = _measured(bench, "command", parser, path)
    if (found["tests"], found["complete"]) != (tests, True):
        raise RuntimeError(f"parse-log {label}: {found}, of {tests} tests")
    speed, floor = (path.stat().st_size / 1e6 / found[key] for key in ("seconds", "floor"))
    label = f"parse-log {label}, {found['seconds']:.1f} s, {found['peak']:.0f} MB, MB/s"
    return Row(label, speed, floor, f">= {GOAL} MB/s", speed >= GOAL)


def _measured(bench: Bench, how: str, name: str, path: Path) -> dict[str, Any]:
    answer = bench.work / "answer.json"
    argv = [PYTHON, "-m", "bench.parsing", how, name, str(path), str(answer), str(bench.runs)]
    measured.run(argv, cwd=ROOT)
    found: dict[str, Any] = json.loads(answer.read_text())
    return found


def _rows(bench: Bench, name: str, what: str, path: Path) -> Iterator[Row]:
    found = _measured(bench, "reader", name, path)
    speed = path.stat().st_size / 1e6 / found["seconds"]
    floor = path.stat().st_size / 1e6 / found["floor"]
    what = f"parse {name}, {what}, {found['peak']:.0f} MB, MB/s"
    yield Row(what, speed, floor, f">= {GOAL} MB/s", speed >= GOAL)


def _logs(name: str) -> list[Path]:
    return sorted([*LOGS.glob(f"{name}/*.txt"), *LOGS.glob(f"{name}-*.txt")])


def _within(logs: list[bytes], noise: bytes) -> list[bytes]:
    """The logs with noise in their middle."""
    found = []
    for log in logs:
        lines = log.splitlines(keepends=True)
        half = len(lines) // 2
        found.append(b"".join(lines[:half]) + noise + b"".join(lines[half:]))
    return found


def _write(path: Path, pieces: list[bytes]) -> Path:
    size = 0
    with path.open("wb") as file:
        while size < SIZE:
            for piece in pieces:
                size += file.write(piece)
                if size >= SIZE:
                    break
    return path


def _noise() -> bytes:
    """Lines such as programs print: words, numbers, paths, indented, some long, all distinct."""
    chance = random.Random(1)
    words = "connection to the server at lost retry value of in module 0x7f3a 2026-01-05 12:00:01"
    starts = ("", "", "", "    ", "  at ", "INFO ", "[debug] ", "> ", "- ", "\t", "src/main.c:12: ")
    lines: list[str] = []
    size = 0
    while size < NOISE:
        count = chance.choice((1, 3, 8, 8, 12, 20))
        text = " ".join(chance.choices(words.split(), k=count))
        lines.append(f"{chance.choice(starts)}{text} {chance.randrange(10**6)}\n")
        size += len(lines[-1])
    return "".join(lines).encode()


def _seconds(one: Callable[[], object], runs: int) -> float:
    """CPU seconds, the median of several runs."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        one()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def _bare(path: Path) -> None:
    for _ in FileLog(path).lines():
        pass


def _parse_log(name: str, path: Path) -> dict[str, Any]:
    """What `velora parse-log` says of a log, the seconds it takes and its memory."""
    printed = io.StringIO()
    began = time.process_time()
    with contextlib.redirect_stdout(printed):
        status(["parse-log", str(path), "--parser", name])
    seconds = time.process_time() - began
    lines = printed.getvalue().splitlines()
    tests = next((int(line.split()[1]) for line in lines if line.startswith("tests ")), 0)
    complete = any(line.split() == ["complete", "yes"] for line in lines)
    return {"seconds": seconds, "peak": _peak(), "tests": tests, "complete": complete}


def main() -> None:
    """One parser on one file, in this process."""
    how, name, path, answer = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    runs = int(sys.argv[5])
    if how == "command":
        found = _parse_log(name, path)
        found["floor"] = _seconds(lambda: _bare(path), runs)
    else:
        floor = _seconds(lambda: _bare(path), runs)
        seconds = _seconds(lambda: registry.parse(name, FileLog(path)), runs)
        found = {"seconds": seconds, "floor": floor, "peak": _peak()}
    answer.write_text(json.dumps(found))


def _peak() -> float:
    """This process' peak memory in MB; resource.getrusage would give the parent's, if larger."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) / 1024


if __name__ == "__main__":
    main()
