"""CPU and memory of many conversations at once, beside the `openai` package and LiteLLM."""

from __future__ import annotations

import json
import subprocess
import venv
from pathlib import Path

from bench import measured, tasks
from bench.rows import PYTHON, ROOT, Bench, Row, Skipped

CONVERSATIONS = 64
TURNS = 30  # answers, each with its observation: 60 messages


def side_by_side(bench: Bench) -> list[Row]:
    """Velora, the SDK alone, and LiteLLM, against one scripted server.

    Raises:
        Skipped: LiteLLM cannot be installed.
    """
    pythons = {"velora": PYTHON, "openai": PYTHON, "litellm": _litellm(bench.work)}
    script = tasks.script(bench.work / "talk.yaml", TURNS + 1)
    figures: dict[str, tuple[float, float]] = {}
    with measured.serving(PYTHON, script, bench.work) as server:
        for client, python in pythons.items():
            runs = [_run(python, client, server.url) for _ in range(bench.runs)]
            cpu = measured.median(1000 * one["cpu"] / one["calls"] for one in runs)
            figures[client] = cpu, measured.median(one["resident"] / 1e6 for one in runs)
    ours, memory = figures["velora"]
    rows = []
    for client in ("openai", "litellm"):
        cpu, resident = figures[client]
        rows.append(Row(f"CPU a call, 64 x 60 messages, ms; {client}", ours, cpu, "", None))
        rows.append(Row(f"resident, 64 x 60 messages, MB; {client}", memory, resident, "", None))
    return rows


def _run(python: str, client: str, url: str) -> dict[str, float]:
    argv = [python, "-m", "bench.talk", "--client", client, "--url", url]
    argv += ["--conversations", str(CONVERSATIONS), "--turns", str(TURNS)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: status {done.returncode}\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _litellm(work: Path) -> str:
    home = work / "litellm"
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    argv = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "litellm"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"LiteLLM cannot be installed: {done.stderr.strip()[-200:]}")
    return python
