"""Where a Docker-compatible engine may answer.

`DOCKER_HOST` is the user's word and then nothing else is tried; otherwise the well-known sockets
are tried in order, Docker's before Podman's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from velora.errors import UsageError


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address to try: `url` as `unix:///run/x.sock` or `tcp://host:2375`, `source` who says
    so, `refused` why it cannot even be tried, or ""."""

    url: str
    source: str
    refused: str = ""


def candidates(environ: Mapping[str, str], kind: str = "auto") -> list[Candidate]:
    """The addresses to try, in order.

    Args:
        environ: the process's environment.
        kind: `auto`, `docker` or `podman`; the sockets of the other kind are left out.
    """
    named = environ.get("DOCKER_HOST", "").strip()
    if named:
        return [Candidate(named, "DOCKER_HOST", _refusal(named))]
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    home = environ.get("HOME", "")
    docker = [Candidate("unix:///var/run/docker.sock", "Docker's socket")]
    podman = [Candidate("unix:///run/podman/podman.sock", "Podman's socket")]
    if runtime:
        docker.append(Candidate(f"unix://{runtime}/docker.sock", "rootless Docker's socket"))
        podman.append(Candidate(f"unix://{runtime}/podman/podman.sock", "rootless Podman's socket"))
    if home:
        docker.append(Candidate(f"unix://{home}/.docker/run/docker.sock", "Docker Desktop"))
    return {"docker": docker, "podman": podman, "auto": docker + podman}[kind]


def socket_path(url: str) -> Path | None:
    """The path of a `unix://` address, None for others."""
    return Path(url.removeprefix("unix://")) if url.startswith("unix://") else None


def _refusal(url: str) -> str:
    scheme, found, _ = url.partition("://")
    if not found:
        return "has no scheme; write unix:///path/to/socket or tcp://host:port"
    if scheme == "ssh":
        return (
            "ssh is not spoken here; forward the socket with `ssh -nNT -L "
            "/tmp/docker.sock:/var/run/docker.sock HOST` and set "
            "DOCKER_HOST=unix:///tmp/docker.sock"
        )
    if scheme not in {"unix", "tcp", "http", "https"}:
        return f"scheme '{scheme}' is not one of unix, tcp, http, https"
    return ""


class EngineUnavailable(UsageError):
    """No engine answers; the text lists each address tried and how to get an engine."""

    def __init__(self, kind: str, tried: list[tuple[Candidate, str]]) -> None:
        what = "container engine" if kind == "auto" else f"{kind} engine"
        lines = "".join(f"\n  - {c.url} ({c.source}): {reason}" for c, reason in tried)
        super().__init__(
            f"no {what} answers; tried{lines}",
            hint="to get one on Debian or Ubuntu: `apt-get install docker.io`, then start "
            "`dockerd` (or `systemctl start docker`); for an engine elsewhere set DOCKER_HOST",
        )
