"""A run on disk: where each of its files lies, who may write it, and what it was made with.

```
<root>/<dataset path, / as __>-<split>/<Agent>/<model>_maxiter_<N>[_N_<note>]/
  metadata.json  output.jsonl  report.json  ledger.jsonl  logs/
  journal/<id>/attempt-<k>/{events.jsonl, model.patch}
  infer_logs/instance_<id>.log      eval_outputs/<id>/      llm_completions/<id>/
```
`<id>` is the instance's `safe_name`. The log and the completions of attempt 1 lie where OpenHands
puts them; those of attempt k > 1 in `instance_<id>.attempt-<k>.log` and
`llm_completions/<id>/attempt-<k>/`.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from velora.config.names import safe_name
from velora.errors import UsageError
from velora.journal import metadata
from velora.journal.lock import locked
from velora.journal.scrub import Text

_ATTEMPT = re.compile(r"attempt-([1-9]\d*)")
_LONGEST = 200


def run_path(
    root: Path,
    *,
    dataset: str,
    split: str,
    agent: str,
    model: str,
    max_iterations: int,
    note: str = "",
) -> Path:
    """The directory of a run, by VeloraHarness's rule.

    Args:
        root: as `evaluation/evaluation_outputs/outputs`.
        dataset: as the user named it: a path, or a name on a hub.
        split: as the user named it.
        agent: the agent's class name.
        model: the model's full name; the part after the last `/` is used.
        max_iterations: the limit.
        note: of `--eval-note`, or "".

    Raises:
        UsageError: nothing is left of one of the names.
    """
    last = _component("model", model.rstrip("/").rpartition("/")[2])
    name = f"{last}_maxiter_{max_iterations}"
    if note:
        name += f"_N_{note.replace('/', '__')}"
    source = dataset_name(dataset, f"-{split}")
    return root / source / _component("agent", agent) / _short(name)


def dataset_name(dataset: str, suffix: str = "") -> str:
    """What a data set's directory is called: its path with `__` for each `/`.

    A leading `./` and the root's `/` are left out, so that the name begins with neither a dot nor
    `__`.

    Raises:
        UsageError: nothing is left of it.
    """
    name = _component("dataset", posixpath.normpath(dataset).strip("/").replace("/", "__"))
    return _short(name + suffix)


def _component(what: str, name: str) -> str:
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise UsageError(f"the {what}'s name gives no name for a directory: {name!r}")
    return name


def _short(name: str) -> str:
    """A name that file systems take: a longer one keeps its head and gets a digest."""
    return name if len(os.fsencode(name)) <= _LONGEST else safe_name(name)


class RunDirectory:
    """The files of one run. Making the object touches nothing on the disk.

    Attributes:
        path: the run's directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def metadata_file(self) -> Path:
        """`metadata.json`."""
        return self.path / "metadata.json"

    @property
    def output_file(self) -> Path:
        """`output.jsonl`."""
        return self.path / "output.jsonl"

    @property
    def report_file(self) -> Path:
        """`report.json` of the whole run."""
        return self.path / "report.json"

    @property
    def ledger_file(self) -> Path:
        """`ledger.jsonl`: a line for each call that was paid for."""
        return self.path / "ledger.jsonl"

    @property
    def logs(self) -> Path:
        """The run's own logs."""
        return self.path / "logs"

    @property
    def infer_logs(self) -> Path:
        """The live logs of all attempts."""
        return self.path / "infer_logs"

    @property
    def llm_completions(self) -> Path:
        """The calls of all attempts."""
        return self.path / "llm_completions"

    @property
    def eval_outputs(self) -> Path:
        """The evidence of all gradings."""
        return self.path / "eval_outputs"

    @property
    def journal(self) -> Path:
        """The journals of all attempts."""
        return self.path / "journal"

    def attempt_dir(self, instance_id: str, attempt: int) -> Path:
        """Where the journal of one attempt lies; attempts count from 1."""
        return self.journal / safe_name(instance_id) / f"attempt-{attempt}"

    def infer_log(self, instance_id: str, attempt: int) -> Path:
        """The live log of one attempt."""
        suffix = "" if attempt == 1 else f".attempt-{attempt}"
        return self.infer_logs / f"instance_{safe_name(instance_id)}{suffix}.log"

    def completions_dir(self, instance_id: str, attempt: int) -> Path:
        """The calls of one attempt."""
        return _of_attempt(self.llm_completions / safe_name(instance_id), attempt)

    def eval_dir(self, instance_id: str, attempt: int | None = None) -> Path:
        """The evidence of one grading.

        Args:
            instance_id: the instance.
            attempt: None where the run wants one attempt at each instance: retries after a
                failure of the infrastructure then do not change the place.
        """
        base = self.eval_outputs / safe_name(instance_id)
        return base if attempt is None else base / f"attempt-{attempt}"

    def attempts(self, instance_id: str) -> list[int]:
        """The numbers of the attempts at an instance that have left anything, in order."""
        return numbered(self.journal / safe_name(instance_id))

    def attempt_dirs(self) -> Iterator[Path]:
        """The directories of all attempts, by instance and number."""
        if self.journal.is_dir():
            for instance in sorted(entry.path for entry in os.scandir(self.journal)):
                for number in numbered(Path(instance)):
                    yield Path(instance) / f"attempt-{number}"

    def create(self) -> None:
        """Make the directory and those in it that every run has."""
        for directory in (self.journal, self.infer_logs, self.llm_completions, self.logs):
            directory.mkdir(parents=True, exist_ok=True)

    def lock(self) -> AbstractContextManager[None]:
        """Be the only process that writes this run, which has been created.

        Raises:
            UsageError: on entering, where another process is; names it.
        """
        return locked(self.path / ".lock")

    def claim(self, facts: metadata.RunFacts, redact: Text) -> dict[str, Any]:
        """Write `metadata.json`, or check that the run there is the same one; see `metadata`.

        Raises:
            UsageError: it was made with another configuration or data set; lists what differs.
        """
        return metadata.claim(self.metadata_file, facts, redact)

    def metadata(self) -> dict[str, Any]:
        """The content of `metadata.json`.

        Raises:
            UsageError: this is no run's directory, or the file is damaged.
        """
        try:
            return metadata.load(self.metadata_file)
        except FileNotFoundError:
            raise UsageError(
                "no metadata.json here",
                where=str(self.path),
                hint="name the directory that a `velora run` wrote",
            ) from None


def numbered(directory: Path) -> list[int]:
    """The numbers of the `attempt-<k>` in a directory, in order; none if it is not there."""
    try:
        names = os.listdir(directory)  # noqa: PTH208 - half the cost of iterdir, 20,000 times
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(found[1]) for name in names if (found := _ATTEMPT.fullmatch(name)))


def _of_attempt(base: Path, attempt: int) -> Path:
    return base if attempt == 1 else base / f"attempt-{attempt}"
