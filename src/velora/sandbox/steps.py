"""A task's own shell commands before an agent works or tests run: its start, its hiding, its tests.

They run one after the other in one shell, in the working directory, through the standing channel:
their text comes in on a pipe and stays in no file, argument or variable of the container. The
first that fails ends them, and with them the attempt: a task that does not come to its start is
not the model's failure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from shlex import quote

from velora.errors import TaskInvalid
from velora.sandbox.protocol import ExecTimeout, Sandbox

TIMEOUT = 600.0
"""Seconds for all of them."""

_HEAD = """\
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
export GIT_TERMINAL_PROMPT=0 GIT_PAGER=cat
set -e
"""
_SHOWN = 2000
_OUTSIDE = re.compile(r"(?:^|[\s='\"(<>])(?!/dev/null)(?:/|~|\.\.)[^\s;]*")


async def take_steps(
    sandbox: Sandbox,
    commands: Sequence[str],
    *,
    workdir: str,
    what: str,
    timeout: float = TIMEOUT,
) -> None:
    """Run `commands` in `workdir`; none is fine.

    Args:
        what: what they are called where they fail, as `setup`.

    Raises:
        TaskInvalid: one failed, or they took too long; with what it said. On the bare host, whose
            files are this machine's: one names a path outside of `workdir`.
        SandboxLost: the sandbox is gone.
    """
    if not commands:
        return
    if sandbox.backend == "host":
        _stay_inside(commands, what)
    source = "\n".join([f"cd -- {quote(workdir)} || exit", _HEAD, *commands, ""])
    try:
        result = await sandbox.script(source, timeout=timeout)
    except ExecTimeout as error:
        raise TaskInvalid(f"{what}: {error}") from error
    if result.exit_code:
        said = (result.stdout + result.stderr).decode("utf-8", "replace").strip()[-_SHOWN:]
        raise TaskInvalid(f"{what}: exit status {result.exit_code}: {said}")


def _stay_inside(commands: Sequence[str], what: str) -> None:
    for command in commands:
        if found := _OUTSIDE.search(command):
            raise TaskInvalid(
                f"{what}: the host sandbox has no files of its own, and '{found[0].strip()}' lies "
                "outside of the working directory; run the task in a container"
            )
