"""Makes the logs of JavaScript's frameworks: `python -m tests.grading.corpus.javascript`.

Needs node, npm and the package registry. `--work DIR` keeps what was installed; `--only jest` makes
the logs of one framework.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.grading.corpus import javascript_truth as truth
from tests.grading.corpus.javascript_runs import Case, Results, Tool, hide, make

QUIET = "only failing tests are named without --verbose"


def jest(tool: Tool) -> list[Case]:
    """Jest's cases; the old and the new majors run the first ones only."""

    def case(name: str, *args: str, **more: object) -> Case:
        command = ("jest", "--json", "--outputFile=REPORT", *args)
        return Case(name, command, truth.jest, "jest --json", **more)  # type: ignore[arg-type]

    most = ("src/calc", "src/noisy", "src/broken", "src/retry", "src/fine")
    cases = [
        case("verbose", "--verbose", *most),
        case("default", "-w", "2", "src/calc", "src/fine", "src/hooks", hidden=hide(GOOD, QUIET)),
    ]
    if tool.version != "29.7.0":
        return [*cases, case("forged", "--verbose", "src/forged", warnings=("a test printed",))]
    return [
        *cases,
        case("hooks", "--verbose", "src/hooks", hidden=_jest_hooks, warnings=()),
        case("colors", "--verbose", "--colors", "--ci", "-w", "2", "src/calc", "src/noisy"),
        case(
            "projects",
            "--verbose",
            "--colors",
            "--config=projects.config.js",
            "--testPathPattern=calc|fine",
        ),
        case("worker", "-w", "2", "--cacheDirectory=.fresh", "--verbose", "src/exits", "src/fine"),
        case("silent", "--silent", "src/calc", "src/noisy", hidden=hide(GOOD, QUIET)),
        Case(
            "npm",
            ("npm", "test", "--", "--json", "--outputFile=REPORT", "src/retry"),
            truth.jest,
            "jest --json",
        ),
        Case(
            "killed",
            (
                "sh",
                "-c",
                "jest --json --outputFile=REPORT --verbose src/fine src/exits"
                " -i --testSequencer=./sequence.js || true",
            ),
            truth.jest,
            "none: the process was killed",
            complete=False,
            more={"src/fine.test.js > is fine": "PASSED"},
            warnings=("no totals",),
        ),
    ]


GOOD = "PASSED|SKIPPED"


def _jest_hooks(results: Results) -> dict[str, str]:
    reason = "a file that fails outside of its tests has no tree"
    return {name: reason for name, status in results.items() if status == "PASSED"}


TOOLS = {
    "jest": (jest, [Tool("jest", each, (f"jest@{each}",)) for each in ("27.5.1", "29.7.0", "30")]),
}


def main() -> None:
    """Make them all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--work", type=Path)
    options.add_argument("--only", choices=TOOLS, action="append")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = given.work or Path(name)
        for framework in given.only or TOOLS:
            cases, tools = TOOLS[framework]
            for tool in tools:
                make(tool, cases(tool), work)


if __name__ == "__main__":
    main()
