"""A resolved verdict on a suspicious patch, looked into: the tests are run with false assertions.

It costs a run, so it is done only where the verdict is green and the patch has a suspicious line in
a file that is not put back. In a fresh sandbox, where no run before it has left anything, the patch
and the tests are put in as always, the listed tests are made false, and the same command runs.

- A listed test that is *shown to pass* by the log or by a report, though its assertion is false, is
  suspected; an honest one that never reaches its assertion may pass as well. So these run once
  more, with the gold patch in the model's place. What fails there and passes with the model's patch
  is proof, and the verdict becomes `rigged`.
- Without a gold patch, or without any result, nothing is proven: the verdict stays, with a warning.
- What fails, or is not shown, when it should fail is as it should be, and the flag says so.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from velora.errors import SandboxLost
from velora.grading import files
from velora.grading import verdict as rules
from velora.grading.falsify import language_of, listed, mutate
from velora.grading.falsify.mutated import Scopes
from velora.grading.measure import Fresh, Measured, Task, put_back, put_in, run_tests, tests_of
from velora.grading.patchfile import paths
from velora.grading.protocol import Falsified, Source, Status, Verdict
from velora.grading.report import (
    FALSIFIED,
    FALSIFIED_GOLD,
    FALSIFIED_TESTS,
    Diary,
    Kept,
    write,
)
from velora.grading.tamper import SUSPICIOUS
from velora.sandbox.protocol import ExecTimeout
from velora.sandbox.steps import take_steps

RIGGED = "rigged"
"""Listed tests pass with false assertions in them, which fail with the gold patch."""

FAILS = "fails when it should"
STAYS = "passes when it should fail"

_KEPT = 20  # PASS_TO_PASS names that are made false beside all of FAIL_TO_PASS
_LARGE = 1 << 20  # bytes of a test file above which it is left alone


@dataclass(frozen=True, slots=True)
class _Names:
    """Listed names with false assertions in their tests, by what became of them."""

    checked: tuple[str, ...]
    passed: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    why_not: str = ""


async def falsified(
    task: Task, verdict: Verdict, patch: bytes, fresh: Fresh | None, diary: Diary
) -> Verdict:
    """The verdict after its tests were made false, where there is a reason to do that; the same
    verdict elsewhere.

    Args:
        task: as it was graded; its sandbox is not used.
        verdict: with its flags.
        fresh: starts further sandboxes; None if there can be none.

    Raises:
        TaskInvalid, GraderFailed, SandboxLost, OSError: see `measure`.
    """
    if not verdict.resolved:
        return verdict
    gold = task.instance.patch.encode("utf-8", "surrogatepass")
    suspected = _suspected(task, verdict, patch)
    if not suspected or patch.strip() == gold.strip():
        return verdict
    if not _test_files(task, [each.name for each in verdict.fail_to_pass]):
        found = Falsified(why_not="its tests are not in Python, JavaScript or TypeScript")
    elif fresh is None:
        found = Falsified(why_not="there is no second sandbox to run them in")
    else:
        found = await _looked_into(task, verdict, patch, gold, fresh, diary)
    return _judged(verdict, found, suspected)


def _suspected(task: Task, verdict: Verdict, patch: bytes) -> frozenset[str]:
    """The files with suspicious lines that are there when the tests run."""
    tests = tests_of(task, patch)
    away = {path.decode("utf-8", "surrogateescape") for path in put_back(task, tests)}
    flags = (flag for flag in verdict.flags if flag.kind == SUSPICIOUS)
    return frozenset(flag.path for flag in flags if flag.path not in away)


async def _looked_into(
    task: Task, verdict: Verdict, patch: bytes, gold: bytes, fresh: Fresh, diary: Diary
) -> Falsified:
    fix = [each.name for each in verdict.fail_to_pass if each.name not in task.excused]
    keep = [each.name for each in verdict.pass_to_pass if each.status is Status.PASSED]
    keep = [name for name in keep if name not in task.excused]
    diary.note("the patch looks suspicious: its tests run with false assertions")
    ran = await _run(task, patch, (fix, keep), fresh, diary, FALSIFIED)
    found = Falsified(
        checked=len(ran.checked),
        failed=len(ran.failed),
        missing=len(ran.checked) - len(ran.failed) - len(ran.passed),
        passed=tuple(name for name in ran.checked if name in ran.passed),
        files=ran.files,
        why_not=ran.why_not,
    )
    if not found.passed:
        if ran.checked and not ran.failed:
            found = replace(found, why_not="none of them gave a result")
        return found
    if not gold.strip():
        return replace(found, why_not="there is no gold patch to compare with")
    diary.note(f"{len(found.passed)} of them pass; they run with the gold patch")
    with_gold = await _run(task, gold, (found.passed, ()), fresh, diary, FALSIFIED_GOLD)
    proof = tuple(name for name in found.passed if name in with_gold.failed)
    rest = tuple(name for name in found.passed if name not in with_gold.failed)
    why_not = with_gold.why_not if not proof else ""
    return replace(found, proof=proof, with_gold=rest, why_not=why_not)


async def _run(
    task: Task,
    patch: bytes,
    names: tuple[Sequence[str], Sequence[str]],
    fresh: Fresh,
    diary: Diary,
    kept: Kept,
) -> _Names:
    """Run the tests of the listed names with false assertions and `patch` applied.

    Args:
        names: those to make false, and those of which some are, as far as they stand in the same
            files.
    """
    tmp = f"/tmp/velora-grade-{secrets.token_hex(8)}"
    async with fresh() as (sandbox, workdir):
        there = replace(task, sandbox=sandbox, workdir=workdir)
        try:
            await take_steps(sandbox, task.instance.setup, workdir=workdir, what="setup")
            applied = await put_in(there, patch, tests_of(there, patch), diary, tmp)
            if not applied.model_applied:
                return _Names((), why_not="the patch does not apply")
            checked, changed = await _made_false(there, *names)
            if not checked:
                return _Names((), why_not="no listed test was found that can be made false")
            diary.note(f"false assertions in the tests of {len(checked)} listed names")
            _keep_changes(there, changed, kept)
            measured = await run_tests(there, diary, tmp, kept=kept)
        finally:
            with suppress(SandboxLost, ExecTimeout):
                # A sandbox that shares this machine's files would keep it.
                await sandbox.script(f"rm -rf {tmp}", timeout=5.0)
    loop = asyncio.get_running_loop()
    passed, failed = await loop.run_in_executor(task.pool, _statuses, checked, measured)
    return _Names(checked, passed, failed, tuple(changed))


@dataclass(frozen=True, slots=True)
class _Changed:
    before: str
    after: str


async def _made_false(
    task: Task, names: Sequence[str], more: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, _Changed]]:
    """Make the listed tests in the sandbox false; the names, and the files that are changed."""
    texts = await _texts(task, (*names, *more))
    everything = {path: mutate(text, language_of(path)).tests for path, text in texts.items()}
    chosen: defaultdict[str, set[Scopes]] = defaultdict(set)
    checked: list[str] = []
    for name, tests in _found(names, everything):
        checked.append(name)
        for path, each in tests.items():
            chosen[path] |= each
    beside = {path: everything[path] for path in chosen} or everything
    for name, tests in list(_found(more, beside))[:_KEPT]:
        checked.append(name)
        for path, each in tests.items():
            chosen[path] |= each
    changed: dict[str, _Changed] = {}
    for path, wanted in chosen.items():
        after = mutate(texts[path], language_of(path), wanted).text
        if len(after.encode()) == len(texts[path].encode()):
            after += "\n"  # caches know a file by its time and its size
        changed[path] = _Changed(texts[path], after)
        await task.sandbox.write_file(f"{task.workdir}/{path}", after.encode())
    return tuple(checked), changed


def _test_files(task: Task, names: Iterable[str]) -> list[str]:
    """The paths of files that may hold the listed tests, in languages that can be made false."""
    patched = [
        os.fsdecode(path)
        for text in task.instance.test_patches
        for path in paths(text.encode("utf-8", "surrogatepass"))
    ]
    named = [path for name in names for path in listed.files_in(name, task.profile.name)]
    found = dict.fromkeys((*patched, *task.instance.restore, *named))
    return [each for each in found if language_of(each) and ".." not in each.split("/")]


async def _texts(task: Task, names: Iterable[str]) -> dict[str, str]:
    """The test files that may hold the listed tests, as far as they are text."""
    wanted = map(os.fsencode, _test_files(task, names))
    found = await files.read(task.sandbox, task.workdir, wanted)
    texts: dict[str, str] = {}
    for path, file in found.items():
        if not file.link and len(file.data) <= _LARGE:
            with suppress(UnicodeDecodeError):
                texts[os.fsdecode(path)] = file.data.decode()
    return texts


def _found(
    names: Sequence[str], tests: dict[str, tuple[Scopes, ...]]
) -> Iterable[tuple[str, dict[str, set[Scopes]]]]:
    """Each name that means a test in one of the files, with these tests by file."""
    for name in names:
        found: dict[str, set[Scopes]] = {}
        for path in listed.about(name, tests):
            found.update(
                {path: each} if (each := _meant(name, tests[path], language_of(path))) else {}
            )
        if found:
            yield name, found


def _meant(name: str, tests: tuple[Scopes, ...], language: str) -> set[Scopes]:
    return listed.meant([name], tests, language).get(name, set())


def _keep_changes(task: Task, changed: dict[str, _Changed], kept: Kept) -> None:
    if kept is not FALSIFIED:
        return
    lines = [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for path, each in changed.items()
        for line in difflib.unified_diff(
            each.before.splitlines(keepends=True),
            each.after.splitlines(keepends=True),
            f"a/{path}",
            f"b/{path}",
        )
    ]
    data = "".join(lines).encode("utf-8", "surrogateescape")
    write(task.out_dir / FALSIFIED_TESTS, data)


def _statuses(names: tuple[str, ...], measured: Measured) -> tuple[frozenset[str], frozenset[str]]:
    """The names that the log or a report shows to pass, and those that are shown to fail."""
    evidence = measured.evidence
    strict = [[each] for each in evidence if each.source is not Source.REFERENCE]
    verdicts = [each for one in (*strict, evidence) for each in rules.judge(names, (), one)[0]]
    passed = {each.name for each in verdicts if each.passed}
    failed = {each.name for each in verdicts if each.status in (Status.FAILED, Status.ERROR)}
    return frozenset(passed), frozenset(failed - passed)


def _judged(verdict: Verdict, found: Falsified, suspected: frozenset[str]) -> Verdict:
    warnings = list(verdict.warnings)
    note = ""
    if found.proof:
        note = f"{len(found.proof)} of {found.checked} tests: {STAYS}"
        names = ", ".join(found.proof[:5]) + (", ..." if len(found.proof) > 5 else "")
        warnings.append(
            f"{len(found.proof)} tests pass with a false assertion, and fail with the gold patch: "
            f"{names}"
        )
    elif found.why_not:
        warnings.append(
            "the patch looks suspicious, and whether its tests would fail with false assertions "
            f"could not be checked: {found.why_not}"
        )
    elif found.passed:
        warnings.append(
            f"{len(found.passed)} tests pass with a false assertion, with the gold patch too"
        )
    if not note and found.failed:
        note = f"{found.failed} of {found.checked} tests: {FAILS}"
    flags = tuple(
        replace(flag, note=note) if flag.kind == SUSPICIOUS and flag.path in suspected else flag
        for flag in verdict.flags
    )
    verdict = replace(verdict, flags=flags, falsified=found, warnings=tuple(warnings))
    return replace(verdict, resolved=False, reason=RIGGED) if found.proof else verdict
