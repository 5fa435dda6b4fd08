"""What a call costs: the settings' price per token, else genai-prices' table, else unknown."""

from __future__ import annotations

from contextlib import suppress

from velora.config.settings import LLMSettings
from velora.journal.messages import Usage


def price(usage: Usage, model: str, settings: LLMSettings) -> float | None:
    """US dollars for one call; None where nobody knows the price.

    Args:
        usage: as the provider counted it.
        model: the model's name, as configured or as the provider reported it.
        settings: `input_cost_per_token` and `output_cost_per_token` come before the table.
    """
    per_input, per_output = settings.input_cost_per_token, settings.output_cost_per_token
    if per_input is not None and per_output is not None:
        return usage.prompt * per_input + usage.completion * per_output
    import genai_prices

    counted = genai_prices.Usage(
        input_tokens=usage.prompt,
        output_tokens=usage.completion,
        cache_read_tokens=min(usage.cache_read, usage.prompt),
        cache_write_tokens=usage.cache_write,
    )
    # A known endpoint (OpenRouter, DeepSeek, ...) has prices of its own. OpenAI's are for OpenAI's
    # models, also behind a proxy; the same open model costs something else on each host.
    if settings.base_url:
        with suppress(LookupError):
            url = settings.base_url
            found = genai_prices.calc_price(counted, model_ref=model, provider_api_url=url)
            return float(found.total_price)
    with suppress(LookupError):
        found = genai_prices.calc_price(counted, model_ref=model, provider_id="openai")
        return float(found.total_price)
    return None
