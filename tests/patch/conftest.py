"""A started host sandbox on a repository of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.patch.trees import commit, git, make
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import SandboxSpec

START = {
    b"README.md": ("file", b"# readme\n"),
    b"src/main.py": ("file", b"print('hello')\n"),
    b"src/util.py": ("file", b"def one():\n    return 1\n"),
    b"run.sh": ("exec", b"#!/bin/sh\nexit 0\n"),
    b"data.bin": ("file", bytes(range(256))),
    b"link": ("link", b"src/main.py"),
    b"no-newline": ("file", b"last line without an end"),
    b"crlf.txt": ("file", b"one\r\ntwo\r\n"),
    b".gitignore": ("file", b"*.log\nbuild/\n"),
}


@pytest.fixture(params=["git", "host-git"])
def method(request: pytest.FixtureRequest) -> str:
    """The two ways that need no image."""
    return str(request.param)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit of `START`."""
    root = tmp_path / "repo"
    make(root, START)
    git(root, "init", "-q", "-b", "main")
    commit(root, "start")
    return root


@pytest.fixture
async def sandbox(repo: Path) -> AsyncIterator[HostSandbox]:
    """A started host sandbox for `repo`."""
    box = HostSandbox(SandboxSpec(image="", workdir=str(repo)))
    await box.start()
    yield box
    await box.stop()
