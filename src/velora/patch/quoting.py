"""How paths and bytes of any kind get through shell source and git's line formats.

Both carry text lines, while a file's name may hold blanks, quotes, newlines and bytes that are no
UTF-8. Everything is therefore written in pure ASCII: git's C-style quotes for paths, octal escapes
of `printf '%b'` for the rest.
"""

from __future__ import annotations

import re

_ESCAPES = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11}
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


def c_quote(path: bytes) -> str:
    """`path` in git's C-style quotes; always quoted, always ASCII."""
    out = []
    for byte in path:
        if byte in (0x22, 0x5C):
            out.append("\\" + chr(byte))
        elif 0x20 <= byte < 0x7F:
            out.append(chr(byte))
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def c_unquote(text: bytes) -> bytes:
    """The path that git printed as `text`, which is quoted only where it had to be."""
    if not (len(text) >= 2 and text.startswith(b'"') and text.endswith(b'"')):
        return text
    return _ESCAPED.sub(_unescape, text[1:-1])


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    if len(code) == 3:
        return bytes([int(code, 8)])
    return bytes([_ESCAPES[code]]) if code in _ESCAPES else code


def printf(data: bytes) -> str:
    """A POSIX shell command that writes `data` (any bytes but none too many for memory)."""
    out = []
    for byte in data:
        if byte in (0x27, 0x5C) or not (byte == 0x0A or 0x20 <= byte < 0x7F):
            out.append(f"\\0{byte:03o}")
        else:
            out.append(chr(byte))
    return "printf '%b' '" + "".join(out) + "'"


def shown(path: bytes) -> str:
    """`path` for people and for JSON: bytes that are no UTF-8 become `\\xNN`."""
    return path.decode("utf-8", "backslashreplace")


def listed(paths: list[bytes], most: int = 5) -> str:
    """The first few of `paths` in one line, and how many more there are."""
    head = ", ".join(shown(path) for path in paths[:most])
    return f"{head} and {len(paths) - most} more" if len(paths) > most else head
