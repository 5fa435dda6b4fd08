"""Measure every row and print it beside its floor: `python -m bench [ROW ...] [--instances N]`.

Ratios count; seconds depend on the machine. Rows are measured one after another on an otherwise
idle machine; each figure is the median of its runs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import conversations, parsing, peer, quota, rows
from bench.rows import Bench, Row, Skipped

ALL: dict[str, Callable[[Bench], Iterable[Row]]] = {
    "gap": rows.step_gap,
    "wall": rows.wall,
    "cpu": rows.cpu_per_step,
    "first": rows.first_request,
    "growth": rows.growth,
    "grading": rows.grading,
    "swebench": peer.side_by_side,
    "parse": parsing.parse,
    "parse-log": parsing.command,
    "conversations": conversations.side_by_side,
    "quota": quota.use,
    "help": rows.help_text,
    "install": rows.install,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of: {', '.join(ALL)}")
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--log-mb", type=int, default=50, help="size of parse-log's logs")
    given = parser.parse_args()
    unknown = set(given.rows) - set(ALL)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; known: {', '.join(ALL)}")
    missed = 0
    with tempfile.TemporaryDirectory(prefix="velora-bench-") as name:
        bench = Bench(Path(name), given.instances, given.runs, given.log_mb)
        print(f"{'what':<60}{'velora':>10}{'floor':>10}{'ratio':>8}  goal")
        for key in given.rows or ALL:
            try:
                measured = ALL[key](bench)
            except Skipped as skipped:
                print(f"{key}: skipped: {skipped}", flush=True)
                continue
            for row in measured:
                print(row.line(), flush=True)
                missed += row.met is False
    print(f"{missed} goals missed" if missed else "all goals met")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
