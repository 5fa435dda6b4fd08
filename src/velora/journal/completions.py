"""`llm_completions/`: one file for each paid call, named `<model>-<unix time>.json`.

A file holds what OpenHands' does, except that `messages` are those added since the call before:
the messages of all files up to one, in order of their names, are what that call was sent. Tools
stand in `kwargs` of the first call and of one at which they changed. The time is that of the
answer, so it is the `at` of its `Answered` event.
"""

from __future__ import annotations

from typing import Any

import orjson

from velora.journal.chat import chat_message, chat_response, chat_tool
from velora.journal.conversation import spoken
from velora.journal.events import Answered, AttemptStarted, Prompted, Record
from velora.journal.messages import Completion, Message, ToolSpec


class Completions:
    """Makes the files of one attempt, one record at a time; holds one step's messages."""

    def __init__(self) -> None:
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
        if not isinstance(record.event, Answered):
            self._added += spoken(record.event)
            return None
        completion = record.event.completion
        file = self._file(completion, record.at)
        self._before += len(self._added)
        self._added = [completion.message]
        self._tools = ()
        model = completion.model or self._model
        return f"{model.replace('/', '__')}-{record.at:.6f}.json", file

    def _file(self, completion: Completion, at: float) -> bytes:
        kwargs: dict[str, Any] = {"model": self._model}
        if self._tools:
            kwargs["tools"] = [chat_tool(tool) for tool in self._tools]
        content = {
            "messages": [chat_message(message) for message in self._added],
            "messages_before": self._before,
            "response": chat_response(completion, at),
            "args": [],
            "kwargs": kwargs,
            "timestamp": at,
            "cost": completion.cost,
            "latency": completion.latency,
            "retries": completion.retries,
        }
        return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
