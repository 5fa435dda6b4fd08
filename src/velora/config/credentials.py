"""Where the API key comes from: `api_key`, `api_keys`, `api_key_env`, the provider's variable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from velora.config.check import Place
from velora.config.providers import named
from velora.errors import UsageError

KEYLESS = ("scripted:", "replay:")


def with_key(
    llm: Mapping[str, Any], env: Mapping[str, str], place: Place
) -> tuple[dict[str, Any], list[str]]:
    """The values of the selected `[llm.NAME]` with `api_key` filled in, and notices.

    The variable that the provider's own client reads (`OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, …)
    serves where no key is set, also for an endpoint that `base_url` names; the latter is said in a
    notice, since a key then goes to another host.

    Raises:
        UsageError: the variable that `api_key_env` names is missing.
    """
    values = dict(llm)
    if values.get("api_key") is not None or values.get("api_keys"):
        return values, []
    if variable := values.get("api_key_env", ""):
        if not env.get(variable):
            state = "empty" if variable in env else "not set"
            raise UsageError(
                f"api_key_env: environment variable {variable} is {state}",
                where=place.at("api_key_env"),
                hint=f"set {variable}",
            )
        values["api_key"] = SecretStr(env[variable])
        return values, []
    model, base_url = values.get("model", ""), values.get("base_url", "")
    if not model or model.startswith(KEYLESS):
        return values, []
    custom = values.get("custom_llm_provider", "")
    provider = named(model, base_url=base_url, custom=custom).provider
    variable = next((one for one in provider.variables if env.get(one)), "") if provider else ""
    if provider is None or not variable:
        return values, []
    values["api_key"] = SecretStr(env[variable])
    host = urlsplit(base_url).hostname or base_url
    # Azure's endpoint is always named: the key is meant for it.
    own = provider.wire == "azure" or host == urlsplit(provider.base_url).hostname
    if not base_url or own:
        return values, []
    return values, [f"no api_key is set for {host}: {variable} is used"]
