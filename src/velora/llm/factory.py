"""From `[llm.NAME]` to a model, with everything checked that can be checked before a run starts.

`scripted:FILE.yaml` plays a script, `replay:EVENTS.jsonl` a recorded attempt; any other name is a
model behind an OpenAI-compatible chat API: OpenAI's own without `base_url`, else that endpoint's.
"""

from __future__ import annotations

import gc
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from velora.config.settings import LLMSettings
from velora.errors import UsageError
from velora.journal.messages import Usage
from velora.llm.deferred import Deferred
from velora.llm.limits import context_window
from velora.llm.protocol import Model

SCRIPTED = "scripted:"
REPLAY = "replay:"

COMPATIBLE = ("openai", "openai_like", "litellm_proxy", "hosted_vllm")
"""Provider names that mean the OpenAI-compatible chat API; as `NAME/` before a model they are
left out of what the endpoint is asked for."""

_OPENAIS = re.compile(r"(gpt-|chatgpt-|o\d+($|-)|codex-|ft:gpt-)")
_SERVED = (
    "served are OpenAI's models ('gpt-4o', 'openai/NAME'), any OpenAI-compatible endpoint "
    "(base_url), 'scripted:FILE.yaml' and 'replay:EVENTS.jsonl'"
)


def build(settings: LLMSettings, *, budget: float | None = None, where: str = "[llm]") -> Model:
    """The model that the settings describe; one object serves a whole run.

    Quick: what a provider's model takes to import is imported at the first call, or by `preload`.

    Args:
        settings: with the API key resolved (`velora.config.loader`).
        budget: US dollars that an attempt may spend; a model without a known price is refused.
        where: the settings' place in error messages.

    Raises:
        UsageError: no such file, an unknown provider, no API key, half a price, no price.
    """
    if settings.model.startswith(SCRIPTED):
        from velora.llm.scripted import ScriptedModel

        return ScriptedModel.from_file(Path(settings.model.removeprefix(SCRIPTED)))
    if settings.model.startswith(REPLAY):
        from velora.llm.replay import ReplayModel

        return ReplayModel.from_file(Path(settings.model.removeprefix(REPLAY)))
    model = endpoint_model(settings, where)
    _check_endpoint(settings, where)
    _check_price(settings, model, budget, where)

    def make() -> Model:
        preload(settings)
        from velora.llm.endpoint import EndpointModel
        from velora.llm.providers.openai_chat import OpenAIChat
        from velora.llm.text_calls.backend import TextCalls, mode_of

        key = settings.api_key.get_secret_value() if settings.api_key else ""
        backend = TextCalls(
            OpenAIChat(settings, model, key), mode_of(settings.native_tool_calling, model)
        )
        return EndpointModel(settings, model, backend)

    return Deferred(model, make, settings.max_input_tokens or context_window(model))


def preload(settings: LLMSettings) -> None:
    """Import what the first call will need; for a thread, while the first container starts.

    Takes two seconds of CPU for a model behind HTTP and next to nothing for the others. Without
    it the first call does the same.
    """
    loaded = "velora.llm.providers.openai_chat" in sys.modules
    if loaded or settings.model.startswith((SCRIPTED, REPLAY)):
        return
    # Importing makes 400,000 objects that stay: collecting while they come takes a tenth of the
    # time, and each full collection later on would walk through them again, for 0.1 s.
    enabled = gc.isenabled()
    gc.disable()
    try:
        import genai_prices.data_snapshot

        import velora.llm.providers.openai_chat  # noqa: F401

        genai_prices.data_snapshot.get_snapshot()
        gc.freeze()
    finally:
        if enabled:
            gc.enable()


def endpoint_model(settings: LLMSettings, where: str = "[llm]") -> str:
    """The model's name as the endpoint is asked for it.

    Raises:
        UsageError: no model, or one of a provider that is not served.
    """
    name = settings.model
    if not name:
        raise UsageError("no model is set", where=where, hint=_SERVED)
    prefix, _, rest = name.partition("/")
    provider = settings.custom_llm_provider or (prefix if rest and prefix in COMPATIBLE else "")
    if provider and provider not in COMPATIBLE:
        message = f"the provider '{provider}' is not served yet"
        raise UsageError(message, where=where, hint=_SERVED)
    if rest and prefix in COMPATIBLE:
        name = rest
    known = provider == "openai" or _OPENAIS.match(name)
    if not settings.base_url and not known:
        hint = f"set base_url if the model is behind an OpenAI-compatible endpoint; {_SERVED}"
        raise UsageError(f"the model '{settings.model}' is not served yet", where=where, hint=hint)
    return name


def _check_endpoint(settings: LLMSettings, where: str) -> None:
    url = urlsplit(settings.base_url)
    if settings.base_url and (url.scheme not in ("http", "https") or not url.hostname):
        hint = "such as http://localhost:8000/v1"
        raise UsageError(f"base_url '{settings.base_url}' is no URL", where=where, hint=hint)
    local = url.hostname in ("localhost", "::1") or (url.hostname or "").startswith("127.")
    if settings.api_key is None and not local:
        endpoint = url.hostname or "api.openai.com"
        variable = settings.api_key_env or "OPENAI_API_KEY"
        hint = (
            f"set the environment variable {variable}, or name another with api_key_env; "
            'an endpoint that asks for none takes api_key = "none"'
        )
        raise UsageError(f"no API key for {endpoint}", where=where, hint=hint)


def _check_price(settings: LLMSettings, model: str, budget: float | None, where: str) -> None:
    given = settings.input_cost_per_token, settings.output_cost_per_token
    if (given[0] is None) != (given[1] is None):
        message = "input_cost_per_token and output_cost_per_token go together"
        raise UsageError(message, where=where, hint="set both or neither")
    if budget is None:
        return
    from velora.llm.cost import price

    if price(Usage(prompt=1, completion=1), model, settings) is None:
        hint = "set input_cost_per_token and output_cost_per_token, or leave out the budget"
        raise UsageError(
            f"a budget is set, but the price of {model} is unknown", where=where, hint=hint
        )
