"""Logs of Ruby: RSpec, minitest and test-unit, of Debian 12 and 13.

    python -m tests.grading.corpus.ruby

Needs root and Debian's package debootstrap: each release is laid into a directory of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.grading.corpus.making import Case, Results, copy, worst

RELEASES = {"bookworm": ("3.12", "5.17", "3.5"), "trixie": ("3.13", "5.25", "3.6")}
PACKAGES = "ruby,ruby-rspec,ruby-minitest,ruby-test-unit"
PROGRESS = "the progress format names failed and pending examples only"
DOTS = "without -v only failures and errors have names"
SURPLUS = "more examples are shown than counted, so no pass is believed"
STATUSES = {"passed": "PASSED", "failed": "FAILED", "pending": "SKIPPED", "start": "ERROR"}
LETTERS = {".": "PASSED", "F": "FAILED", "E": "ERROR", "S": "SKIPPED", "start": "ERROR"}
FAULTS = {"": "PASSED", "Failure": "FAILED", "Error": "ERROR", "start": "ERROR"}
FAULTS |= {"Pending": "SKIPPED", "Omission": "SKIPPED", "Notification": "PASSED"}


def debian(release: str, packages: str, tmp: Path) -> Path:
    """A directory with a Debian release."""
    root = tmp / release
    if not root.exists():
        options = ["--variant=minbase", f"--include={packages}"]
        subprocess.run(["debootstrap", *options, release, root], check=True, capture_output=True)
    return root


class Release:
    """One Debian release in which samples run at `/repo`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = root / "repo"
        self.truth = root / "tmp/truth.json"

    def case(
        self, framework: str, name: str, version: str, args: list[str], **more: object
    ) -> None:
        sample = {"test-unit": "testunit"}.get(framework, framework)
        copy(sample, self.place)
        self.truth.unlink(missing_ok=True)
        shell = 'cd /repo && exec "$@"'
        Case(
            framework=framework,
            name=f"{version}-{name}",
            version=f"{framework} {version}",
            shown=" ".join(args),
            command=["chroot", str(self.root), "sh", "-c", shell, "sh", *args],
            env={"TRUTH": "/tmp/truth.json", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            **more,  # type: ignore[arg-type]
        ).make(self.place)

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.truth.read_text().splitlines()]


def rspec(release: Release, version: str) -> None:
    """RSpec with its JSON formatter beside; a plug-in for the run that is cut off."""

    def report(place: Path) -> Results:
        results: Results = {}
        for each in json.loads(release.truth.read_text())["examples"]:
            worst(results, each["full_description"], STATUSES[each["status"]])
        return results

    def plugin(place: Path) -> Results:
        return {each["name"]: STATUSES[each["status"]] for each in release.lines()}

    def case(name: str, *args: str, form: str = "documentation", **more: object) -> None:
        command = ["rspec", f"--format={form}", *args, "--format=json", "--out=/tmp/truth.json"]
        options = {"truth": "--format json of the same run", "results": report, **more}
        release.case("rspec", name, version, command, **options)

    specs = [f"spec/{each}_spec.rb" for each in ("calc", "same", "outside")]
    outside = ("errors outside",)
    case("documentation", *specs, warnings=outside)
    case(
        "progress",
        *specs,
        form="progress",
        warnings=outside,
        hidden=lambda name, status: PROGRESS if status == "PASSED" else "",
    )
    if version != RELEASES["bookworm"][0]:
        return
    case("random", "--order=rand:7", "spec/calc_spec.rb", "spec/same_spec.rb")
    case("colour", "--force-color", "spec/calc_spec.rb")
    case("broken", "spec/broken_spec.rb", "spec/calc_spec.rb", warnings=outside)
    case(
        "forged",
        "spec/forge_spec.rb",
        warnings=("examples counted",),
        hidden=lambda name, status: SURPLUS if status == "PASSED" else "",
    )
    command = ["rspec", "--format=documentation", "--order=rand:3", "-r./truth.rb"]
    command += ["--format=Truth", "--out=/dev/null", "spec/crash_spec.rb"]
    release.case(
        "rspec",
        "crash",
        version,
        command,
        truth="a formatter that writes each event at once",
        results=plugin,
        complete=False,
        warnings=("cut off",),
        hidden=lambda name, status: (
            "an example's name is printed after it ran; the last line may be a group's"
            if status == "ERROR" or name == "Crash may run"
            else ""
        ),
    )


def minitest(release: Release, version: str) -> None:
    """minitest with a reporter beside that writes each event."""

    def report(place: Path) -> Results:
        return {each["name"]: LETTERS[each["status"]] for each in release.lines()}

    def case(name: str, *args: str, **more: object) -> None:
        options = {"truth": "a reporter plug-in that writes each event", "results": report, **more}
        release.case("minitest", name, version, ["ruby", *args], **options)

    case("verbose", "calc_test.rb", "-v", "--seed=1")
    case("spec", "spec_test.rb", "-v")
    case("parallel", "parallel_test.rb", "-v")
    if version == RELEASES["bookworm"][1]:
        quiet = lambda name, status: "" if status in ("FAILED", "ERROR") else DOTS  # noqa: E731
        case("dots", "calc_test.rb", hidden=quiet)
        case("crash", "crash_test.rb", "-v", complete=False, warnings=("cut off",))


def testunit(release: Release, version: str) -> None:
    """test-unit with a prepended module that writes each test's start and faults."""

    def report(place: Path) -> Results:
        results: Results = {}
        ends: dict[str, str] = {}
        for each in release.lines():
            local = each["full"].removesuffix(f"({each['class']})")
            ends[f"{each['class']}#{local}"] = each["status"]
        for name, status in ends.items():
            for word in status.split(" "):
                worst(results, name, FAULTS[word])
        return results

    def case(name: str, *args: str, **more: object) -> None:
        options = {"truth": "a prepended module that writes faults", "results": report, **more}
        release.case("test-unit", name, version, ["ruby", *args], **options)

    case("verbose", "calc_test.rb", "-v")
    case("quiet", "calc_test.rb", hidden=lambda name, status: DOTS if status == "PASSED" else "")
    if version == RELEASES["bookworm"][2]:
        case("crash", "crash_test.rb", "-v", complete=False, warnings=("cut off",))
        case("colour", "calc_test.rb", "-v", "--use-color=yes")


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(name)
        for release, versions in RELEASES.items():
            place = Release(debian(release, PACKAGES, tmp))
            rspec(place, versions[0])
            minitest(place, versions[1])
            testunit(place, versions[2])


if __name__ == "__main__":
    main()
