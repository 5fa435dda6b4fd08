"""What OpenAI's two APIs share: the endpoint, and what a reasoning model refuses."""

from __future__ import annotations

import re
from typing import Any

from pydantic_ai.profiles.openai import OpenAIModelProfile

from velora.config.settings import LLMSettings

OPENAI = "https://api.openai.com/v1"

NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_-]")
"""What the name of a tool may not hold, not even in calls of the past."""
Notices = tuple[tuple[str, str, dict[str, Any]], ...]


def sampling_refused(
    settings: LLMSettings, profile: OpenAIModelProfile, model: str
) -> tuple[tuple[str, ...], Notices]:
    """The settings that a model refuses because it reasons, as pydantic-ai's profile says.

    Returns:
        Their names, and what to note about them (`Backend.notices`).
    """
    if not profile.get("openai_supports_reasoning", False):
        return (), ()
    effort = settings.reasoning_effort
    reasoning = effort != "none" if effort else profile.get("thinking_enabled_by_default", False)
    if not reasoning:
        return (), ()
    refused = tuple(key for key in ("temperature", "top_p") if getattr(settings, key) is not None)
    if not refused:
        return (), ()
    text = f"{' and '.join(refused)} not sent: {model} refuses it while it reasons"
    return refused, (("sampling_not_sent", text, {"settings": list(refused)}),)
