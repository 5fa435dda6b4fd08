"""Fixtures for tests of the whole program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs import Desk

collect_ignore = ["fixtures"]  # sample projects, whose tests are run by others


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty directory in which commands are typed."""
    return Desk(tmp_path)
