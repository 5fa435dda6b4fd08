"""The redactor: takes known secrets out of text before it is written anywhere.

One `Redactor` is made for a run and sits before every sink. It knows secrets by value (the
configuration's and those in the process's environment), so it finds them wherever they turn up: in
a command's output, in a provider's error, in a header that a library logs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from velora.config.masking import MASK, secrets_in, variables_with_secrets
from velora.config.settings import Section

MIN_LENGTH = 8
"""Shorter values are not secrets but words (`EMPTY`, `none`), and would eat into ordinary text."""


class Redactor:
    """Replaces secrets by `**********`. Immutable, and safe to use from several threads.

    Args:
        secrets: in clear; those shorter than eight characters are left alone.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # Longest first: where one secret begins with another, the rest of it must go too.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        alternatives = "|".join(map(re.escape, ordered)) or r"(?!)"
        self._pattern = re.compile(alternatives)
        self._bytes_pattern = re.compile(alternatives.encode("utf-8", "surrogateescape"))

    @classmethod
    def of(cls, settings: Section, env: Mapping[str, str]) -> Redactor:
        """For the secrets of a configuration and of an environment."""
        return cls([*secrets_in(settings), *variables_with_secrets(env)])

    def redact(self, text: str) -> str:
        """`text` without secrets: the same object where it holds none."""
        return self._pattern.sub(MASK, text)

    def redact_bytes(self, data: bytes) -> bytes:
        """As `redact`, for UTF-8 text and for JSON in it."""
        return self._bytes_pattern.sub(MASK.encode(), data)


def _forms(secret: str) -> set[str]:
    """The ways in which a secret is written: plain, in JSON, in a URL, without `Bearer`."""
    plain = {secret.strip(), *secret.split()[-1:]}
    forms: set[str] = set()
    for form in plain:
        if len(form) >= MIN_LENGTH:
            forms |= {form, json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1]}
            forms.add(quote(form, safe="", errors="replace"))
    return forms
