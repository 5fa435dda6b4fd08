"""Is a container alive, and if not, why? Found out once, told to every call that is under way."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from velora.errors import SandboxLost
from velora.images.engine import Engine, EngineError
from velora.sandbox.protocol import Limits

_SETTLE = 1.0
_FOLLOWS = 0.25
_REMOVAL = 30.0
_SIGKILLED = 137


class Vitals:
    """What is known of one container's life.

    Attributes:
        id: the engine's id; "" before it is created.
        ended: set as soon as the keeper's connection ends, which is when the container does.
    """

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self.id = ""
        self.ended = asyncio.Event()
        self._engine = engine
        self._limits = limits
        self._lost: SandboxLost | None = None

    def stopped(self) -> None:
        """We end it ourselves; a reason found before stands."""
        if self._lost is None:
            self._lost = SandboxLost(f"container {self.id[:12]} has been stopped")

    def check(self) -> None:
        """Raise `SandboxLost` if it is known to be gone, or was never there."""
        if self._lost is not None:
            raise self._lost
        if not self.id:
            raise SandboxLost("the container has not been started")

    async def alive(self) -> bool:
        """Ask the engine."""
        try:
            found = await self._engine.call("GET", f"containers/{self.id}/json")
        except EngineError:
            return False
        return bool(found["State"]["Running"])

    async def loss(self, error: EngineError | None = None) -> SandboxLost:
        """The exception that says why it is gone.

        Args:
            error: the call that failed, where one did.
        """
        if self._lost is None:
            reason = await self._reason(error)
            self._lost = self._lost or SandboxLost(f"container {self.id[:12]} {reason}")
        return self._lost

    async def keeper_status(self) -> int | None:
        """For the keeper's stream: its end is always the container's."""
        raise await self.loss()

    async def exec_status(self, ident: str) -> int:
        """For an exec's stream that has ended: the status of the process.

        Raises:
            SandboxLost: it ended because the container did.
        """
        wait = 0.005
        while True:
            if self._lost is not None:
                raise self._lost
            try:
                state = await self._engine.call("GET", f"exec/{ident}/json")
            except EngineError as error:
                raise await self.loss(error) from None
            if not state["Running"] and state["ExitCode"] is not None:
                break
            if self.ended.is_set():
                raise await self.loss()
            # It has closed its output, but not ended, or the engine has yet to notice.
            await asyncio.sleep(wait)
            wait = min(2 * wait, 0.2)
        status = int(state["ExitCode"])
        if status == _SIGKILLED:
            # Its own end or the container's? The container's follows within milliseconds.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FOLLOWS):
                    await self.ended.wait()
        if self.ended.is_set():
            raise await self.loss()
        return status

    async def _reason(self, error: EngineError | None) -> str:
        if error is not None and not error.status:
            return f"is out of reach: {error}"
        try:
            state = await self._settled()
        except EngineError as gone:
            if gone.status == 404:
                return "was killed or has ended, and is removed"
            return f"is out of reach: {gone}"
        if state.get("Running"):
            return f"does not answer: {error}" if error else "runs, but its connection broke"
        status = state.get("ExitCode")
        if state.get("OOMKilled"):
            return f"was killed after running into its memory limit ({self._limits.memory} bytes)"
        return "was killed (SIGKILL)" if status == _SIGKILLED else f"ended with status {status}"

    async def _settled(self) -> dict[str, Any]:
        """Its state, once the engine has noticed its end."""
        tries = 50
        for _ in range(tries):
            found = await self._engine.call("GET", f"containers/{self.id}/json")
            if not found["State"]["Running"]:
                break
            await asyncio.sleep(_SETTLE / tries)
        state: dict[str, Any] = found["State"]
        return state


async def remove(engine: Engine, ident: str) -> None:
    """Kill and remove a container and wait until it is gone; fine if there is none.

    Raises:
        EngineError: it is still there, or the engine cannot be reached.
    """
    try:
        await engine.call("DELETE", f"containers/{ident}", params={"force": "1", "v": "1"})
        return
    except EngineError as error:
        if error.status == 404:
            return
        if error.status != 409:  # 409: the engine is removing it already
            raise
    try:
        async with asyncio.timeout(_REMOVAL):
            while True:
                await engine.call("GET", f"containers/{ident}/json")
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise EngineError(409, f"{ident[:12]} is not removed after {_REMOVAL:g} s") from None
    except EngineError as error:
        if error.status != 404:
            raise
