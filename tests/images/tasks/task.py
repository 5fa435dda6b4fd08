"""What a language's task is: a real project, a bug in it, the fix and the tests that show it.

A task says how three states of the repository come about: with the bug, fixed, and half fixed. The
patches are the differences between them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

State = Callable[[Path], None]
"""Makes a state of the repository, or changes one, in a directory."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task.

    Attributes:
        name: of the project, the task file and the image.
        language: as a row has it.
        problem: the issue's text.
        needs: programs by which the sources are fetched.
        install: lines of a Dockerfile that bring what building and testing need.
        fixed: fills an empty directory with the project as it is with the fix and its tests.
        broken: takes the fix and its tests out again; what it leaves is what the agent gets.
        half: takes a part of the fix out again, and nothing of the tests.
        half_fails: the tests of FAIL_TO_PASS that show it, all of them.
        tests: the directory or the ends of names of test files: the test patch; what else changes
            is the gold patch.
        command: the row's test command.
        parser: the row's parser; "" lets the log decide.
        build: lines of a Dockerfile after the repository is there.
        env: the image's environment variables.
        extra: directories that come into the image besides, by where they go.
        small: quick enough to be built and run in every test run.
        report: the framework whose report must be there and must agree with the log.
        quiet: the log does not name the tests that pass: the report alone proves them.
    """

    name: str
    language: str
    problem: str
    install: tuple[str, ...]
    fixed: State
    broken: State
    half: State
    half_fails: tuple[str, ...]
    tests: tuple[str, ...]
    command: str
    parser: str
    needs: tuple[str, ...] = ("apt-get",)
    build: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Callable[[], Path]] = field(default_factory=dict)
    small: bool = False
    report: str = ""
    quiet: bool = False

    def is_test(self, path: str) -> bool:
        """The file belongs to the test patch."""
        return path.startswith(self.tests) or path.endswith(self.tests)


def apt(*packages: str) -> str:
    """A Dockerfile's line that installs Debian packages."""
    return (
        "RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "
        f"--no-install-recommends {' '.join(packages)} >/dev/null && rm -rf /var/lib/apt/lists/*"
    )


def copy(source: Path, target: Path, *names: str) -> None:
    """Copy a project, or only the named parts of it, over what is there."""
    for name in names or [entry.name for entry in source.iterdir()]:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy(source / name, target / name)


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Replace texts that are in a file just once each."""
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, (path, text.count(old), old)
        text = text.replace(old, new)
    path.write_text(text)


def cut(path: Path, *blocks: tuple[str, str]) -> None:
    """Take blocks of lines out of a file: from lines that are there just once to the next line
    that is the second text."""
    text = path.read_text()
    for first, last in blocks:
        assert text.count(f"\n{first}\n") == 1, (path, first)
        start = text.index(f"\n{first}\n")
        end = text.index(f"\n{last}\n", start + len(first) + 1) + len(last) + 1
        text = text[:start] + text[end:]
    path.write_text(text)
