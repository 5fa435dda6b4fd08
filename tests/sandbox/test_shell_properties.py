from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import SandboxSpec
from velora.sandbox.shell import PersistentShell

STEPS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture(params=[["bash"], ["dash"]], ids=" ".join)
async def shell(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PersistentShell]:
    sandbox = HostSandbox(SandboxSpec("", workdir=str(tmp_path), env={"HOME": str(tmp_path)}))
    await sandbox.start()
    yield await sandbox.shell(cwd=str(tmp_path), program=request.param)
    await sandbox.stop()


@STEPS
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
async def test_any_text_comes_out_as_it_is(shell: PersistentShell, text: str) -> None:
    output = await shell.run(f"printf %s {quote(text)}", no_change_timeout=20, timeout=20)
    assert (output.text, output.exit_code) == (text, 0)


@STEPS
@given(status=st.integers(0, 255), newline=st.booleans())
async def test_any_status(shell: PersistentShell, status: int, newline: bool) -> None:
    command = f"printf x{'; echo' if newline else ''}; (exit {status})"
    output = await shell.run(command, no_change_timeout=20, timeout=20)
    assert (output.text.rstrip("\n"), output.exit_code) == ("x", status)


@STEPS
@given(source=st.text(st.sampled_from("echo ab'\"`$(){}[]|&;<>#\\\n!*?~=1"), max_size=12))
async def test_nothing_breaks_it(shell: PersistentShell, source: str) -> None:
    """Any source at all ends, or waits, and the shell goes on."""
    output = await shell.run(source, no_change_timeout=0.3, timeout=3)
    while shell.busy:
        output = await shell.send("C-c", no_change_timeout=0.3, timeout=0.6)
    assert output.exit_code is not None
    output = await shell.run("echo on; (exit 5)", no_change_timeout=20, timeout=20)
    assert "on\n" in output.text  # with what a background job of it says
    assert output.exit_code == 5
