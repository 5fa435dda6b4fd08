"""Whose container is it? A label that names the process that made it, and whether that one lives.

The label holds host name, boot, process-id namespace, pid and the process's start time, so that a
pid given to a new process, a reboot or a namesake elsewhere is not taken for the owner. Where the
label cannot be judged from here (another machine, another namespace), the owner counts as alive.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

LABEL = "velora.owner"


def identity() -> str:
    """The label of this very process."""
    pid = os.getpid()
    return "/".join((socket.gethostname(), _boot(), _namespace(), str(pid), _started(pid)))


def gone(label: str) -> bool:
    """The process that a label names has certainly ended."""
    parts = label.split("/")
    if len(parts) != 5 or not parts[3].isdigit():
        return False
    host, boot, namespace, pid, started = parts
    if host != socket.gethostname():
        return False
    if boot != _boot():
        return True
    if namespace != _namespace():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # there is such a process, of another user
    return started != _started(int(pid))


def _boot() -> str:
    return _read(Path("/proc/sys/kernel/random/boot_id")).strip()


def _namespace() -> str:
    try:
        return Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Clock ticks since boot; "" where there is no /proc, and then the pid alone has to do."""
    stat = _read(Path(f"/proc/{pid}/stat"))
    return stat[stat.rindex(")") :].split()[20] if ")" in stat else ""


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
