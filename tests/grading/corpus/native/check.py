"""Check: its XML log, which the sample asks for itself."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.native.bench import Bench, Results, hide

_SPACE = "{http://check.sourceforge.net/ns}"
_STATUS = {"success": "PASSED", "failure": "FAILED", "error": "ERROR"}


def make(root: Path) -> None:
    """All cases."""
    bench = Bench.make("check", root)
    version = bench.version("check")
    for name in ("sample", "good", "crash"):
        bench.sh(f"gcc {name}.c -o {name} $(pkg-config --cflags --libs check)", check=True)
    for name, command in (
        ("normal", "CK_VERBOSITY=normal ./sample"),
        ("verbose", "CK_VERBOSITY=verbose ./sample"),
        ("good", "CK_VERBOSITY=verbose ./good"),
        ("two", "CK_VERBOSITY=verbose ./good; CK_VERBOSITY=verbose ./sample"),
        ("crash", "CK_VERBOSITY=verbose ./good; CK_VERBOSITY=verbose CK_FORK=no ./crash"),
    ):
        bench.sh("rm -f truth-*.xml")
        case = bench.case(name, version, command)
        results: Results = {}
        for program in ("good", "sample"):
            results |= _read(bench.truth(f"truth-{program}.xml"))
        hidden = hide(results, ("PASSED",), "only failures are shown") if name == "normal" else {}
        complete = name != "crash"
        case.write(
            results,
            truth="srunner_set_xml",
            complete=complete,
            hidden=hidden,
            warnings=[] if complete else ["cut off"],
        )


def _read(xml: str) -> Results:
    results: Results = {}
    if not xml.strip():
        return results
    for test in ElementTree.fromstring(xml).iter(f"{_SPACE}test"):
        case, name, iteration = (
            test.findtext(_SPACE + key, "") for key in ("description", "id", "iteration")
        )
        status = _STATUS[test.attrib["result"]]
        if test.findtext(_SPACE + "message") == "no fixture":
            status = "ERROR"  # the XML does not tell a fixture's failure from a test's
        results[f"{case}:{name}:{iteration}"] = status
    return results
