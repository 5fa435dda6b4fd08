from pathlib import Path

import pytest

from velora.cli.staging import staged
from velora.errors import UsageError


def test_committed_files_take_their_places(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("old")
    with staged() as files:
        for path in (old, tmp_path / "deep" / "new"):
            with files.create(path) as file:
                file.write(b"new")
        assert old.read_text() == "old"
        files.commit()
    assert {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == {
        "old": "new",
        "new": "new",
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, UsageError])
def test_an_interruption_leaves_everything_as_it_was(
    tmp_path: Path, error: type[BaseException]
) -> None:
    old = tmp_path / "old"
    old.write_text("old")

    def write() -> None:
        with staged() as files, files.create(old) as file, files.create(tmp_path / "new"):
            file.write(b"half")
            raise error("stop")

    with pytest.raises(error):
        write()
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_text() == "old"


def test_one_name_is_written_once(tmp_path: Path) -> None:
    with staged() as files:
        files.create(tmp_path / "a").close()
        with pytest.raises(UsageError, match="two of the files"):
            files.create(tmp_path / "A")
    with pytest.raises(UsageError, match="is a directory"), staged() as files:
        files.create(tmp_path)
