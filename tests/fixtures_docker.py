"""Fixtures for tests that need a container engine: the engine, and small images to start.

Import what is used into a `conftest.py`: `from tests.fixtures_docker import docker_engine, ...`.
Where no engine answers the tests are skipped with the reason; under CI=true they fail. The images
are made once and stay in the engine; the Debian root file system stays in `.cache/images/`.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest

from velora.images.address import EngineUnavailable
from velora.images.engine import Engine

CACHE = Path(__file__).parent.parent / ".cache" / "images"
PACKAGES = "python3,python3-pip,python3-venv,git,ca-certificates,patch,procps"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CHUNK = 1 << 20


def unavailable(reason: str) -> None:
    """Skip, or fail where everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def engine_here() -> str:
    """An engine answers; its kind."""

    async def ask() -> str:
        async with await Engine.connect() as engine:
            return engine.kind

    try:
        return asyncio.run(ask())
    except EngineUnavailable as error:
        unavailable(str(error))
        raise


@pytest.fixture
async def docker_engine(engine_here: str) -> AsyncIterator[Engine]:
    """A connection to the engine."""
    async with await Engine.connect() as engine:
        yield engine


@pytest.fixture(scope="session")
def debian_image(engine_here: str) -> str:
    """Debian bookworm with bash, Python, git and patch; WORKDIR /testbed, TASK=image."""
    name = "velora-tests/debian:bookworm-1"
    if not asyncio.run(has(name)):
        asyncio.run(imported(debian_root(), name, workdir="/testbed", env={"TASK": "image"}))
    return name


@pytest.fixture(scope="session")
def busybox_image(engine_here: str) -> str:
    """BusyBox and nothing else: no bash, no git, no Python; WORKDIR /testbed, TASK=image."""
    root = busybox_root()
    name = f"velora-tests/busybox:{hashlib.sha256(root).hexdigest()[:12]}"
    if not asyncio.run(has(name)):
        asyncio.run(imported(root, name, workdir="/testbed", env={"TASK": "image"}))
    return name


@pytest.fixture(scope="session")
def shell_less_image(engine_here: str) -> str:
    """An image without /bin/sh."""
    name = "velora-tests/no-shell:1"
    if not asyncio.run(has(name)):
        asyncio.run(imported(tar({"etc/passwd": b"root:x:0:0::/root:/none\n"}), name))
    return name


async def has(name: str) -> bool:
    """The engine has the image."""
    async with await Engine.connect() as engine:
        return await engine.image(name) is not None


async def imported(
    root: bytes | Path, name: str, *, workdir: str = "", env: Mapping[str, str] | None = None
) -> str:
    """Make an image from a root file system, as `docker import` does; its id."""
    changes = [f"ENV {PATH}", *(f"ENV {key}={value}" for key, value in (env or {}).items())]
    if workdir:
        changes.append(f"WORKDIR {workdir}")
    # The tag inside `repo` is what both Docker and Podman understand.
    query = urlencode([("fromSrc", "-"), ("repo", name), *(("changes", c) for c in changes)])

    async def chunks() -> AsyncIterator[bytes]:
        with io.BytesIO(root) if isinstance(root, bytes) else root.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    async with await Engine.connect() as engine:
        await engine.upload(f"images/create?{query}", chunks())
        found = await engine.image(name)
        assert found is not None
        return str(found["Id"])


def debian_root() -> Path:
    """The root file system as a tar, made by mmdebstrap if it is not in the cache."""
    made = CACHE / "base.tar"
    if made.exists():
        return made
    if shutil.which("mmdebstrap") is None or os.geteuid() != 0:
        unavailable("the Debian test image needs mmdebstrap and root: `apt-get install mmdebstrap`")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:  # another test process may be at it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.exists():
            return made
        making = made.with_suffix(".partial.tar")
        subprocess.run(
            ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(making)],
            check=True,
            capture_output=True,
        )
        return making.rename(made)


def busybox_root() -> bytes:
    """A root file system of one static binary and a link for each of its programs."""
    binary = shutil.which("busybox")
    if binary is None:
        unavailable("the BusyBox image needs `apt-get install busybox-static`")
    assert binary is not None
    programs = subprocess.run([binary, "--list"], check=True, capture_output=True, text=True)
    links = {f"bin/{name}": "busybox" for name in programs.stdout.split() if name != "busybox"}
    files = {
        "bin/busybox": Path(binary).read_bytes(),
        "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
        "etc/group": b"root:x:0:\n",
    }
    return tar(files, links=links, directories=("root", "proc", "dev", "sys", "tmp", "testbed"))


def tar(
    files: Mapping[str, bytes],
    *,
    links: Mapping[str, str] | None = None,
    directories: tuple[str, ...] = (),
) -> bytes:
    """A tar archive, the same bytes for the same content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in directories:
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(member)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            archive.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return buffer.getvalue()
