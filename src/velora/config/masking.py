"""What is secret in a configuration, told by the name of its key, and how it is shown without."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr

from velora.config.settings import Section

MASK = "**********"

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_NAME = re.compile(
    r"(?:^|_)(?:api_?key|apikey|(?<!cache_)key|token|password|passwd|passphrase|authorization|auth"
    r"|credentials?|cookie|signature|sig)$|secret"
)
_USER_INFO = re.compile(r"(?<=://)([^/?#@:\s]*:)?([^/?#@\s]+)(?=@)")
_QUERY = re.compile(r"(?<=[?&])([^=&#\s]+)=([^&#\s]+)")


def names_secret(key: str) -> bool:
    """Whether a key, header or variable of this name holds a secret.

    `api_key`, `X-Auth-Token`, `accessToken` do; `max_tokens`, `prompt_cache_key` do not.
    """
    words = _SEPARATORS.sub("_", _CAMEL.sub("_", key).lower()).strip("_")
    return _NAME.search(words) is not None


def masked(settings: Section) -> dict[str, Any]:
    """`settings` as JSON values with every secret as `**********`.

    Masked are the API key, values in tables under names that tell a secret, and the password and
    secret parameters of a URL. Unset values stay what they are.
    """
    shown = _walk(settings.model_dump(mode="json"), lambda _: MASK, secret=False)
    assert isinstance(shown, dict)
    return shown


def secrets_in(settings: Section) -> list[str]:
    """Every secret of `settings` in clear, in the order found."""
    found: list[str] = []

    def note(secret: str) -> str:
        found.append(secret)
        return MASK

    _walk(settings.model_dump(), note, secret=False)
    return found


def _walk(value: Any, replace: Callable[[str], str], *, secret: bool) -> Any:
    match value:
        case SecretStr():
            return replace(value.get_secret_value())
        case str():
            if not value:
                return value
            return replace(value) if secret else _in_url(value, replace)
        case Mapping():
            return {
                key: _walk(part, replace, secret=secret or names_secret(str(key)))
                for key, part in value.items()
            }
        case list() | tuple():
            return [_walk(part, replace, secret=secret) for part in value]
    return value


def _in_url(text: str, replace: Callable[[str], str]) -> str:
    if "://" not in text:
        return text

    def query(found: re.Match[str]) -> str:
        return f"{found[1]}={replace(found[2])}" if names_secret(unquote(found[1])) else found[0]

    text = _USER_INFO.sub(lambda found: (found[1] or "") + replace(found[2]), text)
    return _QUERY.sub(query, text)


def variables_with_secrets(env: Mapping[str, str]) -> Iterator[str]:
    """Values of the variables named `*_KEY`, `*_TOKEN`, `*_SECRET` or `*_PASSWORD`."""
    for name, value in env.items():
        if name.upper().endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")):
            yield value
