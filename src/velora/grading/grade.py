"""Grades one patch: from a fresh sandbox to a verdict, with all evidence on disk.

What breaks the grading itself raises; it never becomes an "unresolved". A patch that touches what
decides how tests run must hold without that too: then the tests run a second time, with these
files as the image has them.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from velora import languages
from velora.config.settings import EvaluationSettings
from velora.errors import GraderFailed, SandboxLost, TaskInvalid, VeloraError
from velora.grading import compat, files
from velora.grading import verdict as rules
from velora.grading.falsify.check import falsified
from velora.grading.measure import Fresh, Measured, Task, put_back, put_in, run_tests, tests_of
from velora.grading.parsers import registry
from velora.grading.patchfile import blank
from velora.grading.protocol import NameVerdict, Source, Verdict
from velora.grading.report import PATCH, SECOND, Diary, clear, write, write_report
from velora.grading.tamper import inspect, runner_files
from velora.instances.model import Instance
from velora.instances.quarantine import Entry
from velora.languages import Profile
from velora.patch.quoting import listed
from velora.sandbox.protocol import ExecTimeout, Sandbox
from velora.sandbox.steps import take_steps

DEPENDS_ON_RUNNER = "depends_on_runner_files"
"""Resolved only with the patch's own version of files that decide how tests run."""

TESTS_KILLED = "tests_killed"
"""A signal ended the test command, and nothing but its output says that the tests passed."""

_BY_SIGNAL = 128

REPORT_MISSING = "report_missing"
"""The log shows a whole run, but the report that the framework was asked for is not there."""


async def grade(
    instance: Instance,
    patch: bytes,
    *,
    sandbox: Sandbox,
    workdir: str,
    out_dir: Path,
    settings: EvaluationSettings,
    parser: str = "",
    language: str = "",
    pool: Executor | None = None,
    quarantine: Entry | None = None,
    own: bool = False,
    fresh: Fresh | None = None,
) -> Verdict:
    """Apply `patch` and the tests, run the test command, judge the listed names.

    Args:
        sandbox: started, from the instance's image, and used for nothing before.
        workdir: the working directory in it.
        out_dir: the instance's own directory, `eval_outputs/<id>`; what is in it is replaced.
        settings: the test command's time limit.
        parser: in place of the row's `test_output_parser`.
        language: of rows that name none; its parser decides where the log of a row without a
            parser fits two.
        pool: where the log is parsed; None is the event loop's own.
        quarantine: what is known to be unsound in the instance: flaky tests decide nothing.
        own: the patch is the data set's own: a blank one is run too, and none is suspected.
        fresh: starts another sandbox like the first, where the tests are made false if a resolved
            patch looks suspicious; None leaves that out, with a warning.

    Raises:
        TaskInvalid: the row has problems, its own commands fail, or its test patch does not apply.
        GraderFailed: the grading broke.
        SandboxLost: the sandbox is gone.
        UsageError: there is no such parser.
    """
    if blank(patch) and not own:
        return grade_empty(instance, out_dir, quarantine, language)
    task = Task(
        instance=instance,
        sandbox=sandbox,
        workdir=workdir,
        out_dir=out_dir,
        timeout=settings.timeout,
        parser=parser,
        language=language,
        pool=pool,
        reports=settings.reports,
        excused=frozenset(quarantine.tests if quarantine and not quarantine.whole else ()),
    )
    check(instance, task.named_parser, task.profile)
    diary = Diary()
    tmp = f"/tmp/velora-grade-{secrets.token_hex(8)}"
    try:
        clear(out_dir)
        write(out_dir / PATCH, patch)
        diary.note(f"grading {instance.instance_id} in {sandbox.backend} {sandbox.id}: {workdir}")
        verdict = await _grade(task, patch, diary, tmp, own=own)
        if not own:
            verdict = replace(verdict, flags=inspect(patch, task.profile))
            verdict = await falsified(task, verdict, patch, fresh, diary)
        if quarantine is not None:
            verdict = replace(verdict, quarantine=quarantine.soundness)
        diary.verdict(verdict)
        write_report(out_dir, instance.instance_id, verdict)
        return verdict
    except (OSError, ExecTimeout) as error:
        diary.note(f"grading broke: {error}")
        raise GraderFailed(f"grading broke: {error}") from error
    except VeloraError as error:
        diary.note(f"no verdict: {error}")
        raise
    finally:
        with suppress(SandboxLost, ExecTimeout):
            # A sandbox that shares this machine's files would keep it.
            await sandbox.script(f"rm -rf {tmp}", timeout=5.0)
        with suppress(OSError):
            diary.write(out_dir)


async def _grade(task: Task, patch: bytes, diary: Diary, tmp: str, *, own: bool) -> Verdict:
    instance, sandbox, workdir = task.instance, task.sandbox, task.workdir
    await take_steps(sandbox, instance.setup, workdir=workdir, what="setup")
    tests = tests_of(task, patch)
    brought = put_back(task, tests)
    touched = () if own else runner_files(patch, task.profile)
    runner = [path for path in touched if path not in brought]
    originals = await files.read(sandbox, workdir, runner)
    applied = await put_in(task, patch, tests, diary, tmp)
    if not applied.model_applied:
        return _not_applied(instance, applied.log)
    verdict = await _verdict(task, await run_tests(task, diary, tmp), applied.log)
    if not verdict.resolved or not runner:
        return verdict
    changed = await files.read(sandbox, workdir, runner)
    await files.write(sandbox, workdir, changed, originals)
    names = listed(runner)
    diary.note(f"the tests run again with the image's own {names}")
    second = await _verdict(task, await run_tests(task, diary, tmp, kept=SECOND), applied.log)
    if second.resolved:
        note = f"resolved with the image's own {names} too"
        return replace(verdict, warnings=(*verdict.warnings, note))
    note = f"with the image's own {names} it is not resolved: {second.reason}"
    return replace(second, reason=DEPENDS_ON_RUNNER, warnings=(*second.warnings, note))


def grade_empty(
    instance: Instance, out_dir: Path, quarantine: Entry | None = None, language: str = ""
) -> Verdict:
    """The verdict on an empty patch, and its report; needs no sandbox.

    Raises:
        TaskInvalid: the row has problems.
        GraderFailed: the report cannot be written.
    """
    check(instance, instance.test_output_parser, languages.get(instance.language or language))
    verdict = Verdict(
        resolved=False,
        reason="empty_patch",
        fail_to_pass=_not_run(instance.fail_to_pass),
        pass_to_pass=_not_run(instance.pass_to_pass),
        patch_exists=False,
        patch_applied=None,
        quarantine=quarantine.soundness if quarantine else "",
    )
    diary = Diary()
    diary.note(f"{instance.instance_id}: the patch is empty, so no test was run")
    try:
        clear(out_dir)
        write(out_dir / PATCH, b"")
        write_report(out_dir, instance.instance_id, verdict)
        diary.write(out_dir)
    except OSError as error:
        raise GraderFailed(f"the report cannot be written: {error}") from error
    return verdict


def check(instance: Instance, parser: str, profile: Profile) -> None:
    """Whether the row can be graded at all; worth asking before a sandbox is started.

    Raises:
        TaskInvalid: it cannot.
        UsageError: there is no such parser.
    """
    if instance.problems:
        raise TaskInvalid("; ".join(instance.problems))
    if not instance.test_command.strip() and not profile.test_command:
        raise TaskInvalid("the row has no test_command, and its language none that is usual")
    registry.resolve(parser)


async def _verdict(task: Task, measured: Measured, apply_log: tuple[str, ...]) -> Verdict:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(task.pool, _judged, task, measured, apply_log)


def _judged(task: Task, measured: Measured, apply_log: tuple[str, ...]) -> Verdict:
    instance, ran, reading = task.instance, measured.ran, measured.reading
    evidence = measured.evidence
    fixed, kept = rules.judge(
        instance.fail_to_pass,
        instance.pass_to_pass,
        evidence,
        fail_only=instance.fail_only,
        exit_code=ran.exit_code,
    )
    fix, keep = (
        tuple(each for each in names if each.name not in task.excused) for names in (fixed, kept)
    )
    warnings = [warning for each in evidence for warning in each.parsed.warnings]
    if not instance.test_command.strip():
        warnings.append(f"the row has no test_command; its language's was run: {task.command}")
    if excused := len(fixed + kept) - len(fix + keep):
        warnings.append(f"{excused} listed tests are in quarantine as flaky and decide nothing")
    reason = rules.reason(fix, keep, evidence, timed_out=ran.timed_out)
    ended = any(each.parsed.complete for each in reading.evidence)
    if reason == rules.RESOLVED and measured.missing and ended:
        reason = REPORT_MISSING
        warnings.append(
            f"{' and '.join(measured.missing)} came to its end by the log and wrote no report"
        )
    reported = any(each.source is Source.REPORT for each in evidence)
    if reason == rules.RESOLVED and (ran.exit_code or 0) > _BY_SIGNAL and not reported:
        reason = TESTS_KILLED
    statuses = {name: result.status for name, result in reading.parsed.results.items()}
    others = compat.verdicts(instance.fail_to_pass, instance.pass_to_pass, statuses)
    warnings += rules.cautions(fixed + kept, evidence, ran.exit_code)
    return Verdict(
        resolved=reason == rules.RESOLVED,
        reason=reason,
        fail_to_pass=fixed,
        pass_to_pass=kept,
        patch_exists=True,
        patch_applied=True,
        parser=reading.label,
        exit_code=ran.exit_code,
        timed_out=ran.timed_out,
        duration=ran.duration,
        apply_log=apply_log,
        warnings=tuple(dict.fromkeys(warnings)),
        compat={name: str(outcome) for name, outcome in others.items()},
    )


def _not_applied(instance: Instance, apply_log: tuple[str, ...]) -> Verdict:
    return Verdict(
        resolved=False,
        reason="patch_apply_failed",
        fail_to_pass=_not_run(instance.fail_to_pass),
        pass_to_pass=_not_run(instance.pass_to_pass),
        patch_exists=True,
        patch_applied=False,
        apply_log=apply_log,
    )


def _not_run(names: tuple[str, ...]) -> tuple[NameVerdict, ...]:
    return tuple(NameVerdict(name, passed=False, status=None, rule="not_run") for name in names)
