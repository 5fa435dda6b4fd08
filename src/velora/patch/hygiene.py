"""What a finished diff consists of, and what is left out of it. Pure functions over bytes.

Junk patterns come from the caller (a language's profile); this module names none. A pattern
without a slash matches any component of a path, one with a slash the whole path or a directory
above it. Only files that are new since the snapshot, or binary, can be junk: an edit of a text
file that was there at the start always stays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from velora.patch.quoting import c_unquote, listed, shown

LARGE = 1024 * 1024
"""Bytes above which a diff's size is worth a note."""

_START = b"diff --git "


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file's part of a git diff.

    Attributes:
        path: relative to the root, as bytes.
        data: the part itself, from `diff --git` to its last newline.
        new: the file is not there at the start.
        binary: it is given as a binary patch.
    """

    path: bytes
    data: bytes
    new: bool
    binary: bool


def split(diff: bytes) -> list[FileDiff]:
    """The parts of a git diff made with `--no-renames`. A file that becomes a link has two.

    Every line of content has a character before it, so a line that starts with `diff --git` is
    always the start of a part.
    """
    if not diff.startswith(_START):
        return []
    ends = [match.start() + 1 for match in re.finditer(rb"\n(?=diff --git )", diff)]
    return [
        _part(diff[start:end]) for start, end in zip([0, *ends], [*ends, len(diff)], strict=True)
    ]


def _part(data: bytes) -> FileDiff:
    first, _, rest = data.partition(b"\n")
    names = first[len(_START) :]
    # Both names are the same but for their first letter.
    path = c_unquote(names[: (len(names) - 1) // 2])[2:]
    header = rest.split(b"\n@@ ", 1)[0]
    return FileDiff(
        path,
        data,
        new=rest.startswith(b"new file mode "),
        binary=b"\nGIT binary patch\n" in b"\n" + header,
    )


def matches(path: bytes, patterns: Sequence[str]) -> bool:
    """Whether one of the junk patterns covers `path`."""
    text = path.decode("utf-8", "surrogateescape")
    names = text.split("/")
    for pattern in patterns:
        glob = pattern.strip("/")
        if "/" not in glob:
            # `build/` names a directory only
            if any(
                fnmatchcase(name, glob) for name in (names[:-1] if pattern[-1:] == "/" else names)
            ):
                return True
        elif any(fnmatchcase("/".join(names[:n]), glob) for n in range(1, len(names) + 1)):
            return True
    return False


def git_directories(paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """The directories among those of `paths` that look like a git directory under another name,
    each with a final slash."""
    known = set(paths)
    heads = [path[: -len(b"HEAD")] for path in known if path.endswith(b"/HEAD")]
    return tuple(
        sorted(
            head
            for head in heads
            if head + b"config" in known and any(p.startswith(head + b"objects/") for p in known)
        )
    )


def clean(diff: bytes, junk: Sequence[str]) -> tuple[bytes, tuple[str, ...], tuple[str, ...]]:
    """Leave junk out of `diff`.

    Returns:
        the diff that remains, the paths in it, and notes about what was left out or is large.
    """
    kept: list[FileDiff] = []
    dropped: list[bytes] = []
    parts = split(diff)
    times = Counter(part.path for part in parts)  # two where a file became a link
    for part in parts:
        removable = part.binary or (part.new and times[part.path] == 1)
        if removable and matches(part.path, junk):
            dropped.append(part.path)
        else:
            kept.append(part)
    notes = []
    if dropped:
        notes.append(f"junk_left_out: {len(dropped)} files: {listed(dropped)}")
    result = b"".join(part.data for part in kept)
    if len(result) > LARGE:
        big = max(kept, key=lambda part: len(part.data))
        notes.append(
            f"large_patch: {len(result)} bytes, {len(big.data)} of them for {shown(big.path)}"
        )
    return result, tuple(dict.fromkeys(shown(part.path) for part in kept)), tuple(notes)
