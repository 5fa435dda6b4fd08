"""How long a model's answer may be: what providers document, and what they say when refusing.

`MAX_OUTPUT` holds the documented limits of common models; one that is not listed is not clamped.
`stated_limit` reads the limit out of the error with which a provider refuses a request, so that
an unknown model's limit is learnt from its first answer.
"""

from __future__ import annotations

import re

MAX_OUTPUT: dict[str, int] = {
    "gpt-3.5-turbo": 4096,
    "gpt-4": 8192,
    "gpt-4-turbo": 4096,
    "gpt-4-1106-preview": 4096,
    "gpt-4-0125-preview": 4096,
    "gpt-4o": 16384,
    "gpt-4o-2024-05-13": 4096,
    "gpt-4o-mini": 16384,
    "chatgpt-4o-latest": 16384,
    "gpt-4.1": 32768,
    "gpt-4.1-mini": 32768,
    "gpt-4.1-nano": 32768,
    "gpt-4.5-preview": 16384,
    "gpt-5": 128_000,
    "gpt-5-chat": 16384,
    "gpt-5-pro": 272_000,
    "gpt-5.1": 128_000,
    "gpt-5.1-chat": 16384,
    "gpt-5.2": 128_000,
    "gpt-5.2-chat": 16384,
    "gpt-5.3": 128_000,
    "gpt-5.3-chat": 16384,
    "gpt-5.4": 128_000,
    "gpt-5.5": 128_000,
    "o1": 100_000,
    "o1-mini": 65536,
    "o1-preview": 32768,
    "o1-pro": 100_000,
    "o3": 100_000,
    "o3-mini": 100_000,
    "o3-pro": 100_000,
    "o4-mini": 100_000,
}
"""Output tokens at most, by model family; from OpenAI's model pages."""

_VERSION = re.compile(
    r"-(\d{4}-\d{2}-\d{2}|\d{4}|latest|preview|mini|nano|codex|max|pro|high|low)$"
)

_STATED = (
    # OpenAI: "This model supports at most 16384 completion tokens, whereas you provided 65536."
    re.compile(r"supports at most ([\d,]+) (?:completion|output) tokens", re.I),
    # DeepSeek, DashScope: "the valid range of max_tokens is [1, 8192]"
    re.compile(r"max_(?:completion_|output_)?tokens[^\[]{0,40}\[\d+, ?([\d,]+)\]", re.I),
    # Anthropic: "max_tokens: 65536 > 8192, which is the maximum allowed number of output tokens"
    re.compile(r"max_tokens: [\d,]+ > ([\d,]+)", re.I),
    # Volcengine: "integer above maximum value, expected a value <= 12288, but got 32000"
    re.compile(r"max_(?:completion_)?tokens.*expected a value <= ([\d,]+)", re.I | re.S),
    # Groq, Mistral, Fireworks and others
    re.compile(
        r"max_(?:completion_|output_|new_)?tokens`?'?\"? must be "
        r"(?:less than or equal to|at most|<=) `?([\d,]+)",
        re.I,
    ),
)
_IN_CONTEXT = (
    # "maximum context length is 8192 tokens. However, you requested 9000 tokens (1000 in the
    # messages, 8000 in the completion)"
    re.compile(
        r"maximum context length is (?P<window>[\d,]+) tokens.*?"
        r"\((?P<prompt>[\d,]+) in the (?:messages|prompt)[^)]*?[\d,]+ in the completion\)",
        re.I | re.S,
    ),
    # vLLM: "maximum context length is 8192 tokens and your request has 1000 input tokens"
    re.compile(
        r"maximum context length is (?P<window>[\d,]+) tokens and your request has "
        r"(?P<prompt>[\d,]+) input tokens",
        re.I,
    ),
)
ROOM = 1024
"""An answer shorter than this is no use: a prompt that leaves less has overflowed."""


def output_limit(model: str) -> int | None:
    """The documented limit of a model, dated and small variants included; None if unknown."""
    name = model.lower().rpartition("/")[2]
    while True:
        if name in MAX_OUTPUT:
            return MAX_OUTPUT[name]
        shorter = _VERSION.sub("", name)
        if shorter == name:
            return None
        name = shorter


def stated_limit(text: str) -> int | None:
    """The longest answer that a refused request's error message allows for this model."""
    for pattern in _STATED:
        if found := pattern.search(text):
            return _number(found[1])
    return None


def room_left(text: str) -> int | None:
    """What an error says is left of the context window beside the prompt, if that is enough.

    Such an error is about the length asked for as much as about the prompt; where the prompt
    leaves at least `ROOM` tokens, asking for less helps.
    """
    for pattern in _IN_CONTEXT:
        if found := pattern.search(text):
            left = _number(found["window"]) - _number(found["prompt"])
            return left if left >= ROOM else None
    return None


def _number(text: str) -> int:
    return int(text.replace(",", ""))
