"""How long prompts and answers may be, as providers say when they refuse a request.

What they document is in `llm.known`; a model that is not there is not clamped. `stated_limit` and
`stated_window` read the limits out of an error, so that an unknown model's are learnt from it.
"""

from __future__ import annotations

import re

from velora.llm.known import limits_of

_STATED = (
    # OpenAI: "This model supports at most 16384 completion tokens, whereas you provided 65536."
    re.compile(r"supports at most ([\d,]+) (?:completion|output) tokens", re.I),
    # DeepSeek, DashScope: "the valid range of max_tokens is [1, 8192]"
    re.compile(r"max_(?:completion_|output_)?tokens[^\[]{0,40}\[\d+, ?([\d,]+)\]", re.I),
    # Anthropic: "max_tokens: 65536 > 8192, which is the maximum allowed number of output tokens"
    re.compile(r"max_tokens: [\d,]+ > ([\d,]+)", re.I),
    # Bedrock: "The maximum tokens you requested exceeds the model limit of 8192."
    re.compile(r"maximum tokens you requested exceeds the model limit of ([\d,]+)", re.I),
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
    # Anthropic: "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"
    re.compile(
        r"exceed context limit: (?P<prompt>[\d,]+) \+ [\d,]+ > (?P<window>[\d,]+)",
        re.I,
    ),
)
_WINDOW = (
    # OpenAI, vLLM, OpenRouter, xAI ("maximum prompt length is 131072 but the request contains")
    re.compile(r"maximum (?:context|prompt) length (?:is|of) ([\d,]+)", re.I),
    # Fireworks: "The prompt is too long: 140000, model maximum context length: 131072"
    re.compile(r"maximum context length: ([\d,]+)", re.I),
    # Mistral: "... too large for model with 32768 maximum context length"
    re.compile(r"model with ([\d,]+) maximum context length", re.I),
    # Anthropic: "prompt is too long: 210000 tokens > 200000 maximum"
    re.compile(r"prompt is too long: [\d,]+ tokens > ([\d,]+) maximum", re.I),
    # Anthropic: "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"
    re.compile(r"exceed context limit: [\d,]+ \+ [\d,]+ > ([\d,]+)", re.I),
    # Gemini: "The input token count (1200000) exceeds the maximum number of tokens allowed (...)"
    re.compile(r"exceeds the maximum number of tokens allowed \(?([\d,]+)", re.I),
    # llama.cpp: "request (5000 tokens) exceeds the available context size (4096 tokens)"
    re.compile(r"available context size \(([\d,]+) tokens\)", re.I),
    # DashScope: "Range of input length should be [1, 129024]"
    re.compile(r"range of input length should be \[\d+, ?([\d,]+)\]", re.I),
    # Moonshot: "Your request exceeded model token limit: 262144"
    re.compile(r"exceeded model token limit: ?([\d,]+)", re.I),
    # Text generation inference: "`inputs` tokens + `max_new_tokens` must be <= 8193"
    re.compile(r"`inputs` tokens \+ `max_new_tokens` must be <= ([\d,]+)", re.I),
)
ROOM = 1024
"""An answer shorter than this is no use: a prompt that leaves less has overflowed."""


def output_limit(model: str) -> int | None:
    """The documented longest answer of a model; None if unknown."""
    return limits_of(model).output


def context_window(model: str) -> int | None:
    """The documented context window of a model, prompt and answer together; None if unknown."""
    return limits_of(model).window


def stated_limit(text: str) -> int | None:
    """The longest answer that a refused request's error message allows for this model."""
    for pattern in _STATED:
        if found := pattern.search(text):
            return _number(found[1])
    return None


def stated_window(text: str) -> int | None:
    """The context window that the error of an over-long request names."""
    for pattern in _WINDOW:
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
