"""The persistent shell: one interactive bash (or `sh`) on a PTY, and how its commands end.

A command's text goes into a file through the control channel, whatever its length and bytes; on
the terminal only one short line is typed, which sources it (a terminal in line mode cuts lines
at 4,096 bytes). Where the command begins and ends, its status and the directory are told by
marks with fresh nonces: `launch` has the shell print them, `markers` finds them.

What no mark tells is asked of `/proc`, through the control channel: whether a silent shell is at
its prompt after all, and which processes a hard timeout has to kill. A shell that ends (`exit`,
`exec`, `set -e`, a kill) is started again in the last known directory, and `note` says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from velora.errors import SandboxFailed, SandboxLost
from velora.sandbox import launch
from velora.sandbox.clip import Clip
from velora.sandbox.control import Control, OpenStream
from velora.sandbox.launch import Place
from velora.sandbox.markers import Nonces
from velora.sandbox.protocol import ShellBusy, ShellOutput
from velora.sandbox.session import ShellSession
from velora.sandbox.source import encode

LINE_LIMIT = 4095  # bytes of one input line, newline left out, that a terminal in line mode takes
_MEND_AFTER = 1.0  # s until a typed line that was not obeyed is blamed on the terminal's settings
_LOOK_AFTER = 2.0  # s of waiting until the first look at a silent shell; the next come later
_LOOK_AFTER_KEY = 0.5  # s
_ANSWER = 1.0  # s that a shell at its prompt may take to say so
_DEATH = 20.0  # s that a killed shell may take to be gone
_KILL_WAITS = (0.3, 0.6, 1.2)  # s after each round of killing until the next


class PersistentShell:
    """`Shell` over a PTY stream; see `velora.sandbox.protocol.Shell` for the contract.

    A driver's `shell()` is `return await PersistentShell.open(control, open_stream, cwd=..., ...)`
    with the same `OpenStream` that its `Control` has. Calls must not overlap. After a cancelled
    call the command may still run, and `busy` says so.
    """

    def __init__(self, session: ShellSession) -> None:
        """Use `PersistentShell.open`."""
        self._session = session
        self._nonces = Nonces.fresh()
        self._status = 0
        self._reported = True
        self._note = ""

    @classmethod
    async def open(
        cls,
        control: Control,
        open_stream: OpenStream,
        *,
        cwd: str,
        env: Mapping[str, str] | None = None,
        max_output: int = 30_000,
        spill_dir: Path | None = None,
        program: Sequence[str] = (),
    ) -> PersistentShell:
        """Start a shell.

        Args:
            control: the sandbox's control channel.
            open_stream: starts the shell's process; called again when it must be restarted.
            cwd: an existing absolute directory.
            env: exported in the shell, after its rc files.
            max_output: characters kept of one output.
            spill_dir: host directory for the full text of cut outputs.
            program: the shell's command, as `("busybox", "sh")`; empty is bash where there is
                one, else /bin/sh.

        Raises:
            FileNotFoundError: no such directory.
            SandboxFailed: no shell answers.
            SandboxLost: the sandbox is gone.
        """
        found = await control.run(launch.find_place(secrets.token_hex(4), tuple(program)))
        if found.exit_code:
            raise SandboxFailed(
                "no directory for the shell's files can be made in the sandbox "
                f"(tried /tmp, /var/tmp, /dev/shm, /run and $HOME): {found.stderr.decode()}"
            )
        directory, _, choice = found.stdout.decode().strip().partition("\n")
        place = Place(directory, tuple(program) or (choice,))
        session = ShellSession(
            control,
            open_stream,
            place,
            env={**launch.ENVIRONMENT, **(env or {})},
            new_clip=lambda: Clip(max_output, spill_dir),
        )
        try:
            if await session.nearest_directory(cwd) != cwd:
                raise FileNotFoundError(f"no such directory in the sandbox: {cwd}")
            shell = cls(session)
            shell._note = await session.start(cwd, shell._nonces)
        except BaseException:
            await session.close()
            raise
        return shell

    @property
    def busy(self) -> bool:
        """See `Shell.busy`."""
        return self._session.terminal.busy

    @property
    def cwd(self) -> str:
        """See `Shell.cwd`."""
        return self._session.terminal.cwd

    async def run(
        self, command: str, *, no_change_timeout: float | None, timeout: float | None
    ) -> ShellOutput:
        """See `Shell.run`."""
        if "\0" in command:
            raise ValueError("a shell command cannot hold NUL bytes")
        if self.busy:
            raise ShellBusy("the previous command still runs")
        wait = _Wait(no_change_timeout, timeout)
        if self._session.terminal.closed:
            await self._restart("ended since the last command")
        self._notice_end()
        for _ in range(2):
            terminal = self._session.terminal
            before, self._nonces = self._nonces, Nonces.fresh()
            await self._session.put(command, self._nonces, before, self._status)
            terminal.begin(self._nonces)
            self._reported = False
            await self._session.type_command()
            output = await self._until_over(wait)
            if output is not None:
                return output
            # The shell ended before it took the command: it was not run, so it can be now.
            await self._restart("had ended before the command")
        raise SandboxLost("the sandbox's shell ends as soon as it is started")

    async def send(
        self, text: str, *, no_change_timeout: float | None, timeout: float | None
    ) -> ShellOutput:
        """See `Shell.send`.

        A line longer than `LINE_LIMIT` is not sent to a program that reads its terminal in line
        mode, which would get the half of it; `note` says so.
        """
        wait = _Wait(no_change_timeout, timeout)
        if not self.busy:
            if text:
                self._add_note("No command is running: the input was not sent.")
            if not self._reported:
                return await self._until_over(wait) or self._output(wait)
            self._session.terminal.take_late()
            return self._output(wait)
        key = _key(text)
        data = key or encode(text + "\n")
        longest = max(map(len, data.split(b"\n")))
        if text and longest > LINE_LIMIT and not await self._session.takes_long_lines():
            self._add_note(
                f"The input was not sent: a line of it has {longest} bytes, and the program reads "
                f"its terminal line by line, where a line may have {LINE_LIMIT}. Put it in a file."
            )
            return self._output(wait)
        if text:
            await self._feed(data)
        if key:
            wait.look_at = wait.now() + _LOOK_AFTER_KEY
            wait.keyed = True
        return await self._until_over(wait) or self._output(wait)

    async def close(self) -> None:
        """See `Shell.close`."""
        await self._session.close()

    async def _until_over(self, wait: _Wait) -> ShellOutput | None:
        """Wait for the end of the command or of the patience; None if it never began."""
        mended = False
        while True:
            terminal = self._session.terminal
            if terminal.ended is not None:
                self._reported = True
                self._status = terminal.ended.status
                return self._output(wait, exit_code=self._status)
            if terminal.closed:
                return await self._shell_ended(wait) if terminal.started else None
            if terminal.prompted is not None:
                prompted, terminal.prompted = terminal.prompted, None
                if await self._session.at_prompt():
                    terminal.accept(prompted)
                continue
            now = wait.now()
            if wait.hard_at is not None and now >= wait.hard_at:
                return await self._kill(wait)
            soft_at = wait.soft_at(terminal.last_output)
            patient = soft_at is None or now < soft_at
            if now >= wait.look_at or not patient:
                wait.look_later(now)
                if await self._rouse(wait.keyed):
                    continue
                if not patient:
                    return self._output(wait, timed_out="no_change")
            if not terminal.started and not mended and now >= wait.begun + _MEND_AFTER:
                mended = True
                await self._session.mend()
            nearest = [wait.hard_at, soft_at, wait.look_at]
            if not terminal.started and not mended:
                nearest.append(wait.begun + _MEND_AFTER)
            await terminal.wait(max(0.0, min(at for at in nearest if at is not None) - now))

    async def _rouse(self, keyed: bool) -> bool:
        """Have a shell that is back at its prompt unnoticed say so; whether it did."""
        session = self._session
        idle = await session.idle(keyed)
        if not idle or session.terminal.ended is not None:
            return session.terminal.ended is not None
        before, self._nonces = self._nonces, Nonces.fresh()
        session.terminal.scanner.expect(self._nonces, running=True)
        await session.resume(self._nonces, anew=idle == "anew")
        if not await self._ends_by(asyncio.get_running_loop().time() + _ANSWER):
            self._nonces = before
            session.terminal.scanner.expect(before, running=True)
            return False
        if idle == "anew":
            self._add_note("The shell was replaced by another one; its variables are lost.")
        return True

    async def _kill(self, wait: _Wait) -> ShellOutput:
        """The hard timeout: kill the foreground; the shell itself, if it does not come back."""
        session = self._session
        for seconds in _KILL_WAITS:
            await session.kill_foreground()
            if await self._ends_by(wait.now() + seconds) or await self._rouse(keyed=True):
                break
            if session.terminal.closed:
                break
        ended = session.terminal.ended
        self._reported = True
        if ended is not None:
            self._status = ended.status
            self._add_note("The command was killed.")
            return self._output(wait, exit_code=ended.status, timed_out="hard")
        if not session.terminal.closed:
            await session.kill_shell()
        output = self._output(wait, exit_code=137, timed_out="hard")
        await self._restart("did not give up the command and was killed")
        return self._renote(output)

    async def _ends_by(self, deadline: float) -> bool:
        loop = asyncio.get_running_loop()
        terminal = self._session.terminal
        while terminal.busy and (left := deadline - loop.time()) > 0:
            await terminal.wait(left)
            if terminal.prompted is not None:
                prompted, terminal.prompted = terminal.prompted, None
                if await self._session.at_prompt():
                    terminal.accept(prompted)
        return terminal.ended is not None

    async def _shell_ended(self, wait: _Wait) -> ShellOutput:
        status = await self._session.terminal.exit_code()
        self._reported = True
        output = self._output(wait, exit_code=status)
        known = "" if status is None else f" with status {status}"
        await self._restart(f"ended{known}")
        return self._renote(output)

    async def _restart(self, reason: str) -> None:
        session = self._session
        cwd, old = session.terminal.cwd, session.terminal
        try:
            async with asyncio.timeout(_DEATH):
                await old.exit_code()  # raises if it is the sandbox that ended
        except TimeoutError:
            raise SandboxLost(f"the shell could not be killed in {_DEATH:g} s") from None
        self._reported = True
        old.take_late()
        late = old.take()[0]
        await old.close()
        there = await session.nearest_directory(cwd)
        self._nonces, self._status = Nonces.fresh(), 0
        note = await session.start(there, self._nonces)
        if late.strip():
            session.terminal.add(late)
        self._add_note(
            f"The shell {reason}; it was started anew in {there}. Its variables, functions and "
            f"background jobs are lost. {note}".rstrip()
        )

    def _notice_end(self) -> None:
        """A command that ended unseen, after a soft timeout, is told of with the next one."""
        ended = self._session.terminal.ended
        if not self._reported and ended is not None:
            self._status = ended.status
            self._add_note(f"The previous command has ended with status {ended.status}.")

    async def _feed(self, data: bytes) -> None:
        """Type; a program that does not read must not keep us."""
        with contextlib.suppress(BrokenPipeError):
            try:
                async with asyncio.timeout(_ANSWER):
                    await self._session.terminal.stream.write(data)
            except TimeoutError:
                self._add_note("Not all of the input was taken: the program does not read it.")

    def _add_note(self, note: str) -> None:
        self._note = f"{self._note} {note}".strip()

    def _renote(self, output: ShellOutput) -> ShellOutput:
        """The same output with what has happened to the shell since."""
        note, self._note = f"{output.note} {self._note}".strip(), ""
        return replace(output, note=note, cwd=self.cwd)

    def _output(
        self, wait: _Wait, *, exit_code: int | None = None, timed_out: str = ""
    ) -> ShellOutput:
        text, dropped, spill = self._session.terminal.take()
        note, self._note = self._note, ""
        return ShellOutput(
            text=text,
            exit_code=exit_code,
            cwd=self.cwd,
            running=exit_code is None and timed_out != "hard" and self.busy,
            timed_out=timed_out,
            dropped=dropped,
            spill=spill,
            note=note,
            duration=wait.now() - wait.begun,
        )


class _Wait:
    """The patience of one call."""

    def __init__(self, no_change_timeout: float | None, timeout: float | None) -> None:
        self.begun = self.now()
        self.hard_at = None if timeout is None else self.begun + timeout
        self.look_at = self.begun + _LOOK_AFTER
        self.keyed = False
        self._soft = no_change_timeout
        self._look_again = _LOOK_AFTER

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    def soft_at(self, last_output: float) -> float | None:
        return None if self._soft is None else max(self.begun, last_output) + self._soft

    def look_later(self, now: float) -> None:
        self._look_again *= 2
        self.look_at = now + self._look_again


def _key(text: str) -> bytes:
    """The byte of `C-c` and its like; b"" for other text."""
    if len(text) == 3 and text.startswith("C-") and text[2].isascii() and text[2].isalpha():
        return bytes([ord(text[2]) & 0x1F])
    return b""
