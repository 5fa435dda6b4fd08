"""The quarantine of a data set: which of its instances and tests are unsound, and why.

`velora validate` writes it and evaluation honours it: an instance in quarantine is graded and
shown, but counts in no score; a flaky test decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from velora.errors import UsageError

FLAKY = "flaky"


class Entry(BaseModel):
    """One instance that is not sound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    soundness: str
    """Its class, as `broken_gold`; `flaky` takes out the tests alone."""
    why: str = ""
    """For a reader."""
    tests: tuple[str, ...] = ()
    """The tests that it is about."""

    @property
    def whole(self) -> bool:
        """The instance as such is in quarantine, not some of its tests."""
        return self.soundness != FLAKY


class Quarantine(BaseModel):
    """A quarantine file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    dataset: str = ""
    dataset_sha256: str = ""
    instances: Mapping[str, Entry] = {}

    @staticmethod
    def read(path: Path) -> Quarantine:
        """Read a file.

        Raises:
            UsageError: it cannot be read, or is no quarantine.
        """
        try:
            return Quarantine.model_validate_json(path.read_bytes())
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            raise UsageError(
                f"is no quarantine: {place}: {first['msg']}",
                where=str(path),
                hint="`velora validate` writes one",
            ) from None

    @staticmethod
    def named(path: str) -> Quarantine | None:
        """`read` of a path that may be ""."""
        return Quarantine.read(Path(path)) if path else None

    def of(self, instance_id: str) -> Entry | None:
        """The instance's entry."""
        return self.instances.get(instance_id)
