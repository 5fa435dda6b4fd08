from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import SandboxSpec


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    path = tmp_path / "repo"
    path.mkdir()
    return path


def homeless(repo: Path) -> SandboxSpec:
    """Of a sandbox whose shell does not read what this machine's user has in their home."""
    return SandboxSpec(image="", workdir=str(repo), env={"HOME": str(repo.parent)})


@pytest.fixture
async def sandbox(repo: Path) -> AsyncIterator[HostSandbox]:
    sandbox = HostSandbox(homeless(repo))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()
