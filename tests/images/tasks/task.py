"""What a language's task is: a real project, a bug in it, and the fix and tests that upstream made,
or that were made for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Task:
    """One task.

    Attributes:
        name: of the task and its image.
        language: as a row has it.
        install: lines of a Dockerfile that bring what building and testing need.
        before, after: make the two states in a directory that is there and empty.
        is_test: which of the changed files are the test patch's; the others are the gold patch's.
        command: the row's test command.
        parser: the row's parser; "" lets the log decide.
        half: part of the gold patch: an unfinished fix.
        problem: the issue's text.
        build: lines of a Dockerfile after the repository is there.
        small: quick enough to be built and run in every test run.
        env: the image's environment variables.
        extra: directories that come into the image besides, by where they go.
        report: the framework writes a report, which must agree with the log.
    """

    name: str
    language: str
    install: tuple[str, ...]
    before: Callable[[Path], None]
    after: Callable[[Path], None]
    is_test: Callable[[str], bool]
    command: str
    half: Callable[[str], str]
    problem: str
    parser: str = ""
    build: tuple[str, ...] = ()
    small: bool = False
    report: bool = False
    env: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Callable[[], Path]] = field(default_factory=dict)


def apt(*packages: str) -> str:
    """A Dockerfile's line that installs Debian packages."""
    return (
        "RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "
        f"--no-install-recommends {' '.join(packages)} >/dev/null && rm -rf /var/lib/apt/lists/*"
    )


def copy(source: Path, target: Path, *names: str) -> None:
    """Copy a project, or only the named parts of it."""
    for name in names or [entry.name for entry in source.iterdir()]:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, symlinks=True)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, target / name)


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Replace texts that are in a file just once each."""
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, (path, text.count(old), old)
        text = text.replace(old, new)
    path.write_text(text)


def files(patch: str) -> list[str]:
    """A git patch's parts, one a file."""
    return ["diff --git " + part for part in patch.split("diff --git ")[1:]]


def hunks_but(patch: str, *left_out: str) -> str:
    """A git patch without the hunks that hold one of the texts."""
    kept = []
    for part in files(patch):
        head, *hunks = part.split("\n@@ ")
        good = [hunk for hunk in hunks if not any(text in hunk for text in left_out)]
        if good:
            body = "".join(f"\n@@ {hunk.removesuffix(chr(10))}" for hunk in good)
            kept.append(f"{head}{body}\n")
    return "".join(kept)


def without(path: Path, first: str, last: str) -> None:
    """Take the lines from the one that is `first` to the next that is `last` out of a file."""
    lines = path.read_text().split("\n")
    start = lines.index(first)
    end = lines.index(last, start)
    path.write_text("\n".join(lines[:start] + lines[end + 1 :]))
