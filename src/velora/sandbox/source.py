"""Bytes as POSIX shell source: quoted words, and data of any kind without any program."""

from __future__ import annotations

import re

_DATA = 48 * 1024  # bytes of data in one printf
_ODD = re.compile(rb"[^\n\t !#-&(-\[\]-~]+")  # all but printable ASCII less " ' and \
_OCTAL = [b"\\0%03o" % byte for byte in range(256)]


def encode(text: str) -> bytes:
    """Text as bytes; what was not UTF-8 when it was decoded comes out as it was."""
    return text.encode("utf-8", "surrogateescape")


def quote(word: bytes) -> bytes:
    """One word of shell source that stands for `word`, whatever bytes but NUL are in it."""
    return b"'" + word.replace(b"'", b"'\\''") + b"'"


def printf(data: bytes) -> list[bytes]:
    """Shell commands that print `data`, NUL bytes too, by the builtin `printf` alone."""
    return [
        b"printf '%b' '" + _escape(data[i : i + _DATA]) + b"'" for i in range(0, len(data), _DATA)
    ]


def _escape(data: bytes) -> bytes:
    return _ODD.sub(lambda run: b"".join([_OCTAL[byte] for byte in run[0]]), data)
