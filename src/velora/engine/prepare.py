"""From what the user typed to a run that is ready to start.

Everything that a user can get wrong is found here, in this order and before anything is started:
flags, configuration, model and key, dataset, run directory, sandbox, images.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from velora.agent.kinds import kind_of
from velora.config.digest import digest
from velora.config.environment import FromEnvironment, from_environment
from velora.config.loader import Loaded, load
from velora.config.masking import masked
from velora.config.settings import Settings
from velora.engine.choice import open_place
from velora.engine.places import Place
from velora.errors import ImageMissing, TaskInvalid, UsageError
from velora.grading.parsers import registry
from velora.instances.model import Instance
from velora.instances.quarantine import Quarantine
from velora.instances.read import read, select, unknown_ids
from velora.journal.metadata import file_digest
from velora.journal.run import RunDirectory, run_path
from velora.tools.build import check as check_tools


@dataclass(frozen=True, slots=True)
class Request:
    """What `velora run` was asked for; None and "" mean that the configuration decides.

    `name` stands for the dataset's path in the run directory's name.
    """

    dataset: Path
    split: str = ""
    config_file: Path | None = None
    llm_config: str = ""
    agent_config: str = ""
    agent_cls: str = ""
    max_iterations: int | None = None
    max_budget_per_task: float | None = None
    max_budget: float | None = None
    limit: int | None = None
    ids: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    workers: int | None = None
    attempts: int | None = None
    note: str = ""
    output_dir: Path = Path("evaluation/evaluation_outputs/outputs")
    backend: str = ""
    image: str = ""
    evaluate: bool = False
    quarantine: str = ""
    ignore_missing_images: bool = False
    name: str = ""
    family: str = ""
    resume: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that holds together. `notices` are to be shown once."""

    request: Request
    settings: Settings
    environment: FromEnvironment
    agent_cls: str
    split: str
    instances: tuple[Instance, ...]
    notices: tuple[str, ...]
    source: Path | None = None
    configuration: str = ""
    rows: int = 0
    quarantine: Quarantine | None = None
    shown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def directory(self) -> RunDirectory:
        """Where the run is kept."""
        request = self.request
        return RunDirectory(
            run_path(
                request.output_dir,
                dataset=request.name or str(request.dataset),
                split=self.split,
                agent=self.agent_cls,
                model=_directory_name(self.settings.llm.model),
                max_iterations=self.settings.core.max_iterations,
                note=request.note,
            )
        )


def prepare(request: Request, env: Mapping[str, str] | None = None) -> Prepared:
    """Resolve configuration and dataset; starts nothing and writes nothing.

    Raises:
        UsageError: for whatever does not hold together.
    """
    env = os.environ if env is None else env
    environment = from_environment(env)
    loaded = _load(request, environment, env)
    loaded.require_model()
    agent_cls = loaded.settings.core.default_agent
    check_tools(loaded.settings, kind_of(agent_cls).tools)
    notices = [*environment.notices, *loaded.notices]
    if request.split:
        notices.append(f"--split {request.split}: a file has no splits; all its rows are used")
    rows = read(request.dataset, request.family)
    skip = (*environment.skip_ids, *request.skip)
    notices += [f"'{one}' is to be skipped and is in no row" for one in unknown_ids(rows, skip)]
    instances = select(rows, limit=request.limit, ids=request.ids, skip=skip)
    if not instances:
        raise UsageError("no instance is left to run", where=str(request.dataset))
    if request.evaluate:
        check_parsers(instances)
    return Prepared(
        request=request,
        quarantine=Quarantine.named(loaded.settings.evaluation.quarantine),
        settings=loaded.settings,
        environment=environment,
        agent_cls=agent_cls,
        split=request.split or "train",
        instances=tuple(instances),
        notices=tuple(notices),
        source=loaded.source,
        configuration=digest(loaded.settings, _templates(loaded.settings)),
        rows=len(rows),
        shown=masked(loaded.settings),
    )


def check_parsers(instances: Iterable[Instance]) -> None:
    """A parser that is not known would only be found out after the model has been paid.

    Raises:
        UsageError: a row names one.
    """
    for instance in instances:
        try:
            registry.resolve(instance.test_output_parser)
        except UsageError as error:
            raise UsageError(error.message, where=instance.source, hint=error.hint) from None


def _templates(settings: Settings) -> dict[str, str]:
    """The digests of the prompt files: another text under the same name is another run."""
    agent = settings.agent
    files = (agent.system_prompt_filename, agent.instruction_template, agent.tools_file)
    return {name: file_digest(Path(name)) for name in files if name and Path(name).is_file()}


def _load(request: Request, environment: FromEnvironment, env: Mapping[str, str]) -> Loaded:
    return load(
        request.config_file,
        llm=request.llm_config,
        agent=request.agent_config,
        condenser=environment.condenser,
        overrides={
            **environment.overrides,
            "core.default_agent": request.agent_cls or None,
            "core.max_iterations": request.max_iterations,
            "run.max_budget_per_task": request.max_budget_per_task,
            "run.max_budget": request.max_budget,
            "run.num_workers": request.workers,
            "run.attempts": request.attempts,
            "run.resume": request.resume or None,
            "sandbox.backend": request.backend or None,
            "evaluation.quarantine": request.quarantine or None,
        },
        env=env,
    )


def _directory_name(model: str) -> str:
    """`scripted:dir/x.yaml` is a model too; its directory is named `scripted-x`."""
    kind, _, file = model.partition(":")
    return f"{kind}-{Path(file).stem}" if kind in {"scripted", "replay"} else model


@asynccontextmanager
async def checked_place(prepared: Prepared, run: str) -> AsyncIterator[Place]:
    """The place where the run's sandboxes start, with every instance's image known to be there.

    Raises:
        UsageError: no sandbox can be had, or images are missing.
    """
    request = prepared.request
    async with open_place(
        prepared.settings.sandbox,
        run=run,
        instances=prepared.instances,
        override=request.image,
        prefix=prepared.environment.image_prefix or "mswebench",
    ) as place:
        missing = []
        for instance in prepared.instances:
            try:
                await place.check(instance)
            except (ImageMissing, TaskInvalid) as error:
                text = str(error)
                seen = text.startswith(instance.source)
                missing.append(text if seen else f"{instance.source}: {text}")
        if missing and not request.ignore_missing_images:
            shown = "\n".join(missing[:10])
            more = f"\n... and {len(missing) - 10} more" if len(missing) > 10 else ""
            count = f"{len(missing)} of {len(prepared.instances)} instances"
            raise UsageError(
                f"{count} have no image:\n{shown}{more}",
                where=str(request.dataset),
                hint="--ignore-missing-images runs the others; --skip-ids leaves some out",
            )
        yield place
