"""How a container is made from a task image: the body of the engine's create call.

The image is used as it is. Its entry point is replaced by the keeper, a few lines of `sh` that
hold the container open exactly as long as our end of its standard input is open: when Velora
ends in whatever way, the keeper sees end of file and exits, and the engine removes the container.
The keeper lends its standard streams to the first control shell, which saves an exec (about
50 ms) for each container. It cannot be the control shell itself: a script that hangs must be
killed without the container. It ignores the signals that a careless `pkill sh` sends.
"""

from __future__ import annotations

import resource
from typing import Any

from velora.sandbox.protocol import SandboxSpec

CAPABILITIES = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",
)
"""What root keeps in the container, of the engine's default set. Images run as root, and their
package managers and tests need: to own and change files of other users (`CHOWN`, `DAC_OVERRIDE`,
`FOWNER`, `FSETID`: dpkg, pip, tar), to become another user (`SETUID`, `SETGID`: apt's `_apt`,
`su postgres`, for whose PAM `AUDIT_WRITE` is needed), to signal what they started as another user
(`KILL`), to listen on low ports (`NET_BIND_SERVICE`) and `chroot` (`SYS_CHROOT`: sshd, dpkg).
Not needed and dropped: `MKNOD`, `NET_RAW`, `SETFCAP`, `SETPCAP`."""

PROXIES = tuple(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY")
    for name in (upper, upper.lower())
)
"""Without a network a proxy left over in an image makes clients wait for it instead of failing."""

MOUNTED = frozenset(
    {"/sbin/docker-init", "/usr/sbin/docker-init", "/dev/init", "/run/podman-init", "/catatonit"}
)
"""Where engines put their init into a container: a change that nobody in it made."""

CONTROL_PROGRAM = "/bin/sh"

_KEEPER = """\
{
  trap '' HUP INT QUIT TERM
  cd /
  if command -v setsid >/dev/null 2>&1; then
    echo lent
    setsid /bin/sh
    printf %%s %s
  else
    echo own
  fi
  while read -r _; do :; done
  exit
}
"""
# Without `setsid` the control shell would share the keeper's session and die with it or kill it.
# All in braces: the shell reads it whole before it runs any of it, and nothing sent later is
# ever taken for its source.


def keeper(marker: str) -> bytes:
    """The keeper's source, to be sent to the container's main `sh`. It answers with a line,
    `lent` or `own`: whether its streams are to be used for the first control shell.

    Args:
        marker: what it prints when that control shell ends.
    """
    return (_KEEPER % marker).encode()


def configuration(
    spec: SandboxSpec, *, image: str, labels: dict[str, str], kind: str, keep: bool = False
) -> dict[str, Any]:
    """The create call's body.

    Args:
        image: the image's id.
        kind: `docker` or `podman`.
        keep: the container outlives us, for a look inside.
    """
    limits = spec.limits
    podman = kind == "podman"
    return {
        "Image": image,
        "Entrypoint": [CONTROL_PROGRAM],
        "Cmd": [],
        "Env": environment(spec, kind),
        "User": spec.user,
        "Labels": labels,
        "OpenStdin": True,
        "StdinOnce": not keep,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        # Podman runs none of itself, and looks for systemd to switch one off.
        **({} if podman else {"Healthcheck": {"Test": ["NONE"]}}),
        "HostConfig": {
            "AutoRemove": not keep,
            "Init": True,
            "NetworkMode": "bridge" if spec.network else "none",
            "CapDrop": ["ALL"],
            "CapAdd": list(CAPABILITIES),
            "SecurityOpt": ["no-new-privileges"],
            "Memory": limits.memory,
            # As much as memory: no swap on top of it.
            "MemorySwap": limits.memory,
            "NanoCpus": round(limits.cpus * 1e9),
            "PidsLimit": limits.pids or None,
            # What the keeper's streams carry are whole files; the engine must not log them.
            "LogConfig": {"Type": "none"},
            # Podman's own defaults may be above what the machine allows, which it then refuses.
            **({"Ulimits": _own_ulimits()} if podman else {}),
        },
    }


def environment(spec: SandboxSpec, kind: str) -> list[str]:
    """The variables on top of the image's own. Docker takes a bare name as "remove it"; Podman
    hands on its service's own proxies unless they are set, be it to nothing."""
    cut = () if spec.network else (p for p in PROXIES if p not in spec.env)
    suffix = "=" if kind == "podman" else ""
    return [f"{name}={value}" for name, value in spec.env.items()] + [n + suffix for n in cut]


def _own_ulimits() -> list[dict[str, Any]]:
    found = []
    for name, which, most in (
        ("nofile", resource.RLIMIT_NOFILE, 1 << 16),
        ("nproc", resource.RLIMIT_NPROC, 1 << 14),
    ):
        _, hard = resource.getrlimit(which)
        value = most if hard == resource.RLIM_INFINITY else min(hard, most)
        found.append({"Name": name, "Soft": value, "Hard": value})
    return found
