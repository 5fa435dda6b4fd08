"""What of a configuration defines an attempt: its digest, and how two configurations differ.

Attempts made under one digest may be counted together, and are what a resumed run already has.
Everything counts but what `NOT_DEFINING` lists, so that a new setting counts until someone
decides otherwise. Secrets never count, nor does grading: it can be done again at any time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from velora.config.masking import masked
from velora.config.settings import Settings

_OTHER_LLM = re.compile(r"condenser_llms\..*\.(?=\w+$)")

NOT_DEFINING = frozenset(
    {
        "llm_name",
        "agent_name",
        "condenser_name",
        "evaluation",
        "llm.api_key",
        "llm.api_key_env",
        "llm.api_keys",
        "llm.aws_access_key_id",
        "llm.aws_secret_access_key",
        "llm.rpm",
        "llm.tpm",
        "llm.max_concurrency",
        "llm.outage_wait",
        "llm.cache_read_input_token_cost",
        "llm.cache_creation_input_token_cost",
        "llm.num_retries",
        "llm.retry_min_wait",
        "llm.retry_max_wait",
        "llm.retry_multiplier",
        "llm.timeout",
        "llm.idle_timeout",
        "llm.input_cost_per_token",
        "llm.output_cost_per_token",
        "llm.log_completions",
        "agent.llm_config",
        "agent.condenser",
        "sandbox.start_timeout",
        "sandbox.keep_runtime_alive",
        "run.max_retries",
        "run.num_workers",
        "run.attempts",
        "run.max_budget",
        "run.resume",
    }
)
"""Dotted names of the settings and sections that an attempt's result does not depend on."""


def defining(dump: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a configuration, as `masked` shows it, that defines an attempt.

    Returns:
        Values by dotted name, such as `core.max_iterations`.
    """
    return {
        name: value
        for name, value in _flat(dump)
        if not any(f"{_kind(name)}.".startswith(f"{left_out}.") for left_out in NOT_DEFINING)
    }


def _kind(name: str) -> str:
    """`condenser_llms.NAME.api_key` is to a summing model what `llm.api_key` is to the agent's."""
    return _OTHER_LLM.sub("llm.", name)


def digest(settings: Settings, more: Mapping[str, Any] | None = None) -> str:
    """SHA-256 (hex) over what defines an attempt.

    Args:
        settings: the resolved configuration.
        more: what else does, as JSON values: the digest of a prompt's file, say.
    """
    parts = {"settings": defining(masked(settings)), "more": dict(more or {})}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """How two configurations, as `masked` shows them, differ in what defines an attempt.

    Returns:
        One line a setting, sorted: `core.max_iterations: 300 → 100`; `(unset)` stands for a
        setting that is missing on one side.
    """
    before, after = defining(old), defining(new)
    return tuple(
        f"{name}: {_shown(before, name)} → {_shown(after, name)}"
        for name in sorted(before.keys() | after.keys())
        if _shown(before, name) != _shown(after, name)
    )


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    items: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            items += _flat(value, f"{prefix}{key}.")
        else:
            items.append((f"{prefix}{key}", value))
    return items


def _shown(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return "(unset)"
    return json.dumps(values[name], ensure_ascii=False, sort_keys=True)
