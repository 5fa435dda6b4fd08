"""How chat-compatible servers give reasoning and want it back.

Reasoning comes in one of three fields, and goes back in the field that it came in:
`reasoning_content` (DeepSeek, Moonshot, MiniMax, DashScope, Z.AI, vLLM before 0.11, SGLang),
`reasoning` (OpenRouter, Ollama, Groq, Cerebras, newer vLLM), and `reasoning_details` (OpenRouter,
MiniMax with `reasoning_split`, Novita): a list of blocks, some of them signed or encrypted, which
must come back unchanged and makes the plain field beside it superfluous.

`REQUIRED` names the models whose servers refuse a request in which an assistant message with tool
calls lacks the field. Messages of other models, or answers that held no reasoning, get `FILLER`.
Sources, read in November 2026:

- Moonshot, kimi-k2-thinking and later ("thinking is enabled but reasoning_content is missing in
  assistant tool call message at index 2"):
  https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model
- DeepSeek, thinking mode ("The `reasoning_content` in the thinking mode must be passed back to the
  API"): https://api-docs.deepseek.com/guides/thinking_mode
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

DETAILS = "reasoning_details"
FIELDS = ("reasoning_content", "reasoning")
FILLER = " "
"""In place of reasoning that is not there; some servers take an empty text for a missing one."""

REQUIRED: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"kimi-(thinking|k2-thinking|k2p5|k2[.-]?[5-9](?!\d)|k[3-9])"),
        "reasoning_content",
    ),
    (re.compile(r"deepseek-(reasoner|flash|v3[.-][2-9]|v[4-9])"), "reasoning_content"),
)


def required_field(model: str) -> str:
    """The field that each message with tool calls must have for this model; "" for none.

    Args:
        model: in any spelling: `kimi-k2-thinking`, `moonshotai/Kimi-K2-Thinking`.
    """
    name = model.lower().rpartition("/")[2]
    return next((field for pattern, field in REQUIRED if pattern.match(name)), "")


def join_details(old: list[Any], new: Iterable[Any]) -> list[Any]:
    """The blocks of reasoning so far and those of the next delta.

    Pieces of one block share its `index` and `type`; MiniMax repeats a block's text from its
    beginning in every delta.
    """
    blocks = list(old)
    for block in new:
        last = blocks[-1] if blocks else None
        if not (isinstance(block, dict) and isinstance(last, dict) and _same(last, block)):
            blocks.append(block)
            continue
        grown = dict(last)
        for key, value in block.items():
            if value is None:
                continue
            joined = key in ("text", "summary", "data") and isinstance(grown.get(key), str)
            grown[key] = grown[key] + value if joined and not _repeats(grown, key, value) else value
        blocks[-1] = grown
    return blocks


def _same(last: dict[str, Any], block: dict[str, Any]) -> bool:
    return (last.get("index"), last.get("type")) == (block.get("index"), block.get("type"))


def _repeats(block: dict[str, Any], key: str, value: str) -> bool:
    minimax = str(block.get("format") or "").lower().startswith("minimax")
    return minimax and value.startswith(block[key])


def readable(details: Iterable[Any]) -> str:
    """What people can read of blocks of reasoning."""
    texts = (
        block.get("text") or block.get("summary") or ""
        for block in details
        if isinstance(block, dict)
    )
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)
