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


@pytest.fixture
async def sandbox(repo: Path) -> AsyncIterator[HostSandbox]:
    sandbox = HostSandbox(SandboxSpec(image="", workdir=str(repo)))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()
