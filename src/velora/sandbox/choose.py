"""Which backend this machine can offer, and which one a run gets.

`auto` takes the best isolation that works: Docker, Podman, bubblewrap, the bare host. An instance
that names an image needs an engine; it is never run on the machine's own files instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from velora.errors import UsageError, nearest
from velora.images.address import EngineUnavailable
from velora.images.engine import Engine
from velora.sandbox import bubblewrap

NAMES = ("docker", "podman", "bubblewrap", "host")
"""In the order in which `auto` takes them."""


@dataclass(frozen=True, slots=True)
class Backend:
    """What a backend is like on this machine.

    Attributes:
        name: one of `NAMES`.
        problem: "" where it can be used, else why not and how to get it.
        facts: for an engine its `address`, `version` and enforceable `limits`.
    """

    name: str
    problem: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """It can be used."""
        return not self.problem


async def available() -> list[Backend]:
    """All backends, best first; each is really tried."""
    return [await look(name) for name in NAMES]


async def look(name: str) -> Backend:
    """Try one backend.

    Raises:
        UsageError: there is no backend of that name.
    """
    if name in {"docker", "podman"}:
        return await _engine(name)
    if name == "bubblewrap":
        problem = await bubblewrap.usable()
        return Backend(name, problem, {"limits": [], "isolation": "namespaces"})
    if name == "host":
        return Backend(name, facts={"limits": [], "isolation": "none"})
    raise UsageError(f"no sandbox backend is called '{name}'", hint=nearest(name, ("auto", *NAMES)))


async def choose(name: str, *, image: str = "") -> Backend:
    """The backend to use.

    Args:
        name: `auto` or one of `NAMES`.
        image: what the instances name as their image, "" where they name none; a directory with
            an unpacked image will do for bubblewrap too.

    Raises:
        UsageError: the named backend, or with `auto` any that fits, cannot be used here; with
            each one's reason.
    """
    if name != "auto":
        backend = await look(name)
        if not backend.usable:
            raise UsageError(f"sandbox backend {name} cannot be used: {backend.problem}")
        return backend
    fitting = _fitting(image)
    refused = []
    for candidate in fitting:
        backend = await look(candidate)
        if backend.usable:
            return backend
        refused.append(backend)
    reasons = "".join(f"\n  - {backend.name}: {backend.problem}" for backend in refused)
    raise UsageError(
        f"image {image} cannot be run here{reasons}",
        hint="an image needs a container engine; an unpacked one (a directory) needs bubblewrap",
    )


def _fitting(image: str) -> tuple[str, ...]:
    if not image:
        return NAMES
    return ("bubblewrap",) if Path(image).is_dir() else ("docker", "podman")


async def _engine(name: str) -> Backend:
    try:
        async with await Engine.connect(name) as engine:
            facts = {
                "address": engine.address,
                "version": engine.version,
                "limits": sorted(engine.limits),
            }
            return Backend(name, facts=facts)
    except EngineUnavailable as error:
        return Backend(name, str(error))
