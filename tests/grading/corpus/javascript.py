"""Makes the logs of JavaScript's frameworks: `python -m tests.grading.corpus.javascript`.

Needs node, npm and the package registry. `--work DIR` keeps what was installed; `--only jest` makes
the logs of one framework.
"""

from __future__ import annotations

import argparse
import shutil
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


def vitest(tool: Tool) -> list[Case]:
    """Vitest's cases."""
    new = tool.version == "4"

    def case(name: str, *args: str, **more: object) -> Case:
        command = ("vitest", "run", "--reporter=./truth.mjs", *args)
        return Case(name, command, truth.pairs, "a reporter", **more)  # type: ignore[arg-type]

    most = ("src/calc", "src/noisy", "src/broken", "src/retry", "src/fine")
    verbose, plain = "--reporter=verbose", "--reporter=default"
    default = {"1": _passing, "2": _passing, "3": _fine, "4": _nested}[tool.version]
    cases = [
        case("verbose", verbose, *most, hidden=_shown if tool.version in "12" else hide("", "")),
        case("default", plain, "src/calc", "src/hooks", "src/fine", "src/skipped", hidden=default),
    ]
    if tool.version == "2":
        return cases
    forged = ("a test printed",)
    cases.append(case("forged", verbose, "src/forged", warnings=forged))
    if new:
        cases.append(case("crash", verbose, "src/exits", "src/fine"))
        cases.append(case("tree", "--reporter=tree", "src/calc", "src/hooks", "src/fine"))
        cases.append(case("dot", "--reporter=dot", *most, hidden=hide(GOOD, QUIET)))
    color = {"FORCE_COLOR": "1"} if tool.version == "3" else {}
    if color:
        cases.append(case("colors", verbose, "src/calc", "src/retry", env=color))
        cases.append(case("projects", verbose, "--config=projects.config.js", "src"))
        command = ("npm", "test", "--", "--reporter=./truth.mjs", "src/hooks", "src/skipped")
        cases.append(Case("npm", command, truth.pairs, "a reporter"))
    return cases


def node_test(tool: Tool) -> list[Case]:
    """The cases of Node.js's own runner."""

    def case(name: str, kind: str, *files: str, **more: object) -> Case:
        options = [f"--test-reporter={kind}", "--test-reporter-destination=stdout"]
        command = ("node", "--test", *options, *TRUTH, *(f"{file}.test.mjs" for file in files))
        return Case(name, command, truth.pairs, "a reporter", **more)  # type: ignore[arg-type]

    most = ("calc", "noisy", "broken", "fine")
    spec = case("spec", "spec", *most, hidden=_suites if tool.version == "18" else hide("", ""))
    cases = [spec, case("tap", "tap", *most)]
    if tool.version == "20":
        plain = ("node", *TRUTH, "--test-reporter=tap", "--test-reporter-destination=stdout")
        cases += [
            case("hooks", "spec", "hooks"),
            case("colors", "spec", "hooks", "noisy", env={"FORCE_COLOR": "1"}),
            case("exits", "spec", "exits", "fine"),
            case("forged", "spec", "forged", warnings=("no pass is",), hidden=_forged),
            Case("alone", (*plain, "calc.test.mjs"), truth.pairs, "a reporter"),
        ]
    return cases


def tape(tool: Tool) -> list[Case]:
    """tape's cases."""

    def case(name: str, file: str, **more: object) -> Case:
        command = ("node", "-r", "./truth.js", file)
        return Case(name, command, truth.pairs, "tape's results", **more)  # type: ignore[arg-type]

    noisy = ("out of order",)
    return [
        case("calc", "calc.js"),
        case("noisy", "noisy.js", warnings=noisy),
        case("forged", "forged.js", warnings=("two points",)),
        case("crash", "crash.js", complete=False, warnings=("nothing is planned",), auto="tap"),
    ]


def mocha(tool: Tool) -> list[Case]:
    """Mocha's cases."""

    def case(name: str, kind: str, *args: str, **more: object) -> Case:
        options = ("--reporter=./truth.js", f"--reporter-option=reporter={kind}")
        files = tuple(f"test/{arg}.js" if arg[0] != "-" else arg for arg in args)
        return Case(name, ("mocha", *options, *files), truth.pairs, "a reporter", **more)  # type: ignore[arg-type]

    cases = [
        case("spec", "spec", "calc", "hooks", "noisy"),
        case("dot", "dot", "calc", "hooks", hidden=hide(GOOD, QUIET)),
        case("forged", "spec", "forged", warnings=("no pass is",), hidden=_forged),
    ]
    if tool.version == "11":
        npm = ("npm", "test", "--", "--reporter=./truth.js", "--reporter-option=reporter=spec")
        cases += [
            case("colors", "spec", "calc", "hooks", "--color"),
            case("min", "min", "calc", "noisy", hidden=hide(GOOD, QUIET), warnings=("only 3",)),
            case("parallel", "spec", "calc", "hooks", "noisy", "--parallel", "--jobs=2"),
            case("tap", "tap", "calc", parser="tap", env={"JOIN": " "}),
            Case(
                "crash",
                (*npm, "test/crash.js"),
                truth.pairs,
                "a reporter",
                complete=False,
                warnings=("no totals",),
                hidden=_in_flight,
                more={"crash > exits": "ERROR"},
            ),
        ]
    return cases


def ava(tool: Tool) -> list[Case]:
    """AVA's cases."""
    marked = tool.version != "4"

    def case(name: str, *files: str, option: str = "", **more: object) -> Case:
        paths = tuple(f"test/{file}.js" for file in files)
        command = ("ava", option, *paths) if option else ("ava", *paths)
        return Case(name, command, truth.ava(*paths), "ava --tap", **more)  # type: ignore[arg-type]

    prefix = "calc › " if marked else ""
    failing = {f"{prefix}is known to fail": "XFAIL"} if marked else {}
    if not marked:
        return [case("one", "calc"), case("green", "noisy")]
    cases = [case("several", "calc", "noisy", "broken", "hooks", more=failing)]
    if tool.version == "6":
        cases += [
            case("one", "calc", more={"is known to fail": "XFAIL"}),
            case("colors", "calc", "broken", option="--color", more=failing),
            case("green", "noisy"),
            case(
                "tap",
                "calc",
                "noisy",
                option="--tap",
                parser="tap",
                more={"calc › comes later": "XFAIL"},
                warnings=("out of order",),
            ),
        ]
    return cases


def tap(tool: Tool) -> list[Case]:
    """Producers of TAP outside of JavaScript; the truth is the reference parser's."""

    def case(name: str, *producer: str, **more: object) -> Case:
        command = ("node", "truth.js", *producer)
        return Case(name, command, truth.pairs, "tap-parser", **more)  # type: ignore[arg-type]

    return [
        case("nested", "perl", "nested.t", warnings=(*NUMBERS, "without a plan")),
        case("node-tap", "node", "nested.js"),
        case("short", "perl", "short.t", complete=False, warnings=("4 points are planned",)),
        case("bail", "perl", "bail.t", complete=False, warnings=("Bail out", "nothing is planned")),
        case("yaml", "sh", "yaml.sh"),
        case("plain", "sh", "plain.sh"),
    ]


def qunit(tool: Tool) -> list[Case]:
    """QUnit's case."""
    command = ("qunit", "truth.js", "calc.js")
    return [Case("calc", command, truth.pairs, "QUnit's testEnd", parser="tap", warnings=NUMBERS)]


def jasmine(tool: Tool) -> list[Case]:
    """Jasmine's cases."""
    command = ("node", "run.js", "*Spec.js")

    def case(name: str, **more: object) -> Case:
        return Case(name, command, truth.pairs, "a reporter", **more)  # type: ignore[arg-type]

    named = hide("PASSED", "only failing and pending specs are named")
    cases = [case("default", hidden=named)]
    if tool.version == "5":
        cases += [
            case("colors", hidden=named, env={"COLORS": "1"}),
            case(
                "spec",
                env={"REPORTER": "jasmine-spec-reporter"},
                hidden=_forged,
                warnings=("no pass is",),
            ),
        ]
    return cases


def karma(tool: Tool) -> list[Case]:
    """Karma's cases; the browser is chromium."""

    def case(name: str, join: str = " > ", **more: object) -> Case:
        command = ("karma", "start", "--reporters", f"truth,{name}")
        env = {"JOIN": join, "CHROME_BIN": shutil.which("chromium") or "chromium"}
        return Case(name, command, truth.pairs, "a reporter", env=env, **more)  # type: ignore[arg-type]

    named = hide(GOOD, "only failing tests are named")
    return [
        case("progress", " ", hidden=named),
        case("dots", " ", hidden=named),
        case("spec"),
        case("mocha"),
    ]


KARMA = (
    "karma@6",
    "karma-jasmine@5",
    "jasmine-core@5",
    "karma-chrome-launcher",
    "karma-spec-reporter",
    "karma-mocha-reporter",
)
NUMBERS = ("out of order",)
TRUTH = ("--test-reporter=./truth.mjs", "--test-reporter-destination=REPORT")
GOOD = "PASSED|SKIPPED"


def _shown(results: Results) -> dict[str, str]:
    return hide("SKIPPED", "skipped tests of a file that ran are not shown")(results)


def _passing(results: Results) -> dict[str, str]:
    return hide(GOOD, QUIET)(results)


def _fine(results: Results) -> dict[str, str]:
    reason = "tests of files without a failure are not named"
    return {n: reason for n in results if n.startswith(("src/fine", "src/skipped"))}


def _nested(results: Results) -> dict[str, str]:
    reason = "the suites' titles are not shown"
    good = {n: reason for n, s in results.items() if s in GOOD and n.count(" > ") > 1}
    return good | _fine(results)


def _in_flight(results: Results) -> dict[str, str]:
    return hide("ERROR", "a test that begins is not announced")(results)


def _suites(results: Results) -> dict[str, str]:
    reason = "a suite's closing line has no verdict"
    return {n: reason for n in results if any(m.startswith(f"{n} > ") for m in results)}


def _forged(results: Results) -> dict[str, str]:
    reason = "a printed line cannot be told from a verdict, so no pass is believed"
    return hide("PASSED", reason)(results)


def _jest_hooks(results: Results) -> dict[str, str]:
    reason = "a file that fails outside of its tests has no tree"
    return {name: reason for name, status in results.items() if status == "PASSED"}


TOOLS = {
    "jest": (jest, [Tool("jest", each, (f"jest@{each}",)) for each in ("27.5.1", "29.7.0", "30")]),
    "vitest": (vitest, [Tool("vitest", each, (f"vitest@{each}",)) for each in "1234"]),
    "node-test": (
        node_test,
        [Tool("node-test", each, (f"node@{each}",), "node") for each in ("18", "20", "22", "24")],
    ),
    "mocha": (mocha, [Tool("mocha", each, (f"mocha@{each}",)) for each in ("8.4.0", "10", "11")]),
    "ava": (ava, [Tool("ava", each, (f"ava@{each}",)) for each in "456"]),
    "tap": (tap, [Tool("tap", "14", ("tap-parser@16", "tap@16"), "-")]),
    "qunit": (qunit, [Tool("qunit", "2", ("qunit@2",))]),
    "jasmine": (
        jasmine,
        [
            Tool("jasmine", "3", ("jasmine@3",)),
            Tool("jasmine", "5", ("jasmine@5", "jasmine-spec-reporter@7")),
        ],
    ),
    "karma": (karma, [Tool("karma", "6", KARMA)]),
    "tape": (tape, [Tool("tape", each, (f"tape@{each}",)) for each in "45"]),
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
