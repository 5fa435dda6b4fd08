"""The runs of `debian.py`, and how the truth about each is read."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.debian import Case, Results, make, worst


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def prove() -> None:
    """TAP::Harness: files by a subclass of it, subtests by Test2's events."""
    version = output("perl", "-MTest::Harness", "-MTest::More", "-e", _VERSIONS)
    source = "a subclass of TAP::Harness, and Test2's events for subtests"
    env = {"PERL5LIB": "REPO/lib", "PERL5OPT": "-MTruthEvents"}
    quiet = "tests are shown with -v only"
    sequence = "its number is that of another test"

    def case(name: str, *args: str, **more: object) -> Case:
        command = ("prove", "--harness", "TruthHarness", *args)
        return Case(name, command, _prove, source, env, **more)  # type: ignore[arg-type]

    def forged(name: str, _: str) -> str:
        return sequence if name.endswith("forged.t > forged") else ""

    doubts = ("out of sequence", "31 tests ran, 32 are listed")
    make("prove", version, case("verbose", "-v", "t", hidden=forged, warnings=doubts))
    make("prove", version, case("files", "t", hidden=lambda n, _: quiet if " > " in n else ""))
    parallel = ("--merge", "-v", "--timer", "-j", "3", "t")
    make("prove", version, case("jobs", *parallel, hidden=forged, warnings=doubts))
    color = ("--color", "-v", "t/nested.t", "t/good.t", "t/skipped.t")
    make("prove", version, case("color", *color))
    make("prove", version, case("bail", "-v", "bail", warnings=("stopped the whole run",)))
    good = "passes are not shown with -Q"

    def silent(name: str, status: str) -> str:
        return quiet if " > " in name else good if status in ("PASSED", "SKIPPED") else ""

    make("prove", version, case("silent", "-Q", "t", hidden=silent))
    terminal = ("script", "-qec", "prove --harness TruthHarness t/good.t hang", "/dev/null")

    def files_only(name: str, _: str) -> str:
        return quiet if " > " in name else ""

    killed = Case("killed", terminal, _prove, source, env, hidden=files_only, limit=4)
    flight = {"hang/slow.t": "ERROR"}
    make("prove", version, replace(killed, complete=False, more=flight, warnings=("no end",)))
    terminal = (*terminal[:2], terminal[2].replace("hang", "t/nested.t t/skipped.t"), terminal[3])
    make("prove", version, replace(killed, name="terminal", command=terminal))


_VERSIONS = 'print "$Test::Harness::VERSION (Test::More $Test::More::VERSION, perl $^V)"'


def bats() -> None:
    """bats: what it knows of each test when it is torn down."""
    source = "bats' variables in each test's teardown"
    fixture = {"setup_file failed": "FAILED"}
    killed = {"kills its shell": "in TAP a test that kills bats has no line"}
    glued = {"leaves half a line": "its verdict is glued to what it printed"}
    sequence = ("a test out of sequence",)

    def case(name: str, *args: str, **more: object) -> Case:
        env = {"TERM": "xterm"}
        return Case(name, ("bats", *args), _rows, source, env, **more)  # type: ignore[arg-type]

    def hide(reasons: dict[str, str]) -> Callable[[str, str], str]:
        return lambda name, _: reasons.get(name, "")

    pretty = case("pretty", "--pretty", "basic.bats")
    kill = case("kill", "--pretty", "more/exits.bats", more={"kills its shell": "ERROR"})
    tap = case("tap", "--tap", "basic.bats", "more", more=fixture, warnings=sequence)
    with tempfile.TemporaryDirectory() as name:
        old, new = (_npm(Path(name), f"bats@{each}") for each in ("1.1.0", "1.13.0"))
        make("bats", "1.1.0", case("tap", "--tap", "more/broken.bats", "good.bats"), old)
        make("bats", "1.1.0", pretty, old)
        odd = case("odd", "--tap", "odd", "good.bats", hidden=hide(glued))
        make("bats", "1.13.0", odd, new)
        args = ("--tap", "--timing", "basic.bats", "good.bats")
        timing = case("timing", *args, warnings=sequence)
        make("bats", "1.13.0", timing, new)
        make("bats", "1.13.0", case("pretty", "--pretty", "--timing", "basic.bats"), new)
        make("bats", "1.13.0", kill, new)
        slow = replace(case("timeout", "--tap", "hang"), env={"BATS_TEST_TIMEOUT": "1"})
        make("bats", "1.13.0", replace(slow, more={"slow": "ERROR"}), new)
        slow = replace(slow, env={"BATS_TEST_TIMEOUT": "1", "TERM": "xterm"})
        slow = replace(slow, name="timeout-pretty", command=("bats", "--pretty", "hang"))
        make("bats", "1.13.0", replace(slow, more={"slow": "ERROR"}), new)
    version = output("bats", "--version").removeprefix("Bats ")
    make("bats", version, replace(tap, hidden=hide(killed)))
    tap13 = ("--formatter", "tap13", "more/broken.bats", "good.bats")
    make("bats", version, case("tap13", *tap13))
    cut = case("cut", "--pretty", "hang", "basic.bats", warnings=("no totals",), limit=3)
    make("bats", version, replace(cut, complete=False, more={"slow": "ERROR"}))


def busted() -> None:
    """busted: a helper script that hears of every test."""
    version = f"{output('busted', '--version')} ({output('lua', '-e', 'print(_VERSION)')})"
    source = "a helper that busted tells of every test"
    quiet = "passing tests are not named"

    def case(name: str, *args: str, **more: object) -> Case:
        command = ("busted", "--helper=truth.lua", *args)
        return Case(name, command, _rows, source, **more)  # type: ignore[arg-type]

    def hide(_: str, status: str) -> str:
        return quiet if status == "PASSED" else ""

    everything = ("spec", "broken")
    make("busted", version, case("utf", "-o", "utfTerminal", *everything, hidden=hide))
    make("busted", version, case("plain", "-v", *everything, hidden=hide))
    good = case("good", "-o", "plainTerminal", "--repeat=2", "spec/good_spec.lua", hidden=hide)
    make("busted", version, good)
    gtest = case("gtest", "-o", "gtest", "spec")
    make("busted", version, gtest)
    unnamed = "a test that declares itself pending is not named in TAP"
    forged = "a test printed a line with its number"
    pending = {"calc is pending inside": unnamed, "calc adds numbers": forged}
    tap = case("tap", "-o", "TAP", "spec", hidden=lambda n, _: pending.get(n, ""))
    make("busted", version, replace(tap, truth=_no_errors, warnings=("out of sequence",)))
    crash = case("crash", "-o", "gtest", "spec/good_spec.lua", "crash", complete=False)
    make("busted", version, replace(crash, more={"crash leaves": "ERROR"}))


def exunit() -> None:
    """ExUnit: a formatter beside its own one."""
    version = output("elixir", "--short-version").splitlines()[-1]
    version += f" (OTP {output('erl', '-noshell', '-eval', _OTP)})"
    source = "a formatter of ExUnit's"
    quiet = "only failing tests are named without --trace"
    formatters = ("--formatter", "ExUnit.CLIFormatter", "--formatter", "Truth")

    def case(name: str, *args: str, paths: str = "test", **more: object) -> Case:
        command = ("mix", "test", *formatters, "--seed", "0", *args)
        env = {"PATHS": paths, "LC_ALL": "C.UTF-8"}
        return Case(name, command, _exunit, source, env, **more)  # type: ignore[arg-type]

    def hide(_: str, status: str) -> str:
        return quiet if status != "FAILED" else ""

    make("exunit", version, case("dots", hidden=hide))
    make("exunit", version, case("trace", "--trace"))
    color = ("--trace", "--color", "test/good_test.exs", "test/setup_test.exs")
    make("exunit", version, case("color", *color))
    good = case("good", "test/good_test.exs", hidden=hide)
    make("exunit", version, good)
    crash = case("crash", "--trace", paths="crash", complete=False, warnings=("no totals",))
    make("exunit", version, replace(crash, more={"CrashTest > test halts": "ERROR"}))
    slow = case("timeout", paths="slow", hidden=lambda n, _: quiet if "before" in n else "")
    make("exunit", version, replace(slow, more={"SlowTest > test takes too long": "ERROR"}))


_OTP = 'io:format("~s", [erlang:system_info(otp_release)]), halt().'


def _exunit(report: Path) -> Results:
    rows = (line.split("\t") for line in report.read_text().splitlines())
    return worst((f"{module} > {name}", status) for status, module, name in rows)


def eunit() -> None:
    """EUnit: its Surefire reports."""
    version = output("erl", "-noshell", "-eval", _EUNIT)
    quiet = "only failing tests are named without verbose"
    fixture = "the failure of a fixture has no name"

    def case(name: str, modules: str, options: str = "verbose,", **more: object) -> Case:
        code = (
            'io:setopts([{encoding, unicode}]), file:make_dir("TRUTH"), '
            f"eunit:test([{modules}], [{options}"
            '{report, {eunit_surefire, [{dir, "TRUTH"}]}}]), halt().'
        )
        command = ("sh", "-c", f"erlc +nowarn *.erl && erl -noshell -eval '{code}'")
        env = {"LC_ALL": "C.UTF-8"}
        return Case(name, command, _surefire, "eunit_surefire", env, **more)  # type: ignore[arg-type]

    def unnamed(name: str, _: str) -> str:
        return fixture if name.startswith("fixture ") else ""

    def dots(name: str, status: str) -> str:
        return quiet if status == "PASSED" else unnamed(name, status)

    both = ("one or more tests were cancelled",)
    verbose = case("verbose", "good_tests, calc_tests", hidden=unnamed, warnings=both)
    make("eunit", version, verbose)
    make("eunit", version, case("short", "calc_tests", "", hidden=dots, warnings=both))
    generator = {"odd_tests:odd_test_/0": "ERROR"}
    odd = case("parallel", "good_tests, parallel_tests, odd_tests", warnings=both, more=generator)
    make("eunit", version, odd)
    crash = case("crash", "good_tests, crash_tests", complete=False, warnings=("no totals",))
    good = ("good_tests: adds_test", "good_tests: subtracts_test", "crash_tests: before_test")
    more = dict.fromkeys(good, "PASSED") | {"crash_tests: halts_test": "ERROR"}
    source = "the sample itself: the reports are written at the end"
    make("eunit", version, replace(crash, more=more, source=source))


_EUNIT = (
    'application:load(eunit), {ok, V} = application:get_key(eunit, vsn), io:format("~s (OTP ~s)", '
    "[V, erlang:system_info(otp_release)]), halt()."
)


def _surefire(report: Path) -> Results:
    pairs = []
    for path in sorted(report.glob("*.xml")):
        for test in ElementTree.parse(path).iter("testcase"):
            module, _, name = test.attrib["name"].partition(" ")
            named = f"{module.removesuffix(':0')}: {name}" if ":" in module else test.attrib["name"]
            kinds = {each.tag for each in test}
            status = "ERROR" if "skipped" in kinds or ":" not in module else "PASSED"
            pairs.append((named, "FAILED" if kinds & {"failure", "error"} else status))
    return worst(pairs)


def testthat() -> None:
    """testthat: the data frame that a run returns."""
    words = 'cat(as.character(packageVersion("testthat")), R.version.string)'
    number, _, language = output("Rscript", "-e", words).partition(" ")
    version = f"{number} ({language})"
    quiet = "passing tests are not named"

    def case(name: str, path: str = "tests/testthat", **more: object) -> Case:
        code = (
            f'library(testthat); f <- as.data.frame(test_dir("{path}", reporter="{name}", '
            'stop_on_failure=FALSE)); write(jsonlite::toJSON(f[c("test", "failed", "skipped", '
            '"error")]), "TRUTH")'
        )
        env = {"LC_ALL": "C.UTF-8"}
        command = ("Rscript", "-e", code)
        return Case(name, command, _frame, "its data frame", env, **more)  # type: ignore[arg-type]

    def passing(_: str, status: str) -> str:
        return quiet if status == "PASSED" else ""

    def good(_: str, status: str) -> str:
        return quiet if status in ("PASSED", "SKIPPED") else ""

    make("testthat", version, case("progress", hidden=passing))
    make("testthat", version, case("summary", hidden=good))
    make("testthat", version, case("check", hidden=good))
    make("testthat", version, case("location", complete=False))
    crash = case("location", "crash", complete=False)
    more = {"comes before": "PASSED", "leaves": "ERROR"}
    source = "the sample itself: the process ends before it returns"
    make("testthat", version, replace(crash, name="crash", more=more, source=source))


def _frame(report: Path) -> Results:
    pairs = []
    for row in json.loads(report.read_text()) if report.exists() else []:
        status = "SKIPPED" if row["skipped"] else "PASSED"
        status = "FAILED" if row["failed"] else status
        pairs.append((row["test"], "ERROR" if row["error"] else status))
    return worst(pairs)


def _no_errors(report: Path) -> Results:
    """TAP has no errors."""
    return {n: "FAILED" if s == "ERROR" else s for n, s in _rows(report).items()}


def _npm(directory: Path, package: str) -> Path:
    place = directory / package
    place.mkdir()
    command = ["npm", "install", "--prefix", str(place), "--no-audit", "--no-fund", package]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return place / "node_modules" / "bats" / "bin"


def _rows(report: Path) -> Results:
    rows = (line.partition("\t") for line in report.read_text().splitlines())
    return worst((name, status) for status, _, name in rows)


def _prove(report: Path) -> Results:
    pairs: list[tuple[str, str]] = []
    for line in report.read_text().splitlines():
        row = json.loads(line)
        if row["kind"] == "file":
            pairs.append((row["file"], row["status"]))
        elif row["kind"] == "test":
            pairs.append((f"{row['file']} > {row['name']}", row["status"]))
        elif row["kind"] == "inner":
            pairs.append((" > ".join([row["file"], *row["path"]]), row["status"]))
    return worst(pairs)


ALL: dict[str, Callable[[], None]] = {
    "prove": prove,
    "bats": bats,
    "busted": busted,
    "exunit": exunit,
    "eunit": eunit,
    "testthat": testthat,
}
