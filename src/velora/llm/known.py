"""What providers document of their models: the context window and the longest answer, in tokens.

A model that is not listed is unknown, and nothing is assumed about it. Figures come from the tables
of genai-prices and LiteLLM; where these differ, the value of the model's family. An open model has
the window that its maker documents, which a server of one's own may cut (`max_input_tokens` says
so, and an overflow error teaches it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A model family's limits; None is unknown.

    Attributes:
        window: prompt and answer together.
        output: the answer alone.
    """

    window: int | None
    output: int | None = None


_K128, _K200, _K256, _M = 131_072, 200_000, 262_144, 1_048_576

FAMILIES: dict[str, Known] = {
    # OpenAI
    "gpt-3.5-turbo": Known(16_385, 4096),
    "gpt-4": Known(8192, 8192),
    "gpt-4-turbo": Known(128_000, 4096),
    "gpt-4-1106-preview": Known(128_000, 4096),
    "gpt-4-0125-preview": Known(128_000, 4096),
    "gpt-4o": Known(128_000, 16_384),
    "gpt-4o-2024-05-13": Known(128_000, 4096),
    "chatgpt-4o-latest": Known(128_000, 16_384),
    "gpt-4.1": Known(1_047_576, 32_768),
    "gpt-4.5-preview": Known(128_000, 16_384),
    "gpt-5": Known(400_000, 128_000),
    "gpt-5-chat": Known(128_000, 16_384),
    "gpt-5-pro": Known(400_000, 272_000),
    "gpt-5.1": Known(400_000, 128_000),
    "gpt-5.1-chat": Known(128_000, 16_384),
    "gpt-5.2": Known(400_000, 128_000),
    "gpt-5.2-chat": Known(128_000, 16_384),
    "gpt-5.3": Known(400_000, 128_000),
    "gpt-5.3-chat": Known(128_000, 16_384),
    "gpt-5.4": Known(1_050_000, 128_000),
    "gpt-5.4-mini": Known(400_000, 128_000),
    "gpt-5.4-nano": Known(400_000, 128_000),
    "gpt-5.5": Known(1_050_000, 128_000),
    "gpt-5.6": Known(1_050_000, 128_000),
    "gpt-5.6-sol": Known(1_050_000, 128_000),
    "gpt-5.6-terra": Known(1_050_000, 128_000),
    "gpt-5.6-luna": Known(1_050_000, 128_000),
    "gpt-6-astra": Known(1_050_000, 128_000),
    "gpt-6-sol": Known(1_050_000, 128_000),
    "gpt-6-luna": Known(1_050_000, 128_000),
    "gpt-6.1-sol": Known(1_050_000, 128_000),
    "gpt-6.1-terra": Known(1_050_000, 128_000),
    "gpt-oss-20b": Known(_K128),
    "gpt-oss-120b": Known(_K128),
    "codex-mini": Known(_K200, 100_000),
    "o1": Known(_K200, 100_000),
    "o1-mini": Known(128_000, 65_536),
    "o1-preview": Known(128_000, 32_768),
    "o3": Known(_K200, 100_000),
    "o4-mini": Known(_K200, 100_000),
    # Anthropic
    "claude-3-haiku": Known(_K200, 4096),
    "claude-3-opus": Known(_K200, 4096),
    "claude-3-5-haiku": Known(_K200, 8192),
    "claude-3-5-sonnet": Known(_K200, 8192),
    "claude-3-7-sonnet": Known(_K200, 64_000),
    "claude-opus-4": Known(_K200, 32_000),
    "claude-opus-4-0": Known(_K200, 32_000),
    "claude-opus-4-1": Known(_K200, 32_000),
    "claude-opus-4-5": Known(_K200, 64_000),
    "claude-opus-4-6": Known(1_000_000, 128_000),
    "claude-opus-4-7": Known(1_000_000, 128_000),
    "claude-opus-4-8": Known(1_000_000, 128_000),
    "claude-opus-5": Known(1_000_000, 128_000),
    "claude-opus-5-5": Known(1_000_000, 128_000),
    "claude-sonnet-4": Known(_K200, 64_000),
    "claude-sonnet-4-0": Known(_K200, 64_000),
    "claude-sonnet-4-5": Known(_K200, 64_000),
    "claude-sonnet-4-6": Known(1_000_000, 128_000),
    "claude-sonnet-5": Known(1_000_000, 128_000),
    "claude-sonnet-5-5": Known(1_000_000, 128_000),
    "claude-haiku-4-5": Known(_K200, 64_000),
    "claude-haiku-5-5": Known(1_000_000, 128_000),
    "claude-fable-5": Known(1_000_000, 128_000),
    "claude-fable-5-1": Known(1_000_000, 128_000),
    # Google
    "gemini-2.0-flash": Known(_M, 8192),
    "gemini-2.0-flash-lite": Known(_M, 8192),
    "gemini-2.5-pro": Known(_M, 65_536),
    "gemini-2.5-flash": Known(_M, 65_536),
    "gemini-2.5-flash-lite": Known(_M, 65_536),
    "gemini-3-pro": Known(_M, 65_536),
    "gemini-3-flash": Known(_M, 65_536),
    "gemini-3.1-pro": Known(_M, 65_536),
    "gemini-3.1-flash-lite": Known(_M, 65_536),
    "gemini-3.5-flash": Known(_M, 65_536),
    "gemini-3.5-flash-lite": Known(_M, 65_536),
    "gemini-3.6-flash": Known(_M, 65_536),
    "gemini-3.7-flash": Known(_M, 65_536),
    "gemini-3.8-flash": Known(_M, 65_536),
    # DeepSeek
    "deepseek-chat": Known(_K128, 8192),
    "deepseek-reasoner": Known(_K128, 65_536),
    "deepseek-v3.1": Known(_K128),
    "deepseek-v3.2": Known(_K128),
    "deepseek-v4-flash": Known(1_000_000, 393_216),
    "deepseek-v4-pro": Known(1_000_000, 393_216),
    # Moonshot
    "kimi-k2": Known(_K128),
    "kimi-k2-0711-preview": Known(_K128),
    "kimi-k2-0905-preview": Known(_K256),
    "kimi-k2-turbo-preview": Known(_K256),
    "kimi-k2-instruct-0905": Known(_K256),
    "kimi-k2-thinking": Known(_K256),
    "kimi-k2-thinking-turbo": Known(_K256),
    "kimi-k2.5": Known(_K256),
    "kimi-k2.6": Known(_K256),
    "kimi-k2.7-code": Known(_K256),
    "kimi-k3": Known(_M),
    "kimi-k3.1-pro": Known(_M),
    "moonshot-v1-8k": Known(8192),
    "moonshot-v1-32k": Known(32_768),
    "moonshot-v1-128k": Known(_K128),
    # Qwen
    "qwen3-coder-plus": Known(1_000_000, 65_536),
    "qwen3-coder-flash": Known(1_000_000, 65_536),
    "qwen3-coder-480b-a35b-instruct": Known(_K256),
    "qwen3-coder-30b-a3b-instruct": Known(_K256),
    "qwen3-coder-next": Known(_K256),
    "qwen3-max": Known(_K256, 65_536),
    "qwen3.5-plus": Known(1_000_000, 65_536),
    "qwen3.7-max": Known(1_000_000, 65_536),
    "qwen3.7-plus": Known(1_000_000, 65_536),
    "qwen3.8-max": Known(1_000_000, 131_072),
    "qwen3.8-flash": Known(1_000_000, 131_072),
    "qwen-flash": Known(1_000_000, 32_768),
    "qwen-plus": Known(1_000_000, 32_768),
    # Z.ai
    "glm-4.5": Known(_K128, 98_304),
    "glm-4.5-air": Known(_K128, 98_304),
    "glm-4.6": Known(_K200, 131_072),
    "glm-4.7": Known(_K200, 131_072),
    "glm-5": Known(_K200, 131_072),
    "glm-5.1": Known(_K200, 131_072),
    "glm-5.2": Known(1_000_000, 131_072),
    "glm-5.3": Known(1_000_000, 131_072),
    # MiniMax
    "minimax-m2": Known(204_800),
    "minimax-m2.1": Known(204_800),
    "minimax-m2.5": Known(204_800),
    "minimax-m2.7": Known(204_800),
    "minimax-m3": Known(1_000_000),
    # Mistral
    "codestral-2508": Known(256_000),
    "devstral-small": Known(_K128),
    "devstral-medium": Known(_K128),
    "devstral-2512": Known(_K256),
    "ministral-8b": Known(_K256),
    "ministral-14b": Known(_K256),
    "mistral-small-2603": Known(_K256),
    "mistral-medium-3-5": Known(_K256),
    "mistral-large-2512": Known(_K256),
    "mistral-large-4": Known(_M),
    # xAI
    "grok-3": Known(_K128),
    "grok-4": Known(256_000),
    "grok-4-fast": Known(2_000_000),
    "grok-4-1-fast": Known(2_000_000),
    "grok-4.20": Known(1_000_000),
    "grok-4.3": Known(1_000_000),
    "grok-4.5": Known(500_000),
    "grok-4.6": Known(500_000),
    "grok-4.7": Known(500_000),
    "grok-code-fast-1": Known(256_000),
}
"""By family: a model's name without provider, date and variant."""

_VARIANT = re.compile(
    r"[-@](\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|latest|preview|mini|nano|codex|max|pro|high|low|highspeed"
    r"|reasoning|non-reasoning)$"
)
_BEDROCK = re.compile(r"(-v\d+)?(:\d+)?$")
_HOSTED = re.compile(r":(free|nitro|floor|exacto)$")


def limits_of(model: str) -> Known:
    """What is documented of a model, whatever prefix, date or small variant its name carries.

    Args:
        model: `openai/gpt-4o-2024-08-06`, `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, ...
    """
    name = _HOSTED.sub("", model.lower().rpartition("/")[2])
    if ".anthropic." in f".{name}":
        name = _BEDROCK.sub("", name.rpartition(".anthropic.")[2].removeprefix("anthropic."))
    while True:
        if name in FAMILIES:
            return FAMILIES[name]
        shorter = _VARIANT.sub("", name)
        if shorter == name:
            return Known(None)
        name = shorter
