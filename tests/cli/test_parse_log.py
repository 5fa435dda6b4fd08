"""`velora parse-log` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import Desk, Done
from velora.cli import main
from velora.grading.parsers import registry

PYTEST = """=== test session starts ===
collected 3 items
a.py::test_one[\x07é x] PASSED [ 33%]
a.py::test_two FAILED [ 66%]
a.py::test_three SKIPPED [100%]
=== 1 failed, 1 passed, 1 skipped in 0.1s ===
"""
UNITTEST = f"test_a (m.C) ... ok\n\n{'-' * 70}\nRan 1 test in 0.1s\n\nOK\n"


class Typed:
    """A directory with a log, and the command typed in it; without a process of its own."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self.capsys = capsys

    def write(self, text: str) -> None:
        (self.path / "log.txt").write_text(text)

    def velora(self, *argv: str) -> Done:
        status = main.status(list(argv))
        shown = self.capsys.readouterr()
        return Done(status, shown.out, shown.err)


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    monkeypatch.chdir(tmp_path)
    return Typed(tmp_path, capsys)


def test_a_log_as_json(desk: Desk) -> None:
    desk.write("log.txt", PYTEST)
    done = desk.velora("parse-log", "--json", "log.txt")
    assert (done.status, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "parser": "pytest",
        "why": "line 1: '=== test session starts ==='",
        "candidates": ["pytest"],
        "complete": True,
        "warnings": [],
        "results": {
            "a.py::test_one[\x07é x]": "PASSED",
            "a.py::test_two": "FAILED",
            "a.py::test_three": "SKIPPED",
        },
    }


def test_a_log_for_people_shows_failures_first(here: Typed) -> None:
    here.write(PYTEST)
    done = here.velora("parse-log", "--parser", "pytest", "log.txt")
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "parser    pytest",
        "complete  yes",
        "FAILED        1",
        "SKIPPED       1",
        "PASSED        1",
        "tests         3",
        "",
        "FAILED   a.py::test_two",
        "SKIPPED  a.py::test_three",
        r"PASSED   a.py::test_one[\x07é x]",
    ]


def test_a_long_list_is_cut_unless_all_is_asked_for(here: Typed) -> None:
    rows = "".join(f"test_{at} (m.C) ... ok\n" for at in range(100))
    here.write(f"{rows}\n{'-' * 70}\nRan 100 tests in 0.1s\n\nOK\n")
    short, whole = here.velora("parse-log", "log.txt"), here.velora("parse-log", "--all", "log.txt")
    assert short.stdout.count("m.C.test_") == 40
    assert short.stdout.endswith("... 60 more (--all shows them)\n")
    assert whole.stdout.count("m.C.test_") == 100


def test_standard_input_is_a_log(here: Typed) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "velora", "parse-log", "-", "--json"],
        input=PYTEST.encode() + b"\xff\n",
        cwd=here.path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["parser"] == "pytest"


@pytest.mark.parametrize(
    ("text", "parser", "why"),
    [
        ("make: nothing to be done\n", "auto", "no parser finds a test in this log"),
        ("", "auto", "no parser finds a test in this log"),
        (PYTEST + UNITTEST, "auto", "pytest and unittest both fit this log; name one of them"),
        (PYTEST, "unittest", ""),
    ],
)
def test_status_1_where_nothing_was_read(here: Typed, text: str, parser: str, why: str) -> None:
    here.write(text)
    done = here.velora("parse-log", "--parser", parser, "--json", "log.txt")
    assert (done.status, done.stderr) == (1, "")
    found = json.loads(done.stdout)
    assert (found["parser"], found["results"]) == (parser, {})
    assert why in found["why"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--parser", "pytets", "log.txt"), "unknown test output parser 'pytets'"),
        (("--parser", "pytets", "log.txt"), "did you mean 'pytest'"),
        (("none.txt",), "none.txt: cannot be read: No such file or directory"),
        ((".",), ".: cannot be read: Is a directory"),
        ((), "which log?"),
        (("--parsers", "log.txt"), "log.txt: --parsers lists the parsers"),
        (("log.txt", "more.txt"), "unexpected extra argument"),
    ],
)
def test_wrong_use_is_told(here: Typed, argv: tuple[str, ...], message: str) -> None:
    here.write(PYTEST)
    done = here.velora("parse-log", *argv)
    assert (done.status, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_parsers_are_listed(here: Typed) -> None:
    done = here.velora("parse-log", "--parsers")
    assert done.status == 0
    listed = {line.split("  ")[0].rstrip() for line in done.stdout.splitlines()}
    assert listed == {*registry.FRAMEWORKS, *registry.REFERENCE}
    rows = json.loads(here.velora("parse-log", "--parsers", "--json").stdout)
    assert {row["name"] for row in rows} == listed
    assert all(row["names"] for row in rows)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(PYTEST)
    argv = f"{sys.executable} -m velora parse-log --all log.txt | head -n 1"
    done = subprocess.run(argv, shell=True, cwd=tmp_path, capture_output=True, check=False)
    assert (done.stdout.startswith(b"parser"), done.stderr) == (True, b"")
