"""A Responses API server on loopback (`tests.servers.http` with OpenAI's event stream).

What a request must keep to is `responses_rules`'; here is what an answer looks like. Every
reasoning item that is made is remembered with the items that follow it: the next request must
bring it back, with its encrypted content, before them.

An `AssistantMessage` may hold in `provider`: `refusal` (text), `status` with `incomplete_details`,
`error` (the answer fails with it), `event_error` (an `error` event in the middle), `order` (kinds
of output items, as `["reasoning", "call", "reasoning", "message", "call"]`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import orjson

from tests.servers import http
from tests.servers.chat import Refusal
from tests.servers.http import Play, Request, Sent, pieces
from tests.servers.responses_rules import Rules, reasons
from velora.journal.messages import AssistantMessage
from velora.llm.script import Script

__all__ = ["Refusal", "Responses", "Rules", "Server"]


class Responses(http.Wire):
    """The Responses wire format.

    Args:
        rules: what requests must keep to.
        piece: characters of a text in one streamed delta.
        completed: the last event holds the output; some servers leave it empty there.
    """

    root = "/v1"

    def __init__(
        self, rules: Rules | None = None, *, piece: int = 24, completed: bool = True
    ) -> None:
        self.made: dict[str, dict[str, Any]] = {}
        self._rules = rules or Rules()
        self._piece = piece
        self._completed = completed

    def messages(self, body: Any) -> list[dict[str, Any]]:
        """The input items sent."""
        return list(body["input"])

    def prompt(self, messages: list[dict[str, Any]]) -> str:
        """The text of the first user message."""
        return str(next((one["content"] for one in messages if one.get("role") == "user"), ""))

    def turn(self, messages: list[dict[str, Any]]) -> int:
        """How many answers the input holds: runs of the model's own items."""
        own = [_is_own(one) for one in messages]
        return sum(now and not before for before, now in zip([False, *own], own, strict=False))

    def check(self, request: Request) -> Refusal | None:
        """What is wrong with a request, if anything."""
        if request.path.partition("?")[0] != "/v1/responses":
            return Refusal(404, f"Invalid URL ({request.method} {request.path})")
        if request.method != "POST":
            return Refusal(405, f"Not allowed to {request.method} on this path")
        given = request.headers.get("authorization", "")
        return self._rules.check(given, request.body, self.made)

    def failure(self, status: int, message: str) -> Refusal:
        """An error answer of this status."""
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return Refusal(status, message, type=kind)

    def answer(self, message: AssistantMessage, request: Request, number: int) -> Sent:
        """The body that answers a request."""
        response = self._response(message, request.body, number)
        if not request.body.get("stream"):
            return Sent("application/json", [orjson.dumps(response)])
        events = list(self._events(response, message.provider or {}))
        lines = [
            b"event: %b\ndata: %b\n\n"
            % (one["type"].encode(), orjson.dumps({**one, "sequence_number": place}))
            for place, one in enumerate(events)
        ]
        return Sent("text/event-stream; charset=utf-8", lines)

    def _response(
        self, message: AssistantMessage, body: dict[str, Any], number: int
    ) -> dict[str, Any]:
        extra = dict(message.provider or {})
        failed = extra.get("error")
        output = [] if failed else list(self._output(message, body, number))
        return {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": 1_700_000_000,
            "status": "failed" if failed else extra.get("status", "completed"),
            "error": failed,
            "incomplete_details": extra.get("incomplete_details"),
            "instructions": None,
            "metadata": {},
            "model": f"{body['model']}-2026-01-01",
            "output": output,
            "parallel_tool_calls": True,
            "reasoning": body.get("reasoning"),
            "store": body.get("store", True),
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": body.get("tools", []),
            "top_p": 1.0,
            "usage": None if failed else usage(message, body),
        }

    def _output(
        self, message: AssistantMessage, body: dict[str, Any], number: int
    ) -> Iterator[dict[str, Any]]:
        extra = dict(message.provider or {})
        usual = ["reasoning"] if message.reasoning and reasons(body["model"]) else []
        usual += ["message"] if message.content or extra.get("refusal") else []
        calls = iter(message.tool_calls)
        before = ""
        for place, kind in enumerate(
            extra.get("order", usual + ["call"] * len(message.tool_calls))
        ):
            if kind == "reasoning":
                before = f"rs_{number}_{place}"
                item = self._reasoning(before, message, body)
            elif kind == "message":
                item = _message(f"msg_{number}_{place}", message, extra.get("refusal"))
            else:
                call = next(calls)
                item = {
                    "type": "function_call",
                    "id": f"fc_{number}_{place}",
                    "call_id": call.id,
                    "name": call.name,
                    "arguments": call.arguments,
                    "status": "completed",
                }
            if kind != "reasoning":
                self.made[item["id"]] = {"after": before}
                if before:
                    self.made[before].setdefault("next", item["id"])
            yield item

    def _reasoning(
        self, id_: str, message: AssistantMessage, body: dict[str, Any]
    ) -> dict[str, Any]:
        secret = base64.b64encode(hashlib.sha256(id_.encode()).digest()).decode()
        item: dict[str, Any] = {"type": "reasoning", "id": id_, "summary": []}
        if (body.get("reasoning") or {}).get("summary"):
            parts = message.reasoning.split("\n\n")
            item["summary"] = [{"type": "summary_text", "text": text} for text in parts]
        if "reasoning.encrypted_content" in body.get("include", ()):
            item["encrypted_content"] = secret
        self.made[id_] = {"secret": secret}
        return item

    def _events(
        self, response: dict[str, Any], extra: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        begun = {**response, "status": "in_progress", "output": [], "usage": None, "error": None}
        yield {"type": "response.created", "response": begun}
        yield {"type": "response.in_progress", "response": begun}
        for place, item in enumerate(response["output"]):
            yield from self._item(place, item)
            if "event_error" in extra:
                yield {"type": "error", "param": None, **extra["event_error"]}
                return
        last = response if self._completed else {**response, "output": []}
        yield {"type": f"response.{response['status']}", "response": last}

    def _item(self, place: int, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
        where = {"item_id": item["id"], "output_index": place}
        begun = {**item, "content": []} if item["type"] == "message" else dict(item)
        if item["type"] == "function_call":
            begun["arguments"] = ""
        yield {"type": "response.output_item.added", "output_index": place, "item": begun}
        for index, part in enumerate(item.get("summary", ())):
            here = {**where, "summary_index": index}
            yield {"type": "response.reasoning_summary_part.added", **here, "part": part}
            for text in pieces(part["text"], self._piece):
                yield {"type": "response.reasoning_summary_text.delta", **here, "delta": text}
        for index, part in enumerate(item.get("content", ())):
            here = {**where, "content_index": index}
            kind = "output_text" if part["type"] == "output_text" else "refusal"
            text = part.get("text") or part.get("refusal", "")
            yield {"type": "response.content_part.added", **here, "part": {**part, "text": ""}}
            for piece in pieces(text, self._piece):
                yield {"type": f"response.{kind}.delta", **here, "delta": piece}
            yield {"type": f"response.{kind}.done", **here, "text": text}
            yield {"type": "response.content_part.done", **here, "part": part}
        if item["type"] == "function_call":
            for piece in pieces(item["arguments"], self._piece):
                yield {"type": "response.function_call_arguments.delta", **where, "delta": piece}
            text = item["arguments"]
            yield {"type": "response.function_call_arguments.done", **where, "arguments": text}
        yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _message(id_: str, message: AssistantMessage, refusal: str | None) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "refusal", "refusal": refusal}
    if not refusal:
        part = {"type": "output_text", "text": message.content, "annotations": [], "logprobs": []}
    head = {"type": "message", "id": id_, "role": "assistant", "status": "completed"}
    return {**head, "content": [part]}


def _is_own(item: dict[str, Any]) -> bool:
    return item.get("type") in ("reasoning", "function_call") or item.get("role") == "assistant"


def usage(message: AssistantMessage, body: dict[str, Any]) -> dict[str, Any]:
    """Token counts of an answer; reasoning is part of the output."""
    prompt = len(orjson.dumps(body["input"])) // 4
    calls = sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
    reasoning = len(message.reasoning) // 4
    answer = (len(message.content) + calls) // 4 + reasoning + 1
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": prompt // 2},
        "output_tokens": answer,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": prompt + answer,
    }


class Server(http.Server):
    """Answers as the Responses API does."""

    def __init__(
        self,
        play: Sequence[Script] | Mapping[str, Any] | Play,
        *,
        rules: Rules | None = None,
        piece: int = 24,
        completed: bool = True,
        keep: bool = True,
        log: BinaryIO | None = None,
    ) -> None:
        wire = Responses(rules, piece=piece, completed=completed)
        super().__init__(wire, play, keep=keep, log=log)
