"""Puts a streamed message of Anthropic's API together: server-sent events in, one message out.

The SDK makes a typed object of each event and pydantic-ai another one; here a delta costs a JSON
parse and a list append. The arguments of a call stay the text that the model wrote.
"""

from __future__ import annotations

from typing import Any

import orjson

from velora.llm.failures import Failure
from velora.llm.providers.http import parsed, parsed_object

_PIECES = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("input", "partial_json"),
}
"""By type of delta: the block's field that it adds to, and its own field that holds the text."""
_KNOWN = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})


class Assembler:
    """Takes the bytes of an event stream as they come; `result` is the message."""

    def __init__(self) -> None:
        self._rest = b""
        self._head: dict[str, Any] | None = None
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}
        self._end: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    def feed(self, data: bytes) -> None:
        """Take some bytes, cut anywhere.

        Raises:
            Failure: an event is an error, or is not built as one.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._line(line[5:].strip())

    def _line(self, data: bytes) -> None:
        event = parsed(data, "an event")
        try:
            self._event(event)
        except (AttributeError, KeyError, TypeError):
            text = data[:200].decode(errors="replace")
            raise Failure(f"an event is not built as one: {text}") from None

    def _event(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "error":
                raise failure_of(event)
            case "message_start":
                self._head = dict(event["message"])
                self._count(self._head.get("usage"))
            case "content_block_start":
                self._blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                self._delta(event["index"], event["delta"])
            case "message_delta":
                self._end |= {k: v for k, v in event["delta"].items() if v is not None}
                self._count(event.get("usage"))

    def _delta(self, index: int, delta: dict[str, Any]) -> None:
        if names := _PIECES.get(delta["type"]):
            self._pieces.setdefault((index, names[0]), []).append(delta[names[1]])

    def _count(self, usage: dict[str, Any] | None) -> None:
        self._usage |= {key: value for key, value in (usage or {}).items() if value is not None}

    def result(self) -> dict[str, Any]:
        """The message as the API would have sent it whole, but for calls' inputs, which are text.

        Raises:
            Failure: the stream ended before the answer did, or held none.
        """
        if self._rest.startswith(b"data:"):
            self.feed(b"\n")
        if self._head is None:
            raise Failure("the stream ended without an answer")
        if not self._end.get("stop_reason"):
            raise Failure("the stream was cut before the answer's end")
        content = [self._block(index) for index in sorted(self._blocks)]
        return filled({**self._head, **self._end, "content": content, "usage": self._usage})

    def _block(self, index: int) -> dict[str, Any]:
        block = self._blocks[index]
        for name in ("text", "thinking", "signature", "input"):
            if pieces := self._pieces.get((index, name)):
                before = block.get(name)
                block[name] = (before if isinstance(before, str) else "") + "".join(pieces)
        return block


def whole(body: bytes) -> dict[str, Any]:
    """The message in a body that came in one piece.

    Raises:
        Failure: it is empty, not JSON, an error, or no message.
    """
    if not body.strip():
        raise Failure("the answer's body is empty")
    if body.lstrip().startswith((b"data:", b"event:")):
        assembler = Assembler()
        assembler.feed(body)
        return assembler.result()
    data = parsed_object(body, "the answer")
    if data.get("error"):
        raise failure_of(data)
    if not isinstance(data.get("content"), list) or not data.get("stop_reason"):
        text = body[:200].decode(errors="replace")
        raise Failure(f"the answer is no message: {text}")
    return filled(data)


def filled(data: dict[str, Any]) -> dict[str, Any]:
    """A message with the fields that servers leave out though the API has them.

    Raises:
        Failure: a block is not built as one.
    """
    blocks = []
    for block in data["content"]:
        if not isinstance(block, dict) or block.get("type") not in _KNOWN:
            continue
        if block["type"] == "tool_use":
            if not isinstance(block.get("name"), str):
                raise Failure("a tool_use block of the answer has no name")
            given = block.get("input")
            text = given if isinstance(given, str) else orjson.dumps(given or {}).decode()
            block = {**block, "id": block.get("id") or "", "input": text}  # noqa: PLW2901
        blocks.append(block)
    usage = {"input_tokens": 0, "output_tokens": 0, **(data.get("usage") or {})}
    head = {"id": "", "model": "", "type": "message", "role": "assistant"}
    return {**head, **data, "content": blocks, "usage": usage}


def failure_of(body: Any, *, status: int | None = None, **known: Any) -> Failure:
    """An error object of the API; one inside a 200 stands for the status of its type."""
    return Failure.of_body(body, status=status, **known)
