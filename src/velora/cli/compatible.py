"""VeloraHarness's own command line in terms of ours."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from velora.cli.main import status

WITHOUT_EFFECT = {
    "--filter_dataset_after_sampling": 1,
    "--task": 1,
    "-t": 1,
    "--file": 1,
    "-f": 1,
    "--name": 1,
    "-n": 1,
    "--directory": 1,
    "-d": 1,
    "--selected-repo": 1,
    "--log-level": 1,
    "--no-auto-continue": 0,
}
"""Flags of VeloraHarness that belong to its interactive use, and how many values each takes."""


def run_infer(argv: list[str]) -> int:
    """`run_infer.py` is `velora run`; returns the exit status."""
    kept: list[str] = []
    rest = iter(argv)
    for word in rest:
        flag, equals, _ = word.partition("=")
        if flag not in WITHOUT_EFFECT:
            kept.append(word)
            continue
        print(f"velora: {flag} has no effect", file=sys.stderr)
        if not equals:
            for _ in range(WITHOUT_EFFECT[flag]):
                next(rest, None)
    return status(["run", *kept])


def excel_to_jsonl(argv: list[str]) -> int:
    """`excel_to_jsonl.py` is `velora convert` into `data/`; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="excel_to_jsonl.py",
        description="Convert a workbook of tasks to JSONL: one file with all of them and one for "
        "each. A report says, row by row, what is damaged in the workbook.",
        allow_abbrev=False,
    )
    parser.add_argument("table", type=Path, metavar="IN.xlsx")
    parser.add_argument(
        "-d", "--output-dir", type=Path, default=Path("data"), metavar="DIR", help="default: data"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT.jsonl", help="default: DIR/IN.jsonl"
    )
    parser.add_argument("--sheet", default="", help="default: the first one")
    parser.add_argument(
        "--strict", action="store_true", help="write nothing and exit with 2 if anything is damaged"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    given = parser.parse_args(argv)
    output = given.output or given.output_dir / f"{given.table.stem}.jsonl"
    flags = [flag for flag in ("--strict", "--json") if getattr(given, flag[2:])]
    per_task = ["--per-task", str(given.output_dir), f"--sheet={given.sheet}"]
    return status(["convert", *per_task, *flags, "--", str(given.table), str(output)])
