"""Boost.Test: its log and its report as XML, in a run of their own.

The report calls a case that a crash kept from running passed; the log shows which ran.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.native.bench import Bench, Results, hide

_EVENT = re.compile(r'<(TestSuite|TestCase) name="([^"]*)"[^>]*?(/?)>|</(TestSuite|TestCase)>')
_CRASHES = ("memory access violation", "signal: ")
_XML = (
    "--log_format=XML --log_level=all --log_sink=log.xml --build_info=no "
    "--report_format=XML --report_level=detailed --report_sink=report.xml"
)
_EVERY = ("suite", "report", "crash")


def make(root: Path) -> None:
    """All cases."""
    bench = Bench.make("boost", root)
    version = bench.version("libboost-test-dev")
    for name in ("sample", "good", "expected", "crash", "exit"):
        bench.sh(f"g++ {name}.cpp -o {name} -lboost_unit_test_framework", check=True)
    suites = "--log_level=test_suite"
    for name, program, options in (
        ("default", "sample", "--color_output=no"),
        ("suite", "sample", f"{suites} --color_output=no"),
        ("color", "sample", "--log_level=all --color_output=yes"),
        ("report", "sample", "--report_level=detailed"),
        ("good", "good", suites),
        ("expected", "expected", f"{suites} --color_output=no"),
        ("crash", "crash", suites),
        ("crash-report", "crash", "--report_level=detailed"),
        ("exit", "exit", suites),
    ):
        if not bench.wants(name, _EVERY):
            continue
        case = bench.case(name, version, f"./{program} {options}")
        bench.sh(f"rm -f log.xml report.xml; ./{program} {_XML}")
        log, report = bench.truth("log.xml"), bench.truth("report.xml")
        if program == "exit" and "</TestCase>" not in log:
            print(f"Boost {version} writes no XML log when a test leaves")
            continue
        results = _read(log, report)
        complete = program != "exit"
        hidden: dict[str, str] = {}
        if name == "default":
            hidden = hide(results, ("PASSED", "SKIPPED"), "at this level only failures are shown")
        if name == "report":
            hidden["calc/disabled"] = "it is not in the report"
        if "report" in name and "calc/asserts_nothing" in results:
            why = "behind an aborted case the report cannot be believed of it"
            hidden["calc/asserts_nothing"] = why
        warnings = [] if complete else ["cut off"]
        case.write(
            results, truth="XML log and report", complete=complete, hidden=hidden, warnings=warnings
        )


def _read(log: str, report: str) -> Results:
    results: Results = {}
    path: list[str] = []
    running = ""
    said = _report(report)
    crashed: set[str] = set()
    for found in _EVENT.finditer(log):
        if found[3]:
            results["/".join((*path[1:], found[2]))] = "SKIPPED"
        elif found[1]:
            path.append(found[2].replace("&lt;", "<").replace("&gt;", ">"))
            if found[1] == "TestCase":
                running = "/".join(path[1:])
                results[running] = "ERROR"
                end = log.find("</TestCase>", found.end())
                if any(word in log[found.end() : end] for word in _CRASHES):
                    crashed.add(running)
        elif path:
            name = "/".join(path[1:])
            path.pop()
            if found[4] == "TestCase":
                running = ""
                results[name] = "ERROR" if name in crashed else said.get(name, "")
    if not said:  # cut off: the log alone
        for name in results:
            if name != running:
                at = log.index(f'name="{name}"')
                bad = "Error " in log[at : log.index("</TestCase>", at)]
                results[name] = "FAILED" if bad else "PASSED"
    for name, status in said.items():
        if status == "SKIPPED":
            results[name] = status
    return results


def _report(report: str) -> Results:
    results: Results = {}

    def walk(element: ElementTree.Element, path: tuple[str, ...]) -> None:
        for child in element:
            here = (*path, child.attrib["name"])
            if child.tag == "TestSuite":
                walk(child, here)
                continue
            status = {"passed": "PASSED", "skipped": "SKIPPED"}.get(
                child.attrib["result"], "FAILED"
            )
            if status == "PASSED" and child.attrib["expected_failures"] != "0":
                status = "XFAIL"
            results["/".join(here)] = status

    if report.strip():
        walk(ElementTree.fromstring(report)[0], ())
    return results
