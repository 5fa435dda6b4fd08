"""The run's `report.json`: SWE-bench's run report, with what it lacks: outcomes, cost, pass@k.

Each instance is in one of SWE-bench's classes:

- *resolved*: an attempt's patch was graded resolved;
- *unresolved*: none was, and a patch that is not empty was graded;
- *empty patch*: every valid attempt ended with nothing changed;
- *error*: attempts ended, but for no fault of the model (also listed as infrastructure failures),
  or grading broke; `failure_reasons` says which and why;
- *incomplete*: anything else: not attempted, interrupted, or not graded yet.

*Completed* are the first two; *submitted* are those with a valid attempt.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import comb
from pathlib import Path
from typing import Any

import orjson

from velora.errors import POLICY, Outcome
from velora.instances.quarantine import FLAKY
from velora.journal import ledger
from velora.journal.events import (
    Answered,
    AttemptEnded,
    AttemptStarted,
    Condensed,
    Graded,
    PatchTaken,
    SandboxReady,
    paid,
)
from velora.journal.files import write_atomic
from velora.journal.metrics import Spent
from velora.journal.run import RunDirectory
from velora.journal.store import EVENTS, records

_KINDS = (
    AttemptStarted,
    SandboxReady,
    Answered,
    Condensed,
    PatchTaken,
    AttemptEnded,
    Graded,
)


@dataclass(slots=True)
class Attempt:
    """What the report needs of one attempt; `ended` is None where it was torn off."""

    instance_id: str = ""
    language: str = ""
    repository: str = ""
    model: str = ""
    started_at: float = 0.0
    ended_at: float = 0.0
    ended: AttemptEnded | None = None
    patch: str = ""
    graded: Graded | None = None
    spent: Spent = field(default_factory=Spent)

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.ended.outcome if self.ended else Outcome.INTERRUPTED

    @property
    def valid(self) -> bool:
        """It counts."""
        return POLICY[self.outcome].valid

    @property
    def quarantined(self) -> bool:
        """Its instance was known to be unsound when it was graded."""
        known = self.graded.report.get("quarantine", "") if self.graded else ""
        return bool(known) and known != FLAKY

    @property
    def verdict(self) -> bool | None:
        """Is it resolved? None without a verdict, and for attempts that do not count."""
        if not self.valid or self.graded is None or self.graded.error:
            return None
        return self.graded.resolved


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to.

    Attributes:
        ids: of the instances, sorted, by class: `total`, `submitted`, `completed`, `resolved`,
            `unresolved`, `empty_patch`, `error`, `infra_failure`, `incomplete`, `quarantined`.
        failure_reasons: for each instance in `error`.
        attempts: all, torn ones included.
        outcomes: how many attempts ended how; a torn one as `interrupted`.
        valid, graded, resolved: attempts that count, those of them with a verdict, resolved ones.
        sound: of the graded attempts at instances that are not in quarantine: resolved, and all.
        groups: `language`, `repository` and `model`: by each of their values how many instances
            were `submitted`, have a verdict (`graded`) and are `resolved`.
        flagged: instances that are resolved by a patch with something in it to look at.
        rigged: instances of which a patch's tests pass when they should fail.
        spent: over all attempts, whatever came of them.
        seconds: of the ended attempts: `total`, `mean`, `median`, `max`; and `wall`, from the
            first start to the last end.
        pass_at_k: for k from 1: the mean over instances of 1 - C(n-c, k) / C(n, k), where c of an
            instance's n graded attempts are resolved (Chen et al. 2021, arXiv:2107.03374), over
            the instances with n >= k.
        pass_at_k_instances: how many instances those are.
    """

    ids: Mapping[str, tuple[str, ...]]
    failure_reasons: Mapping[str, str]
    attempts: int
    outcomes: Mapping[str, int]
    valid: int
    graded: int
    resolved: int
    sound: tuple[int, int]
    groups: Mapping[str, Mapping[str, Mapping[str, int]]]
    flagged: tuple[str, ...]
    rigged: tuple[str, ...]
    spent: Spent
    seconds: Mapping[str, float]
    pass_at_k: Mapping[int, float]
    pass_at_k_instances: Mapping[int, int]

    @property
    def score_valid(self) -> float | None:
        """Resolved attempts over those that have a verdict."""
        return self.resolved / self.graded if self.graded else None

    @property
    def score_sound(self) -> float | None:
        """As `score_valid`, without the instances in quarantine."""
        resolved, graded = self.sound
        return resolved / graded if graded else None

    @property
    def score_all(self) -> float | None:
        """Resolved attempts over all that were made; None where nothing was graded."""
        return self.resolved / self.attempts if self.graded else None


def summarize(run: RunDirectory, instance_ids: Iterable[str] | None = None) -> Summary:
    """Read what the report needs from the journals.

    Args:
        run: the run.
        instance_ids: the instances wanted; None means those that have a journal. Attempts at
            others are left out.

    Raises:
        UsageError: a journal is damaged; names file and line.
    """
    found = [a for directory in run.attempt_dirs() if (a := attempt_in(directory)).instance_id]
    if instance_ids is None:
        wanted = {a.instance_id for a in found}
    else:
        wanted = set(instance_ids)
        found = [a for a in found if a.instance_id in wanted]
    return summary_of(found, wanted)


def attempt_in(directory: Path) -> Attempt:
    """One attempt; without an `instance_id` where its journal holds nothing."""
    attempt = Attempt()
    if not (directory / EVENTS).is_file():
        return attempt
    for record in records(directory, only=_KINDS):
        if completion := paid(record.event):
            attempt.spent.add(completion)
        match record.event:
            case AttemptStarted() as started:
                attempt.instance_id, attempt.started_at = started.instance_id, record.at
                attempt.model = started.model
                attempt.language = _word(started.row, "language", "repo_language", "lang")
                attempt.repository = _word(started.row, "repo")
            case SandboxReady():
                attempt.ended = None  # it is gone on with
            case PatchTaken(status=status):
                attempt.patch = status
            case AttemptEnded() as ended:
                attempt.ended, attempt.ended_at = ended, record.at
            case Graded() as graded:
                attempt.graded = graded
    return attempt


def summary_of(attempts: Sequence[Attempt], wanted: Iterable[str]) -> Summary:
    """Count. Pure: everything comes from the arguments."""
    by_id: dict[str, list[Attempt]] = {instance_id: [] for instance_id in sorted(wanted)}
    spent = Spent()
    for attempt in attempts:
        by_id[attempt.instance_id].append(attempt)
        spent.merge(attempt.spent)
    classes = {instance_id: _class(tries) for instance_id, tries in by_id.items()}
    verdicts = [[a.verdict for a in tries if a.verdict is not None] for tries in by_id.values()]
    pass_at_k, over = _pass_at_k(verdicts)
    sound = [a.verdict for a in attempts if a.verdict is not None and not a.quarantined]
    return Summary(
        ids=_ids(by_id, {i: name for i, (name, _) in classes.items()}),
        failure_reasons={i: reason for i, (_, reason) in classes.items() if reason},
        attempts=len(attempts),
        outcomes=dict(sorted(Counter(a.outcome.value for a in attempts).items())),
        valid=sum(a.valid for a in attempts),
        graded=sum(len(of_one) for of_one in verdicts),
        resolved=sum(sum(of_one) for of_one in verdicts),
        sound=(sum(sound), len(sound)),
        groups={name: _grouped(by_id, name) for name in ("language", "repository", "model")},
        flagged=tuple(i for i, tries in by_id.items() if any(map(_flagged, tries))),
        rigged=tuple(i for i, tries in by_id.items() if any(map(_rigged, tries))),
        spent=spent,
        seconds=_seconds([a for a in attempts if a.ended]),
        pass_at_k=pass_at_k,
        pass_at_k_instances=over,
    )


def report(summary: Summary) -> dict[str, Any]:
    """The content of `report.json`: SWE-bench's fields (schema version 2), then Velora's."""
    ids = summary.ids
    counts = {f"{name}_instances": len(ids[name]) for name in ("total", *_REPORTED)}
    counts["ambiguous_failure_instances"] = 0
    lists: dict[str, Any] = {f"{name}_ids": ids[name] for name in (*_REPORTED, "incomplete")}
    lists["ambiguous_failure_ids"] = ()
    return {
        **counts,
        **lists,
        "failure_reasons": dict(summary.failure_reasons),
        "schema_version": 2,
        "attempts": {
            "all": summary.attempts,
            "valid": summary.valid,
            "graded": summary.graded,
            "resolved": summary.resolved,
        },
        "outcomes": dict(summary.outcomes),
        "score": {
            "valid": summary.score_valid,
            "all": summary.score_all,
            "sound": summary.score_sound,
        },
        "flagged_ids": summary.flagged,
        "rigged_ids": summary.rigged,
        "quarantined_ids": ids["quarantined"],
        "by_language": summary.groups["language"],
        "by_repository": summary.groups["repository"],
        "pass_at_k": {str(k): value for k, value in summary.pass_at_k.items()},
        "pass_at_k_instances": {str(k): n for k, n in summary.pass_at_k_instances.items()},
        **summary.spent.shown(),
        "seconds": dict(summary.seconds),
    }


_REPORTED = (
    "submitted",
    "completed",
    "resolved",
    "unresolved",
    "infra_failure",
    "empty_patch",
    "error",
)


def evaluation_summary(summary: Summary, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The content of VeloraHarness's `evaluation_summary.json`: rates are over the instances that
    have a verdict, 0 to 1."""
    models = {
        model: {
            "total": counts["graded"],
            "resolved": counts["resolved"],
            "pass_rate": counts["resolved"] / counts["graded"] if counts["graded"] else 0.0,
        }
        for model, counts in summary.groups["model"].items()
    }
    graded = len(summary.ids["completed"])
    return {
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": dict(settings),
        "total_evaluations": len(summary.ids["submitted"]),
        "successful_evaluations": graded,
        "failed_evaluations": len(summary.ids["submitted"]) - graded,
        "results_by_model": models,
    }


def write_report(run: RunDirectory, summary: Summary) -> None:
    """Write `report.json` and, once something is graded, `evaluation_summary.json`, and see to it
    that `ledger.jsonl` agrees. Waits for the disk."""
    spent = summary.spent
    ledger.agree(run, summary.ids["total"], calls=spent.calls, cost=spent.cost)
    content = orjson.dumps(report(summary), option=orjson.OPT_INDENT_2)
    write_atomic(run.report_file, content + b"\n")
    if summary.graded and run.metadata_file.exists():
        settings = run.metadata().get("configuration", {}).get("evaluation", {})
        content = orjson.dumps(evaluation_summary(summary, settings), option=orjson.OPT_INDENT_2)
        write_atomic(run.report_file.with_name("evaluation_summary.json"), content + b"\n")


def wanted_in(run: RunDirectory) -> set[str] | None:
    """The instances that the run's `report.json` is about; None where there is none to read."""
    try:
        old = orjson.loads(run.report_file.read_bytes())
        return {i for name in _PARTS for i in old[f"{name}_ids"]}
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError):
        return None


_PARTS = ("completed", "empty_patch", "error", "incomplete")
"""Each instance is in exactly one of these."""


def _class(tries: Sequence[Attempt]) -> tuple[str, str]:
    """An instance's class and, where it is an error, the reason."""
    valid = [a for a in tries if a.valid]
    if any(a.verdict for a in valid):
        return "resolved", ""
    if any(a.verdict is not None and a.patch != "empty" for a in valid):
        return "unresolved", ""
    if valid and all(a.patch == "empty" for a in valid):
        return "empty_patch", ""
    broken = [a.graded.error for a in valid if a.graded and a.graded.error]
    if broken:
        return "error", f"{Outcome.GRADER_FAILED}: {broken[-1]}"
    failed = [a.ended for a in tries if a.ended and a.outcome is not Outcome.INTERRUPTED]
    if failed and not valid:
        detail = failed[-1].detail
        return "infra_failure", f"{failed[-1].outcome}: {detail}" if detail else failed[-1].outcome
    return "incomplete", ""


def _ids(
    by_id: Mapping[str, Sequence[Attempt]], classes: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    def of(*names: str) -> tuple[str, ...]:
        return tuple(i for i in by_id if classes[i] in names)

    return {
        "total": tuple(by_id),
        "submitted": tuple(i for i, tries in by_id.items() if any(a.valid for a in tries)),
        "completed": of("resolved", "unresolved"),
        "resolved": of("resolved"),
        "unresolved": of("unresolved"),
        "empty_patch": of("empty_patch"),
        "error": of("error", "infra_failure"),
        "infra_failure": of("infra_failure"),
        "incomplete": of("incomplete"),
        "quarantined": tuple(i for i, tries in by_id.items() if any(a.quarantined for a in tries)),
    }


def _grouped(by_id: Mapping[str, Sequence[Attempt]], name: str) -> dict[str, dict[str, int]]:
    groups: dict[str, dict[str, int]] = {}
    for tries in by_id.values():
        for key in dict.fromkeys(getattr(attempt, name) for attempt in tries):
            of_key = [attempt for attempt in tries if getattr(attempt, name) == key]
            counts = groups.setdefault(key, {"submitted": 0, "graded": 0, "resolved": 0})
            counts["submitted"] += any(attempt.valid for attempt in of_key)
            counts["graded"] += any(attempt.verdict is not None for attempt in of_key)
            counts["resolved"] += any(attempt.verdict for attempt in of_key)
    return dict(sorted(groups.items()))


def _word(row: Mapping[str, Any], *keys: str) -> str:
    """The first of the fields that is text."""
    return next((value for key in keys if isinstance(value := row.get(key), str) and value), "")


def _flagged(attempt: Attempt) -> bool:
    return bool(attempt.verdict and attempt.graded and attempt.graded.report.get("flags"))


def _rigged(attempt: Attempt) -> bool:
    return bool(attempt.graded and attempt.graded.reason == "rigged")


def _pass_at_k(verdicts: Sequence[Sequence[bool]]) -> tuple[dict[int, float], dict[int, int]]:
    values, over = {}, {}
    for k in range(1, max(map(len, verdicts), default=0) + 1):
        rates = [1 - comb(len(v) - sum(v), k) / comb(len(v), k) for v in verdicts if len(v) >= k]
        values[k], over[k] = statistics.fmean(rates), len(rates)
    return values, over


def _seconds(ended: Sequence[Attempt]) -> dict[str, float]:
    if not ended:
        return {"total": 0.0, "mean": 0.0, "median": 0.0, "max": 0.0, "wall": 0.0}
    durations = [a.ended.duration for a in ended if a.ended]
    return {
        "total": sum(durations),
        "mean": statistics.fmean(durations),
        "median": statistics.median(durations),
        "max": max(durations),
        "wall": max(a.ended_at for a in ended) - min(a.started_at for a in ended),
    }
