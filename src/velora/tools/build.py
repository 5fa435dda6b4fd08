"""The set of tools that one attempt's agent has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from velora.config.settings import AgentSettings, Settings
from velora.journal.messages import ToolSpec
from velora.sandbox.protocol import Sandbox
from velora.tools import bash, condense, descriptions, editor, finish, ipython, mcp, tasks, think
from velora.tools.bash import BashTool
from velora.tools.condense import CondenseTool
from velora.tools.editor import EditorTool
from velora.tools.finish import FinishTool
from velora.tools.ipython import IPythonTool
from velora.tools.protocol import Tool
from velora.tools.tasks import TaskTracker
from velora.tools.think import ThinkTool


@dataclass(frozen=True, slots=True)
class Toolset:
    """Tools by name, in the order in which the model sees them.

    Attributes:
        words: descriptions in place of the tools' own, and the file that they are from.
        held: what is released with the tools.
        outside: names of those that act outside the sandbox; what they did outlives it, so they
            are not run again in a new one.
    """

    tools: Mapping[str, Tool]
    shell: BashTool | None = None
    words: tuple[descriptions.Descriptions, str] = field(default_factory=lambda: ({}, ""))
    held: AsyncExitStack = field(default_factory=AsyncExitStack)
    outside: frozenset[str] = frozenset()

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told of them."""
        return descriptions.applied(tuple(tool.spec for tool in self.tools.values()), *self.words)

    async def close(self) -> None:
        """End the shell, the sessions and all that runs in them."""
        await self.held.aclose()


def enabled(settings: AgentSettings, only: Collection[str] | None = None) -> tuple[str, ...]:
    """The names of the built-in tools that `settings` enable, in the order in which the model sees
    them.

    Args:
        only: the only ones that the agent may have; None is all.
    """
    offered = {
        bash.NAME: settings.enable_cmd,
        ipython.NAME: settings.enable_jupyter,
        editor.NAME: settings.enable_editor,
        think.NAME: settings.enable_think,
        tasks.NAME: settings.enable_plan_mode,
        condense.NAME: settings.enable_condensation_request,
        finish.NAME: settings.enable_finish,
    }
    return tuple(name for name, on in offered.items() if on and (only is None or name in only))


def check(settings: Settings, only: Collection[str] | None = None) -> None:
    """Find before a run what would stop each attempt: a file that cannot be read, a server of
    `[mcp]` that is no server.

    Raises:
        UsageError: naming the place.
    """
    file = settings.agent.tools_file
    if file:
        words = descriptions.read(Path(file))
        specs = {
            bash.NAME: bash.spec(settings.sandbox),
            ipython.NAME: ipython.spec(settings.sandbox),
            editor.NAME: editor.SPEC,
            think.NAME: think.SPEC,
            tasks.NAME: tasks.SPEC,
            condense.NAME: condense.SPEC,
            finish.NAME: finish.SPEC,
        }
        wanted = tuple(spec for name, spec in specs.items() if name in words)
        descriptions.applied(wanted, words, file)
        servers = mcp.servers(settings)
        if not servers:
            descriptions.known(words, specs, file)
    if only is None:
        mcp.check(settings)


async def build(
    settings: Settings,
    *,
    sandbox: Sandbox,
    workdir: str,
    spill_dir: Path | None,
    only: Collection[str] | None = None,
) -> Toolset:
    """The tools that `settings` enable, bound to `sandbox`.

    The shell begins to open and is not waited for; whatever opens must be closed with
    `Toolset.close`.

    Args:
        workdir: absolute; where the shell starts.
        spill_dir: host directory for the full text of outputs that were cut; None keeps none.
        only: the only tools that the agent may have; None is all.

    Raises:
        SandboxFailed: a server of `[mcp]` does not answer.
    """
    shell = None
    tools: dict[str, Tool] = {}
    names = enabled(settings.agent, only)
    async with AsyncExitStack() as stack:
        for name in names:
            match name:
                case bash.NAME:
                    shell = BashTool(
                        sandbox, settings.sandbox, workdir=workdir, spill_dir=spill_dir
                    )
                    stack.push_async_callback(shell.close)
                    tools[name] = shell
                case ipython.NAME:
                    if await ipython.available(sandbox):
                        session = IPythonTool(sandbox, settings.sandbox, workdir=workdir)
                        stack.push_async_callback(session.close)
                        tools[name] = session
                case editor.NAME:
                    tools[name] = EditorTool(sandbox, workdir=workdir)
                case think.NAME:
                    tools[name] = ThinkTool()
                case tasks.NAME:
                    tools[name] = TaskTracker()
                case condense.NAME:
                    tools[name] = CondenseTool()
                case finish.NAME:
                    tools[name] = FinishTool()
        outside: dict[str, Tool] = {}
        if only is None and mcp.servers(settings):
            outside |= await mcp.connect(settings, taken=tools, stack=stack, log_dir=spill_dir)
        file = settings.agent.tools_file
        words = (descriptions.read(Path(file)) if file else {}, file)
        return Toolset(tools | outside, shell, words, stack.pop_all(), frozenset(outside))
