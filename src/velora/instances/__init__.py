"""Tasks: the `Instance` type, the readers of its file formats and their decoders."""

from velora.instances.decode import decode_names
from velora.instances.model import Instance
from velora.instances.read import read, select, unknown_ids
from velora.instances.rows import Row, iter_rows

__all__ = [
    "Instance",
    "Row",
    "decode_names",
    "iter_rows",
    "read",
    "select",
    "unknown_ids",
]
