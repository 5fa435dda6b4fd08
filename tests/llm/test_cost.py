"""What a call costs: kinds of tokens apart, whose prices, and unknown is not nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from velora.config.settings import LLMSettings
from velora.errors import UsageError
from velora.journal.messages import Usage
from velora.llm.cost import price
from velora.llm.factory import build
from velora.llm.routes import route

USAGE = Usage(prompt=1_000_000, completion=100_000, cache_read=600_000, cache_write=100_000)


def cost(model: str, usage: Usage = USAGE, **changes: Any) -> float | None:
    found = route(LLMSettings(model=model, **changes))
    return price(usage, found.model, found.settings)


def test_the_settings_prices_come_first_and_by_kind() -> None:
    own: dict[str, Any] = {"input_cost_per_token": 10e-6, "output_cost_per_token": 30e-6}
    assert cost("gpt-4o", **own) == pytest.approx(10 + 3)
    cached: dict[str, Any] = {
        "cache_read_input_token_cost": 1e-6,
        "cache_creation_input_token_cost": 12e-6,
    }
    assert cost("gpt-4o", **own, **cached) == pytest.approx(3 + 0.6 + 1.2 + 3)
    free: dict[str, Any] = {"input_cost_per_token": 0, "output_cost_per_token": 0}
    assert cost("gpt-4o", **free) == 0


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("gpt-4o", {}),
        ("claude-sonnet-4-5", {}),
        ("anthropic/claude-opus-4-5-20251101", {}),
        ("gemini/gemini-2.5-pro", {}),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", {}),
        ("azure/gpt-4o", {"base_url": "https://mine.openai.azure.com"}),
        ("openrouter/anthropic/claude-sonnet-4.5", {}),
        ("openrouter/qwen/qwen3-coder", {}),
        ("deepseek/deepseek-chat", {}),
        ("moonshot/kimi-k2-0905-preview", {}),
        ("zai/glm-4.6", {}),
        ("minimax/MiniMax-M2", {}),
        ("mistral/mistral-large-latest", {}),
        ("xai/grok-4-0709", {}),
        ("groq/openai/gpt-oss-120b", {}),
        ("openai/gpt-4o", {"base_url": "http://localhost:4000/v1"}),
        ("openai/claude-sonnet-4-5", {"base_url": "http://localhost:4000/v1"}),
        ("anthropic/claude-sonnet-4-5", {"base_url": "http://localhost:4000"}),
    ],
)
def test_what_the_table_knows_costs_less_from_a_cache(model: str, changes: Any) -> None:
    plain = cost(model, Usage(prompt=100_000, completion=1000), **changes)
    cached = cost(model, Usage(prompt=100_000, completion=1000, cache_read=90_000), **changes)
    assert plain is not None
    assert cached is not None
    assert 0 < cached <= plain


def test_reasoning_is_part_of_the_answer_and_not_paid_twice() -> None:
    with_it = cost("gpt-5", Usage(prompt=100, completion=1000, reasoning=900))
    assert with_it == cost("gpt-5", Usage(prompt=100, completion=1000))


def test_counts_that_contradict_each_other_are_priced_all_the_same() -> None:
    assert cost("claude-sonnet-4-5", Usage(prompt=10, cache_read=50, cache_write=50)) is not None


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("openai/nobodys", {"base_url": "http://localhost:4000/v1"}),
        ("hosted_vllm/Qwen/Qwen3-Coder", {"base_url": "http://localhost:4000/v1"}),
        ("openai/deepseek-chat", {"base_url": "http://localhost:4000/v1"}),
        ("ollama/qwen3:8b", {}),
        ("dashscope/qwen3-coder-plus", {}),
    ],
)
def test_an_unknown_price_is_unknown(model: str, changes: Any) -> None:
    assert cost(model, **changes) is None


def test_prices_of_cached_tokens_alone_are_refused() -> None:
    given = LLMSettings(model="gpt-4o", api_key=SecretStr("k"), cache_read_input_token_cost=1e-6)
    with pytest.raises(UsageError, match="need input_cost_per_token"):
        build(given)
