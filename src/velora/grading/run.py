"""Runs the row's test command in the sandbox.

The command is put into a script as it is, after the lines that enter the working directory and
free it from proxies: the network is off, and a proxy variable that the image was built with would
only make tests wait. `bash FILE` (`sh FILE` where there is no bash) runs it, so it is neither a
login nor an interactive shell and reads no profile: what the command needs beyond the image's own
environment it sources itself. All output goes to one file, in the order in which it came.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from velora.sandbox.protocol import ExecTimeout, Sandbox

PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class Ran:
    """How the test command ended; `exit_code` is None where it hit the time limit."""

    exit_code: int | None
    duration: float

    @property
    def timed_out(self) -> bool:
        """The limit ended it."""
        return self.exit_code is None


def eval_script(command: str, workdir: str, activation: Sequence[str] = ()) -> str:
    """The script that grades: the same bytes run in the sandbox and stand in `eval.sh`.

    Args:
        activation: commands in front of `command`; none of them ends the script by failing.
    """
    proxies = " ".join(f"{name} {name.upper()}" for name in PROXIES)
    body = "\n".join((*activation, command))
    body = body if body.endswith("\n") else body + "\n"
    return f"unset {proxies}\ncd -- {quote(workdir)} || exit 126\n{body}"


async def run(
    sandbox: Sandbox, script: str, *, workdir: str, tmp: str, output: Path, timeout: float
) -> Ran:
    """Run `script`, with its output streamed to the file `output` of this machine.

    Args:
        tmp: an absolute path in the sandbox for the script, outside the repository.
        timeout: seconds; then the whole process group is killed.

    Raises:
        SandboxLost: the sandbox is gone.
        OSError: `output` cannot be written.
    """
    file = f"{tmp}/eval.sh"
    await sandbox.write_file(file, script.encode("utf-8", "surrogatepass"))
    has_bash = await sandbox.script("command -v bash")
    shell = "sh" if has_bash.exit_code else "bash"
    start = time.monotonic()
    with output.open("wb") as sink:
        try:
            result = await sandbox.exec([shell, file], cwd=workdir, timeout=timeout, output=sink)
        except ExecTimeout:
            return Ran(None, time.monotonic() - start)
    return Ran(result.exit_code, time.monotonic() - start)
