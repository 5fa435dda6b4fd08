"""Automake: the `.trs` files of the parallel harness; of the serial one, which keeps no record,
what each script's exit status means."""

from __future__ import annotations

import re
from pathlib import Path

from tests.grading.corpus.native.bench import Bench, Results

_STATUS = {
    "PASS": "PASSED",
    "FAIL": "FAILED",
    "SKIP": "SKIPPED",
    "XFAIL": "XFAIL",
    "XPASS": "XPASS",
    "ERROR": "ERROR",
}
_TAP = re.compile(r"^(?:not )?ok (\d+ - .*?)(?: # (?:SKIP|TODO).*)?$", re.MULTILINE)
_SERIAL = {
    "passes.sh": "PASSED",
    "fails.sh": "FAILED",
    "skips.sh": "SKIPPED",
    "xfails.sh": "XFAIL",
    "xpasses.sh": "XPASS",
}
_EVERY = ("default", "verbose", "serial")


def make(root: Path) -> None:
    """All cases."""
    bench = Bench.make("automake", root)
    version = bench.version("automake")
    short = ".".join(version.split(".")[:2])
    bench.sh(f"cp /usr/share/automake-{short}/tap-driver.sh .", check=True)
    bench.sh("autoreconf -i && ./configure", check=True)
    bench.sh("cd serial && autoreconf -i && ./configure", check=True)
    for name, command in (
        ("default", "make -k check"),
        ("parallel", "make -k -j3 check"),
        ("verbose", "make -k check VERBOSE=1"),
        ("color", "make -k check AM_COLOR_TESTS=always VERBOSE=1"),
        ("log", "make check; cat test-suite.log"),
        ("good", "make check TESTS='passes.sh dir/passes.sh' SUBDIRS=."),
        ("cut", "(make -k check 2>&1 & sleep 0.3; kill $!) | head -5"),
        ("serial", "cd serial && make check"),
        (
            "serial-forged",
            "cd serial && make check "
            "TESTS='passes.sh fails.sh skips.sh xfails.sh xpasses.sh prints.sh'",
        ),
    ):
        if not bench.wants(name, _EVERY):
            continue
        bench.sh("rm -f *.log *.trs */*.log */*.trs")
        case = bench.case(name, version, command)
        warnings: list[str] = []
        hidden: dict[str, str] = {}
        if name.startswith("serial"):
            results = dict(_SERIAL)
            if name == "serial-forged":
                results["prints.sh"] = "PASSED"
                why = "the tests printed more passes than the summary counts"
                hidden = dict.fromkeys(("passes.sh", "prints.sh"), why)
                warnings = ["none of them is believed"]
        elif name == "cut":
            continue
        else:
            results = _read(bench.work)
        case.write(
            results,
            truth="exit statuses" if name.startswith("serial") else ".trs files",
            complete=True,
            hidden=hidden,
            warnings=warnings,
        )


def _read(work: Path) -> Results:
    results: Results = {}
    for trs in sorted(work.glob("**/*.trs")):
        said = re.findall(r"^:test-result: (\w+)(.*)$", trs.read_text(), re.MULTILINE)
        script = trs.relative_to(work).with_suffix("")
        if script.parent.name == "sub":
            script = Path(script.name)
        for suffix in (".tap", ".sh"):
            if (work / f"{trs.relative_to(work).with_suffix('')}{suffix}").exists():
                script = script.with_suffix(suffix)
        if script.suffix != ".tap":
            results[str(script)] = _STATUS[said[0][0]]
            continue
        names = _TAP.findall(trs.with_suffix(".log").read_text())
        for index, (word, _) in enumerate(said):
            name = names[index] if index < len(names) else "- Bail out! no more"
            results[f"{script} {name}"] = _STATUS[word]
    return results
