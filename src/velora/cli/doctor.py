"""`velora doctor`: what this machine can do, what is missing, and how to get it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass

from velora.cli.options import Json


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `needed` findings that are not `ok` stop every run."""

    what: str
    ok: bool
    detail: str
    needed: bool = False


def command(
    json: Json = False,
) -> int:
    """Say what is missing on this machine, and how to get it."""
    import orjson

    found = findings()
    if json:
        print(orjson.dumps([asdict(one) for one in found]).decode())
    else:
        for one in found:
            print(f"{'ok     ' if one.ok else 'missing'} {one.what}: {one.detail}")
    return 1 if any(one.needed and not one.ok for one in found) else 0


def findings() -> list[Finding]:
    """Look at everything; starts no container."""
    import asyncio

    from velora.sandbox.choose import available

    found = [
        Finding("python", sys.version_info >= (3, 11), sys.version.split()[0], needed=True),
        _git(),
    ]
    backends = asyncio.run(available())
    for one in backends:
        facts = ", ".join(f"{key} {value}" for key, value in one.facts.items())
        found.append(Finding(f"sandbox {one.name}", one.usable, one.problem or facts))
    usable = [one.name for one in backends if one.usable]
    found.append(
        Finding("a sandbox", bool(usable), f"would use {usable[0]}" if usable else "none", True)
    )
    found.append(_disk())
    return found


def _git() -> Finding:
    path = shutil.which("git")
    hint = "install it (`apt-get install git`): patches from images without git need it"
    return Finding("git", path is not None, path or hint, needed=True)


def _disk() -> Finding:
    free = shutil.disk_usage(".").free
    gib = free / 1024**3
    return Finding("disk", gib > 5, f"{gib:.0f} GiB free here")
