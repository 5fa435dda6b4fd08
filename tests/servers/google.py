"""A Gemini server on loopback (`tests.servers.http` with `streamGenerateContent`).

What a request must keep to is `google_rules`'; here is what an answer looks like. Every signature
that is issued is remembered with its part: the next request must bring it back on that very part.

An `AssistantMessage` may hold in `provider` fields that its candidate gets (`finishReason`,
`finishMessage`), or `{"promptFeedback": {...}}` in place of any candidate, or `{"empty": true}`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import orjson

from tests.servers import http
from tests.servers.google_rules import Refusal, Rules, part_key
from tests.servers.http import Play, Request, Sent, pieces
from velora.journal.messages import AssistantMessage
from velora.llm.script import Script

__all__ = ["Gemini", "Refusal", "Rules", "Server"]

_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Gemini(http.Wire):
    """The Gemini wire format.

    Args:
        rules: what requests must keep to.
        piece: characters of a text in one streamed part.
        ids: calls have ids; older models give none.
    """

    def __init__(self, rules: Rules | None = None, *, piece: int = 24, ids: bool = True) -> None:
        self.issued: dict[str, str] = {}
        self._rules = rules or Rules()
        self._piece = piece
        self._ids = ids

    def messages(self, body: Any) -> list[dict[str, Any]]:
        """The contents sent."""
        return list(body["contents"])

    def prompt(self, messages: list[dict[str, Any]]) -> str:
        """The text of the first user content."""
        users = (one["parts"][0].get("text", "") for one in messages if one["role"] == "user")
        return str(next(users, ""))

    def turn(self, messages: list[dict[str, Any]]) -> int:
        """How many answers the contents hold."""
        return sum(one["role"] == "model" for one in messages)

    def check(self, request: Request) -> Refusal | None:
        """What is wrong with a request, if anything."""
        return self._rules.check(request, self.issued)

    def failure(self, status: int, message: str) -> Refusal:
        """An error answer of this status."""
        return Refusal(status, message, _STATUS.get(status, "UNKNOWN"))

    def answer(self, message: AssistantMessage, request: Request, number: int) -> Sent:
        """The body that answers a request."""
        extra = dict(message.provider or {})
        events = list(self._events(message, extra, request, number))
        if ":streamGenerateContent" in request.path and "alt=sse" in request.path:
            lines = [b"data: " + orjson.dumps(one) + b"\r\n\r\n" for one in events]
            return Sent("text/event-stream", lines)
        return Sent("application/json; charset=UTF-8", [orjson.dumps(events)])

    def _events(
        self, message: AssistantMessage, extra: dict[str, Any], request: Request, number: int
    ) -> Iterator[dict[str, Any]]:
        model = request.path.partition("/models/")[2].partition(":")[0]
        head = {"modelVersion": model, "responseId": f"resp-{number}"}
        counted = {"usageMetadata": usage(message, request.body)}
        if "promptFeedback" in extra:
            yield {**head, "promptFeedback": extra["promptFeedback"], **counted}
            return
        if extra.pop("empty", False):
            yield {**head, **counted}
            return
        for part in self._parts(message, number, signed=self._rules.signs(model)):
            candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
            yield {"candidates": [candidate], **head}
        last = {"content": {}, "finishReason": "STOP", "index": 0, **extra}
        yield {"candidates": [last], **counted, **head}

    def _parts(
        self, message: AssistantMessage, number: int, *, signed: bool
    ) -> Iterator[dict[str, Any]]:
        for text in pieces(message.reasoning, self._piece):
            yield {"text": text, "thought": True}
        for text in pieces(message.content, self._piece):
            yield {"text": text}
        for index, call in enumerate(message.tool_calls):
            function: dict[str, Any] = {"name": call.name, "args": orjson.loads(call.arguments)}
            if self._ids:
                function["id"] = call.id
            part: dict[str, Any] = {"functionCall": function}
            # Of parallel calls the first alone is signed.
            yield self._signed(part, number) if signed and not index else part
        if signed and not message.tool_calls and message.content:
            yield self._signed({"text": ""}, number)

    def _signed(self, part: dict[str, Any], number: int) -> dict[str, Any]:
        seed = f"{number}:{part_key(part)}".encode()
        signature = base64.b64encode(hashlib.sha512(seed).digest()).decode()
        self.issued[signature] = part_key(part)
        return {**part, "thoughtSignature": signature}


def usage(message: AssistantMessage, body: dict[str, Any]) -> dict[str, Any]:
    """Token counts of an answer; thoughts are counted apart from the candidate."""
    prompt = len(orjson.dumps(body["contents"])) // 4
    calls = sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
    counts = {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": prompt // 2,
        "candidatesTokenCount": (len(message.content) + calls) // 4 + 1,
        "thoughtsTokenCount": len(message.reasoning) // 4,
    }
    total = prompt + counts["candidatesTokenCount"] + counts["thoughtsTokenCount"]
    return {**{key: n for key, n in counts.items() if n}, "totalTokenCount": total}


class Server(http.Server):
    """Answers as Gemini does."""

    def __init__(
        self,
        play: Sequence[Script] | Mapping[str, Any] | Play,
        *,
        rules: Rules | None = None,
        piece: int = 24,
        ids: bool = True,
        keep: bool = True,
        log: BinaryIO | None = None,
    ) -> None:
        super().__init__(Gemini(rules, piece=piece, ids=ids), play, keep=keep, log=log)
