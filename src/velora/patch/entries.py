"""File entries as git knows them, and the id of the tree that they make.

The tree id is worked out here, without writing tree objects: it names a state exactly, so two
states with the same id are the same files, modes and links.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from velora.patch.quoting import c_quote

GITLINK = 0o160000
SYMLINK = 0o120000
EXECUTABLE = 0o100755
REGULAR = 0o100644
EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file's mode (git's: 0o100644, 0o100755, 0o120000, 0o160000) and its blob's id."""

    mode: int
    oid: str


Entries: TypeAlias = dict[bytes, Entry]


def parse_stage(output: bytes) -> Entries:
    """The entries of `git ls-files -s -z`; of an unmerged path the first stage stands for all."""
    entries: Entries = {}
    for record in output.split(b"\0")[:-1]:
        head, path = record.split(b"\t", 1)
        mode, oid, _stage = head.split(b" ")
        entries.setdefault(path, Entry(int(mode, 8), oid.decode()))
    return entries


def blob_id(data: bytes) -> str:
    """Git's id of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def index_info(entries: Entries, removed: Iterable[bytes] = ()) -> list[str]:
    """Lines for `git update-index --index-info`: first the removals, then the entries."""
    lines = [f"0 {'0' * 40}\t{c_quote(path)}" for path in removed]
    lines += [f"{e.mode:06o} {e.oid} 0\t{c_quote(path)}" for path, e in entries.items()]
    return lines


def tree_id(entries: Entries) -> str:
    """The id of the tree object that holds `entries`."""
    folders: dict[bytes, dict[bytes, tuple[bytes, bytes]]] = {b"": {}}
    for path, entry in entries.items():
        parent, _, name = path.rpartition(b"/")
        here = parent
        while here not in folders:
            folders[here] = {}
            here = here.rpartition(b"/")[0]
        folders[parent][name] = (b"%o" % entry.mode, bytes.fromhex(entry.oid))
    # Children first: a longer path is never the parent of a shorter one.
    for folder in sorted(folders, key=lambda path: path.count(b"/"), reverse=True):
        if folder:
            parent, _, name = folder.rpartition(b"/")
            folders[parent][name] = (b"40000", _tree(folders[folder]))
    return _tree(folders[b""]).hex()


def _tree(children: dict[bytes, tuple[bytes, bytes]]) -> bytes:
    # Git sorts a directory as if its name ended with a slash.
    order = sorted(children, key=lambda n: n + b"/" if children[n][0] == b"40000" else n)
    body = b"".join(b"%s %s\0%s" % (children[n][0], n, children[n][1]) for n in order)
    return hashlib.sha1(b"tree %d\0" % len(body) + body, usedforsecurity=False).digest()
