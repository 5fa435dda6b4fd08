"""What a call costs: the settings' prices, else genai-prices' table, else unknown.

Tokens are priced by kind: read from the provider's cache, written to it, any other of the prompt,
and the answer, reasoning included (providers charge it as output). The table is asked for the
prices of whoever is paid: the endpoint's owner where `base_url` tells it, else the provider that
the model's name names. A proxy that nobody knows is taken to charge what the makers of closed
models do; an open model costs something else on each host, so there its price is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from velora.config.settings import LLMSettings
from velora.journal.messages import Usage

PROVIDERS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "google": "google",
    "groq": "groq",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "novita": "novita",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together_ai": "together",
    "vertex_ai": "google",
    "xai": "x-ai",
    "zai": "zai",
}
"""The table's name for a provider, by the name before the `/` of a model or in
`custom_llm_provider`."""

_MAKERS = (
    (re.compile(r"(gpt-(?!oss)|chatgpt-|o\d+($|-)|codex-|ft:gpt-)"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"gemini-"), "google"),
    (re.compile(r"grok-"), "x-ai"),
)
"""Makers of closed models, by how the models' names begin."""

_OPEN_TO_ALL = ("", "openai", "openai_like", "litellm_proxy", "hosted_vllm")
"""Providers that say nothing of whose endpoint it is."""


def price(usage: Usage, model: str, settings: LLMSettings) -> float | None:
    """US dollars for one call; None where nobody knows the price.

    Args:
        usage: as the provider counted it.
        model: the model's name, as configured or as the provider reported it.
        settings: `input_cost_per_token` and `output_cost_per_token`, and for cached tokens
            `cache_read_input_token_cost` and `cache_creation_input_token_cost`, come before the
            table.
    """
    read = min(usage.cache_read, usage.prompt)
    written = min(usage.cache_write, usage.prompt - read)
    per_input, per_output = settings.input_cost_per_token, settings.output_cost_per_token
    if per_input is not None and per_output is not None:
        per_read, per_write = (
            per_input if given is None else given
            for given in (
                settings.cache_read_input_token_cost,
                settings.cache_creation_input_token_cost,
            )
        )
        fresh = usage.prompt - read - written
        cached = read * per_read + written * per_write
        return fresh * per_input + cached + usage.completion * per_output
    import genai_prices

    counted = genai_prices.Usage(
        input_tokens=usage.prompt,
        output_tokens=usage.completion,
        cache_read_tokens=read,
        cache_write_tokens=written,
    )
    if settings.base_url:
        with suppress(LookupError):
            url = settings.base_url
            found = genai_prices.calc_price(counted, model_ref=model, provider_api_url=url)
            return float(found.total_price)
    for provider in _providers(model, settings):
        with suppress(LookupError):
            found = genai_prices.calc_price(counted, model_ref=model, provider_id=provider)
            return float(found.total_price)
    return None


def _providers(model: str, settings: LLMSettings) -> Iterator[str]:
    """Whose prices to look for, by the names."""
    prefix, slash, _ = settings.model.partition("/")
    named = settings.custom_llm_provider or (prefix if slash else "")
    if named in PROVIDERS:
        yield PROVIDERS[named]
    elif named in _OPEN_TO_ALL or settings.base_url:
        name = model.lower().rpartition("/")[2]
        yield from (maker for pattern, maker in _MAKERS if pattern.match(name))
