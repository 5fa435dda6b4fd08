"""SWE-bench's `eval_script` → how the environment is entered, and the test command.

The script also resets the test files, applies the test patch and looks at the repository. Grading
does that itself, and better: from the image's own files, whatever commits the repository has, and
with a record. So those commands are left out; everything else keeps its order. What stands between
the two markers is the test command, what stands before them enters the environment or builds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

START = ">>>>> Start Test Output"
END = ">>>>> End Test Output"

_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_LEFT_OUT = re.compile(
    r"#!|set -[a-z]*x|git checkout [0-9a-f]{7,40}\b|git apply\b|git status\s*\Z|git show\s*\Z"
    r"|git -c core\.fileMode=false diff\b|git config --global --add safe\.directory"
    r"|echo \"No test files to reset\""
)


@dataclass(frozen=True, slots=True)
class Script:
    """`activation` are the commands before the tests, `command` is the tests' own."""

    activation: tuple[str, ...]
    command: str


def split(script: str) -> Script | None:
    """Take a script apart; None where it has no markers and so is of another kind."""
    before: list[str] = []
    tests: list[str] = []
    seen = ended = False
    for command in _commands(script):
        if START in command:
            seen = True
        elif END in command:
            ended = True
            break
        elif seen:
            tests.append(command)
        elif not _LEFT_OUT.match(command.lstrip()):
            before.append(command)
    if not ended or not any(line.strip() for line in tests):
        return None
    return Script(tuple(line for line in before if line.strip()), "\n".join(tests))


def _commands(script: str) -> list[str]:
    """Lines, each with the here-document that it begins."""
    commands: list[str] = []
    lines = iter(script.split("\n"))
    for line in lines:
        command = [line]
        for found in _HEREDOC.finditer(line):
            for body in lines:
                command.append(body)
                if body.strip() == found[2]:
                    break
        commands.append("\n".join(command))
    return commands
