"""What all providers' HTTP has in common: a client with our limits, JSON, errors as `Failure`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson

from velora.llm.failures import Failure

CONNECTIONS = 1000
"""Requests at once; more of them wait for a free connection."""
CONNECT_TIMEOUT = 30.0
"""Seconds to open a connection."""
KEPT_ALIVE = 60.0
"""Seconds that an idle connection is kept; most commands of an agent take less."""


def time_limits(idle_timeout: float) -> httpx2.Timeout:
    """`idle_timeout` seconds without a byte end a request; waiting for a connection never does."""
    return httpx2.Timeout(idle_timeout, connect=CONNECT_TIMEOUT, pool=None)


def http_client(base_url: str, idle_timeout: float) -> httpx2.AsyncClient:
    """A client for one endpoint.

    Args:
        base_url: tells whether the endpoint is this machine; requests name their whole URL.
        idle_timeout: seconds without a byte before a connection is given up.
    """
    return httpx2.AsyncClient(
        timeout=time_limits(idle_timeout),
        limits=httpx2.Limits(
            max_connections=CONNECTIONS,
            max_keepalive_connections=CONNECTIONS,
            keepalive_expiry=KEPT_ALIVE,
        ),
        # A proxy meant for the world outside must not be asked for this machine's own ports.
        trust_env=not is_loopback(base_url),
        follow_redirects=True,
    )


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


@contextmanager
def failures() -> Iterator[None]:
    """Turn the HTTP library's errors into `Failure`."""
    try:
        yield
    except (httpx2.ConnectTimeout, httpx2.ConnectError) as error:
        raise Failure(f"no connection: {describe(error)}") from None
    except httpx2.TimeoutException as error:
        raise Failure(f"no byte came in time: {describe(error)}") from None
    except httpx2.HTTPError as error:
        raise Failure(f"the connection was cut: {describe(error)}") from None


def describe(error: BaseException) -> str:
    """An exception's type and words."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def parsed(data: bytes, what: str) -> Any:
    """The JSON value in what a provider sent; `what` names it in the error, as `an event`.

    Raises:
        Failure: it is not JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        text = data[:200].decode(errors="replace")
        raise Failure(f"{what} is not JSON: {text}") from None


def parsed_object(data: bytes, what: str) -> dict[str, Any]:
    """The JSON object in what a provider sent; see `parsed`.

    Raises:
        Failure: it is not JSON, or no object.
    """
    value = parsed(data, what)
    if not isinstance(value, dict):
        raise Failure(f"{what} is not an object: {data[:200].decode(errors='replace')}")
    return value


def encoded(body: dict[str, Any]) -> bytes:
    """A request's body as JSON."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return orjson.dumps(encodable(body))


def encodable(value: Any) -> Any:
    """`value` without halves of surrogate pairs, as JSON may hold and UTF-8 may not."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {encodable(key): encodable(part) for key, part in value.items()}
        case list() | tuple():
            return [encodable(part) for part in value]
    return value
