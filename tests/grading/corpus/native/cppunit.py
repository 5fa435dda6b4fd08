"""CppUnit: the file of the XML outputter, which the sample writes as well."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.native.bench import Bench, Results, hide


def make(root: Path) -> None:
    """All cases."""
    bench = Bench.make("cppunit", root)
    version = bench.version("libcppunit-dev")
    bench.sh("g++ sample.cpp -o sample -lcppunit", check=True)
    silent = "the tests print nothing"
    for name, arguments in (
        ("brief", "quiet brief text"),
        ("compiler", "quiet brief compiler"),
        ("dots", "quiet dots text"),
        ("forged", "'All Tests' brief text"),
        ("good", "good brief compiler"),
        ("crash", "crash brief text"),
    ):
        bench.sh("rm -f truth.xml")
        case = bench.case(name, version, f"./sample {arguments}")
        results = _read(bench.truth("truth.xml"))
        hidden: dict[str, str] = {}
        warnings: list[str] = []
        if name == "dots":
            hidden = hide(results, ("PASSED",), "dots name no test")
        elif name == "forged":
            hidden = hide(results, ("PASSED",), "the tests printed more passes than are counted")
            warnings = ["none of them is believed"]
        elif name == "crash":
            # The outputter never ran; what did is in the sample.
            results = {"Crash::before": "PASSED", "Crash::aborts": "ERROR"}
            warnings = ["cut off"]
        case.write(
            results,
            truth="XmlOutputter" if name != "crash" else silent,
            complete=name != "crash",
            hidden=hidden,
            warnings=warnings,
        )


def _read(xml: str) -> Results:
    results: Results = {}
    if not xml.strip():
        return results
    run = ElementTree.fromstring(xml)
    for test in run.iter("FailedTest"):
        kind = test.findtext("FailureType")
        results[test.findtext("Name", "")] = "ERROR" if kind == "Error" else "FAILED"
    for test in run.iter("Test"):
        results[test.findtext("Name", "")] = "PASSED"
    return results
