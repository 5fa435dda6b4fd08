"""An attempt in OpenHands' schema: the `history`, and the row of `output.jsonl`.

The history lists what OpenHands calls events: the system prompt, the task, then each action
followed by its observation, which names the action in `cause`. An answer with several tool calls
makes one action a call; all carry the same `model_response`, the thought goes with the first. An
answer without a tool call is a `message` of the agent, a nudge one of the user. A condensation is
the action `condensation`, which names the events that the model no longer sees, and the observation
`condense` with the summary, where there is one; masked and cut observations, which OpenHands cannot
tell, are under `condensation` beside it. What is not part of the conversation (retries, warnings,
the sandbox) stays in the journal.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from velora.errors import Outcome
from velora.journal.actions import action, observation
from velora.journal.chat import chat_response, chat_tool
from velora.journal.events import (
    Answered,
    AttemptEnded,
    AttemptStarted,
    Condensed,
    Nudged,
    Observed,
    PatchTaken,
    Prompted,
    Record,
    SandboxReady,
    SnapshotTaken,
)
from velora.journal.messages import ToolCall
from velora.journal.metadata import in_rows
from velora.journal.metrics import Spent, metrics

__all__ = ["History", "error_text", "history", "metrics", "output_row"]

Fields = dict[str, Any]


def history(records: Iterable[Record]) -> list[Fields]:
    """OpenHands' events of one attempt, in order, numbered from 0."""
    maker = History()
    for record in records:
        maker.add(record)
    return maker.finished()


class History:
    """Makes a history of records, one at a time."""

    def __init__(self) -> None:
        self._events: list[Fields] = []
        self._pending: deque[ToolCall] = deque()
        self._answer: Fields = {}
        self._calls = 0
        self._thought = ""
        self._at = 0.0
        self._spent = Spent()
        self._agent: Fields = {}
        self._of_message: list[list[int]] = []  # the events that tell each message
        self._of_answer: list[int] = []

    def add(self, record: Record) -> None:
        """Go on with the next record."""
        match record.event:
            case AttemptStarted() as started:
                self._agent = {
                    "agent_class": started.agent,
                    "openhands_version": None,
                    "velora_version": started.velora,
                }
            case Prompted() as prompted:
                self._prompted(prompted, record.at)
            case Answered() as answered:
                self._answered(answered, record.at)
            case Observed() as observed:
                self._observed(observed, record.at)
            case Nudged(content=content):
                self._of_message.append([self._message("user", content, record.at)])
            case Condensed() as condensed:
                self._condensed(condensed, record.at)

    def finished(self) -> list[Fields]:
        """The history, calls that were never run included."""
        self._act_unobserved()
        return self._events

    def _prompted(self, event: Prompted, at: float) -> None:
        tools = [chat_tool(tool) for tool in event.tools]
        args = {"content": event.system, "tools": tools, **self._agent}
        fields = {"message": event.system, "action": "system", "args": args}
        system = self._put("agent", at, fields)
        task = self._message("user", event.instruction, at)
        self._of_message += [[system], [task]] if event.system else [[system, task]]

    def _message(self, source: str, content: str, at: float, **more: Any) -> int:
        self._act_unobserved()
        args = {
            "content": content,
            "file_urls": None,
            "image_urls": None,
            "wait_for_response": source == "agent",
            "security_risk": None,
        }
        fields = {"message": content, "action": "message", "args": args, **more}
        return self._put(source, at, fields)

    def _answered(self, event: Answered, at: float) -> None:
        self._act_unobserved()
        completion = event.completion
        self._spent.add(completion)
        self._answer = chat_response(completion, at)
        self._pending.extend(completion.message.tool_calls)
        self._calls = len(completion.message.tool_calls)
        self._thought = completion.message.content
        self._at = at
        self._of_answer = []
        self._of_message.append(self._of_answer)
        if not self._calls:
            more = {
                "tool_call_metadata": self._call_metadata(None),
                "llm_metrics": self._metrics(),
            }
            number = self._message("agent", completion.message.content, at, **more)
            self._of_answer.append(number)

    def _observed(self, event: Observed, at: float) -> None:
        call = ToolCall(event.call_id, event.tool, "{}")  # in case that no answer asked for it
        if any(pending.id == event.call_id for pending in self._pending):
            while (call := self._pending.popleft()).id != event.call_id:
                self._act(call, None)
        cause = self._act(call, event)
        fields = observation(call, event)
        told = [] if fields is None else [self._put("agent", at, {"cause": cause, **fields})]
        self._of_message.append(told)
        self._at = at

    def _condensed(self, event: Condensed, at: float) -> None:
        self._act_unobserved()
        kept, left_out = self._of_message[: event.kept], self._of_message[event.kept : event.start]
        args = {
            "forgotten_event_ids": sorted(number for numbers in left_out for number in numbers),
            "forgotten_events_start_id": None,
            "forgotten_events_end_id": None,
            "summary": event.summary or None,
            "summary_offset": sum(map(len, kept)) if event.summary else None,
        }
        names = ("condenser", "reason", "kept", "start", "masked", "clipped", "longest")
        fields: Fields = {
            "message": event.summary or f"Condensed by {event.condenser} ({event.reason}).",
            "action": "condensation",
            "args": args,
            "condensation": {name: getattr(event, name) for name in names},
        }
        if event.completion is not None:
            self._spent.add(event.completion)
            response = chat_response(event.completion, at)
            metadata = self._call_metadata(None) | {"model_response": response}
            fields["tool_call_metadata"] = metadata | {"total_calls_in_response": 0}
            fields["llm_metrics"] = self._metrics()
        cause = self._put("agent", at, fields)
        if event.summary:
            told = {"observation": "condense", "content": event.summary, "extras": {}}
            self._put("agent", at, {"cause": cause, "message": event.summary, **told})

    def _act_unobserved(self) -> None:
        while self._pending:
            self._act(self._pending.popleft(), None)

    def _act(self, call: ToolCall, observed: Observed | None) -> int:
        fields = action(call, observed, self._thought)
        fields["tool_call_metadata"] = self._call_metadata(call)
        fields["llm_metrics"] = self._metrics()
        self._thought = ""
        number = self._put("agent", self._at, fields)
        self._of_answer.append(number)
        return number

    def _call_metadata(self, call: ToolCall | None) -> Fields:
        return {
            "function_name": call.name if call else "",
            "tool_call_id": call.id if call else "",
            "model_response": self._answer,
            "total_calls_in_response": self._calls,
        }

    def _metrics(self) -> Fields:
        return {
            "accumulated_cost": self._spent.cost,
            "accumulated_token_usage": {
                "prompt_tokens": self._spent.prompt,
                "completion_tokens": self._spent.completion,
                "cache_read_tokens": self._spent.cache_read,
                "cache_write_tokens": self._spent.cache_write,
            },
        }

    def _put(self, source: str, at: float, fields: Fields) -> int:
        number = len(self._events)
        self._events.append({"id": number, "timestamp": _iso(at), "source": source, **fields})
        return number


def output_row(records: Sequence[Record], patch: bytes, metadata: Mapping[str, Any]) -> Fields:
    """The row of `output.jsonl` for one ended attempt.

    OpenHands' keys with `attempt`, `outcome`, `configuration` and more added. In `test_result`,
    `git_patch` is the patch as text, or null where there is none to give: `status` then is
    `failed`, or the patch is no UTF-8 and stands in `git_patch_base64`. An empty text means that
    nothing was changed.

    Args:
        records: of the attempt, which has ended; what follows its last end has no influence.
        patch: the bytes of `model.patch`.
        metadata: the content of `metadata.json`.
    """
    end = max(n for n, r in enumerate(records) if isinstance(r.event, AttemptEnded))
    ended, records = records[end].event, records[:end]
    assert isinstance(ended, AttemptEnded)
    started = _first(AttemptStarted, records)
    prompted = _first(Prompted, records)
    budget = metadata.get("configuration", {}).get("run", {}).get("max_budget_per_task")
    window = (metadata.get("llm_config") or {}).get("max_input_tokens") or 0
    return {
        "instance_id": started.instance_id,
        "attempt": started.attempt,
        "outcome": ended.outcome,
        "test_result": _test_result(_last(PatchTaken, records), patch),
        "instruction": prompted.instruction if prompted else "",
        "metadata": in_rows(metadata) | {"details": _details(records, metadata)},
        "history": history(records),
        "metrics": metrics(records, budget=budget, context_window=window),
        "error": error_text(ended),
        "instance": started.row,
        "steps": ended.steps,
        "duration": ended.duration,
    }


def error_text(ended: AttemptEnded) -> str | None:
    """What went wrong, in one line; None where the model declared its work done."""
    if ended.outcome is Outcome.FINISHED:
        return None
    return f"{ended.outcome}: {ended.detail}" if ended.detail else str(ended.outcome)


def _test_result(taken: PatchTaken | None, patch: bytes) -> Fields:
    if taken is None or taken.status == "failed":
        detail = taken.detail if taken else "no patch was taken"
        return {"git_patch": None, "status": "failed", "detail": detail}
    result: Fields = {
        "git_patch": None,
        "status": taken.status,
        "sha256": taken.sha256,
        "files": taken.files,
        "notes": taken.notes,
    }
    try:
        result["git_patch"] = patch.decode()
    except UnicodeDecodeError:
        result["git_patch_base64"] = base64.b64encode(patch).decode()
        result["detail"] = "the patch is not UTF-8 and stands in git_patch_base64"
    return result


def _details(records: Sequence[Record], metadata: Mapping[str, Any]) -> Fields:
    """OpenHands' free-form `details`, with where this attempt worked."""
    details = dict(metadata.get("details") or {})
    if ready := _last(SandboxReady, records):
        details |= {"image": ready.image, "image_digest": ready.digest, "workdir": ready.workdir}
    if (taken := _last(SnapshotTaken, records)) and taken.warnings:
        details["warnings"] = taken.warnings
    return details


def _first(kind: type[Any], records: Sequence[Record]) -> Any:
    return next((r.event for r in records if isinstance(r.event, kind)), None)


def _last(kind: type[Any], records: Sequence[Record]) -> Any:
    return _first(kind, tuple(reversed(records)))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
