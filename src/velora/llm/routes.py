"""From a model's name to the backend that speaks its provider's API.

Which provider a name means is `config.providers`' table; here is what follows from it: the
endpoint, the key or keys, the module that speaks the API and the extra that it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal
from urllib.parse import urlsplit

from velora.config.providers import PROVIDERS, REFUSED, Provider, named
from velora.config.settings import LLMSettings
from velora.errors import UsageError, nearest
from velora.llm.backend import Backend
from velora.llm.providers.openai_api import use_responses

Api = Literal["chat", "responses", "anthropic", "google", "bedrock"]
Make = Callable[[LLMSettings, str, str], Backend]
"""A backend from its settings, the model's name as the endpoint knows it, and a key."""

MODULES: dict[Api, str] = {
    "chat": "velora.llm.providers.openai_chat",
    "responses": "velora.llm.providers.openai_responses",
    "anthropic": "velora.llm.providers.anthropic",
    "google": "velora.llm.providers.google",
    "bedrock": "velora.llm.providers.bedrock",
}
_EXTRAS = {"google": ("google.genai", "google"), "bedrock": ("boto3", "bedrock")}
"""By API: the library, and Velora's extra that brings it."""
_SERVED = (
    "served are 'gpt-…', 'claude-…', 'gemini-…' and PROVIDER/NAME with one of "
    f"{', '.join(PROVIDERS)}; any OpenAI-compatible endpoint (base_url); 'scripted:FILE.yaml' and "
    "'replay:EVENTS.jsonl'"
)


@dataclass(frozen=True, slots=True)
class Route:
    """How a model is reached.

    Attributes:
        model: its name as the endpoint knows it.
        settings: the section, with the endpoint filled in and `custom_llm_provider` the provider's
            name.
    """

    provider: Provider
    api: Api
    model: str
    settings: LLMSettings

    def backends(self) -> list[Backend]:
        """One backend for each key, or one without; imports what they need."""
        settings = self.settings
        given = settings.api_keys or ((settings.api_key,) if settings.api_key else ())
        keys = tuple(dict.fromkeys(key.get_secret_value() for key in given)) or ("",)
        make = constructor(self.api)
        return [make(settings, self.model, key) for key in keys]


def route(settings: LLMSettings, where: str = "[llm]") -> Route:
    """How the settings' model is reached.

    Raises:
        UsageError: no model, one of a provider that is not served, no endpoint, a missing extra.
    """
    if not settings.model:
        raise UsageError("no model is set", where=where, hint=_SERVED)
    found = named(settings.model, base_url=settings.base_url, custom=settings.custom_llm_provider)
    provider = found.provider
    if provider is None:
        raise _unserved(settings, found.unknown, where)
    if not found.model:
        raise UsageError(f"the model '{settings.model}' has no name", where=where, hint=_SERVED)
    api = _api(provider, settings, found.model, where)
    library, extra = _EXTRAS.get(api, ("", ""))
    if library and not _installed(library):
        message = f"{provider.name} models need the library {library}"
        raise UsageError(message, where=where, hint=f"pip install 'velora[{extra}]'")
    url = _endpoint(provider, settings, where)
    update = {"base_url": url, "custom_llm_provider": provider.name}
    return Route(provider, api, found.model, settings.model_copy(update=update))


def _unserved(settings: LLMSettings, unknown: str, where: str) -> UsageError:
    if unknown in REFUSED:
        message = f"the provider '{unknown}' is not served"
        return UsageError(message, where=where, hint=REFUSED[unknown])
    hint = f"set base_url if it is behind an OpenAI-compatible endpoint; {_SERVED}"
    if unknown:
        hint = f"{nearest(unknown, PROVIDERS)}; {hint}".removeprefix("; ")
        return UsageError(f"the provider '{unknown}' is unknown", where=where, hint=hint)
    message = f"nothing tells whose model '{settings.model}' is"
    return UsageError(message, where=where, hint=hint)


def _api(provider: Provider, settings: LLMSettings, model: str, where: str) -> Api:
    match provider.wire:
        case "openai":
            return "responses" if use_responses(settings, model) else "chat"
        case "azure":
            if settings.api_mode == "responses":
                hint = "leave it out: Azure's models are spoken to by the chat API"
                raise UsageError("api_mode = 'responses' with azure/", where=where, hint=hint)
            return "chat"
        case "anthropic" | "google" | "bedrock":
            return provider.wire


def _endpoint(provider: Provider, settings: LLMSettings, where: str) -> str:
    """`base_url` or the provider's own; "" for OpenAI's, Google's and Bedrock's own."""
    given = settings.base_url
    url = urlsplit(given)
    if given and (url.scheme not in ("http", "https") or not url.hostname):
        hint = "such as http://localhost:8000/v1"
        raise UsageError(f"base_url '{given}' is no URL", where=where, hint=hint)
    if provider.name == "ollama" and given and url.path in ("", "/"):
        return f"{given.rstrip('/')}/v1"
    if given or provider.name in ("openai", "gemini", "bedrock"):
        return given
    if not provider.base_url:
        example = (
            "https://RESOURCE.openai.azure.com"
            if provider.wire == "azure"
            else "http://localhost:8000/v1"
        )
        message = f"the model '{settings.model}' has no base_url"
        raise UsageError(message, where=where, hint=f'base_url = "{example}"')
    return provider.base_url


def check_key(found: Route, where: str) -> None:
    """Refuse a route whose endpoint wants a key and has none.

    Raises:
        UsageError: says which variable would hold it.
    """
    settings, provider = found.settings, found.provider
    if settings.api_key is not None or settings.api_keys or provider.keyless:
        return
    url = urlsplit(settings.base_url or provider.base_url)
    host = url.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        return
    variable = settings.api_key_env or next(iter(provider.variables), "OPENAI_API_KEY")
    hint = (
        f"set the environment variable {variable}, or name another with api_key_env; "
        'an endpoint that asks for none takes api_key = "none"'
    )
    raise UsageError(f"no API key for {host}", where=where, hint=hint)


def constructor(api: Api) -> Make:
    """The backend that speaks an API. Importing it takes up to two seconds."""
    match api:
        case "chat":
            from velora.llm.providers.openai_chat import OpenAIChat

            return OpenAIChat
        case "responses":
            from velora.llm.providers.openai_responses import OpenAIResponses

            return OpenAIResponses
        case "anthropic":
            from velora.llm.providers.anthropic import Anthropic

            return Anthropic
        case "google":
            from velora.llm.providers.google import Google

            return Google
        case "bedrock":
            from velora.llm.providers.bedrock import Bedrock

            return Bedrock


def _installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:
        return False
