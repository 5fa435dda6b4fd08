"""`execute_ipython_cell`: one lasting Python session in the container, where the image has Python.

A program of ours (`cells/driver.py`) runs under the image's own Python; nothing is installed. It
is asked and answers through two FIFOs in a directory under /tmp, so no port is opened, and a cell
may print, crash or kill the interpreter: its output is a file, and a shell around the interpreter
reports its death. It starts with the first call.
"""

from __future__ import annotations

import shlex
from importlib import resources
from typing import Any

from velora.config.settings import SandboxSettings
from velora.journal.messages import ToolSpec
from velora.sandbox.protocol import ExecTimeout, Sandbox
from velora.tools.protocol import BadArguments, ToolResult
from velora.tools.text import printable

NAME = "execute_ipython_cell"
_INTERRUPTED = 5.0  # seconds that an interrupted cell has to end
_FIND = "command -v python3 || command -v python"


def spec(settings: SandboxSettings) -> ToolSpec:
    """The specification; its text names the limit in force."""
    return ToolSpec(
        name=NAME,
        description=(
            "Run code in the one Python session of this task. Imports, variables and the working "
            "directory last from call to call; the value of a last expression is shown; a line "
            "that begins with ! is a shell command. "
            f"A cell that takes longer than `timeout` ({settings.timeout:g} s at most) is "
            "interrupted."
        ),
        parameters={
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": "Python code of any length."},
                "timeout": {"type": "number", "description": "Seconds that it may take."},
            },
            "required": ["code"],
            "additionalProperties": False,
        },
    )


async def available(sandbox: Sandbox) -> bool:
    """Whether the container has a Python 3."""
    test = "import sys; sys.exit(sys.version_info < (3, 3))"
    found = await sandbox.script(f'p=$({_FIND}) && "$p" -c {shlex.quote(test)}')
    return found.exit_code == 0


class IPythonTool:
    """One attempt's Python session.

    Args:
        workdir: where it starts.
    """

    def __init__(self, sandbox: Sandbox, settings: SandboxSettings, *, workdir: str) -> None:
        self.spec = spec(settings)
        self._sandbox = sandbox
        self._settings = settings
        self._workdir = workdir
        self._directory = ""
        self._number = 0
        self._alive = False

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """Run a cell."""
        timeout = arguments.get("timeout") or self._settings.timeout
        if timeout <= 0:
            raise BadArguments(f"{NAME}: `timeout` must be more than 0 seconds, not {timeout:g}.")
        timeout = min(timeout, self._settings.timeout)
        if not self._alive:
            await self._start()
        self._number += 1
        cell = f"{self._directory}/{self._number}"
        await self._sandbox.write_file(f"{cell}.py", arguments["code"].encode())
        status, remark = await self._ask(timeout)
        text = await self._output(f"{cell}.out")
        gap = "" if not text or text.endswith("\n") else "\n"
        end = {"0": "done", "1": "an exception ended the cell"}.get(status, remark)
        remarks = [remark] if remark and end != remark else []
        return ToolResult(text + gap + "\n".join(f"[{one}]" for one in (*remarks, end)))

    async def close(self) -> None:
        """End the session."""
        if self._alive:
            self._alive = False
            await self._sandbox.script(self._kill("KILL"))

    async def _start(self) -> None:
        made = await self._sandbox.script("d=$(mktemp -d) && mkfifo $d/ask $d/done && printf %s $d")
        if made.exit_code != 0:
            raise BadArguments(f"{NAME}: no Python session: {made.stderr.decode(errors='replace')}")
        self._directory = made.stdout.decode()
        self._number = 0
        source = resources.files("velora.tools.cells").joinpath("driver.py").read_bytes()
        await self._sandbox.write_file(f"{self._directory}/driver.py", source)
        directory = shlex.quote(self._directory)
        # A pipe opened to read and write waits for nobody, so the shell outlives no session.
        inner = (
            f"cd {shlex.quote(self._workdir)}; p=$({_FIND}); "
            f'"$p" {directory}/driver.py {directory} & echo $! > {directory}/pid; '
            f"echo started > {directory}/done; wait $!; "
            f"exec 3<>{directory}/done; echo dead >&3"
        )
        command = f"sh -c {shlex.quote(inner)} </dev/null >/dev/null 2>&1"
        both = f"if command -v setsid >/dev/null; then setsid {command} & else {command} & fi"
        await self._sandbox.script(f"{both}; cat {directory}/done")
        self._alive = True

    async def _ask(self, timeout: float) -> tuple[str, str]:
        """The cell's status, and what happened besides."""
        directory = shlex.quote(self._directory)
        try:
            alive = f"kill -0 $(cat {directory}/pid) 2>/dev/null || exit 0; "
            return await self._wait(f"{alive}echo {self._number} > {directory}/ask; ", timeout)
        except ExecTimeout:
            pass
        await self._sandbox.script(self._kill("INT"))
        late = f"interrupted after {timeout:g} s"
        try:
            status, remark = await self._wait("", _INTERRUPTED)
        except ExecTimeout:
            await self._sandbox.script(self._kill("KILL"))
            self._alive = False
            return "", f"killed: it did not end {timeout:g} s after its start, nor when interrupted"
        return status, remark or late

    async def _wait(self, before: str, timeout: float) -> tuple[str, str]:
        # Opened before the cell is asked for, so that no answer can come too early.
        source = f'exec 3<>{shlex.quote(self._directory)}/done; {before}read -r s <&3; echo "$s"'
        answer = await self._sandbox.exec(["sh", "-c", source], timeout=timeout)
        status = answer.stdout.decode(errors="replace").strip()
        if status in ("0", "1"):
            return status, ""
        self._alive = False
        return "", "the interpreter is gone, and with it all variables; the next cell starts anew"

    def _kill(self, signal: str) -> str:
        return f"kill -{signal} $(cat {shlex.quote(self._directory)}/pid) 2>/dev/null || :"

    async def _output(self, path: str) -> str:
        """The cell's output, without the middle of a long one."""
        quoted, half = shlex.quote(path), self._settings.max_output_chars // 2
        size = await self._sandbox.script(f"wc -c < {quoted} 2>/dev/null || echo 0")
        length = int(size.stdout.strip() or 0)
        if length <= 2 * half:
            shown = await self._sandbox.script(f"cat {quoted} 2>/dev/null || :")
            return printable(shown.stdout)
        head = await self._sandbox.script(f"head -c {half} {quoted}")
        tail = await self._sandbox.script(f"tail -c {half} {quoted}")
        gap = f"\n[{length - 2 * half} bytes left out here]\n"
        return printable(head.stdout) + gap + printable(tail.stdout)
