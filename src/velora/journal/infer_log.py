"""`infer_logs/`: an attempt told to a person who follows it with `tail -f`.

Times are UTC, so that the log of a journal is the same wherever it is made. Long texts are shown
by their head; the whole of them is in the journal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from velora.errors import Outcome
from velora.journal.events import (
    Answered,
    AttemptEnded,
    AttemptStarted,
    Condensed,
    Event,
    Graded,
    Noted,
    Nudged,
    Observed,
    PatchTaken,
    Prompted,
    Record,
    Repeated,
    Resumed,
    SandboxReady,
    SnapshotTaken,
)
from velora.journal.messages import ToolCall
from velora.journal.metrics import Spent

_HEAD = 20
_WIDTH = 400


class InferLog:
    """Makes the log of one attempt, one record at a time; holds only running totals."""

    def __init__(self) -> None:
        self._step = 0
        self._spent = Spent()

    def feed(self, record: Record) -> str:
        """The lines that a record adds, each ending with a newline."""
        time = datetime.fromtimestamp(record.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        head, *rest = self._lines(record.event)
        return "\n".join([f"{time}  {head}", *rest, ""])

    def _lines(self, event: Event) -> list[str]:
        match event:
            case AttemptStarted():
                return [
                    f"attempt {event.attempt} at {_line(event.instance_id)}: {event.agent}, model "
                    f"{event.model}, Velora {event.velora} (times are UTC)"
                ]
            case SandboxReady():
                return [
                    f"sandbox: {event.backend} {event.sandbox_id[:12]}, image {event.image or '-'} "
                    f"({event.resolver or '-'}), in {event.workdir} ({event.workdir_source})"
                ]
            case SnapshotTaken():
                warnings = [f"    warning: {_line(w)}" for w in event.warnings]
                return [f"snapshot: {event.method} {event.tree[:12]}".rstrip(), *warnings]
            case Prompted():
                return ["task", *_indented(event.instruction)]
            case Answered():
                return self._answered(event)
            case Observed():
                return _observed(event)
            case Nudged():
                return ["nudge", *_indented(event.content)]
            case Condensed():
                if event.completion:
                    self._spent.add(event.completion)
                return _condensed(event, self._spent)
            case Resumed():
                return [
                    f"resumed after {event.answers} answers: {event.calls} calls run again, "
                    f"{event.differences} came out otherwise"
                ]
            case Repeated():
                return [f"  {event.tool} gave something else this time", *_indented(event.content)]
            case Noted():
                return [f"note {event.code}: {_line(event.text)}"]
            case PatchTaken():
                return _patch(event)
            case AttemptEnded():
                return self._ended(event)
            case Graded():
                return [_graded(event)]

    def _answered(self, event: Answered) -> list[str]:
        completion = event.completion
        self._step += 1
        self._spent.add(completion)
        usage = completion.usage
        retries = f", {completion.retries} failed tries before" if completion.retries else ""
        cut = ", cut off by the length limit" if completion.finish_reason == "length" else ""
        head = (
            f"step {self._step}  {_cost(self._spent)} so far  ({usage.prompt:,} tokens in, "
            f"{usage.cache_read:,} of them cached, {usage.completion:,} out, "
            f"{completion.latency:.1f} s{retries}{cut})"
        )
        message = completion.message
        lines = [head, *_indented(message.content, "  | ")]
        for call in message.tool_calls:
            lines += _call(call)
        return lines

    def _ended(self, event: AttemptEnded) -> list[str]:
        lines = [
            f"ended: {event.outcome} after {_many(event.steps, 'step')}, {event.duration:.1f} s, "
            f"{_cost(self._spent)}"
        ]
        if event.outcome is not Outcome.FINISHED or event.detail:
            lines += _indented(event.detail)
        return lines


def _call(call: ToolCall) -> list[str]:
    """A tool call as a person would type it."""
    try:
        arguments = orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError:
        arguments = None
    if not isinstance(arguments, dict):
        return [f"  {call.name}, arguments that are no JSON object:", *_indented(call.arguments)]
    if call.name == "execute_bash":
        head, *rest = _head(str(arguments.get("command", "")))
        return [f"  $ {head}", *(f"    {line}" for line in rest)]
    lines = [f"  {call.name}"]
    for name, value in arguments.items():
        lines += _argument(name, value)
    return lines


def _argument(name: str, value: Any) -> list[str]:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if "\n" not in text:
        return [f"    {name}: {_clipped(text)}"]
    return [f"    {name}:", *_indented(text, "      ")]


def _observed(event: Observed) -> list[str]:
    facts = [event.tool]
    if event.exit_code is not None:
        facts.append("still running" if event.exit_code == -1 else f"exit {event.exit_code}")
    if event.error:
        facts.append("error")
    facts.append(f"{event.duration:.1f} s")
    return [f"result of {', '.join(facts)}", *_indented(event.content)]


def _condensed(event: Condensed, spent: Spent) -> list[str]:
    facts = [f"{_many(event.start - event.kept, 'message')} left out"]
    if event.masked:
        facts.append(f"observations before message {event.masked} masked")
    if event.clipped:
        facts.append(f"observations cut to {event.longest:,} characters")
    head = f"condensed by {event.condenser} ({event.reason}): {', '.join(facts)}"
    if event.completion:
        usage = event.completion.usage
        head += f"  {_cost(spent)} so far  ({usage.prompt:,} tokens in, {usage.completion:,} out)"
    return [head, *_indented(event.summary)]


def _patch(event: PatchTaken) -> list[str]:
    if event.status == "failed":
        return ["patch: could not be taken", *_indented(event.detail)]
    if event.status == "empty":
        return ["patch: empty, nothing was changed"]
    files = ", ".join(event.files[:10]) + (", ..." if len(event.files) > 10 else "")
    notes = [f"    {_line(note)}" for note in event.notes]
    return [
        f"patch: {_many(event.size, 'byte')} in {_many(len(event.files), 'file')}: {_line(files)}",
        *notes,
    ]


def _graded(event: Graded) -> str:
    if event.error:
        return f"graded: no verdict: {_line(event.error)}"
    return "graded: resolved" if event.resolved else f"graded: unresolved ({_line(event.reason)})"


def _cost(spent: Spent) -> str:
    unknown = f" + {_many(spent.cost_unknown_calls, 'call')} of unknown price"
    return f"${spent.cost:.4f}{unknown if spent.cost_unknown_calls else ''}"


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _indented(text: str, margin: str = "    ") -> list[str]:
    return [margin + line for line in _head(text)] if text.strip() else []


def _head(text: str) -> list[str]:
    """The first lines of a text, and how many more there are."""
    lines = text.rstrip("\n").split("\n")
    shown = [_clipped(line) for line in lines[:_HEAD]]
    return (
        shown if len(lines) <= _HEAD else [*shown, f"... {_many(len(lines) - _HEAD, 'more line')}"]
    )


def _line(text: str) -> str:
    return _clipped(" ".join(text.split()))


def _clipped(line: str) -> str:
    """A line without control characters, which a terminal would obey, cut at its width."""
    line = line[: _WIDTH + 1]
    if not line.isprintable():
        line = "".join(
            c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line
        )
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}..."
