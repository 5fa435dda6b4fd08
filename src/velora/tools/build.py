"""The set of tools that one attempt's agent has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from velora.config.settings import AgentSettings, SandboxSettings
from velora.journal.messages import ToolSpec
from velora.sandbox.protocol import Sandbox
from velora.tools import bash, editor, finish, tasks, think
from velora.tools.bash import BashTool
from velora.tools.editor import EditorTool
from velora.tools.finish import FinishTool
from velora.tools.protocol import Tool
from velora.tools.tasks import TaskTracker
from velora.tools.think import ThinkTool


@dataclass(frozen=True, slots=True)
class Toolset:
    """Tools by name, in the order in which the model sees them."""

    tools: Mapping[str, Tool]
    shell: BashTool | None = None

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told of them."""
        return tuple(tool.spec for tool in self.tools.values())

    async def close(self) -> None:
        """End the shell and all that runs in it."""
        if self.shell is not None:
            await self.shell.close()


def enabled(settings: AgentSettings) -> tuple[str, ...]:
    """The names of the tools that `settings` enable, in the order in which the model sees them."""
    offered = {
        bash.NAME: settings.enable_cmd,
        editor.NAME: settings.enable_editor,
        think.NAME: settings.enable_think,
        tasks.NAME: settings.enable_plan_mode,
        finish.NAME: settings.enable_finish,
    }
    return tuple(name for name, on in offered.items() if on)


async def build(
    settings: AgentSettings,
    sandbox_settings: SandboxSettings,
    *,
    sandbox: Sandbox,
    workdir: str,
    spill_dir: Path | None,
) -> Toolset:
    """The tools that `settings` enable, bound to `sandbox`.

    The shell begins to open and is not waited for; whatever opens must be closed with
    `Toolset.close`.

    Args:
        workdir: absolute; where the shell starts.
        spill_dir: host directory for the full text of outputs that were cut; None keeps none.
    """
    shell = None
    tools: dict[str, Tool] = {}
    for name in enabled(settings):
        match name:
            case bash.NAME:
                shell = BashTool(sandbox, sandbox_settings, workdir=workdir, spill_dir=spill_dir)
                tools[name] = shell
            case editor.NAME:
                tools[name] = EditorTool(sandbox, workdir=workdir)
            case think.NAME:
                tools[name] = ThinkTool()
            case tasks.NAME:
                tools[name] = TaskTracker()
            case finish.NAME:
                tools[name] = FinishTool()
    return Toolset(tools, shell)
