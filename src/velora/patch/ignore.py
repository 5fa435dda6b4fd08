"""The ignore rules of the start, frozen into one exclude file.

Git reads `.gitignore` from the working directory, where the agent may have edited it. What counts
as build junk is decided by the rules as they stood before the first step: every `.gitignore` is
rewritten into patterns relative to the root and put into a single list, the deepest directory
last, which is the order in which git lets one rule overrule another (gitignore(5)).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SPECIAL = re.compile(rb"([\\*?\[])")


def freeze(files: Mapping[bytes, bytes], exclude: bytes = b"") -> bytes:
    """One exclude file that stands for all.

    Args:
        files: the content of each `.gitignore` by its path relative to the root.
        exclude: the content of the repository's `info/exclude`, the weakest of the rules.
    """
    lines = exclude.split(b"\n")
    for path in sorted(files, key=lambda p: (p.count(b"/"), p)):
        folder = path.rpartition(b"/")[0]
        if b"\n" in folder:
            continue  # no pattern can name such a directory
        for line in files[path].removeprefix(b"\xef\xbb\xbf").split(b"\n"):
            pattern = _anchor(line, folder)
            if pattern:
                lines.append(pattern)
    return b"\n".join(lines) + b"\n"


def _anchor(line: bytes, folder: bytes) -> bytes:
    """`line` of the `.gitignore` in `folder` as a pattern of the root; b"" for none."""
    if not line.strip(b" ") or line.startswith(b"#"):
        return b""
    if not folder:
        return line
    negated = line.startswith(b"!")
    pattern = line[1:] if negated else line
    prefix = b"/" + _SPECIAL.sub(rb"\\\1", folder) + b"/"
    inner = pattern.rstrip(b" ").rstrip(b"/")
    if not inner:
        return b""
    # A slash at the start or in the middle ties a pattern to its directory.
    if b"/" not in inner:
        prefix += b"**/"
    return (b"!" if negated else b"") + prefix + pattern.removeprefix(b"/")
