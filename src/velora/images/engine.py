"""The connection to a Docker-compatible engine (Docker, or Podman's socket of the same API).

One `Engine` serves a whole run. It is a thin layer over aiodocker that gives every failure one
type, and that opens raw connections for the calls that the engine turns into a byte stream
(attach, exec), where the two directions must be closed one by one.
"""

from __future__ import annotations

import asyncio
import os
import platform as machine
import ssl
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from velora.errors import VeloraError
from velora.images.address import Candidate, EngineUnavailable, candidates, socket_path

CALL_TIMEOUT = 120.0
"""Seconds for an ordinary call; a busy disk makes removals slow."""

_ANSWER_TIMEOUT = 10.0
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_LIMITS = {
    "memory": "MemoryLimit",
    "swap": "SwapLimit",
    "cpus": "CpuCfsQuota",
    "pids": "PidsLimit",
}


class EngineError(VeloraError):
    """The engine refused a call, or cannot be reached any more (`status` 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message.strip())
        self.status = status


class Engine:
    """An engine that answers. Made by `Engine.connect`; an asynchronous context manager.

    Attributes:
        kind: `docker` or `podman`.
        version: the engine's own version.
        api: the API version spoken, as `1.41`.
        address: as `unix:///var/run/docker.sock`.
        architecture: of the engine's machine, as `amd64`.
        limits: those of `memory`, `swap`, `cpus`, `pids` that it can enforce.
    """

    def __init__(
        self, client: Any, address: str, version: Mapping[str, Any], info: Mapping[str, Any]
    ) -> None:
        self._client = client
        self.address = address
        self.kind = _kind(version)
        self.version = str(version.get("Version", "?"))
        self.api = str(version["ApiVersion"])
        arch = str(version.get("Arch") or machine.machine())
        self.architecture = _ARCHITECTURES.get(arch, arch)
        self.limits = frozenset(name for name, key in _LIMITS.items() if info.get(key))
        self.loading = asyncio.Lock()
        """Held while an archive is loaded: twice the same tar at once would only thrash."""

    @classmethod
    async def connect(
        cls, kind: str = "auto", *, environ: Mapping[str, str] | None = None
    ) -> Engine:
        """Find an engine.

        Args:
            kind: `auto`, `docker` or `podman`.
            environ: where `DOCKER_HOST` is looked up; the process's environment by default.

        Raises:
            EngineUnavailable: with every address tried and why it did not do.
        """
        tried: list[tuple[Candidate, str]] = []
        for candidate in candidates(os.environ if environ is None else environ, kind):
            if candidate.refused:
                tried.append((candidate, candidate.refused))
                continue
            try:
                engine = await cls._try(candidate.url)
            except EngineError as error:
                tried.append((candidate, str(error)))
                continue
            if kind in {"auto", engine.kind}:
                return engine
            tried.append((candidate, f"answers, but is {engine.kind}"))
            await engine.close()
        raise EngineUnavailable(kind, tried)

    @classmethod
    async def _try(cls, url: str) -> Engine:
        import aiodocker

        path = socket_path(url)
        if path is not None and not path.exists():
            raise EngineError(0, "no such socket")
        if path is not None and not os.access(path, os.W_OK):
            raise EngineError(
                0,
                "permission denied; join its group (`sudo usermod -aG docker $USER`, log in anew)",
            )
        try:
            client = aiodocker.Docker(url)
        except (ValueError, OSError) as error:  # TLS files that are not there
            raise EngineError(0, str(error)) from None
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT):
                version = await _checked(client.version())
                info = await _checked(client.system.info())
            return cls(client, url, version, info)
        except BaseException as error:
            await client.close()
            if isinstance(error, TimeoutError):
                raise EngineError(0, f"no answer within {_ANSWER_TIMEOUT:g} s") from None
            raise

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        timeout: float = CALL_TIMEOUT,
    ) -> Any:
        """One API call; the answer's JSON, its bytes where it is not JSON, None where empty.

        Args:
            path: without the version, as `containers/json`.

        Raises:
            EngineError: with the engine's own words; `status` is HTTP's, 0 if unreachable.
        """
        try:
            async with asyncio.timeout(timeout):
                return await _checked(self._call(method, path, params, body))
        except TimeoutError:
            message = f"the engine did not answer {method} {path} within {timeout:g} s"
            raise EngineError(0, message) from None

    async def _call(
        self, method: str, path: str, params: Mapping[str, str] | None, body: Any
    ) -> Any:
        import orjson

        data = None if body is None else orjson.dumps(body)
        async with self._client._query(path, method, params=params, data=data) as response:
            raw = await response.read()
            if response.content_type == "application/json":
                return orjson.loads(raw) if raw.strip() else None
            return raw or None

    async def upload(
        self, path: str, chunks: AsyncIterator[bytes], *, params: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """POST a tar archive; the JSON objects that the engine reports while it takes it.

        Raises:
            EngineError: also for an error reported after the status line (`errorDetail`).
        """
        reports: list[dict[str, Any]] = await _checked(self._upload(path, chunks, params))
        return reports

    async def _upload(
        self, path: str, chunks: AsyncIterator[bytes], params: Mapping[str, str] | None
    ) -> list[dict[str, Any]]:
        import orjson

        headers = {"Content-Type": "application/x-tar"}
        async with self._client._query(
            path, "POST", params=params, data=chunks, headers=headers
        ) as response:
            raw = await response.read()
        reports = [orjson.loads(line) for line in raw.splitlines() if line.strip().startswith(b"{")]
        for report in reports:
            if "error" in report:
                raise EngineError(500, str(report["error"]))
        return reports

    async def image(self, name: str) -> dict[str, Any] | None:
        """What the engine says of an image it has (by reference or id), or None."""
        try:
            found: dict[str, Any] = await self.call("GET", f"images/{name}/json")
        except EngineError as error:
            if error.status in {400, 404}:  # 400: not a valid reference, so certainly not there
                return None
            raise
        return found

    async def open(self, reader: asyncio.StreamReader) -> asyncio.StreamWriter:
        """A raw connection to the engine: what arrives goes to `reader`.

        Raises:
            EngineError: nobody answers.
        """
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        path = socket_path(self.address)
        try:
            transport: asyncio.Transport
            if path is not None:
                transport, _ = await loop.create_unix_connection(lambda: protocol, str(path))
            else:
                parts = urlsplit(self.address)
                tls = self._tls()
                transport, _ = await loop.create_connection(
                    lambda: protocol,
                    parts.hostname or "localhost",
                    parts.port or (2376 if tls else 2375),
                    ssl=tls,
                )
        except OSError as error:
            raise EngineError(0, f"the engine at {self.address} is gone: {error}") from None
        return asyncio.StreamWriter(transport, protocol, reader, loop)

    def _tls(self) -> ssl.SSLContext | None:
        # aiodocker turns tcp:// into https:// where DOCKER_TLS_VERIFY asks for it.
        if not str(self._client.docker_host).startswith("https://"):
            return None
        if os.environ.get("DOCKER_TLS_VERIFY") == "1":
            context: ssl.SSLContext = self._client._docker_machine_ssl_context()
            return context
        return ssl.create_default_context()


async def _checked(call: Any) -> Any:
    """Await a call of aiodocker and give its failures our type."""
    import aiodocker
    import aiohttp

    try:
        return await call
    except aiodocker.DockerError as error:
        raise EngineError(_status(error.status, error.message), error.message) from None
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise EngineError(0, f"connection to the engine broke: {error}") from None


def _status(status: int, message: str) -> int:
    if status == 900:  # aiodocker's number for "cannot connect"
        return 0
    # Podman, when a container goes away while it looks at it.
    return 404 if status == 500 and "no such container" in message else status


def _kind(version: Mapping[str, Any]) -> str:
    names = [str(part.get("Name", "")).lower() for part in version.get("Components") or []]
    return "podman" if any("podman" in name for name in names) else "docker"
