"""Grades one patch: from a fresh sandbox to a verdict, with all evidence on disk.

What breaks the grading itself raises; it never becomes an "unresolved".
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path

from velora import languages
from velora.config.settings import EvaluationSettings
from velora.errors import GraderFailed, SandboxLost, TaskInvalid, VeloraError
from velora.grading import verdict as rules
from velora.grading.apply import apply
from velora.grading.log import FileLog
from velora.grading.parsers import registry
from velora.grading.patchfile import blank
from velora.grading.protocol import NameVerdict, Parsed, Verdict
from velora.grading.report import OUTPUT, PATCH, SCRIPT, Diary, clear, write, write_report
from velora.grading.run import Ran, eval_script, run
from velora.instances.model import Instance
from velora.sandbox.protocol import ExecTimeout, Sandbox
from velora.sandbox.steps import take_steps


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

    Raises:
        TaskInvalid: the row has problems, its own commands fail, or its test patch does not apply.
        GraderFailed: the grading broke.
        SandboxLost: the sandbox is gone.
        UsageError: there is no such parser.
    """
    if blank(patch):
        return grade_empty(instance, out_dir)
    named = parser or instance.test_output_parser
    check(instance, named)
    diary = Diary()
    tmp = f"/tmp/velora-grade-{secrets.token_hex(8)}"
    loop = asyncio.get_running_loop()
    try:
        clear(out_dir)
        write(out_dir / PATCH, patch)
        diary.note(f"grading {instance.instance_id} in {sandbox.backend} {sandbox.id}: {workdir}")
        script = eval_script(instance.test_command, workdir, instance.activation)
        write(out_dir / SCRIPT, script.encode("utf-8", "surrogatepass"))
        await take_steps(sandbox, instance.setup, workdir=workdir, what="setup")
        applied = await apply(
            sandbox,
            patch,
            instance.test_patches,
            workdir=workdir,
            tmp=tmp,
            restore=instance.restore,
        )
        for line in applied.log:
            diary.note(line)
        if not applied.model_applied:
            verdict = _not_applied(instance, applied.log)
        else:
            await take_steps(sandbox, instance.test_setup, workdir=workdir, what="test_setup")
            ran = await run(
                sandbox,
                script,
                workdir=workdir,
                tmp=tmp,
                output=out_dir / OUTPUT,
                timeout=settings.timeout,
            )
            diary.note(f"tests: {_how(ran, settings)} after {ran.duration:.1f} s")
            prefer = languages.get(instance.language or language).parser
            label, parsed = await loop.run_in_executor(
                pool, _parse, out_dir / OUTPUT, named, prefer
            )
            diary.note(f"parser {label}: {len(parsed.results)} tests")
            verdict = _judged(instance, parsed, label, ran, applied.log)
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


def grade_empty(instance: Instance, out_dir: Path) -> Verdict:
    """The verdict on an empty patch, and its report; needs no sandbox.

    Raises:
        TaskInvalid: the row has problems.
        GraderFailed: the report cannot be written.
    """
    check(instance, instance.test_output_parser)
    verdict = Verdict(
        resolved=False,
        reason="empty_patch",
        fail_to_pass=_not_run(instance.fail_to_pass),
        pass_to_pass=_not_run(instance.pass_to_pass),
        patch_exists=False,
        patch_applied=None,
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


def check(instance: Instance, parser: str) -> None:
    """Whether the row can be graded at all; worth asking before a sandbox is started.

    Raises:
        TaskInvalid: it cannot.
        UsageError: there is no such parser.
    """
    if instance.problems:
        raise TaskInvalid("; ".join(instance.problems))
    if not instance.test_command.strip():
        raise TaskInvalid("the row has no test_command")
    registry.resolve(parser)


def _parse(path: Path, parser: str, prefer: str) -> tuple[str, Parsed]:
    reading = registry.parse(parser, FileLog(path), prefer=prefer)
    return reading.label, reading.parsed


def _judged(
    instance: Instance, parsed: Parsed, label: str, ran: Ran, apply_log: tuple[str, ...]
) -> Verdict:
    fixed, kept = rules.judge(instance.fail_to_pass, instance.pass_to_pass, parsed)
    reason = rules.reason(fixed, kept, parsed, timed_out=ran.timed_out)
    return Verdict(
        resolved=reason == rules.RESOLVED,
        reason=reason,
        fail_to_pass=fixed,
        pass_to_pass=kept,
        patch_exists=True,
        patch_applied=True,
        parser=label,
        exit_code=ran.exit_code,
        timed_out=ran.timed_out,
        duration=ran.duration,
        apply_log=apply_log,
        warnings=parsed.warnings + rules.cautions(fixed + kept, parsed, ran.exit_code),
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


def _how(ran: Ran, settings: EvaluationSettings) -> str:
    if ran.timed_out:
        return f"killed at the limit of {settings.timeout:g} s,"
    return f"exit status {ran.exit_code}"
