"""The diff between two sets of entries whose blobs lie in a store.

The result can be kept in JSON without loss: names are quoted in ASCII, and a file whose diff would
not be UTF-8 text (Latin-1 source, a NUL byte far into a file) is given as a binary patch instead.
`git apply` makes the same bytes of either.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Collection
from dataclasses import replace

from velora.patch.entries import Entries, index_info
from velora.patch.git import Git, GitError
from velora.patch.hygiene import FileDiff, split
from velora.patch.quoting import c_quote

_FLAGS = (
    "--binary",
    "--full-index",
    "--no-renames",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--submodule=short",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "-U3",
    "--patch",
)


async def difference(git: Git, before: Entries, after: Entries) -> bytes:
    """A git diff that turns `before` into `after`; b"" if they are the same.

    Raises:
        GitError: also where a blob is not in the store.
    """
    old, new = [await _write_tree(git, entries) for entries in (before, after)]
    diff = (await git("diff-tree", *_FLAGS, old, new)).stdout
    parts = split(diff)
    sides = {
        number: _sides(part, before, after)
        for number, part in enumerate(parts)
        if not _is_text(part.data)
    }
    blobs = await read_blobs(git, {oid for pair in sides.values() for oid in pair if oid})
    blobs[""] = b""
    for number, (old_id, new_id) in sides.items():
        data = as_binary(parts[number].data, blobs[old_id], blobs[new_id])
        parts[number] = replace(parts[number], data=data)
    return b"".join(_readable(part) for part in parts)


async def read_blobs(git: Git, oids: Collection[str]) -> dict[str, bytes]:
    """The contents of blobs by their ids.

    Raises:
        GitError: one is not in the store.
    """
    if not oids:
        return {}
    order = sorted(oids)
    rest = (await git("cat-file", "--batch", stdin=order)).stdout
    blobs = {}
    for oid in order:
        head, _, rest = rest.partition(b"\n")
        words = head.split(b" ")
        if len(words) != 3:
            raise GitError(f"cat-file: {head.decode()}")
        size = int(words[2])
        blobs[oid] = rest[:size]
        rest = rest[size + 1 :]
    return blobs


def as_binary(part: bytes, old: bytes, new: bytes) -> bytes:
    """One file's part of a diff, with its content as a binary patch (gitformat: the inflated size,
    then lines of a length letter and base85, for the new content and, to go back, the old)."""
    header = part[: part.index(b"\n", part.index(b"\nindex ") + 1) + 1]
    return header + b"GIT binary patch\n" + _literal(new) + _literal(old)


def _literal(data: bytes) -> bytes:
    packed = zlib.compress(data)
    lines = [b"literal %d\n" % len(data)]
    for start in range(0, len(packed), 52):
        chunk = packed[start : start + 52]
        letter = len(chunk) + (64 if len(chunk) <= 26 else 70)  # A is 1, Z is 26, a is 27
        lines.append(bytes([letter]) + base64.b85encode(chunk, pad=True) + b"\n")
    return b"".join(lines) + b"\n"


def _sides(part: FileDiff, before: Entries, after: Entries) -> tuple[str, str]:
    """The blobs that `part` leads from and to; "" where there is no file. A file that becomes a
    link has two parts, and each of them only one side."""
    gone = b"\ndeleted file mode " in part.data.split(b"\nindex ", 1)[0]
    old = "" if part.new else before[part.path].oid
    return old, "" if gone else after[part.path].oid


def _readable(part: FileDiff) -> bytes:
    """The part with names that `git apply` can tell apart.

    Unquoted, a name with a blank at the end of a component is lost where a part has no lines
    `---` and `+++` (git 2.39: "git diff header lacks filename information").
    """
    names = part.path.split(b"/")
    if all(name == name.strip() for name in names):
        return part.data
    head = f"diff --git {c_quote(b'a/' + part.path)} {c_quote(b'b/' + part.path)}"
    return head.encode() + part.data[part.data.index(b"\n") :]


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


async def _write_tree(git: Git, entries: Entries) -> str:
    await git("read-tree", "--empty", index="tree")
    await git("update-index", "--index-info", stdin=index_info(entries), index="tree")
    return (await git("write-tree", index="tree")).stdout.decode().strip()
