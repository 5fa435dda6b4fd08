"""The demo's course: run, show each step as it happens, the patch, the verdict, what comes next."""

from __future__ import annotations

import shutil
import tempfile
from importlib import resources
from pathlib import Path

from velora.cli.interrupt import Interrupted, run_until_interrupted
from velora.cli.live import Bare
from velora.cli.output import say
from velora.cli.showing import render
from velora.engine.observer import AttemptKey
from velora.engine.prepare import Prepared, Request, prepare
from velora.engine.session import carry_out
from velora.journal.events import PatchTaken, Record
from velora.journal.run import RunDirectory
from velora.journal.store import read_patch

NEXT = """
What to type next, with a model of your own:

  cat > config.toml <<'EOF'
  [llm.gpt]
  model = "gpt-4o"
  api_key_env = "OPENAI_API_KEY"
  EOF
  velora run --dataset tasks.jsonl --llm-config llm.gpt --evaluate

  velora doctor             what this machine can run tasks in
  velora show {run}         this trajectory again
"""


def demonstrate(sandbox: str, output_dir: Path) -> int:
    """Run the demo; returns the exit status."""
    with resources.as_file(resources.files("velora") / "demo") as demo:
        prepared = _prepared(demo, sandbox, output_dir)
        path = prepared.directory.path
        shutil.rmtree(path, ignore_errors=True)
        say("A scripted model repairs a small repository.\n")
        with Steps(prepared.directory) as steps:
            try:
                result = run_until_interrupted(carry_out(prepared, steps))
            except Interrupted:
                return 130
    say(f"\nEverything of this run lies in\n  {path}")
    for part, what in (
        ("output.jsonl", "the trajectory and the patch"),
        ("journal/", "every event, as it happened"),
        ("infer_logs/", "the log to follow live"),
        ("llm_completions/", "each call of the model"),
        ("eval_outputs/", "the verdict and its evidence"),
        ("report.json", "the run's score"),
    ):
        say(f"    {part:<18}{what}")
    say(NEXT.format(run=path))
    return 0 if result.complete and result.summary.resolved else 1


def _prepared(demo: Path, sandbox: str, output_dir: Path) -> Prepared:
    with tempfile.TemporaryDirectory(prefix="velora-demo-") as name:
        config = Path(name) / "config.toml"
        config.write_text(f"[llm]\nmodel = 'scripted:{demo / 'script.yaml'}'\n")
        return prepare(
            Request(
                dataset=demo / "task.jsonl",
                config_file=config,
                output_dir=output_dir,
                backend=sandbox,
                evaluate=True,
                name="demo",
            )
        )


class Steps(Bare):
    """Prints each step of the trajectory as it happens."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run

    def __call__(self, key: AttemptKey, record: Record) -> None:
        """See `Live`."""
        text = render(record)
        if text:
            say(text)
        if isinstance(record.event, PatchTaken):
            patch = read_patch(self._run.attempt_dir(key.instance_id, key.attempt))
            say(patch.decode("utf-8", "replace"))
