"""The conversation between the agent and the model, free of any provider's format.

What a provider adds to an answer and must get back unchanged (thought signatures, signed
thinking, encrypted reasoning) rides along in `AssistantMessage.provider`, untouched by anyone
but the model adapter that wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call of an answer. `arguments` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in an observation. `data` is base64."""

    media_type: str
    data: str


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """The system prompt."""

    content: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    """The task, or a nudge by the harness."""

    content: str


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """One answer of the model.

    Attributes:
        content: the visible text, possibly empty.
        tool_calls: in the order given.
        reasoning: readable reasoning where the provider shows it.
        provider: the adapter's own lossless record of the answer, JSON-serialisable.
    """

    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    provider: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """The observation that answers one tool call. `images` are for models that see."""

    call_id: str
    name: str
    content: str
    images: tuple[Image, ...] = ()


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it. `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `prompt` includes `cache_read` and `cache_write`; `completion` includes
    `reasoning`."""

    prompt: int = 0
    completion: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """One paid answer.

    Attributes:
        message: what the model said.
        usage: tokens, as the provider counted them.
        cost: US dollars; None where the price is unknown (never 0 for unknown).
        model: the model's name as the provider reported it.
        response_id: the provider's id of the answer, or "".
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter` or "".
        latency: seconds from the first byte sent to the last byte read, retries left out.
        retries: failed tries before this answer.
    """

    message: AssistantMessage
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    model: str = ""
    response_id: str = ""
    finish_reason: str = ""
    latency: float = 0.0
    retries: int = 0
