"""How fast the parsers read, against a bare loop over the log's lines: `python -m bench parse`.

Each parser reads two logs of 50 MB in a process of its own: its corpus' logs again and again, and
one that is nearly all noise, printed in the middle of a run. The floor is the same process'
loop over the same file; the MB before the unit are that process' peak memory.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import measured
from bench.rows import PYTHON, ROOT, Bench, Row
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


def _rows(bench: Bench, name: str, what: str, path: Path) -> Iterator[Row]:
    answer = bench.work / "answer.json"
    argv = [PYTHON, "-m", "bench.parsing", name, str(path), str(answer), str(bench.runs)]
    measured.run(argv, cwd=ROOT)
    found = json.loads(answer.read_text())
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


def main() -> None:
    """One parser on one file, in this process."""
    name, path, answer, runs = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    floor = _seconds(lambda: _bare(path), runs)
    seconds = _seconds(lambda: registry.parse(name, FileLog(path)), runs)
    answer.write_text(json.dumps({"seconds": seconds, "floor": floor, "peak": _peak()}))


def _peak() -> float:
    """This process' peak memory in MB; resource.getrusage would give the parent's, if larger."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) / 1024


if __name__ == "__main__":
    main()
