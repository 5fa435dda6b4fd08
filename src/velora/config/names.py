"""Names of files and directories for texts that are free: instance ids, model names.

Ids are never parsed for meaning and may hold anything, so a name is the id itself where that is
safe, and otherwise the safe part of it with a digest, `owner_repo_12--0f3a5b1c9d7e`. Two ids never
get one name: an id that happens to look like such a name is given a digest of its own. On file
systems that ignore case, ids that differ in nothing else would still meet; the reader of a data
set refuses those.
"""

from __future__ import annotations

import hashlib
import re

MAX_BYTES = 150

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_WITH_DIGEST = re.compile(r"--[0-9a-f]{12}\Z")


def safe_name(text: str) -> str:
    """A name for one path component: ASCII letters, digits and `._-` only, at most 150 bytes.

    It is never empty, and begins with neither a dot nor a dash.
    """
    if (
        text
        and len(text) <= MAX_BYTES
        and text[0] not in ".-"
        and not _UNSAFE.search(text)
        and not _WITH_DIGEST.search(text)
    ):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    kept = _UNSAFE.sub("_", text).lstrip(".-")[: MAX_BYTES - 14]
    return f"{kept or '_'}--{digest}"
