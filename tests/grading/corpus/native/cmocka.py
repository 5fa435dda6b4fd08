"""CMocka: its XML output, in a run of its own."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.native.bench import Bench, Results

_SUITE = re.compile(r"<testsuite .*?</testsuite>", re.DOTALL)
_SEVERITY = ("PASSED", "SKIPPED", "FAILED", "ERROR")
_EVERY = ("sample", "exit")


def make(root: Path) -> None:
    """All cases."""
    bench = Bench.make("cmocka", root)
    version = bench.version("libcmocka-dev")
    for name in ("sample", "good", "exit"):
        bench.sh(f"gcc {name}.c -o {name} -lcmocka", check=True)
    for name, command in (
        ("sample", "./sample"),
        ("stdout", "./sample 2>/dev/null"),
        ("stderr-first", "./sample >out.txt; cat out.txt"),
        ("good", "./good"),
        ("exit", "./good; ./exit"),
    ):
        if not bench.wants(name, _EVERY):
            continue
        case = bench.case(name, version, command)
        program = "good" if name == "exit" else name if name == "good" else "sample"
        results = _read(bench.sh(f"CMOCKA_MESSAGE_OUTPUT=xml ./{program}").decode())
        if name == "exit":
            # The XML of a group is written at its end; what ran of this one is in exit.c.
            results |= {"before": "PASSED", "leaves": "ERROR"}
        complete = name != "exit"
        hidden = {}
        if name in ("stdout", "stderr-first"):
            hidden = {"GROUP SETUP": "it is on standard error, outside of the group"}
            results["crashes"] = "FAILED"  # and so is that this failure was a signal
        case.write(
            results,
            truth="CMOCKA_MESSAGE_OUTPUT=xml",
            complete=complete,
            hidden=hidden,
            warnings=[] if complete else ["cut off"],
        )


def _read(output: str) -> Results:
    results: Results = {}
    for found in _SUITE.finditer(output):
        suite = ElementTree.fromstring(found[0])
        for test in suite.iter("testcase"):
            status = "PASSED"
            failure = test.find("failure")
            if test.find("skipped") is not None:
                status = "SKIPPED"
            elif failure is not None or test.find("error") is not None:
                text = (failure.text or "") if failure is not None else ""
                broken = ("Test setup failed", "Test teardown failed", "Test failed with exception")
                status = "ERROR" if text.startswith(broken) or failure is None else "FAILED"
            name = test.attrib["name"]
            results[name] = max(results.get(name, status), status, key=_SEVERITY.index)
        if suite.attrib["errors"] != "0" and suite.find("testcase") is None:
            results["GROUP SETUP"] = "ERROR"
    return results
