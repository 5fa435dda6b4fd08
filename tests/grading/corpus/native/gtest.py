"""GoogleTest: a listener in the sample's `main` writes what each test came to."""

from __future__ import annotations

from pathlib import Path

from tests.grading.corpus.native.bench import Bench, Results, hide

_STATUS = {
    "passed": "PASSED",
    "failed": "FAILED",
    "skipped": "SKIPPED",
    "disabled": "SKIPPED",
}
_SEVERITY = ("PASSED", "SKIPPED", "FAILED")
_SUITE = ": SetUpTestSuite or TearDownTestSuite"
_EVERY = ("sample", "repeat", "crash")


def make(root: Path) -> None:
    """All cases."""
    bench = Bench.make("gtest", root)
    version = bench.version("libgtest-dev")
    for name in ("sample", "good", "crash"):
        bench.sh(f"g++ -std=c++17 -o {name} main.cpp {name}.cpp -lgtest -pthread", check=True)
    commands = {
        "sample": "./sample",
        "color": "./sample --gtest_color=yes --gtest_print_time=0",
        "repeat": "./good --gtest_repeat=2 --gtest_shuffle",
        "crash": "./good; ./crash",
    }
    if version not in ("1.10.0", "1.8.1"):
        commands["brief"] = "./sample --gtest_brief=1"
    for name, command in commands.items():
        if not bench.wants(name, _EVERY):
            continue
        case = bench.case(name, version, command)
        results, suites, complete = _read(bench.truth())
        hidden: dict[str, str] = {}
        if name == "brief":
            hidden = hide(results, ("PASSED", "SKIPPED"), "--gtest_brief shows failures alone")
            hidden |= dict.fromkeys(suites, "--gtest_brief shows no lists")
        if b"[ DISABLED ]" not in case.log:
            disabled = [n for n in results if "DISABLED_" in n]
            hidden |= dict.fromkeys(disabled, "this version only counts disabled tests")
        case.write(
            results | suites,
            truth="a listener in main.cpp",
            complete=complete,
            hidden=hidden,
            warnings=[] if complete else ["cut off"],
        )


def _read(truth: str) -> tuple[Results, Results, bool]:
    """The tests, the suites whose fixture failed, and whether the last program came to its end."""
    results: Results = {}
    suites: Results = {}
    running = ""
    complete = False
    for line in truth.splitlines():
        what, _, name = line.partition("\t")
        complete = what == "end"
        if what == "suite":
            suites[name + _SUITE] = "ERROR"
        elif what == "started":
            running = name
        elif name:
            status = _STATUS[what]
            results[name] = max(results.get(name, status), status, key=_SEVERITY.index)
            running = ""
    return results | ({running: "ERROR"} if running else {}), suites, complete
