"""Which of OpenAI's two APIs a model is spoken to by; light, for the checks before a run."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from velora.config.settings import LLMSettings

_REASONS = re.compile(r"(gpt-[5-9]|o[1-9](?!\d)|codex-)(?!.*-chat)")
_OLD = re.compile(r"o1-(mini|preview)")


def use_responses(settings: LLMSettings, model: str) -> bool:
    """Whether to speak the Responses API.

    `api_mode` says so, or with `auto`: OpenAI's own reasoning models, which keep their reasoning
    from call to call in that API alone.

    Args:
        settings: `api_mode` and `base_url`.
        model: the name as the endpoint knows it.
    """
    if settings.api_mode != "auto":
        return settings.api_mode == "responses"
    return is_openai(settings.base_url) and reasons(model)


def is_openai(base_url: str) -> bool:
    """Whether an endpoint is OpenAI's own; "" is."""
    return not base_url or urlsplit(base_url).hostname == "api.openai.com"


def reasons(model: str) -> bool:
    """Whether a name is that of one of OpenAI's reasoning models, fine-tuned ones included."""
    name = model.lower().removeprefix("ft:")
    return bool(_REASONS.match(name)) and not _OLD.match(name)
