"""`metadata.json`: what a run was made with, and the check that a resumed run is the same one.

The file is written once, when the run begins, in OpenHands' schema with Velora's own keys added;
resuming compares with it and leaves it alone. OpenHands' keys come first and mean what they mean
there; `git_commit` is null, since Velora is told by its version, not by a checkout.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from velora.config.digest import differences
from velora.errors import UsageError
from velora.journal.files import write_atomic
from velora.journal.scrub import Text, scrub

IN_ROWS = (
    "agent_class",
    "llm_config",
    "agent_config",
    "max_iterations",
    "eval_output_dir",
    "start_time",
    "git_commit",
    "dataset",
    "data_split",
    "details",
    "condenser_config",
    "instruction_template_name",
    "velora_version",
    "configuration_digest",
    "dataset_sha256",
)
"""The keys that each row of `output.jsonl` repeats, as OpenHands does."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run is made with.

    Attributes:
        configuration: the resolved settings as JSON, secrets masked; its keys are the sections of
            `config.settings.Settings`.
        digest: of the configuration, as the configuration room computes it.
        agent: the agent's class name.
        dataset: as the user named it.
        dataset_sha256: of the file's bytes, or "" where it is no file (`file_digest`).
        dataset_rows: rows in the whole data set.
        split: as the user named it.
        argv: the command line.
        details: anything else worth keeping, JSON.
    """

    configuration: Mapping[str, Any]
    digest: str
    agent: str
    dataset: str
    dataset_rows: int
    dataset_sha256: str = ""
    split: str = ""
    argv: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Document:
    value: dict[str, Any]


def describe(facts: RunFacts, output: Path) -> dict[str, Any]:
    """The content of a new run's `metadata.json`; `output` is the run's directory."""
    sections = facts.configuration
    agent = dict(sections.get("agent", {}))
    return {
        "agent_class": facts.agent,
        "llm_config": sections.get("llm", {}),
        "agent_config": agent,
        "max_iterations": sections.get("core", {}).get("max_iterations"),
        "eval_output_dir": str(output),
        "start_time": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": None,
        "dataset": facts.dataset,
        "data_split": facts.split,
        "details": dict(facts.details),
        "condenser_config": sections.get("condenser", {}),
        "instruction_template_name": agent.get("instruction_template") or None,
        "velora_version": version("velora"),
        "configuration_digest": facts.digest,
        "dataset_sha256": facts.dataset_sha256,
        "dataset_rows": facts.dataset_rows,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "argv": list(facts.argv),
        "configuration": dict(facts.configuration),
    }


def claim(path: Path, facts: RunFacts, redact: Text) -> dict[str, Any]:
    """Write `metadata.json` for a new run, or check that the run there has the same facts.

    Returns:
        The content of the file.

    Raises:
        UsageError: the run was made with another configuration or data set; lists what differs.
    """
    if not path.exists():
        document = scrub(_Document(describe(facts, path.parent)), redact).value
        write_atomic(path, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        return document
    old = load(path)
    changes = _changes(old, facts)
    if changes:
        raise UsageError(
            "the run in this directory was made with other settings:\n    "
            + "\n    ".join(changes),
            where=str(path),
            hint="go back to the old settings to resume it, or start another run beside it with "
            "--eval-note NOTE",
        )
    return old


def load(path: Path) -> dict[str, Any]:
    """The content of a `metadata.json`.

    Raises:
        FileNotFoundError: there is none.
        UsageError: it is not JSON.
    """
    try:
        value = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise UsageError(f"not JSON ({error})", where=str(path)) from None
    if not isinstance(value, dict):
        raise UsageError("not a JSON object", where=str(path))
    return value


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def in_rows(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a row of `output.jsonl` repeats of the run's metadata."""
    return {key: metadata[key] for key in IN_ROWS if key in metadata}


def _changes(old: Mapping[str, Any], facts: RunFacts) -> list[str]:
    changes = []
    if old.get("configuration_digest") != facts.digest:
        changes = list(differences(old.get("configuration", {}), facts.configuration)) or [
            f"configuration_digest: {old.get('configuration_digest')} → {facts.digest} "
            "(what differs is not in the configuration shown)"
        ]
    if old.get("dataset_sha256", "") != facts.dataset_sha256:
        changes.append(
            f"the content of {facts.dataset}: SHA-256 {str(old.get('dataset_sha256'))[:12]} "
            f"({old.get('dataset_rows')} rows) → {facts.dataset_sha256[:12]} "
            f"({facts.dataset_rows} rows)"
        )
    return changes


def command_line() -> list[str]:
    """This process's command line."""
    return list(sys.argv)
