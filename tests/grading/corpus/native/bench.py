"""Where a case is built and run: this machine, or another Debian release in a directory.

A command runs below `/repo` as far as its log is concerned. What it wrote, standard output and
error in one stream, goes into the log as it came.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

GRADING = Path(__file__).resolve().parents[2]
LOGS = GRADING / "logs"
SAMPLES = GRADING.parent / "fixtures/grading"

Results = dict[str, str]


@dataclass(frozen=True, slots=True)
class Bench:
    """One framework's sample project, copied to a directory of its own.

    Attributes:
        framework: the directories' name, below `fixtures/grading` and `logs`.
        root: `/`, or a directory with another release.
        work: the copy, below `root`.
    """

    framework: str
    root: Path
    work: Path

    @classmethod
    def make(cls, framework: str, root: Path) -> Bench:
        """Copy the sample project."""
        work = root / "tmp/velora-corpus" / framework
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(SAMPLES / framework, work)
        return cls(framework, root, work)

    @property
    def inside(self) -> str:
        """`work` as commands see it."""
        return "/" + str(self.work.relative_to(self.root))

    def version(self, package: str) -> str:
        """The upstream version of a Debian package."""
        shown = self.sh(f"dpkg-query -W -f '${{Version}}' {package}").decode()
        found = re.match(r"(?:\d+:)?(\d+(?:\.\d+){0,2})", shown)
        if found is None:
            raise SystemExit(f"{package} is not installed below {self.root}: {shown}")
        return found[1]

    def wants(self, case: str, every: tuple[str, ...]) -> bool:
        """This machine's release gets all cases, another one those that every version has."""
        return self.root == Path("/") or case in every

    def sh(self, command: str, *, check: bool = False, timeout: float = 600.0) -> bytes:
        """Run a shell command in the copy; standard output and error as one.

        Raises:
            SystemExit: it failed although `check` is set.
        """
        prefix = ["sh", "-c", f'cd {self.inside} && exec sh -c "$0" 2>&1', command]
        if self.root != Path("/"):
            place = ["--bind", str(self.root), "/", "--proc", "/proc", "--dev", "/dev"]
            prefix = ["bwrap", *place, *prefix]
        env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/tmp",
            "LC_ALL": "C.UTF-8",
            "TRUTH": f"{self.inside}/truth.txt",
        }
        done = subprocess.run(
            prefix,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise SystemExit(f"{command}: {done.stdout.decode(errors='replace')}")
        return done.stdout

    def case(
        self,
        name: str,
        version: str,
        command: str,
        *,
        log: bytes | None = None,
    ) -> Case:
        """Run `command` and keep its log; `log` where it was run already."""
        (self.work / "truth.txt").unlink(missing_ok=True)
        output = self.sh(command) if log is None else log
        shown = {self.inside: "/repo", str(Path(self.inside).parent): "/samples"}
        for place, instead in shown.items():
            output = output.replace(place.encode(), instead.encode())
            output = output.replace(place[1:].encode(), instead[1:].encode())
        return Case(self.framework, f"{version}-{name}", version, command, output)

    def truth(self, name: str = "truth.txt") -> str:
        """A file that the run wrote; "" if it wrote none."""
        path = self.work / name
        return path.read_bytes().decode("utf-8", "replace") if path.exists() else ""


@dataclass(frozen=True, slots=True)
class Case:
    """A run's log, to be written with its truth."""

    framework: str
    name: str
    version: str
    command: str
    log: bytes

    def write(
        self,
        results: Results,
        *,
        truth: str,
        complete: bool,
        hidden: dict[str, str] | None = None,
        warnings: list[str] | None = None,
        auto: str = "",
    ) -> None:
        """Write both files; see the corpus's README for the keys."""
        content: dict[str, object] = {
            "version": self.version,
            "command": self.command,
            "truth": truth,
            "complete": complete,
            "results": results,
        }
        if hidden:
            content["hidden"] = hidden
        if warnings:
            content["warnings"] = warnings
        if auto:
            content["auto"] = auto
        place = LOGS / self.framework
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{self.name}.txt").write_bytes(self.log)
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (place / f"{self.name}.json").write_text(text + "\n")


def hide(results: Results, statuses: tuple[str, ...], reason: str) -> dict[str, str]:
    """`hidden` for all results of these statuses."""
    return {name: reason for name, status in results.items() if status in statuses}
