"""What the benchmarks run: an image with a small repository, task rows and scripts."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml
from tests.images.sqlglot import base_image

IMAGE = "velora-bench/repository:1"
STEP = "ls -la | tail -n 3"


def image() -> str:
    """The task image: Debian with git and a repository of 200 small files."""
    have = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False)
    if have.returncode == 0:
        return IMAGE
    make = (
        "cd /app/repo && for i in $(seq 200); do seq $i > file$i.txt; done && git init -q && "
        "git add -A && git -c user.name=b -c user.email=b@example.invalid commit -qm base"
    )
    with tempfile.TemporaryDirectory() as name:
        dockerfile = f"FROM {base_image()}\nWORKDIR /app/repo\nRUN {make}\n"
        (Path(name) / "Dockerfile").write_text(dockerfile)
        subprocess.run(
            ["docker", "build", "-q", "--network", "none", "-t", IMAGE, name],
            check=True,
            capture_output=True,
        )
    return IMAGE


def dataset(path: Path, count: int) -> Path:
    """`count` rows on the one image; the tests print what pytest would and take no time."""
    row = {
        "repo": "bench/repository",
        "image_storage_uri": image(),
        "language": "python",
        "FAIL_TO_PASS": ["tests/test_a.py::test_a"],
        "PASS_TO_PASS": [],
        "test_command": "cat new.txt; printf '%s\\n' '= short test summary info ='"
        " 'PASSED tests/test_a.py::test_a' '= 1 passed in 0.01s ='",
        "test_output_parser": "pytest",
    }
    lines = [
        json.dumps(row | {"instance_id": f"bench-{n}", "problem_statement": f"instance {n}"})
        for n in range(count)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def script(path: Path, steps: int, command: str = STEP) -> Path:
    """A script of `steps` answers: commands, the last but one of them an edit, then `finish`."""
    turns: list[dict[str, Any]] = [_bash(command) for _ in range(steps - 2)]
    turns.append(_bash("echo changed > new.txt"))
    turns.append({"calls": [{"tool": "finish", "arguments": {"message": "done"}}]})
    path.write_text(yaml.safe_dump({"turns": turns}))
    return path


def _bash(command: str) -> dict[str, Any]:
    return {"calls": [{"tool": "execute_bash", "arguments": {"command": command}}]}
