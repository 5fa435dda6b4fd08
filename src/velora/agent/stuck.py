"""Is the agent going round in circles? Worked out from the events alone.

Five patterns, each at a threshold of its own: the same step with the same result again and again;
the same calls failing; the same words without a call; two steps that take turns; each answer
needing a condensation because the conversation overflowed. The first time the agent is told what
repeats; if a pattern comes up again within `FORGIVEN` steps, it is stuck. Later than that it is a
new circle, and the agent is told again.

What is compared: an answer's calls (name and arguments, whatever their order and spacing) and its
observations. What a model says beside a call does not count, nor do call ids. Observations may
differ in what differs each time although nothing has changed, and in nothing else: durations with
a unit (`in 0.12s`, `3 ms`), times of day and dates, process ids where they are named as such
(`pid 123`, a shell's `[1] 123`), addresses (`0x7f...`) and names of temporary files. All other
numbers count: a counter that goes up is progress.

Waiting is not repeating: a step that asks a running command for more output (`execute_bash` with an
empty command or with `is_input`, and the command still runs afterwards) belongs to no pattern and
ends those that had begun.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from velora.config.settings import AgentSettings
from velora.journal.events import Answered, Condensed, Event, Nudged, Observed
from velora.journal.messages import ToolCall

FORGIVEN = 20
"""Steps after which having been told is forgotten."""

_CHANGING = re.compile(
    r"""
    (?= [0-9/\[pP] )  # each of these begins so: a quick look spares five slow ones
    (?: (?P<address> \b0x[0-9a-f]{6,}\b )
    | (?P<date> \b\d{4}-\d\d-\d\d (?: [T ]\d\d:\d\d (?: :\d\d )? (?: [.,]\d+ )? )? )
    | (?P<clock> \b\d{1,2}:\d\d:\d\d (?:[.,]\d+)? \b )
    | (?P<minutes> \b\d+m\d+(?:\.\d+)?s\b )
    | (?P<duration> \b\d+(?:\.\d+)? [ ]? (?:ns|us|µs|ms|s|secs?|seconds?) \b )
    | (?P<pid> (?: \bpid [ ]? [:=]? [ ]? | ^\[\d+\]\ + ) \d+ )
    | (?P<temporary> (?:/var)?/tmp/[\w./-]+ ) )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def settled(line: str) -> str:
    """A line of an observation without what differs each time although nothing has changed."""
    return _CHANGING.sub(lambda found: f"<{found.lastgroup}>", line)


def alike(one: str, other: str) -> bool:
    """Do two observations say the same? Only lines that differ are looked at closely."""
    if one == other:
        return True
    lines, others = one.split("\n"), other.split("\n")
    return len(lines) == len(others) and all(
        line == with_line or settled(line) == settled(with_line)
        for line, with_line in zip(lines, others, strict=True)
    )


@dataclass(slots=True)
class _Step:
    """One answer and what came of it; `calls` are in one spelling, `text` counts without any."""

    calls: tuple[tuple[str, str], ...]
    text: str = ""
    results: list[str] = field(default_factory=list)
    errors: int = 0
    waits: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.calls) and self.errors == len(self.calls)

    def asks_like(self, other: _Step) -> bool:
        return self.calls == other.calls and (bool(self.calls) or self.text == other.text)

    def repeats(self, other: _Step) -> bool:
        """The same calls with the same results, or the same words."""
        pairs = zip(self.results, other.results, strict=False)
        return (
            self.asks_like(other)
            and len(self.results) == len(other.results)
            and all(alike(one, with_one) for one, with_one in pairs)
        )

    def named(self) -> str:
        tools = list(dict.fromkeys(name for name, _ in self.calls))
        return " and ".join(f"`{name}`" for name in tools)


class Watch:
    """Follows one attempt's events.

    Args:
        settings: the thresholds, `stuck_*`.
    """

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        most = max(
            settings.stuck_same_step,
            settings.stuck_same_error,
            settings.stuck_same_message,
            settings.stuck_alternating,
        )
        self._steps: deque[_Step] = deque(maxlen=most)
        self._overflows = 0
        self._overflowed = False
        self._since_told: int | None = None

    @property
    def told(self) -> bool:
        """The agent was told lately that it repeats itself."""
        return self._since_told is not None and self._since_told <= FORGIVEN

    def see(self, event: Event) -> None:
        """Take one event, in the journal's order."""
        match event:
            case Answered(completion=completion):
                message = completion.message
                calls = tuple((one.name, _spelled(one)) for one in message.tool_calls)
                self._steps.append(_Step(calls, "" if calls else message.content.strip()))
                if not self._overflowed:
                    self._overflows = 0
                self._overflowed = False
                if self._since_told is not None:
                    self._since_told += 1
            case Observed() if self._steps:
                step = self._steps[-1]
                step.results.append(event.content)
                step.errors += event.error
                step.waits = step.waits or _waits(event)
            case Condensed(reason="overflow"):
                self._overflows += 1
                self._overflowed = True
            case Nudged(reason="stuck"):
                self._steps.clear()
                self._overflows, self._since_told = 0, 0

    def pattern(self) -> str:
        """What repeats, in words that follow "You repeat yourself:"; "" where nothing does."""
        settings, steps = self._settings, list(self._steps)
        if self._overflows >= settings.stuck_overflows:
            return f"the conversation outgrew the context window {self._overflows} times in a row"
        if not steps or steps[-1].waits:
            return ""
        last = steps[-1]
        if not last.calls:
            if _all(steps, settings.stuck_same_message, lambda one: one.repeats(last)):
                return f"the same words without a tool call, {settings.stuck_same_message} times"
        elif _all(steps, settings.stuck_same_step, lambda one: one.repeats(last)):
            return (
                f"the same call of {last.named()} with the same result, "
                f"{settings.stuck_same_step} times in a row"
            )
        elif _all(steps, settings.stuck_same_error, lambda one: one.failed and one.asks_like(last)):
            return (
                f"the same call of {last.named()} that fails each time, "
                f"{settings.stuck_same_error} times in a row"
            )
        if self._alternates(steps[-settings.stuck_alternating :]):
            return f"the same two steps by turns, {settings.stuck_alternating} steps in a row"
        return ""

    def _alternates(self, steps: Sequence[_Step]) -> bool:
        if len(steps) < max(self._settings.stuck_alternating, 4) or any(s.waits for s in steps):
            return False
        first, second = steps[0], steps[1]
        return not first.repeats(second) and all(
            one.repeats(steps[n % 2]) for n, one in enumerate(steps)
        )


def _all(steps: Sequence[_Step], count: int, holds: Callable[[_Step], bool]) -> bool:
    return len(steps) >= count and all(
        not one.waits and holds(one) for one in steps[len(steps) - count :]
    )


def _spelled(call: ToolCall) -> str:
    """A call's arguments, in the one spelling of all equal ones."""
    try:
        return json.dumps(json.loads(call.arguments or "{}"), sort_keys=True)
    except ValueError:
        return call.arguments


def _waits(event: Observed) -> bool:
    """Did the call only wait for a command that still runs?"""
    if event.tool != "execute_bash" or event.exit_code != -1 or event.error:
        return False
    empty = not str(event.arguments.get("command", "")).strip()
    return empty or str(event.arguments.get("is_input", "")).lower() == "true"
