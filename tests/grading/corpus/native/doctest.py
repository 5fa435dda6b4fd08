"""doctest: its XML reporter, in a run of its own."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.native.bench import Bench, Results, hide

_CASE = re.compile(r'name="([^"]*)"')
_EVERY = ("default", "durations", "exit")


def make(root: Path) -> None:
    """All cases."""
    bench = Bench.make("doctest", root)
    version = bench.version("doctest-dev")
    if version < "2.4.6":
        print(f"doctest {version} left out: its XML does not say which failures were expected")
        return
    bench.sh("g++ -c main.cpp -o main.o", check=True)
    for name in ("sample", "good", "crash", "exit"):
        bench.sh(f"g++ main.o {name}.cpp -o {name}", check=True)
    for name, program, options in (
        ("default", "sample", ""),
        ("success", "sample", "-s"),
        ("durations", "sample", "-d"),
        ("color", "sample", "-s -d -fc"),
        ("good", "good", "-s"),
        ("crash", "crash", "-s"),
        ("exit", "exit", "-s -d"),
    ):
        if not bench.wants(name, _EVERY):
            continue
        case = bench.case(name, version, f"./{program} {options}".strip())
        results, complete = read(bench.sh(f"./{program} -r=xml > xml.txt; cat xml.txt").decode())
        hidden = hide(results, ("SKIPPED",), "skipped test cases are only counted")
        if not options:
            hidden |= hide(results, ("PASSED",), "only failures are reported")
        elif "-d" not in options:
            silent = [n for n in results if n in ("asserts nothing", "only warns")]
            hidden |= dict.fromkeys(silent, "it has no assertion that succeeds")
        case.write(
            results,
            truth="-r=xml",
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
        name = case.attrib["name"].strip()
        overall = case.find("OverallResultsAsserts")
        if case.get("skipped") == "true" or overall is None:
            status = "SKIPPED"
        elif any(
            "CRASHED" in (each.text or "") or "SIGSEGV" in (each.text or "")
            for each in case.iter("Exception")
        ):
            status = "ERROR"
        elif overall.get("test_case_success") != "true":
            status = "FAILED"
        else:
            status = "XFAIL" if overall.get("failures") != "0" else "PASSED"
        results[name] = status
    return results, True


def _cut(xml: str) -> Results:
    """Each test case up to its overall result; the last has none."""
    results: Results = {}
    for piece in xml.split("<TestCase ")[1:]:
        found = _CASE.match(piece)
        assert found is not None
        good = 'test_case_success="true"' in piece
        bad = 'test_case_success="false"' in piece
        results[found[1]] = "PASSED" if good else "FAILED" if bad else "ERROR"
    return results
