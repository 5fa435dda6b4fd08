"""The agents by name: which tools each may have, and which built-in texts open its conversation.

They share one loop. `BashAgent` is the baseline: a shell and a way to say that it is done, and
prompts of a few lines.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from velora.errors import UsageError, nearest
from velora.tools import bash, finish


@dataclass(frozen=True, slots=True)
class Kind:
    """One agent.

    Attributes:
        system, task: built-in templates beside this module, in `prompts/`.
        tools: the only tools that it may have; None is whatever `[agent]` enables.
    """

    system: str
    task: str
    tools: Collection[str] | None = None


CODEACT = "CodeActAgent"

AGENTS: dict[str, Kind] = {
    CODEACT: Kind("system.j2", "task.j2"),
    "BashAgent": Kind("bash_system.j2", "bash_task.j2", (bash.NAME, finish.NAME)),
}


def kind_of(name: str, *, where: str = "--agent-cls") -> Kind:
    """The agent of a name.

    Raises:
        UsageError: there is none.
    """
    if name not in AGENTS:
        raise UsageError(f"there is no agent '{name}'", where=where, hint=nearest(name, AGENTS))
    return AGENTS[name]
