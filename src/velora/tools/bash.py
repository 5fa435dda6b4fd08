"""`execute_bash`: the attempt's one persistent shell, as a tool.

An observation is the output as it came, then bracketed lines of ours, the last of which is always
the status:

    <output, in which a bracketed line stands for what was left out of its middle>
    [<a remark: why the wait ended, how to go on, what happened to the shell>]
    [exit code 0, in /repo]

The exit code is -1 while a command still runs, and where it cannot be known. Unlike in OpenHands,
several lines are taken as they are: bash decides what one command is, and a script of ten lines
needs no chaining with `&&`.

The shell is opened beside the first call of the model, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from velora.config.settings import SandboxSettings
from velora.journal.messages import ToolSpec
from velora.sandbox.clip import GAP
from velora.sandbox.protocol import Sandbox, Shell, ShellOutput
from velora.tools.protocol import BadArguments, ToolResult
from velora.tools.text import printable

NAME = "execute_bash"
_KEY = re.compile(r"C-[A-Za-z]")
_HOW_TO_GO_ON = (
    'An empty command waits for more output, is_input="true" types a line to it, C-c interrupts it.'
)


def spec(settings: SandboxSettings) -> ToolSpec:
    """The specification; its texts name the limits in force."""
    soft, hard = f"{settings.no_change_timeout:g}", f"{settings.timeout:g}"
    return ToolSpec(
        name=NAME,
        description=(
            "Run shell commands in the one bash session of this task. The working directory, "
            "variables, functions and background jobs last from call to call.\n"
            "* Several lines run as one script; use && where a step needs the one before. Do not "
            "use `set -e` or `exit`: they end the session.\n"
            f"* After {soft} s without new output the call returns with exit code -1 and the "
            'command goes on. Then an empty command waits for more output, is_input="true" types '
            "a line to the program, and C-c, C-d or C-z press that key; a new command is refused "
            "until it has ended.\n"
            f"* `timeout` sets how long a command may take before it is killed ({hard} s at most) "
            "and waits through silence.\n"
            "* Start servers in the background with their output in a file: `cmd > log 2>&1 &`.\n"
            "* The middle of long output is left out: use head, tail or grep."
        ),
        parameters={
            "type": "object",
            "properties": {
                "command": {
                    "type": "string",
                    "description": (
                        "What to run. While a command runs: empty to wait for more output, a key "
                        'such as C-c, or, with is_input="true", a line of input.'
                    ),
                },
                "is_input": {
                    "type": "string",
                    "enum": ["true", "false"],
                    "description": '"true" types `command` to the running program.',
                },
                "timeout": {
                    "type": "number",
                    "description": "Seconds after which the command is killed.",
                },
            },
            "required": ["command"],
            "additionalProperties": False,
        },
    )


class BashTool:
    """One attempt's shell.

    Args:
        settings: the limits.
        workdir: where the shell starts.
        spill_dir: host directory for the full text of outputs that were cut.
    """

    def __init__(
        self, sandbox: Sandbox, settings: SandboxSettings, *, workdir: str, spill_dir: Path | None
    ) -> None:
        self.spec = spec(settings)
        self._settings = settings
        self._opening: asyncio.Task[Shell] = asyncio.create_task(
            _open(sandbox, settings, workdir, spill_dir)
        )
        self._running = False

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """Run a command, or feed or poll the running one."""
        return await self._call(arguments, patient=False)

    async def repeat(self, arguments: dict[str, Any], *, running: bool) -> ToolResult:
        """As `__call__`, for a recorded call in a shell that has come as far as it had then.

        What had ended then is waited for, up to the hard limit, however long it is silent: neither
        a slower machine nor the missing pauses of the model between two calls change what is run.

        Args:
            running: the command was handed back still running, and is again.
        """
        if not running:
            arguments = {"timeout": self._settings.timeout, **arguments}
        return await self._call(arguments, patient=True)

    async def _call(self, arguments: dict[str, Any], *, patient: bool) -> ToolResult:
        command: str = arguments["command"]
        if "\0" in command:
            raise BadArguments(f"{NAME}: a command cannot hold a NUL character.")
        timeout = self._checked(arguments.get("timeout"))
        shell = await self._opening
        key = _KEY.fullmatch(command.strip()) is not None
        typed = arguments.get("is_input") == "true"
        if self._running:
            if key or typed or not command.strip():
                text = (
                    command.strip() if key or not typed else command.removesuffix("\n") or command
                )
                return await self._send(shell, text, timeout)
            # The command may have ended since.
            soft, hard = (None, self._settings.timeout) if patient else (0.0, None)
            before = await shell.send("", no_change_timeout=soft, timeout=hard)
            report = self._report(before, refused=before.running)
            if before.running:
                return report
            return await self._run(
                shell, command, timeout, f"{report.content}\n[the new command]\n"
            )
        if not command.strip():
            return _refusal("The command is empty, and none runs whose output could be waited for.")
        if key:
            return _refusal(f"No command runs that {command.strip()} could be pressed for.")
        if typed:
            return _refusal(
                "No command runs that could take input. Leave is_input out to run it as a command."
            )
        return await self._run(shell, command, timeout, "")

    async def close(self) -> None:
        """End the shell. What went wrong at its opening was raised to whoever used it."""
        self._opening.cancel()
        await asyncio.wait([self._opening])
        if not self._opening.cancelled() and self._opening.exception() is None:
            await self._opening.result().close()

    def _checked(self, timeout: float | None) -> float | None:
        if timeout is not None and timeout <= 0:
            raise BadArguments(f"{NAME}: `timeout` must be more than 0 seconds, not {timeout:g}.")
        return timeout

    async def _run(
        self, shell: Shell, command: str, timeout: float | None, before: str
    ) -> ToolResult:
        soft, hard = self._limits(timeout)
        output = await shell.run(command, no_change_timeout=soft, timeout=hard)
        return self._report(output, timeout=timeout, before=before)

    async def _send(self, shell: Shell, text: str, timeout: float | None) -> ToolResult:
        soft, hard = self._limits(timeout)
        output = await shell.send(text, no_change_timeout=soft, timeout=hard)
        return self._report(output, timeout=timeout)

    def _limits(self, timeout: float | None) -> tuple[float | None, float]:
        if timeout is None:
            return self._settings.no_change_timeout, self._settings.timeout
        return None, min(timeout, self._settings.timeout)

    def _report(
        self,
        output: ShellOutput,
        *,
        timeout: float | None = None,
        refused: bool = False,
        before: str = "",
    ) -> ToolResult:
        self._running = output.running
        exit_code = -1 if output.exit_code is None else output.exit_code
        cwd = _printable(output.cwd)
        lines = [f"[{remark}]" for remark in self._remarks(output, timeout, refused)]
        lines.append(f"[exit code {exit_code}, in {cwd}]")
        text = before + _shown(output, self._settings.max_output_chars)
        gap = "" if not text or text.endswith("\n") else "\n"
        return ToolResult(
            content=text + gap + "\n".join(lines),
            error=refused,
            exit_code=exit_code,
            cwd=cwd,
            extras=_facts(output),
        )

    def _remarks(self, output: ShellOutput, timeout: float | None, refused: bool) -> list[str]:
        soft, hard = self._limits(timeout)
        remarks = []
        if timeout is not None and timeout > hard:
            remarks.append(f"A timeout of {timeout:g} s is more than is allowed: {hard:g} s held.")
        if refused:
            remarks.append("Not run: the command before still runs; its new output is above.")
        elif output.timed_out == "no_change" and soft is not None:
            remarks.append(f"The command still runs and wrote nothing for {soft:g} s.")
        if output.running:
            remarks.append(_HOW_TO_GO_ON)
        if output.timed_out == "hard":
            remarks.append(f"The limit of {hard:g} s was reached.")
        if output.note:
            remarks.append(output.note)
        return remarks


async def _open(
    sandbox: Sandbox, settings: SandboxSettings, workdir: str, spill_dir: Path | None
) -> Shell:
    return await sandbox.shell(
        cwd=workdir, max_output=settings.max_output_chars, spill_dir=spill_dir
    )


def _refusal(text: str) -> ToolResult:
    return ToolResult(text, error=True)


def _shown(output: ShellOutput, cap: int) -> str:
    """The output with a line in place of what was left out of it."""
    text = _printable(output.text)
    if not output.dropped:
        return text
    kept = "; the full text is on record" if output.spill else ""
    line = f"\n[{output.dropped} bytes left out here{kept}]\n"
    # The head is half of the cap at most, so a later gap is part of the output.
    at = text.rfind(GAP, 0, cap // 2 + len(GAP))
    return text + line if at < 0 else text[:at] + line + text[at + len(GAP) :]


def _printable(text: str) -> str:
    """Without what JSON or a provider refuses: NUL, and bytes that were no UTF-8."""
    return printable(text.encode(errors="surrogateescape"))


def _facts(output: ShellOutput) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "running": output.running,
        "timed_out": output.timed_out,
        "dropped": output.dropped,
        "spill": output.spill.name if output.spill else "",
        "note": output.note,
    }
    return {name: value for name, value in facts.items() if value}
