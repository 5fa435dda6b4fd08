"""Reports that frameworks write beside their log, asked for without a change of the command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from velora.grading.parsers import registry
from velora.grading.reports import Collected, choose, collect, prepare
from velora.grading.reports.readers import read_ctest_log, read_meson_log, read_rspec_listing
from velora.grading.run import eval_script, run
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import Sandbox, SandboxSpec

TESTS = """\
import unittest
import pytest

class TestA:
    @pytest.mark.parametrize("x", ["a b", "c[d]", "é", "f::g"])
    def test_param(self, x): assert x != "é"

    class TestInner:
        def test_deep(self): pass

class Old(unittest.TestCase):
    def test_old(self): self.fail("no")

@pytest.mark.skip
def test_skipped(): pass

@pytest.mark.xfail
def test_expected(): assert 0

@pytest.fixture
def broken(): raise OSError
def test_error(broken): pass
"""


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Sandbox]:
    (tmp_path / "repo").mkdir()
    sandbox = HostSandbox(SandboxSpec(image="", workdir=str(tmp_path / "repo")))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


async def reports(
    box: Sandbox, tmp_path: Path, language: str, command: str
) -> tuple[str, dict[str, Collected]]:
    """Run a command in `tmp_path/repo`; its log, and the reports by framework."""
    workdir, place = str(tmp_path / "repo"), str(tmp_path / "reports")
    recipes = choose(language)
    prologue = await prepare(box, recipes, place)
    script = eval_script(command, workdir, prologue)
    output = tmp_path / "log"
    await run(box, script, workdir=workdir, tmp=str(tmp_path), output=output, timeout=60)
    found = await collect(box, recipes, place, workdir)
    return output.read_text(), {each.recipe.name: each for each in found}


async def test_pytest_says_the_same_in_its_report(box: Sandbox, tmp_path: Path) -> None:
    tests = tmp_path / "repo/tests/unit"
    tests.mkdir(parents=True)
    (tests / "test_a.py").write_text(TESTS)
    (tests / "test_broken.py").write_text("import nothing_like_this\n")
    command = f"{sys.executable} -m pytest -v -p no:cacheprovider --continue-on-collection-errors"
    log, found = await reports(box, tmp_path, "python", command)
    read = registry.parse("pytest", log).parsed
    report = found["pytest"].parsed
    assert report.complete
    assert {n: r.status for n, r in report.results.items()} == {
        n: r.status for n, r in read.results.items()
    }
    assert "tests/unit/test_a.py::TestA::test_param[c[d]]" in report.results
    assert not list((tmp_path / "repo").rglob("*.xml"))


async def test_what_the_command_sets_itself_stays(box: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "repo/test_a.py").write_text("def test_a(): pass\ndef test_b(): pass\n")
    command = f'export PYTEST_ADDOPTS="$PYTEST_ADDOPTS -k test_b"; {sys.executable} -m pytest'
    _, found = await reports(box, tmp_path, "python", command)
    assert list(found["pytest"].parsed.results) == ["test_a.py::test_b"]


async def test_without_a_run_there_is_no_report(box: Sandbox, tmp_path: Path) -> None:
    assert await reports(box, tmp_path, "python", "true") == ("", {})
    assert await reports(box, tmp_path, "cobol", "true") == ("", {})


async def test_only_what_this_run_wrote_is_fetched(box: Sandbox, tmp_path: Path) -> None:
    place = tmp_path / "repo/target/surefire-reports"
    place.mkdir(parents=True)
    (place / "TEST-old.xml").write_text('<testsuite><testcase classname="o" name="x"/></testsuite>')
    subprocess.run(["touch", "-d", "1 hour ago", place / "TEST-old.xml"], check=True)
    new = '<testsuite><testcase classname="n" name="x"/></testsuite>'
    command = f"echo '{new}' > target/surefire-reports/TEST-new.xml"
    _, found = await reports(box, tmp_path, "java", command)
    assert list(found["surefire"].parsed.results) == ["n.x"]


@pytest.mark.parametrize(("count", "filler"), [(1, 0), (20, 0), (2, 300_000)])
async def test_many_and_large_reports_come_as_few_small_ones_do(
    box: Sandbox, tmp_path: Path, count: int, filler: int
) -> None:
    place = tmp_path / "repo/target/surefire-reports"
    place.mkdir(parents=True)
    case = '<testsuite><testcase classname="n" name="x$i"/></testsuite>'
    more = f"<!--$(head -c {filler} /dev/zero | tr '\\0' x)-->"
    command = f"for i in $(seq {count}); do cat >target/surefire-reports/TEST-$i.xml <<E\n"
    command += f"{case}{more}\nE\ndone"
    _, found = await reports(box, tmp_path, "java", command)
    assert set(found["surefire"].parsed.results) == {f"n.x{i + 1}" for i in range(count)}
    assert found["surefire"].files == count
    assert found["surefire"].parsed.warnings == ()


@pytest.mark.skipif(shutil.which("rspec") is None, reason="rspec is not installed")
async def test_rspec_prints_what_it_always_prints(box: Sandbox, tmp_path: Path) -> None:
    spec = tmp_path / "repo/spec"
    spec.mkdir()
    (spec / "a_spec.rb").write_text(
        'describe "A" do\n  describe "#b" do\n    it("works\\nwell") {}\n'
        '    it("fails") { expect(1).to eq 2 }\n    it "waits"\n  end\nend\n'
    )
    plain, _ = await reports(box, tmp_path, "python", "rspec spec")
    shutil.rmtree(tmp_path / "reports")
    log, found = await reports(box, tmp_path, "ruby", "rspec spec")
    assert log.splitlines()[0] == plain.splitlines()[0] == ".F*"
    assert {n: str(r.status) for n, r in found["rspec"].parsed.results.items()} == {
        "A #b works\nwell": "PASSED",
        "A #b fails": "FAILED",
        "A #b waits": "SKIPPED",
    }


CTEST = """\
1/2 Testing: good one
1/2 Test: good one
"good one" start time: Nov 25 14:37 UTC
Output:
----------------------------------------------------------
Test Failed.
<end of output>
Test time =   0.00 sec
----------------------------------------------------------
Test Passed.
"good one" end time: Nov 25 14:37 UTC
2/2 Testing: bad
2/2 Test: bad
Output:
----------------------------------------------------------
1/2 Test: good one
Test Passed.
"good one" end time: never
<end of output>
----------------------------------------------------------
Test Failed.
"bad" end time: Nov 25 14:37 UTC
"""


def test_ctest_s_own_log() -> None:
    results = read_ctest_log(CTEST.encode()).results
    assert {name: str(each.status) for name, each in results.items()} == {
        "good one": "PASSED",
        "bad": "FAILED",
    }


def test_lines_that_are_no_results_are_passed_over() -> None:
    data = b'{"name": "a", "result": "OK", "duration": 0.5}\n[1]\n{"name": 1}\nnot json\n'
    (result,) = read_meson_log(data).results.values()
    assert (str(result.status), result.duration) == ("PASSED", 0.5)
    listing = b'["A b", "passed", 0.1]\n["x"]\n{}\n["c", "odd", 1]\n'
    assert list(read_rspec_listing(listing).results) == ["A b"]
