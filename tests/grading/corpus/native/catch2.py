"""Catch: its XML reporter, in a run of its own."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.native.bench import Bench, Results, hide

_CASE = re.compile(r'<TestCase name="([^"]*)"')
UNSEEN = "without -s only failures are reported"
_EVERY = ("default", "success", "expected", "crash")


def make(root: Path) -> None:
    """All cases, with the version that the release calls catch2."""
    bench = Bench.make("catch2", root)
    version = bench.version("catch2")
    libraries = "-lCatch2Main -lCatch2" if version.startswith("3") else ""
    _make(bench, version, "", libraries)


def make_first(root: Path) -> None:
    """The same with Catch 1."""
    bench = Bench.make("catch2", root)
    _make(bench, bench.version("catch"), "-DCATCH_V1", "")


def _make(bench: Bench, version: str, flags: str, libraries: str) -> None:
    bench.sh(f"g++ {flags} -c main.cpp -o main.o", check=True)
    for name in ("sample", "good", "expected", "crash", "exit"):
        bench.sh(f"g++ {flags} main.o {name}.cpp -o {name} {libraries}", check=True)
    plain = "--order decl --rng-seed 1" if version.startswith("3") else ""
    color = "--colour-mode ansi" if version.startswith("3") else "--use-colour yes"
    for name, program, options in (
        ("default", "sample", ""),
        ("success", "sample", "-s"),
        ("color", "sample", f"-s -d yes {color}"),
        ("good", "good", "-s"),
        ("expected", "expected", ""),
        ("crash", "crash", "-s"),
        ("exit", "exit", "-s"),
        ("compact", "sample", "-r compact -s"),
    ):
        if not bench.wants(name, _EVERY):
            continue
        # Catch turns colours off where there is no terminal, unless it is told.
        case = bench.case(name, version, f"./{program} {options} {plain}".strip())
        xml = bench.sh(f"./{program} -r xml {plain} > xml.txt; cat xml.txt").decode()
        results, complete = read(xml)
        hidden: dict[str, str] = {}
        if name == "compact":
            hidden = hide(results, tuple(set(results.values())), "compact shows no names")
        elif "-s" in options:
            if "asserts nothing" in results:
                hidden = {"asserts nothing": "only assertions are reported"}
        else:
            hidden = hide(results, ("PASSED",), UNSEEN)
        case.write(
            results,
            truth="-r xml",
            complete=complete,
            hidden=hidden,
            warnings=[] if complete else ["cut off"],
        )


def read(xml: str) -> tuple[Results, bool]:
    """What the XML reporter says, whole or cut off."""
    start = xml.find("<?xml")
    try:
        tree = ElementTree.fromstring(xml[start:])
    except ElementTree.ParseError:
        return _cut(xml), False
    results: Results = {}
    for case in tree.iter("TestCase"):
        overall = case.find("OverallResult")
        failures = case.findall(".//Expression[@success='false']") + case.findall(".//Failure")
        if case.find(".//FatalErrorCondition") is not None:
            status = "ERROR"
        elif overall is None or overall.get("success") != "true":
            status = "FAILED"
        elif overall.get("skips", "0") != "0":
            status = "SKIPPED"
        else:
            status = "XFAIL" if failures else "PASSED"
        results[case.attrib["name"]] = status
    return results, True


def _cut(xml: str) -> Results:
    """Each test case up to its overall result; the last has none."""
    results: Results = {}
    for piece in xml.split("<TestCase ")[1:]:
        found = _CASE.match("<TestCase " + piece)
        assert found is not None
        good = 'OverallResult success="true"' in piece
        bad = 'OverallResult success="false"' in piece
        results[found[1]] = "PASSED" if good else "FAILED" if bad else "ERROR"
    return results
