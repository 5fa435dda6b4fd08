"""`llm_completions/`: one file for each paid call, named `<model>-<unix time>.json`.

A file holds what OpenHands' does, except that `messages` are those added since the call before.
What a call was sent are the first `messages_before` messages of what the call before was sent, then
the file's own: mostly all of them, and after a condensation those alone that are sent unchanged. A
call that wrote a summary says `"purpose": "condensation"`, holds its whole request, and is not
counted as a call before. Tools stand in `kwargs` of the first call and of one at which they
changed. The time is that of the answer, so it is the `at` of its event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from velora.journal.chat import chat_message, chat_response, chat_tool
from velora.journal.conversation import shown, spoken, summary_request
from velora.journal.events import Answered, AttemptStarted, Condensed, Prompted, Record
from velora.journal.messages import Completion, Message, ToolSpec


class Completions:
    """Makes the files of one attempt, one record at a time; copies none of its messages."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._condensed: Condensed | None = None
        self._added: list[Message] = []
        self._tools: tuple[ToolSpec, ...] = ()
        self._model = ""
        self._before = 0

    def feed(self, record: Record) -> tuple[str, bytes] | None:
        """The name and content of the file that the record completes, if it does."""
        match record.event:
            case AttemptStarted(model=model):
                self._model = model
            case Prompted(tools=tools):
                self._tools = tools
            case Condensed() as condensed:
                return self._condense(condensed, record.at)
        said = spoken(record.event)
        self._messages += said
        if not isinstance(record.event, Answered):
            self._added += said
            return None
        completion = record.event.completion
        kwargs: dict[str, Any] = {"model": self._model}
        if self._tools:
            kwargs["tools"] = [chat_tool(tool) for tool in self._tools]
        file = self._file(completion, record.at, self._added, self._before, kwargs)
        self._before += len(self._added)
        self._added = [completion.message]
        self._tools = ()
        return file

    def _condense(self, condensed: Condensed, at: float) -> tuple[str, bytes] | None:
        """The summary's file, if it has one; from here on something else is sent."""
        messages, file = self._messages, None
        if (completion := condensed.completion) is not None:
            request = summary_request(
                messages,
                self._condensed,
                kept=condensed.kept,
                start=condensed.start,
                request=condensed.request,
                excerpt=condensed.excerpt,
            )
            file = self._file(completion, at, request, 0, {"model": completion.model}, summary=True)
        sent = shown(messages, self._condensed)[: self._before]
        now = shown(messages, condensed)
        same = next((n for n, (a, b) in enumerate(zip(sent, now, strict=False)) if a != b), None)
        self._before = min(len(sent), len(now)) if same is None else same
        self._added = list(now[self._before :])
        self._condensed = condensed
        return file

    def _file(
        self,
        completion: Completion,
        at: float,
        messages: Sequence[Message],
        before: int,
        kwargs: dict[str, Any],
        *,
        summary: bool = False,
    ) -> tuple[str, bytes]:
        content: dict[str, Any] = {
            "messages": [chat_message(message) for message in messages],
            "messages_before": before,
            "response": chat_response(completion, at),
            "args": [],
            "kwargs": kwargs,
            "timestamp": at,
            "cost": completion.cost,
            "latency": completion.latency,
            "retries": completion.retries,
        }
        if summary:
            content["purpose"] = "condensation"
        model = completion.model or self._model
        data = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        return f"{model.replace('/', '__')}-{at:.6f}.json", data
