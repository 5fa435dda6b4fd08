"""CTest: the `Test.xml` of its dashboard step, from a run of its own."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.native.bench import Bench, Results

_EVERY = ("default", "verbose", "until-pass", "hosts")


def make(root: Path) -> None:
    """All cases."""
    for hosted in ("gtest", "doctest"):
        Bench.make(hosted, root)
    bench = Bench.make("ctest", root)
    version = bench.version("cmake")
    for project in (".", "good", "repeat", "hosts"):
        bench.sh(
            f"cmake -S {project} -B build-{project} && cmake --build build-{project}", check=True
        )
    for name, project, options in (
        ("default", ".", ""),
        ("verbose", ".", "-V -j2"),
        ("failure", ".", "--output-on-failure -j3"),
        ("extra", ".", "-VV -R fail"),
        ("good", "good", ""),
        ("until-pass", "repeat", "--repeat until-pass:3"),
        ("until-fail", "repeat", "--repeat until-fail:2 --output-on-failure"),
        ("cut", ".", "-V -R '^(passes|fails|times_out)$' & sleep 0.6; kill -9 $!"),
        ("hosts", "hosts", "--output-on-failure"),
        ("hosts-verbose", "hosts", "-V"),
    ):
        if not bench.wants(name, _EVERY):
            continue
        build = f"build-{project}"
        bench.sh(f"rm -f {build}/flaky.once")
        case = bench.case(name, version, f"cd {build} && ctest {options}")
        bench.sh(f"rm -rf {build}/flaky.once {build}/Testing")
        bench.sh(f"cd {build} && ctest -T Test {options.partition('&')[0]}")
        (xml,) = (bench.work / build / "Testing").glob("*/Test.xml")
        results = _read(xml.read_bytes())
        case.write(
            results,
            truth="ctest -T Test",
            complete=name != "cut",
            warnings=["cut off"] if name == "cut" else [],
        )


def _read(xml: bytes) -> Results:
    results: Results = {}
    for test in ElementTree.fromstring(xml).iter("Test"):
        name = test.findtext("Name")
        if name is None:
            continue
        said = {
            each.get("name"): each.findtext("Value", "") for each in test.iter("NamedMeasurement")
        }
        status = test.get("Status")
        if status == "notrun":
            why = said["Completion Status"]
            results[name] = "SKIPPED" if why.startswith(("SKIP_", "Disabled")) else "ERROR"
        elif status == "failed":
            results[name] = "FAILED" if said["Exit Code"] == "Failed" else "ERROR"
        else:
            results[name] = "PASSED"
    return results
