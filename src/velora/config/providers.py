"""Which provider a model's name means: LiteLLM's names, and what each provider is reached by.

`PREFIX/NAME` names the provider; without a known prefix `claude-…`, `gemini-…` and OpenAI's own
names tell it, and any other name is that of a model behind the OpenAI-compatible endpoint that
`base_url` names. `custom_llm_provider` says it where the name does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Wire = Literal["openai", "azure", "anthropic", "google", "bedrock"]


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider.

    Attributes:
        name: as in LiteLLM.
        wire: whose API it speaks; `openai` is what all compatible servers speak.
        base_url: where it is reached; "" where the settings have to say.
        variables: environment variables that usually hold its key, the first found counts.
        keyless: it may be reached without a key.
    """

    name: str
    wire: Wire = "openai"
    base_url: str = ""
    variables: tuple[str, ...] = ()
    keyless: bool = False


_ALL = (
    Provider("openai", base_url="https://api.openai.com/v1", variables=("OPENAI_API_KEY",)),
    Provider("openai_like", variables=("OPENAI_LIKE_API_KEY", "OPENAI_API_KEY")),
    Provider("litellm_proxy", variables=("LITELLM_PROXY_API_KEY", "OPENAI_API_KEY")),
    Provider("hosted_vllm", variables=("HOSTED_VLLM_API_KEY", "OPENAI_API_KEY"), keyless=True),
    Provider("ollama", base_url="http://localhost:11434/v1", keyless=True),
    Provider(
        "anthropic",
        "anthropic",
        "https://api.anthropic.com",
        ("ANTHROPIC_API_KEY",),
    ),
    Provider(
        "gemini",
        "google",
        "https://generativelanguage.googleapis.com",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    Provider("bedrock", "bedrock", variables=("AWS_BEARER_TOKEN_BEDROCK",), keyless=True),
    Provider("azure", "azure", variables=("AZURE_API_KEY", "AZURE_OPENAI_API_KEY")),
    Provider(
        "openrouter", base_url="https://openrouter.ai/api/v1", variables=("OPENROUTER_API_KEY",)
    ),
    Provider("deepseek", base_url="https://api.deepseek.com/v1", variables=("DEEPSEEK_API_KEY",)),
    Provider("moonshot", base_url="https://api.moonshot.ai/v1", variables=("MOONSHOT_API_KEY",)),
    Provider(
        "dashscope",
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        variables=("DASHSCOPE_API_KEY",),
    ),
    Provider("zai", base_url="https://api.z.ai/api/paas/v4", variables=("ZAI_API_KEY",)),
    Provider("minimax", base_url="https://api.minimax.io/v1", variables=("MINIMAX_API_KEY",)),
    Provider(
        "together_ai",
        base_url="https://api.together.xyz/v1",
        variables=("TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_API_KEY"),
    ),
    Provider(
        "fireworks_ai",
        base_url="https://api.fireworks.ai/inference/v1",
        variables=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
    ),
    Provider("groq", base_url="https://api.groq.com/openai/v1", variables=("GROQ_API_KEY",)),
    Provider("mistral", base_url="https://api.mistral.ai/v1", variables=("MISTRAL_API_KEY",)),
    Provider("xai", base_url="https://api.x.ai/v1", variables=("XAI_API_KEY",)),
)
PROVIDERS = {one.name: one for one in _ALL}
"""By LiteLLM's name."""
ALIASES = {"ollama_chat": "ollama", "google": "gemini", "vllm": "hosted_vllm"}
"""Other names for `custom_llm_provider` and prefixes; `google/NAME` behind a `base_url` is a name
that OpenRouter and others use, and stays one."""
REFUSED = {
    "vertex_ai": "Vertex AI is not served; Gemini by API key is: gemini/NAME",
    "vertex_ai_beta": "Vertex AI is not served; Gemini by API key is: gemini/NAME",
    "azure_text": "only chat models are served: azure/DEPLOYMENT",
    "text-completion-openai": "only chat models are served: openai/NAME",
    "sagemaker": "only its OpenAI-compatible endpoint is served: openai/NAME and base_url",
    "cohere": "only its OpenAI-compatible endpoint is served: openai/NAME and base_url",
}
"""Providers of LiteLLM's that a user may try, and what to do."""

_OPENAIS = re.compile(r"(gpt-|chatgpt-|o\d+($|-)|codex-|ft:gpt-)")


@dataclass(frozen=True, slots=True)
class Named:
    """What a model's name says.

    Attributes:
        provider: None where nothing tells it.
        model: the name as the endpoint knows it.
        unknown: the provider's name that is none of ours, or "".
    """

    provider: Provider | None
    model: str
    unknown: str = ""


def named(model: str, *, base_url: str = "", custom: str = "") -> Named:
    """Whose model it is.

    Args:
        model, base_url, custom: the settings' `model`, `base_url` and `custom_llm_provider`.
    """
    prefix, slash, rest = model.partition("/")
    if custom:
        name = ALIASES.get(custom, custom)
        if name not in PROVIDERS:
            return Named(None, model, custom)
        same = rest and ALIASES.get(prefix, prefix) == name
        return Named(PROVIDERS[name], rest if same else model)
    if slash:
        if prefix in REFUSED:
            return Named(None, model, prefix)
        foreign = prefix in ALIASES and prefix.startswith("google") and base_url
        if (name := ALIASES.get(prefix, prefix)) in PROVIDERS and not foreign:
            return Named(PROVIDERS[name], rest)
        if base_url:
            return Named(PROVIDERS["openai"], model)
        return Named(None, model, prefix)
    if model.startswith("claude-"):
        return Named(PROVIDERS["anthropic"], model)
    if model.startswith("gemini-"):
        return Named(PROVIDERS["gemini"], model)
    if base_url or _OPENAIS.match(model):
        return Named(PROVIDERS["openai"], model)
    return Named(None, model)
