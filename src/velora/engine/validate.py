"""Are the tasks of a data set sound? Each is run without a patch and, several times, with its own.

The results are lines of `results.jsonl`, appended as they come: the same command again does only
what is not there yet. Runs without a patch, which never change, are kept by image digest and
command, and shared by all data sets and validations of this user.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from velora import __version__
from velora.config.loader import load
from velora.config.names import safe_name
from velora.config.settings import Settings
from velora.engine.choice import open_place
from velora.engine.places import Place, Started
from velora.engine.prepare import check_parsers
from velora.engine.start import working_directory
from velora.errors import POLICY, Outcome, attribute
from velora.grading.grade import grade
from velora.grading.soundness import Finding, Observed, Soundness, findings
from velora.instances.model import Instance
from velora.instances.quarantine import Entry, Quarantine
from velora.instances.read import read, select
from velora.journal.files import append_line, write_atomic
from velora.journal.lock import locked
from velora.journal.metadata import file_digest
from velora.journal.run import dataset_name

RESULTS = "results.jsonl"
QUARANTINE = "quarantine.json"
REPORT = "report.json"

_GRADER = 2
"""Changes when grading does, so that kept runs are not taken for runs of another grader."""

_PASSING = frozenset(outcome.value for outcome, policy in POLICY.items() if policy.retried)
"""Outcomes that are no fault of the task: tried again, now and by the next command."""

_OPEN = _PASSING | {Outcome.IMAGE_MISSING.value}
"""Outcomes after which the next command tries again: somebody may have brought the image."""

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What `velora validate` was asked for.

    Attributes:
        runs: with the gold patch, of each instance.
        cache: where runs without a patch are kept; None keeps none.
    """

    dataset: Path
    family: str = ""
    ids: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    limit: int | None = None
    runs: int = 2
    output_dir: Path = Path("evaluation/validations")
    cache: Path | None = None
    config_file: Path | None = None
    workers: int | None = None
    timeout: float | None = None
    backend: str = ""
    image: str = ""

    @property
    def directory(self) -> Path:
        """Where the results go."""
        return self.output_dir / dataset_name(str(self.dataset))


@dataclass(frozen=True, slots=True)
class Result:
    """What an instance is, and the evidence."""

    instance_id: str
    language: str
    key: str
    before: Observed
    after: tuple[Observed, ...]
    findings: tuple[Finding, ...]

    @property
    def soundness(self) -> Soundness:
        """The gravest."""
        return self.findings[0].soundness

    def row(self) -> dict[str, Any]:
        """As a line of `results.jsonl`."""
        return {
            "instance_id": self.instance_id,
            "soundness": self.soundness,
            "findings": [asdict(each) for each in self.findings],
            "language": self.language,
            "before": _plain(self.before),
            "after": [_plain(each) for each in self.after],
            "key": self.key,
        }

    @staticmethod
    def of(row: Mapping[str, Any]) -> Result:
        """The inverse of `row`."""
        return Result(
            row["instance_id"],
            row["language"],
            row["key"],
            _observed(row["before"]),
            tuple(map(_observed, row["after"])),
            tuple(
                Finding(Soundness(each["soundness"]), each["why"], tuple(each["tests"]))
                for each in row["findings"]
            ),
        )


@dataclass(frozen=True, slots=True)
class Validation:
    """What came of it, in the data set's order."""

    directory: Path
    results: tuple[Result, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many instances are what."""
        counted = Counter(result.soundness for result in self.results)
        return {each.value: counted[each] for each in Soundness}


async def validate(request: Request, tell: Callable[[Result], None]) -> Validation:
    """Run what is not known yet of the instances chosen, and write what is known of all.

    Args:
        tell: called for each instance when it is known.

    Raises:
        UsageError: the data set, the configuration or the sandbox cannot be used.
    """
    settings = _settings(request)
    rows = read(request.dataset, request.family)
    instances = select(rows, limit=request.limit, ids=request.ids, skip=request.skip)
    check_parsers(instances)
    directory = request.directory
    directory.mkdir(parents=True, exist_ok=True)
    with locked(directory / ".lock"):
        known = _known(directory / RESULTS)
        keys = {one.instance_id: _key(one, settings, request.image) for one in rows}
        owed = [
            one
            for one in instances
            if (had := known.get(one.instance_id)) is None
            or had.key != keys[one.instance_id]
            or len(had.after) != request.runs
        ]
        if owed:
            async with open_place(
                settings.sandbox, run=str(directory), instances=owed, override=request.image
            ) as place:
                with _appending(directory / RESULTS) as results_fd:
                    work = _Work(request, settings, place, directory, results_fd, keys, tell, known)
                    await work.all(owed)
        chosen = Validation(directory, tuple(known[one.instance_id] for one in instances))
        # What other commands found out of the other instances stays in the quarantine.
        names = {one.instance_id for one in instances}
        current = tuple(
            result
            for name, key in keys.items()
            if (result := known.get(name)) and (result.key == key or name in names)
        )
        _write(request, Validation(directory, current))
    return chosen


@dataclass(slots=True)
class _Work:
    request: Request
    settings: Settings
    place: Place
    directory: Path
    results: int  # the descriptor of the results' file
    keys: Mapping[str, str]
    tell: Callable[[Result], None]
    known: dict[str, Result]
    slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        workers = self.settings.evaluation.num_workers or os.cpu_count() or 1
        self.slots = asyncio.Semaphore(workers)

    async def all(self, instances: list[Instance]) -> None:
        """Every instance; a fault of this machine ends it, one of a task is a result."""
        async with asyncio.TaskGroup() as group:
            for instance in instances:
                group.create_task(self._one(instance))

    async def _one(self, instance: Instance) -> None:
        async with asyncio.TaskGroup() as group:
            before = group.create_task(self._run(instance, "before", b"", 0))
            gold = instance.patch.encode("utf-8", "surrogatepass")
            after = [
                group.create_task(self._run(instance, f"gold-{number}", gold, number))
                for number in range(1, self.request.runs + 1)
            ]
        observed = before.result(), tuple(task.result() for task in after)
        found = findings(
            instance.fail_to_pass,
            instance.pass_to_pass,
            *observed,
            limit=self.settings.evaluation.timeout,
        )
        name = instance.instance_id
        unsettled = any(run.reason in _OPEN for run in (observed[0], *observed[1]))
        key = "" if unsettled else self.keys[name]
        result = Result(name, instance.language, key, *observed, found)
        append_line(self.results, orjson.dumps(result.row()) + b"\n")
        self.known[name] = result
        self.tell(result)

    async def _run(self, instance: Instance, what: str, patch: bytes, number: int) -> Observed:
        if what != "before" and not patch.strip():
            return Observed(frozenset(), "", 0.0, "the row has no gold patch")
        async with self.slots:
            for _ in range(_TRIES):
                try:
                    async with self.place.sandbox(
                        instance, attempt=number, network=self.settings.evaluation.network
                    ) as started:
                        return await self._observe(instance, what, patch, started)
                except Exception as error:  # the boundary: a task that cannot be run is a result
                    outcome, detail = attribute(error)
                if outcome not in _PASSING:
                    break
            return Observed(frozenset(), outcome, 0.0, f"{what}: {outcome}: {detail}")

    async def _observe(
        self, instance: Instance, what: str, patch: bytes, started: Started
    ) -> Observed:
        kept = None
        if self.request.cache is not None and not patch and started.digest:
            base = _key(replace(instance, patch=""), self.settings)
            name = hashlib.sha256(f"{started.digest} {base}".encode())
            kept = self.request.cache / f"{name.hexdigest()}.json"
            if kept.exists():
                return _observed(orjson.loads(await asyncio.to_thread(kept.read_bytes)))
        workdir = await working_directory(started, instance)
        verdict = await grade(
            instance,
            patch,
            sandbox=started.sandbox,
            workdir=workdir.path,
            out_dir=self.directory / safe_name(instance.instance_id) / what,
            settings=self.settings.evaluation,
            own=True,
        )
        observed = Observed.of(verdict)
        if kept is not None and not verdict.timed_out:  # which may be the machine's load
            kept.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(write_atomic, kept, orjson.dumps(_plain(observed)))
        return observed


def _settings(request: Request) -> Settings:
    loaded = load(
        request.config_file,
        overrides={
            "sandbox.backend": request.backend or None,
            "evaluation.num_workers": request.workers,
            "evaluation.timeout": request.timeout,
        },
        env=os.environ,
    )
    return loaded.settings


def _key(instance: Instance, settings: Settings, image: str = "") -> str:
    """What decides the results of an instance, but for its image's content.

    Args:
        image: that takes the place of one that is not found.
    """
    facts = asdict(replace(instance, row={}, source="", problem_statement="", hints_text=""))
    evaluation = settings.evaluation.model_dump(exclude={"num_workers", "quarantine"})
    data = [_GRADER, facts, evaluation, settings.sandbox.model_dump(mode="json"), image]
    return hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _known(path: Path) -> dict[str, Result]:
    """The last whole line of each instance; a line that a crash cut off is none."""
    known: dict[str, Result] = {}
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for line in lines[:-1]:
        try:
            result = Result.of(orjson.loads(line))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            continue
        known[result.instance_id] = result
    return known


@contextmanager
def _appending(path: Path) -> Iterator[int]:
    """The results' file, at the beginning of a line: a crash may have left a torn one."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            append_line(fd, b"\n")
        yield fd
    finally:
        os.close(fd)


def _write(request: Request, validation: Validation) -> None:
    entries = {}
    for result in validation.results:
        graver = [one for one in result.findings if one.soundness is not Soundness.SLOW]
        if graver and graver[0].soundness is not Soundness.SOUND:
            first = graver[0]
            entries[result.instance_id] = Entry(
                soundness=first.soundness.value, why=first.why, tests=first.tests
            )
    quarantine = Quarantine(
        dataset=str(request.dataset),
        dataset_sha256=file_digest(request.dataset),
        instances=entries,
    )
    text = quarantine.model_dump_json(indent=2).encode()
    write_atomic(validation.directory / QUARANTINE, text + b"\n")
    by_class: dict[str, list[str]] = {each.value: [] for each in Soundness}
    for result in validation.results:
        by_class[result.soundness].append(result.instance_id)
    report = {
        "dataset": str(request.dataset),
        "velora": __version__,
        "instances": len(validation.results),
        "counts": validation.counts,
        "ids": by_class,
    }
    data = orjson.dumps(report, option=orjson.OPT_INDENT_2)
    write_atomic(validation.directory / REPORT, data + b"\n")


def _plain(observed: Observed) -> dict[str, Any]:
    return {
        "passed": sorted(observed.passed),
        "reason": observed.reason,
        "seconds": round(observed.seconds, 3),
        "error": observed.error,
    }


def _observed(row: Mapping[str, Any]) -> Observed:
    return Observed(frozenset(row["passed"]), row["reason"], row["seconds"], row["error"])
