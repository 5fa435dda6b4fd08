from __future__ import annotations

from pathlib import Path

import pytest

from velora.sandbox import owner
from velora.sandbox.mounts import private_directory, remove, sweep


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_directory_comes_back_where_it_was() -> None:
    first = private_directory()
    (first / "repo").mkdir()
    (first / "repo/locked").mkdir(mode=0)
    remove(first)
    assert not first.exists()
    assert private_directory(first) == first
    assert first.stat().st_mode & 0o777 == 0o700


def test_a_place_that_is_taken_is_left_alone() -> None:
    first = private_directory()
    other = private_directory(first)
    assert other != first
    assert (first / "owner").read_text() == (other / "owner").read_text() == owner.identity()


def test_only_places_of_ours_are_taken(tmp_path: Path) -> None:
    assert private_directory(tmp_path / "home").parent == tmp_path
    assert private_directory(Path("/etc/velora-sandbox-x")).parent == tmp_path
    assert not (tmp_path / "home").exists()


def test_what_a_dead_process_left_is_swept_and_comes_back() -> None:
    first = private_directory()
    (first / "repo").mkdir()
    dead = owner.identity().split("/")
    (first / "owner").write_text("/".join([*dead[:3], "4194305", "1"]))
    assert sweep() == [first]
    assert private_directory(first) == first
