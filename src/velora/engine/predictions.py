"""Patches that somebody else made → a run's directory, as if they had been made here, and graded.

Each prediction becomes an ended attempt of the agent `predictions`: a journal with its row and its
patch. From there on it is a run like any other: grading, resuming, showing and reporting know
nothing of where the patches came from.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from velora import __version__
from velora.config.digest import digest
from velora.config.environment import from_environment
from velora.config.loader import load
from velora.config.masking import masked
from velora.config.redact import Redactor
from velora.config.settings import Settings
from velora.engine.observer import AttemptKey, Observer
from velora.engine.prepare import check_parsers
from velora.engine.regrade import Regrade, regrade
from velora.engine.session import Result, run_name
from velora.errors import Outcome, UsageError, nearest
from velora.grading.patchfile import paths
from velora.instances.model import Instance
from velora.instances.predictions import Prediction, check_doubled, read_predictions, several
from velora.instances.read import read, select, unknown_ids
from velora.journal.events import AttemptEnded, AttemptStarted, Noted, PatchTaken
from velora.journal.metadata import RunFacts, command_line, file_digest
from velora.journal.owed import owed
from velora.journal.projections import reconcile
from velora.journal.projector import Projector
from velora.journal.report import summarize, write_report
from velora.journal.run import RunDirectory, run_path
from velora.journal.store import AttemptJournal

AGENT = "predictions"
GOLD = "gold"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `velora evaluate --predictions` was asked for; None and "" leave the configuration's.

    Attributes:
        predictions: a file, or `gold` for the data set's own patches.
        output_dir: where runs are kept.
    """

    predictions: str
    dataset: Path
    split: str = ""
    family: str = ""
    output_dir: Path = Path("evaluation/evaluation_outputs/outputs")
    note: str = ""
    limit: int | None = None
    ids: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    config_file: Path | None = None
    again: bool = False
    workers: int | None = None
    timeout: float | None = None
    backend: str = ""
    image: str = ""
    quarantine: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """An evaluation that holds together.

    Attributes:
        predictions: of each instance that has any, in the order of their attempts.
        missing: the ids of the instances without one.
        source: the digest of the predictions.
    """

    request: Evaluation
    settings: Settings
    instances: tuple[Instance, ...]
    rows: int
    predictions: Mapping[str, Sequence[Prediction]]
    missing: tuple[str, ...]
    model: str
    source: str
    notices: tuple[str, ...]

    @property
    def directory(self) -> RunDirectory:
        """Where the run is kept."""
        request = self.request
        return RunDirectory(
            run_path(
                request.output_dir,
                dataset=str(request.dataset),
                split=request.split or "train",
                agent=AGENT,
                model=self.model,
                max_iterations=0,
                note=request.note,
            )
        )


def prepare(request: Evaluation) -> Ready:
    """Read everything and see whether it fits; starts nothing and writes nothing.

    Raises:
        UsageError: for whatever does not hold together.
    """
    environment = from_environment(os.environ)
    loaded = load(
        request.config_file,
        overrides={
            "sandbox.backend": request.backend or None,
            "evaluation.num_workers": request.workers,
            "evaluation.timeout": request.timeout,
            "evaluation.quarantine": request.quarantine or None,
        },
        env=os.environ,
    )
    rows = read(request.dataset, request.family)
    skip = (*environment.skip_ids, *request.skip)
    instances = select(rows, limit=request.limit, ids=request.ids, skip=skip)
    if not instances:
        raise UsageError("no instance is left to grade", where=str(request.dataset))
    if request.predictions == GOLD:
        found, model = _gold(rows), GOLD
        source = hashlib.sha256(b"".join(one.patch for one in found)).hexdigest()
    else:
        file = Path(request.predictions)
        found = _matched(read_predictions(file), rows)
        model, source = _model(found, file), file_digest(file)
    by_id: dict[str, list[Prediction]] = {}
    for one in sorted(found, key=lambda each: each.attempt):
        by_id.setdefault(one.instance_id, []).append(one)
    wanted = [instance.instance_id for instance in instances]
    missing = tuple(one for one in wanted if one not in by_id)
    if len(missing) == len(wanted):
        raise UsageError("none of the instances has a prediction", where=request.predictions)
    predicted = [instance for instance in instances if instance.instance_id in by_id]
    check_parsers(predicted)
    attempts = max(len(by_id[one.instance_id]) for one in predicted)
    run = loaded.settings.run.model_copy(update={"attempts": attempts})
    notices = [*environment.notices, *loaded.notices]
    notices += [f"'{one}' is to be skipped and is in no row" for one in unknown_ids(rows, skip)]
    return Ready(
        request=request,
        settings=loaded.settings.model_copy(update={"run": run}),
        instances=tuple(instances),
        rows=len(rows),
        predictions={one.instance_id: by_id[one.instance_id] for one in predicted},
        missing=missing,
        model=model,
        source=source,
        notices=tuple(notices),
    )


async def evaluate(ready: Ready, observe: Observer) -> Result:
    """Write what is not written yet, grade what is not graded yet.

    Raises:
        UsageError: the run's directory is another's, or no sandbox can be had.
    """
    request, directory = ready.request, ready.directory
    redactor = Redactor.of(ready.settings, os.environ)
    await asyncio.to_thread(_record, ready, directory, redactor, observe)
    result = await regrade(
        Regrade(
            directory.path,
            again=request.again,
            workers=request.workers,
            timeout=request.timeout,
            backend=request.backend,
            image=request.image,
            quarantine=request.quarantine,
        ),
        observe,
    )
    return replace(result, missing=ready.missing)


def _record(ready: Ready, directory: RunDirectory, redactor: Redactor, observe: Observer) -> None:
    """Make the run's directory, with an attempt for each prediction."""
    wanted = [instance.instance_id for instance in ready.instances]
    directory.create()
    with directory.lock():
        configuration = _claim(ready, directory, redactor)
        reconcile(directory)
        for instance in ready.instances:
            predictions = ready.predictions.get(instance.instance_id, ())
            (due,) = owed([instance.instance_id], len(predictions), directory)
            made = len(predictions) - due.attempts
            for number, one in enumerate(predictions[made:], due.next_attempt):
                _attempt(one, instance, number, configuration, ready, redactor, observe)
        write_report(directory, summarize(directory, wanted))


def _attempt(
    prediction: Prediction,
    instance: Instance,
    number: int,
    configuration: str,
    ready: Ready,
    redactor: Redactor,
    observe: Observer,
) -> None:
    directory = ready.directory
    projector = Projector(directory, instance.instance_id, number)
    key = AttemptKey(instance.instance_id, number)
    patch = prediction.patch if prediction.patch.strip() else b""
    with AttemptJournal.create(
        directory.attempt_dir(instance.instance_id, number),
        redact=redactor.redact,
        listeners=[projector, lambda record: observe(key, record)],
    ) as journal:
        journal.append(
            AttemptStarted(
                instance_id=instance.instance_id,
                attempt=number,
                run=run_name(directory),
                configuration=configuration,
                model=prediction.model or ready.model,
                agent=AGENT,
                velora=__version__,
                row=dict(instance.row),
            )
        )
        journal.append(Noted("prediction", prediction.note or f"taken from {prediction.where}"))
        journal.write_patch(patch)
        journal.append(
            PatchTaken(
                status="patch" if patch else "empty",
                size=len(patch),
                sha256=hashlib.sha256(patch).hexdigest(),
                files=tuple(path.decode("utf-8", "replace") for path in paths(patch)),
            )
        )
        journal.append(AttemptEnded(Outcome.FINISHED))
        journal.sync()
    projector.finish()


def _claim(ready: Ready, directory: RunDirectory, redactor: Redactor) -> str:
    """Be the directory's run; returns the configuration's digest."""
    request = ready.request
    if next(directory.attempt_dirs(), None) is None:
        directory.metadata_file.unlink(missing_ok=True)
    elif directory.metadata().get("details", {}).get("predictions_sha256") != ready.source:
        raise UsageError(
            f"the run in this directory was made from other predictions than {request.predictions}",
            where=str(directory.path),
            hint="start another run beside it with --eval-note NOTE, or move it away",
        )
    configuration = digest(ready.settings, {"predictions": ready.source})
    directory.claim(
        RunFacts(
            configuration=masked(ready.settings),
            digest=configuration,
            agent=AGENT,
            dataset=str(request.dataset),
            dataset_sha256=file_digest(request.dataset),
            dataset_rows=ready.rows,
            split=request.split or "train",
            argv=command_line(),
            details={
                "predictions": request.predictions,
                "predictions_sha256": ready.source,
                "missing": list(ready.missing),
            },
        ),
        redactor.redact,
    )
    return configuration


def _gold(instances: Iterable[Instance]) -> list[Prediction]:
    return [
        Prediction(
            one.instance_id,
            one.patch.encode("utf-8", "surrogatepass"),
            GOLD,
            1,
            one.source,
        )
        for one in instances
        if one.patch.strip()
    ]


def _matched(predictions: Sequence[Prediction], rows: Sequence[Instance]) -> list[Prediction]:
    """The predictions by the data set's ids.

    Raises:
        UsageError: one is for an instance that there is not, or two for one; with the line.
    """
    known = {instance.instance_id: instance.instance_id for instance in rows}
    for instance in rows:  # Multi-SWE-bench's two other ways to name a pull request
        if instance.family == "multi_swe_bench":
            row = instance.row
            org, name, number = row.get("org"), instance.repo.rpartition("/")[2], row.get("number")
            known.setdefault(f"{org}__{name}-{number}", instance.instance_id)
            known.setdefault(f"{org}/{name}:pr-{number}", instance.instance_id)
    unknown = [one for one in predictions if one.instance_id not in known]
    if unknown:
        close = nearest(unknown[0].instance_id, known)
        told = [f"{one.where}: no instance has the id '{one.instance_id}'" for one in unknown]
        raise UsageError(several(told), hint=close if close.startswith("did you mean") else "")
    found = [replace(one, instance_id=known[one.instance_id]) for one in predictions]
    check_doubled(found)
    return found


def _model(predictions: Sequence[Prediction], file: Path) -> str:
    """What the run is named after: the model, if all are of one, else the file."""
    models = {one.model.strip() for one in predictions}
    name = models.pop().rstrip("/") if len(models) == 1 else ""
    return name if name.rpartition("/")[2] not in {"", ".", ".."} else file.stem
