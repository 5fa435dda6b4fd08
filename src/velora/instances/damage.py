"""What can be wrong with a table's row, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What is wrong with a cell or a row. The repaired kinds lost nothing."""

    CELL_CUT = "cell_cut"
    CELL_NUL = "cell_nul"
    PATCH_UNREADABLE = "patch_unreadable"
    PATCH_REPAIRED = "patch_repaired"
    NAMES_UNREADABLE = "names_unreadable"
    VALUE_UNREADABLE = "value_unreadable"
    TEXT_UNREADABLE = "text_unreadable"
    DIGITS_LOST = "digits_lost"
    STATEMENT_EMPTY = "statement_empty"
    ID_EMPTY = "id_empty"
    ID_DUPLICATE = "id_duplicate"
    ROW_UNEVEN = "row_uneven"


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is wrong.

    Attributes:
        where: the row, as `tasks.xlsx: row 17`.
        instance_id: the row's, or "".
        column: the column's name in the table; "" where it is the row as a whole.
        message: what is wrong, to be read behind the column's name.
    """

    kind: Kind
    where: str
    instance_id: str
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of one row of the table.

    Attributes:
        row: the fields for the JSONL file; None where the row is left out: it is blank, or its id
            is missing or taken.
        damage: what is wrong with it, nothing if it is blank.
    """

    row: dict[str, Any] | None
    damage: tuple[Damage, ...]

    @property
    def blank(self) -> bool:
        """The row held nothing."""
        return self.row is None and not self.damage
