"""Brings the model's patch and the tests into a fresh sandbox.

The model's patch goes first. Then every file that a test patch touches is put back to what the
image had (and removed where it had none): the model may have written the same tests, and its
versions, kept in the record, must not stand in the way. Then come the test patches, in order.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from velora.errors import TaskInvalid
from velora.grading import inside, outside
from velora.grading.ladder import Applied, Patch
from velora.grading.patchfile import blank, finished, paths
from velora.patch.quoting import listed
from velora.sandbox.protocol import Sandbox


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What came of it.

    Attributes:
        model_applied: the model's patch is in; if not, nothing after it was tried.
        log: one line for each way tried with each patch, and for files put back.
    """

    model_applied: bool
    log: tuple[str, ...]


async def apply(
    sandbox: Sandbox,
    patch: bytes,
    test_patches: Sequence[str],
    *,
    workdir: str,
    tmp: str,
    restore: Sequence[str] = (),
) -> ApplyResult:
    """Apply the model's `patch`, restore the test files, apply `test_patches`.

    Args:
        sandbox: started and fresh: its files are the image's.
        restore: further files to put back, relative to `workdir`.
        tmp: an absolute path in the sandbox for the patches, outside the repository.

    Raises:
        TaskInvalid: a test patch does not apply. The files it touches are the image's own by
            then, so this is not the model's doing.
        GraderFailed, SandboxLost: no verdict is possible.
    """
    model = Patch("model patch", finished(patch), paths(patch), test=False)
    datas = [text.encode("utf-8", "surrogatepass") for text in test_patches]
    datas = [finished(data) for data in datas if not blank(data)]
    tests = [
        Patch(f"test patch {number} of {len(datas)}", data, paths(data), test=True)
        for number, data in enumerate(datas, 1)
    ]
    patches = [model, *tests]
    further = [os.fsencode(path) for path in restore]
    touched = [*further, *(path for each in tests for path in each.paths)]
    kept = tuple(dict.fromkeys(touched))
    rungs = await inside.apply(sandbox, patches, kept, workdir=workdir, tmp=tmp)
    if rungs is None:
        rungs = await outside.apply(sandbox, patches, kept, workdir=workdir)
    applied = Applied(rungs)
    log = [str(rung) for rung in rungs]
    both = [path for path in model.paths if path in set(kept)]
    if both:
        log.append(f"model patch: touches test files, put back to the image's: {listed(both, 20)}")
    if not applied.held(model):
        return ApplyResult(model_applied=False, log=tuple(log))
    for each in tests:
        if not applied.held(each):
            raise TaskInvalid("\n".join([f"{each.label} does not apply to the image:", *log]))
    return ApplyResult(model_applied=True, log=tuple(log))
