"""One run of a task's tests on one patch: apply, run, read the log and the reports.

What the results are worth is `verdict`'s affair; this only says what was seen.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from velora import languages
from velora.grading.apply import ApplyResult, apply
from velora.grading.log import FileLog
from velora.grading.parsers import registry
from velora.grading.parsers.registry import Reading
from velora.grading.parsers.tally import together
from velora.grading.patchfile import paths
from velora.grading.protocol import Evidence, Source
from velora.grading.report import FIRST, Diary, Kept, write
from velora.grading.reports import Collected, Recipe, choose, collect, prepare
from velora.grading.run import Ran, eval_script, run
from velora.grading.tamper import test_files
from velora.instances.model import Instance
from velora.sandbox.protocol import Sandbox
from velora.sandbox.steps import take_steps

WRAPPERS = re.compile(r"\b(?:sudo|su|tox|nox|make|hatch|nix|docker)\b|\benv +-i|\bunset +PYTEST")
"""What may keep the environment from the framework."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is graded, and where.

    Attributes:
        sandbox: started, from the instance's image, and used for nothing before.
        workdir: the working directory in it.
        out_dir: where the evidence goes.
        timeout: seconds for the test command.
        parser: in place of the row's `test_output_parser`.
        language: of rows that name none.
        pool: where logs are parsed; None is the event loop's own.
        reports: ask the frameworks for reports.
        excused: listed names that decide nothing.
    """

    instance: Instance
    sandbox: Sandbox
    workdir: str
    out_dir: Path
    timeout: float
    parser: str = ""
    language: str = ""
    pool: Executor | None = None
    reports: bool = True
    excused: frozenset[str] = frozenset()

    @property
    def profile(self) -> languages.Profile:
        """The language's."""
        return languages.get(self.instance.language or self.language)

    @property
    def command(self) -> str:
        """What runs the tests: the row's command, or else the language's."""
        own = self.instance.test_command
        return own if own.strip() else self.profile.test_command

    @property
    def activation(self) -> tuple[str, ...]:
        """What goes before it."""
        own = self.instance.test_command.strip() or self.instance.activation
        return self.instance.activation if own else self.profile.activation

    @property
    def named_parser(self) -> str:
        """The parser that the caller or the row names, or ""."""
        return self.parser or self.instance.test_output_parser


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run of the tests showed.

    Attributes:
        reading: of the log.
        reports: what the frameworks wrote beside it.
        missing: frameworks whose report should be there and is not.
    """

    ran: Ran
    reading: Reading
    reports: tuple[Collected, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What the verdict takes, best first."""
        report = together([each.testimony for each in self.reports])
        if not report.results:
            return self.reading.evidence
        return (*self.reading.evidence, Evidence(Source.REPORT, report))


Fresh = Callable[[], AbstractAsyncContextManager[tuple[Sandbox, str]]]
"""Starts another sandbox from the same image: it, and the working directory in it."""


def tests_of(task: Task, patch: bytes) -> tuple[bytes, ...]:
    """The test files of a patch (`tamper.test_files`), which are put back before the tests run."""
    return test_files(patch, _encoded(task.instance.patch), task.profile)


def put_back(task: Task, tests: tuple[bytes, ...]) -> frozenset[bytes]:
    """The files of a patch that are put back before the tests run, and those of the test patches:
    what the patch makes of them decides nothing.

    Args:
        tests: the patch's own, from `tests_of`.
    """
    brought = {path for text in task.instance.test_patches for path in paths(_encoded(text))}
    return frozenset((*brought, *tests, *map(os.fsencode, task.instance.restore)))


async def put_in(
    task: Task, patch: bytes, tests: tuple[bytes, ...], diary: Diary, tmp: str
) -> ApplyResult:
    """Bring a sandbox at the task's start to the state in which the tests are run.

    Args:
        patch: the model's; b"" for none.
        tests: its test files, from `tests_of`.

    Raises:
        TaskInvalid: the row's own commands fail, or a test patch does not apply.
        GraderFailed, SandboxLost: no verdict is possible.
    """
    instance = task.instance
    applied = await apply(
        task.sandbox,
        patch,
        instance.test_patches,
        workdir=task.workdir,
        tmp=tmp,
        restore=(*instance.restore, *map(os.fsdecode, tests)),
    )
    for line in applied.log:
        diary.note(line)
    if applied.model_applied:
        steps = instance.test_setup
        await take_steps(task.sandbox, steps, workdir=task.workdir, what="test_setup")
    return applied


async def run_tests(task: Task, diary: Diary, tmp: str, *, kept: Kept = FIRST) -> Measured:
    """Run the test command and read what it wrote.

    A command that stumbles over the request for a report and runs no test is run once more
    without it.

    Args:
        kept: under which names its log and script are kept.

    Raises:
        GraderFailed, SandboxLost, OSError: no verdict is possible.
    """
    recipes = choose(task.profile.name) if task.reports else ()
    measured = await _run(task, recipes, diary, tmp, kept=kept)
    asked = any(recipe.environment for recipe in recipes)
    if asked and not measured.reading.parsed.results and not measured.ran.timed_out:
        diary.note("no test was read; the command runs again without a request for reports")
        plain = await _run(task, (), diary, tmp, kept=kept)
        if plain.reading.parsed.results:
            return plain
    return measured


async def _run(
    task: Task, recipes: tuple[Recipe, ...], diary: Diary, tmp: str, *, kept: Kept
) -> Measured:
    place = f"{tmp}/reports-{secrets.token_hex(4)}"
    prologue = await prepare(task.sandbox, recipes, place)
    command = task.command
    script = eval_script(command, task.workdir, (*task.activation, *prologue))
    log = task.out_dir / kept.output
    write(task.out_dir / kept.script, script.encode("utf-8", "surrogatepass"))
    ran = await run(
        task.sandbox,
        script,
        workdir=task.workdir,
        tmp=tmp,
        output=log,
        timeout=task.timeout,
    )
    ended = f"killed at the limit of {task.timeout:g} s," if ran.timed_out else ""
    diary.note(f"tests: {ended or f'exit status {ran.exit_code}'} after {ran.duration:.1f} s")
    found = await collect(task.sandbox, recipes, place, task.workdir, task.pool)
    loop = asyncio.get_running_loop()
    reading = await loop.run_in_executor(task.pool, _read, log, task)
    for line in _described(reading):
        diary.note(line)
    for each in found:
        tests = len(each.parsed.results)
        diary.note(f"report of {each.recipe.name}: {tests} tests in {each.files} files")
    there = {each.recipe.name for each in found}
    missing = tuple(
        recipe.name
        for recipe in recipes
        if recipe.name not in there
        and recipe.command
        and recipe.command.search(command)
        and not WRAPPERS.search(command)
    )
    return Measured(ran, reading, tuple(found), missing)


def _described(reading: Reading) -> Iterator[str]:
    yield f"parser {reading.label}: {len(reading.parsed.results)} tests"
    if reading.why:
        yield f"parser {reading.label}: {reading.why}"
    if reading.beside is not None:
        yield f"parser {'+'.join(reading.candidates)}: {len(reading.beside.results)} tests"


def _read(path: Path, task: Task) -> Reading:
    return registry.parse(task.named_parser, FileLog(path), prefer=task.profile.parser)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
