"""Where the API key comes from: `api_key`, `api_key_env`, or `OPENAI_API_KEY`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from velora.config.check import Place
from velora.errors import UsageError

DEFAULT_VARIABLE = "OPENAI_API_KEY"
KEYLESS = ("scripted:", "replay:")


def with_key(
    llm: Mapping[str, Any], env: Mapping[str, str], place: Place
) -> tuple[dict[str, Any], list[str]]:
    """The values of the selected `[llm.NAME]` with `api_key` filled in, and notices.

    `OPENAI_API_KEY` serves where no key is set, for OpenAI's own endpoint and for one that
    `base_url` names, as OpenAI's own client does; the latter is said in a notice, since a key then
    goes to another host.

    Raises:
        UsageError: the variable that `api_key_env` names is missing.
    """
    values = dict(llm)
    if values.get("api_key") is not None:
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
    key = env.get(DEFAULT_VARIABLE, "")
    if not key or not model or model.startswith(KEYLESS):
        return values, []
    provider = values.get("custom_llm_provider") or (
        model.partition("/")[0] if "/" in model else "openai"
    )
    if not base_url and provider != "openai":
        return values, []
    values["api_key"] = SecretStr(key)
    host = urlsplit(base_url).hostname or base_url
    if not base_url or host == "api.openai.com":
        return values, []
    return values, [f"no api_key is set for {host}: {DEFAULT_VARIABLE} is used"]
