"""The Docker driver, also for Podman's socket: a container made from a task image as it is.

All goes through the engine's API. The container's main process is the keeper (`container`), on a
connection that ends the moment the container does, so a death is noticed without asking and
whether or not a call is under way; the calls that are under way end with their streams and find
out the reason here.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from velora.errors import SandboxFailed, SandboxLost
from velora.images.engine import Engine, EngineError
from velora.sandbox import container, owner
from velora.sandbox.contained import uninterrupted
from velora.sandbox.controlled import Contained
from velora.sandbox.hijack import EngineStream, WatchedReader, upgrade
from velora.sandbox.lent import LentStream
from velora.sandbox.process import COLUMNS, ROWS
from velora.sandbox.protocol import Change, SandboxSpec
from velora.sandbox.stream import STDOUT, Stream
from velora.sandbox.vitals import Vitals, remove

_CHANGES = {0: "modified", 1: "added", 2: "deleted"}


class DockerSandbox(Contained):
    """A container of a Docker-compatible engine; see `velora.sandbox.protocol.Sandbox`.

    Attributes:
        name: the container's name in the engine.
        facts: the engine and which of the spec's limits it cannot enforce.
    """

    def __init__(
        self,
        engine: Engine,
        spec: SandboxSpec,
        *,
        start_timeout: float = 120.0,
        keep: bool = False,
    ) -> None:
        """Nothing is started yet; `engine` is shared and stays open. With `keep` the container
        outlives this process unless `stop` is called, and is nobody's for `reap`."""
        self.backend = engine.kind
        self.id = ""
        self.name = f"velora-{secrets.token_hex(8)}"
        self.facts: dict[str, Any] = {"engine": f"{engine.kind} {engine.version}"}
        self._engine = engine
        self._spec = spec
        self._start_timeout = start_timeout
        self._keep = keep
        self._marker = secrets.token_hex(16)
        super().__init__(self.open_stream, self._exec_stream)
        self._lent: LentStream | None = None
        self._lendable = False
        self._streams: list[EngineStream] = []
        self._vitals = Vitals(engine, spec.limits)
        self._original: str | None = None
        self._originals = asyncio.Lock()
        self._created = False

    async def start(self) -> None:
        """See `Sandbox.start`. Cancelled or failed, it leaves nothing behind."""
        try:
            async with asyncio.timeout(self._start_timeout):
                await self._start()
        except BaseException as error:
            with contextlib.suppress(SandboxLost):  # the first failure is the one to tell
                await self.stop()
            if isinstance(error, TimeoutError):
                raise SandboxFailed(
                    f"{self._spec.image}: not started within {self._start_timeout:g} s"
                ) from None
            if isinstance(error, EngineError | SandboxLost):
                raise SandboxFailed(f"{self._spec.image}: {error}") from None
            raise

    async def _start(self) -> None:
        spec, engine = self._spec, self._engine
        image = await engine.image(spec.image)
        if image is None:
            raise SandboxFailed(f"{spec.image}: the engine has no such image")
        _check_platform(spec, image)
        unmet = [n for n in ("memory", "cpus", "pids") if getattr(spec.limits, n)]
        self.facts["limits_not_enforced"] = [n for n in unmet if n not in engine.limits]
        body = container.configuration(
            spec,
            image=str(image["Id"]),
            labels=self._labels(),
            kind=engine.kind,
            keep=self._keep,
        )
        self.id = self._vitals.id = await self._create(body, self.name)
        reader = WatchedReader(self._vitals.ended.set)
        keeper = await upgrade(
            engine,
            f"containers/{self.id}/attach?stream=1&stdin=1&stdout=1&stderr=1",
            tty=False,
            ended=self._vitals.keeper_status,
            reader=reader,
        )
        self._lent = LentStream(keeper, self._marker.encode())
        try:
            await engine.call("POST", f"containers/{self.id}/start")
            await self._lent.write(container.keeper(self._marker))
            self._lendable = await _greeting(self._lent) == b"lent"
        except (EngineError, SandboxLost, BrokenPipeError) as error:
            if await self._has_shell():
                raise SandboxLost(str(error)) from None
            raise SandboxFailed(
                f"{spec.image}: the image has no /bin/sh, without which nothing can be run in it"
            ) from None

    async def _has_shell(self) -> bool:
        path = f"containers/{await self._original_container()}/archive"
        try:
            await self._engine.call("GET", path, params={"path": "/bin/sh"})
        except EngineError as error:
            return error.status != 404
        return True

    def _labels(self) -> dict[str, str]:
        owned = {} if self._keep else {owner.LABEL: owner.identity()}
        return {**self._spec.labels, "velora": "1", **owned}

    async def _create(self, body: dict[str, Any], name: str) -> str:
        # The engine goes on creating when its client goes away, so the name must be known, and
        # the call be over, before anything is removed.
        made: dict[str, str] = {}

        async def create() -> None:
            self._created = True
            answer = await self._engine.call(
                "POST", "containers/create", params={"name": name}, body=body
            )
            made["id"] = answer["Id"]

        await uninterrupted(create())
        return made["id"]

    async def stop(self) -> None:
        """See `Sandbox.stop`: killed, no grace period."""
        self._vitals.stopped()
        await uninterrupted(self._stop())

    async def _stop(self) -> None:
        if self._created:
            await self._remove(self.id or self.name)
            if self._original is not None:
                await self._remove(self._original)
            self._created = False
        for shell in self._shells:
            await shell.close()
        await self._control.close()
        for stream in self._streams:
            await stream.close()
        self._streams.clear()
        if self._lent is not None:
            await self._lent.release()

    async def _remove(self, ident: str) -> None:
        try:
            await remove(self._engine, ident)
        except EngineError as error:
            raise SandboxLost(f"container {ident[:12]} could not be removed: {error}") from None

    async def changes(self) -> list[Change] | None:
        """See `Sandbox.changes`."""
        found = await self._api("GET", f"containers/{self.id}/changes")
        return [
            Change(item["Path"], _CHANGES[item["Kind"]])
            for item in found or ()
            if item["Path"] not in container.MOUNTED
        ]

    async def export(self, path: str, *, original: bool = False) -> bytes | None:
        """See `Sandbox.export`. The originals come from one container of the same image that is
        never started and removed by `stop`."""
        ident = await self._original_container() if original else self.id
        raw = await self._api("GET", f"containers/{ident}/archive", {"path": path}, of=path)
        return bytes(raw or b"")

    def local(self, path: str) -> Path | None:
        """None: a container's files are its own."""
        return None

    async def _original_container(self) -> str:
        async with self._originals:
            if self._original is None:
                image = await self._engine.image(self._spec.image)
                if image is None:
                    raise SandboxLost(f"image {self._spec.image} has been removed")
                name = f"{self.name}-original"
                self._original = name
                body = {
                    "Image": image["Id"],
                    "Entrypoint": ["/bin/sh"],
                    "Labels": self._labels(),
                    "HostConfig": {"NetworkMode": "none"},
                }
                try:
                    await self._create(body, name)
                except EngineError as error:
                    self._original = None
                    raise await self._vitals.loss(error) from None
            return self._original

    async def _api(
        self, method: str, path: str, params: Mapping[str, str] | None = None, *, of: str = ""
    ) -> Any:
        self._vitals.check()
        try:
            return await self._engine.call(method, path, params=params, timeout=600)
        except EngineError as error:
            if of and error.status == 404 and await self._vitals.alive():
                raise FileNotFoundError(f"no such path in the container: {of}") from None
            raise await self._vitals.loss(error) from None

    async def open_stream(
        self, argv: Sequence[str], *, tty: bool, cwd: str, env: Mapping[str, str]
    ) -> Stream:
        """See `control.OpenStream`."""
        is_control = list(argv) == [container.CONTROL_PROGRAM] and cwd == "/" and not tty
        if is_control and self._lendable and self._lent is not None:
            self._lendable = False
            assignments = "".join(f"export {k}='{v}'\n" for k, v in env.items())
            await self._lent.write(assignments.encode())
            return self._lent
        return await self._exec_stream(argv, tty=tty, cwd=cwd, env=env)

    async def _exec_stream(
        self, argv: Sequence[str], *, tty: bool, cwd: str, env: Mapping[str, str]
    ) -> EngineStream:
        self._vitals.check()
        body: dict[str, Any] = {
            "Cmd": list(argv),
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": tty,
            "Env": [f"{name}={value}" for name, value in env.items()],
        }
        if cwd:
            body["WorkingDir"] = cwd
        try:
            made = await self._engine.call("POST", f"containers/{self.id}/exec", body=body)
            ident = str(made["Id"])

            async def ended() -> int | None:
                return await self._vitals.exec_status(ident)

            stream = await upgrade(
                self._engine,
                f"exec/{ident}/start",
                {"Detach": False, "Tty": tty},
                tty=tty,
                ended=ended,
            )
        except EngineError as error:
            raise await self._vitals.loss(error) from None
        self._streams = [s for s in self._streams if not s.closed]
        self._streams.append(stream)
        if tty:
            await self._resize(ident)
        return stream

    async def _resize(self, ident: str) -> None:
        size = {"h": str(ROWS), "w": str(COLUMNS)}
        for wait in (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
            await asyncio.sleep(wait)
            try:
                await self._engine.call("POST", f"exec/{ident}/resize", params=size)
            except EngineError as error:  # refused until the process runs
                if not error.status:
                    raise await self._vitals.loss(error) from None
            else:
                return


async def _greeting(stream: LentStream) -> bytes:
    """The keeper's first line; what it had to say instead of one is in the error."""
    out, err = b"", b""
    while b"\n" not in out:
        try:
            where, data = await stream.read()
        except SandboxLost as error:
            words = (out + err).decode(errors="replace").strip()
            raise SandboxLost(f"{error}: {words}" if words else str(error)) from None
        if where == STDOUT:
            out += data
        else:
            err += data
    return out.strip()


def _check_platform(spec: SandboxSpec, image: Mapping[str, Any]) -> None:
    wanted = spec.platform.split("/")
    if len(wanted) > 1 and image.get("Architecture") not in {wanted[1], None, ""}:
        raise SandboxFailed(
            f"{spec.image}: is built for {image.get('Os')}/{image.get('Architecture')}, "
            f"not for {spec.platform}"
        )
