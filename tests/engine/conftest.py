"""Fixtures for whole runs in real containers with a scripted model behind real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures_docker import busybox_image, debian_image, docker_engine, engine_here
from tests.images import sqlglot
from tests.sandbox.drivers import bubblewrap_here
from tests.servers.openai import Server
from velora.llm.script import load

__all__ = ["bubblewrap_here", "busybox_image", "debian_image", "docker_engine", "engine_here"]

SCRIPTS = Path(sqlglot.__file__).with_name("sqlglot_fix.yaml")


@pytest.fixture(scope="session")
def sqlglot_row(engine_here: str) -> dict[str, Any]:
    """The real instance, without `image_storage_uri`; its images are built."""
    return sqlglot.build()


@pytest.fixture
async def repairer() -> AsyncIterator[Server]:
    """A model server that repairs the sqlglot instance."""
    async with Server(load(SCRIPTS)) as server:
        yield server
