"""The events of one attempt: everything that happened, in order, and nothing twice.

An attempt's `events.jsonl` holds one event a line: `{"seq": 0, "at": <unix seconds>,
"kind": "attempt_started", ...fields}`. The conversation sent to the model is not stored: it is the
`Prompted`, `Answered`, `Observed` and `Nudged` events in order (`conversation` rebuilds it).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from velora.errors import Outcome
from velora.journal.messages import Completion, Image, ToolSpec


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """Attempt `attempt` (from 1) at an instance begins. `row` is the dataset row as read."""

    kind: ClassVar[str] = "attempt_started"
    instance_id: str
    attempt: int
    run: str
    configuration: str
    model: str
    agent: str
    velora: str
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SandboxReady:
    """The sandbox runs. `image` is the reference, `digest` the engine's image id,
    `resolver` what found it; `facts` what was measured inside (git, shell, user, platform)."""

    kind: ClassVar[str] = "sandbox_ready"
    backend: str
    sandbox_id: str
    image: str
    digest: str
    resolver: str
    workdir: str
    workdir_source: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """The state that the final diff is taken against. `tree` is a git tree id where there is one;
    `method` is `git` or `engine`; `base_commit_found` is None where the row names none."""

    kind: ClassVar[str] = "snapshot_taken"
    method: str
    tree: str
    base_commit: str
    base_commit_found: bool | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompted:
    """The conversation's start: the system prompt, the task and the tools on offer."""

    kind: ClassVar[str] = "prompted"
    system: str
    instruction: str
    tools: tuple[ToolSpec, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The model answered."""

    kind: ClassVar[str] = "answered"
    completion: Completion


@dataclass(frozen=True, slots=True)
class Observed:
    """The result of one tool call.

    Attributes:
        call_id, tool: the call that it answers.
        arguments: the arguments as executed (parsed and coerced); {} if they could not be parsed.
        content: what the model is shown.
        error: the call failed as a call (bad arguments, refused edit); a command's non-zero exit
            status is not an error.
        exit_code: of a shell command; -1 while it still runs; None for other tools.
        cwd: the shell's working directory afterwards, or "".
        duration: seconds.
        extras: tool-specific facts (truncation, spill file, edited path, ...).
        images: what a model that sees is shown beside `content`.
        finish: the model declared its work done.
        condense: the model asked for a shorter conversation.
    """

    kind: ClassVar[str] = "observed"
    call_id: str
    tool: str
    arguments: dict[str, Any]
    content: str
    error: bool = False
    exit_code: int | None = None
    cwd: str = ""
    duration: float = 0.0
    extras: dict[str, Any] = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    finish: bool = False
    condense: bool = False


@dataclass(frozen=True, slots=True)
class Nudged:
    """The harness spoke to the model as the user; `reason` is `no_action` or `stuck`."""

    kind: ClassVar[str] = "nudged"
    content: str
    reason: str = "no_action"


@dataclass(frozen=True, slots=True)
class Condensed:
    """From here on the model is shown less of the conversation; the last of these events counts.

    Shown are the messages before index `kept`, the summary as the user's words, and the messages
    from index `start` on. Indexes count the messages of the whole conversation from 0, the system
    prompt included, as `conversation` gives it; `kept` and `start` are where an answer begins.

    Attributes:
        condenser: `recent`, `llm`, ..., or `truncation`, the last resort of all of them.
        reason: `size`, `tokens`, `overflow` or `requested`.
        summary: what stands for the messages left out; "" where nothing does.
        masked: observations before this index are shown as a short remark; 0 masks none.
        clipped: observations before this index are shown with at most `longest` characters.
        longest: see `clipped`.
        limit: tokens that a request could have, as far as was known; 0 where it was not.
        completion: the paid answer that holds the summary, where a model wrote it.
        request: the instructions that it was asked with.
        excerpt: the characters at most of each message that it was shown; with `request` this
            gives the whole request again (`conversation.summary_request`).
    """

    kind: ClassVar[str] = "condensed"
    condenser: str
    reason: str
    kept: int
    start: int
    summary: str = ""
    masked: int = 0
    clipped: int = 0
    longest: int = 0
    limit: int = 0
    completion: Completion | None = None
    request: str = ""
    excerpt: int = 0


@dataclass(frozen=True, slots=True)
class Resumed:
    """The attempt was cut off and goes on here, in a new sandbox (`SandboxReady` and
    `SnapshotTaken` before this event describe it).

    Attributes:
        answers: recorded answers of the model, which are not asked for again.
        calls: recorded tool calls that were run again in the new sandbox.
        differences: calls whose observation came out otherwise this time (`Repeated`).
    """

    kind: ClassVar[str] = "resumed"
    answers: int
    calls: int
    differences: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """A recorded tool call, run again in a new sandbox, gave something else; the conversation
    keeps what was recorded first. `content` and `exit_code` are what came this time."""

    kind: ClassVar[str] = "repeated"
    call_id: str
    tool: str
    content: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth knowing that is not part of the conversation. `code` is a stable word such
    as `llm_retry`, `shell_restarted`, `max_output_tokens_clamped`."""

    kind: ClassVar[str] = "noted"
    code: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PatchTaken:
    """The diff against the snapshot: `status` is `patch`, `empty` or `failed`. The bytes lie in
    `model.patch` beside the events; `sha256` and `size` are theirs."""

    kind: ClassVar[str] = "patch_taken"
    status: str
    size: int = 0
    sha256: str = ""
    detail: str = ""
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """The attempt is over. `detail` explains an outcome that is not `finished`."""

    kind: ClassVar[str] = "attempt_ended"
    outcome: Outcome
    detail: str = ""
    steps: int = 0
    duration: float = 0.0


@dataclass(frozen=True, slots=True)
class Graded:
    """A verdict on the attempt's patch; the last one counts. `report` is what `report.json` says
    of the instance; `error` is set where grading broke, and then there is no verdict."""

    kind: ClassVar[str] = "graded"
    resolved: bool | None
    reason: str
    report: dict[str, Any] = field(default_factory=dict)
    error: str = ""


Event = (
    AttemptStarted
    | SandboxReady
    | SnapshotTaken
    | Prompted
    | Answered
    | Observed
    | Nudged
    | Condensed
    | Resumed
    | Repeated
    | Noted
    | PatchTaken
    | AttemptEnded
    | Graded
)


def paid(event: Event) -> Completion | None:
    """The model's answer that the event holds, whoever asked for it: what was paid for."""
    return event.completion if isinstance(event, Answered | Condensed) else None


@dataclass(frozen=True, slots=True)
class Record:
    """An event with its number (from 0) and the time it was appended (unix seconds)."""

    seq: int
    at: float
    event: Event
