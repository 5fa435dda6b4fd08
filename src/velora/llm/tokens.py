"""About how many tokens a request is, without anybody's tokenizer.

Tokenizers differ between providers and are large downloads; what decides here is only whether a
request fits. The estimate counts UTF-8 bytes, which follow tokens within some tens of per cent in
every script (a Chinese character is three bytes and about one token), and `Scale` corrects it by
what the provider counted in the calls before.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from velora.journal.messages import (
    AssistantMessage,
    Image,
    Message,
    SystemMessage,
    ToolMessage,
    ToolSpec,
    UserMessage,
)

BYTES = 3.5
"""UTF-8 bytes of one token: prose and code have more, hex digests and logs fewer (down to 2)."""
OVERHEAD = 6
"""Tokens around each message and each tool call: roles, ids, separators."""
IMAGE = 1600
"""Tokens of a picture: what Anthropic counts at most, and OpenAI for one of 1024 x 1536."""


def estimate(messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> int:
    """Tokens of a request's prompt.

    Constant time for each message that is plain ASCII, so it may be called before every request.
    """
    size = sum(_bytes(message) for message in messages)
    size += sum(_tool(tool) for tool in tools)
    pictures = sum(len(_images(message)) for message in messages)
    parts = len(messages) + len(tools) + sum(len(_calls(message)) for message in messages)
    return int(size / BYTES) + parts * OVERHEAD + pictures * IMAGE


class Scale:
    """What the provider counts over what `estimate` says.

    Starts at 1 and follows the last answers; one object serves any number of conversations with
    one model.
    """

    WEIGHT = 0.3
    """How much of each new observation counts."""

    def __init__(self) -> None:
        self.ratio = 1.0
        self._known = False

    def learn(self, estimated: int, counted: int) -> None:
        """Take in what one prompt was estimated at and what the provider counted."""
        if estimated < 1 or counted < 1:
            return
        ratio = min(4.0, max(0.25, counted / estimated))
        self.ratio += (ratio - self.ratio) * (self.WEIGHT if self._known else 1.0)
        self._known = True

    def of(self, estimated: int) -> int:
        """An estimate, corrected."""
        return round(estimated * self.ratio)


def _bytes(message: Message) -> int:
    match message:
        case AssistantMessage(content=content, tool_calls=calls, reasoning=reasoning):
            return (
                _size(content)
                + _size(reasoning)
                + sum(_size(one.name) + _size(one.arguments) for one in calls)
            )
        case SystemMessage(content=content) | UserMessage(content=content):
            return _size(content)
        case ToolMessage(content=content):
            return _size(content)


def _tool(tool: ToolSpec) -> int:
    return len(tool.name) + _size(tool.description) + len(orjson.dumps(tool.parameters))


def _calls(message: Message) -> Sequence[object]:
    return message.tool_calls if isinstance(message, AssistantMessage) else ()


def _images(message: Message) -> tuple[Image, ...]:
    return message.images if isinstance(message, ToolMessage) else ()


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
