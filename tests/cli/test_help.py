"""`--help` of every command: what it says, and that it imports nothing but what says it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from velora.cli.main import app, status

COMMANDS = [[each.name] for each in app.registered_commands] + [["images"], ["images", "load"]]

PROGRAM = """
import sys
from velora.cli.main import status
assert status([*sys.argv[1:], "--help"]) == 0
heavy = "pydantic pydantic_ai openai aiodocker asyncio yaml"
print("IMPORTED", *sorted(set(heavy.split()) & set(sys.modules)))
"""


@pytest.mark.parametrize("command", [[], *COMMANDS], ids=" ".join)
def test_help_says_what_to_type_and_imports_nothing_heavy(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command], capture_output=True, text=True, check=True
    )
    *said, imported = done.stdout.splitlines()
    assert imported == "IMPORTED"
    assert any(line.strip().startswith("Usage:") and " ".join(command) in line for line in said)


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_of_the_whole_and_of_a_group(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status([option]) == 0
    assert "parse-log" in capsys.readouterr().out
    assert status(["images", option]) == 0
    assert "load" in capsys.readouterr().out
