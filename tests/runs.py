"""Running the real command line in a directory of its own, and looking at what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from velora.journal.events import Event
from velora.journal.store import read

ROOT = Path(__file__).resolve().parents[1]
VELORA = Path(sys.executable).with_name("velora")


@dataclass(frozen=True, slots=True)
class Done:
    """An ended command."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Desk:
    """A directory in which commands are typed."""

    path: Path

    def velora(
        self, *argv: str, env: Mapping[str, str] | None = None, timeout: float = 300
    ) -> Done:
        """Type a `velora` command."""
        return self.type([str(VELORA), *argv], env=env, timeout=timeout)

    def type(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 300
    ) -> Done:
        """Type any command."""
        done = subprocess.run(
            argv,
            cwd=self.path,
            env=environment(env),
            capture_output=True,
            check=False,
            timeout=timeout,
            text=True,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Type a `velora` command and do not wait for it."""
        return subprocess.Popen(
            [str(VELORA), *argv],
            cwd=self.path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> Path:
        """Put a file there."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def rows(self, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Put a task file there."""
        return self.write(name, "".join(json.dumps(dict(row)) + "\n" for row in rows))

    def model(self, url: str, name: str = "gpt-4o") -> Path:
        """Put a config.toml there that names an HTTP endpoint as `llm.gpt`."""
        return self.write(
            "config.toml",
            f'[llm.gpt]\nmodel = "{name}"\nbase_url = "{url}"\napi_key = "a-key-for-tests"\n'
            "retry_min_wait = 0.05\nretry_max_wait = 0.2\nnum_retries = 3\n",
        )

    @property
    def run(self) -> Path:
        """The one run directory below this desk."""
        (found,) = self.path.glob("evaluation/evaluation_outputs/outputs/*/*/*")
        return found

    def output(self) -> list[dict[str, Any]]:
        """The rows of the run's output.jsonl."""
        lines = (self.run / "output.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def events(self, instance_id: str, attempt: int = 1) -> list[Event]:
        """One attempt's events."""
        directory = self.run / "journal" / instance_id / f"attempt-{attempt}"
        return [record.event for record in read(directory)]

    def containers(self) -> list[str]:
        """The ids of the containers of this desk's runs, running or not."""
        shown = '{{.ID}} {{.Label "velora.run"}}'
        done = subprocess.run(
            ["docker", "ps", "-a", "--filter", "label=velora.run", "--format", shown],
            capture_output=True,
            check=True,
            text=True,
        )
        pairs = (line.split(" ", 1) for line in done.stdout.splitlines())
        return [ident for ident, run in pairs if run.startswith(str(self.path))]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would configure Velora."""
    kept = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
    return kept | {"NO_COLOR": "1"} | dict(more or {})
