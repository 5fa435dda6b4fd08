"""The process behind a persistent shell: started, looked at and killed through the sandbox.

`shell` decides what to do; this is what can be done.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace

from velora.errors import SandboxFailed, SandboxLost
from velora.sandbox import launch, procfs
from velora.sandbox.clip import Clip
from velora.sandbox.control import Control, OpenStream
from velora.sandbox.launch import Place
from velora.sandbox.markers import Nonces
from velora.sandbox.protocol import ExecResult, ExecTimeout
from velora.sandbox.source import encode, printf, quote
from velora.sandbox.terminal import Terminal

START_TIMEOUT = 30.0  # s; an image's rc files may take their time
_SMALL = 64 * 1024  # bytes of command that go in one script with the rest
_RESTED = 3  # looks in a row that find a shell asleep in the foreground: it is at its prompt
_LOOKS = 50  # until a shell that never rests is held to be at work
_BETWEEN_LOOKS = 0.02  # s
_SHELLS = ("bash", "sh", "dash", "ash")


class ShellSession:
    """One shell after another on a terminal of its own, and the files that they source.

    Attributes:
        terminal: of the living shell; there is one after `start`.
    """

    terminal: Terminal

    def __init__(
        self,
        control: Control,
        open_stream: OpenStream,
        place: Place,
        *,
        env: Mapping[str, str],
        new_clip: Callable[[], Clip],
    ) -> None:
        """The arguments are those of `PersistentShell.open`; `new_clip` makes a `Clip`."""
        self._control = control
        self._open_stream = open_stream
        self._place = place
        self._directories = [place.directory]
        self._env = env
        self._new_clip = new_clip
        self._shell = procfs.Ids(0)
        self._argv: tuple[str, ...] = ()
        self._has_tty = True
        self._opened = False
        self._file = "r"

    async def start(self, cwd: str, nonces: Nonces) -> str:
        """Start a shell in an existing directory; returns what is to be said about it.

        Raises:
            SandboxFailed: it does not answer, even without its rc files.
        """
        if await self._try(cwd, nonces, rc=True):
            return ""
        if self._place.bash and await self._try(cwd, nonces, rc=False):
            return "With its rc files bash did not answer; it runs without them."
        shown = self.terminal.take()[0].strip()
        raise SandboxFailed(f"{' '.join(self._place.program)} does not answer: {shown[-2000:]}")

    async def put(self, command: str, nonces: Nonces, before: Nonces, status: int) -> None:
        """Place a command's text and the file around it, for `type_command`.

        The files are taken in turns: dash and ash read on in the last one, up to its end, after
        it has printed the end mark, and must not come upon the next command there.
        """
        self._file = "q" if self._file == "r" else "r"
        text = encode(command) + b"\n"
        runner = launch.around(
            self._place, nonces, before=before, status=status, terminal=self._has_tty
        )
        if len(text) > _SMALL:
            await self._control.write_file(f"{self._place.directory}/{self._place.name}", text)
            await self._write({self._file: runner})
        else:
            await self._write({self._place.name: text, self._file: runner})

    async def type_command(self) -> None:
        """Have the shell run the command that was put."""
        await self._type(self._file)

    async def _type(self, file: str) -> None:
        """Have the shell source one of the files."""
        with contextlib.suppress(BrokenPipeError):  # the terminal's reader sees the end too
            await self.terminal.stream.write(self._place.typed(file))

    async def resume(self, nonces: Nonces, *, anew: bool) -> None:
        """Have a shell at its prompt print an end mark; `anew` sets it up before."""
        if anew:
            text = launch.set_up(nonces, env=self._env, cwd=None)
        else:
            text = launch.resume(nonces, terminal=self._has_tty)
        await self._write({"s": text})
        await self._type("s")

    async def mend(self) -> None:
        """Type a line again that the terminal's settings kept from ever ending (`stty inlcr`)."""
        if re.search(rb"(?<![-\w])inlcr", (await self._stty("-a")).stdout):
            await self._stty("sane -echo")
            with contextlib.suppress(BrokenPipeError):
                await self.terminal.stream.write(b"\x15")  # C-u: without what is there of it
            await self.type_command()

    async def takes_long_lines(self) -> bool:
        """The program reads its terminal character by character, so no line is cut."""
        return b"-icanon" in (await self._stty("-a")).stdout

    async def at_prompt(self) -> bool:
        """The shell itself waits in its terminal's foreground, and stays so.

        Between two programs of one command it is in the foreground too, but does not sleep there.
        """
        rested = 0
        for _ in range(_LOOKS):
            look = await self._look()
            if look is None:
                return True
            if look.foreground != look.group or self.terminal.ended is not None:
                return False
            rested = rested + 1 if look.state == "S" else 0
            if rested == _RESTED:
                return True
            await asyncio.sleep(_BETWEEN_LOOKS)
        return False

    async def idle(self, keyed: bool) -> str:
        """Whether the shell waits at its prompt although no mark says so.

        Only where that is as good as certain, for the answer is a line typed into it, which the
        command's own `read` would take: `resume` where the command's file is no longer open
        (dash and ash hold it open while it runs) or, in bash, after a key that interrupts;
        `anew` where another interactive shell is in its place (`exec bash`); else "".
        """
        look = await self._look()
        if look is None or look.foreground != look.group or look.state != "S":
            return ""
        if look.argv != self._argv:
            if not _interactive(look.argv):
                return ""
            self._argv = look.argv
            return "anew"
        if self._place.bash:
            return "resume" if keyed else ""
        held = any(path.startswith(self._place.directory) for path in look.files)
        return "" if held else "resume"

    async def kill_foreground(self) -> None:
        """Interrupt the shell and kill what else is in its terminal's foreground."""
        await self._script(procfs.kill_foreground(self._shell))

    async def kill_shell(self) -> None:
        """Kill the shell alone."""
        await self._script(f"kill -9 {self._shell.pid}")

    async def nearest_directory(self, path: str) -> str:
        """The path, or the nearest one above it that is a directory to change to."""
        script = b"d=%s\n" % quote(encode(path))
        script += b'until (cd -- "$d/") 2>/dev/null; do d=${d%/*}; [ "$d" ] || break; done\n'
        found = await self._script(script + b'printf %s "${d:-/}"')
        return found.stdout.decode("utf-8", "surrogateescape")

    async def close(self) -> None:
        """Kill the shell and its session and remove the files."""
        with contextlib.suppress(SandboxLost):
            if self._shell.pid:
                await self._script(procfs.kill_terminal(self._shell))
            await self._script(f"rm -rf {' '.join(self._directories)}")
        self._shell = procfs.Ids(0)
        await self._close_terminal()

    async def _try(self, cwd: str, nonces: Nonces, *, rc: bool) -> bool:
        await self._close_terminal()
        setup = launch.set_up(nonces, env=self._env, cwd=cwd)
        await self._write({"s": setup, "pid": b""})
        argv = self._place.argv(rc=rc)
        stream = await self._open_stream(argv, tty=True, cwd=cwd, env=self._env)
        self.terminal = Terminal(stream, self._new_clip, self._place.clean)
        self._opened = True
        self.terminal.cwd = cwd
        try:
            return await self._introduce(nonces)
        except BaseException:
            await self.terminal.close()
            raise

    async def _introduce(self, nonces: Nonces) -> bool:
        """Have a new shell source its set-up; whether it did."""
        self.terminal.begin(nonces, running=True)
        await self._type("s")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_TIMEOUT):
                while self.terminal.busy:
                    await self.terminal.wait(None)
        await self._identify()
        ended = self.terminal.ended
        if ended is None:
            return False
        self.terminal.take()  # what the rc files had to say
        self.terminal.scanner.pid = self._shell.pid
        self._has_tty = ended.status == 0
        return True

    async def _close_terminal(self) -> None:
        if not self._opened:
            return
        if not self.terminal.closed and self._shell.pid:
            await self._script(procfs.kill_terminal(self._shell))
        await self.terminal.close()

    async def _identify(self) -> None:
        found = await self._script(
            f'read -r p <{self._place.directory}/pid && read -r l <"/proc/$p/stat" && echo "$l"'
            f' || echo "$p"'
        )
        first = found.stdout.decode(errors="replace").strip()
        if " " in first:
            self._shell = procfs.ids(first)
            look = await self._look()
            self._argv = look.argv if look is not None else ()
        else:
            self._shell = procfs.Ids(int(first or 0))

    async def _script(self, source: str | bytes) -> ExecResult:
        try:
            return await self._control.run(source)
        except ExecTimeout as error:
            raise SandboxLost(f"a script of a few lines in the sandbox {error}") from error

    async def _look(self) -> procfs.Look | None:
        found = await self._script(procfs.look(self._shell))
        return procfs.seen(found.stdout) if found.exit_code == 0 else None

    async def _stty(self, settings: str) -> ExecResult:
        return await self._script(f"stty {settings} </proc/{self._shell.pid}/fd/0")

    async def _write(self, files: Mapping[str, bytes]) -> None:
        done = await self._script(self._writing(files))
        if done.exit_code == 0:
            return
        # The disk may be full, and the next command may be the one that makes room.
        moved = await self._script(launch.find_place(secrets.token_hex(4), self._place.program))
        if moved.exit_code == 0:
            self._place = replace(self._place, directory=moved.stdout.decode().split("\n")[0])
            self._directories.append(self._place.directory)
            done = await self._script(self._writing(files))
        if done.exit_code:
            words = done.stderr.decode(errors="replace").strip()
            raise SandboxFailed(f"the shell's files cannot be written in the sandbox: {words}")

    def _writing(self, files: Mapping[str, bytes]) -> bytes:
        where = self._place.directory
        lines = [b"umask 077", encode(f"[ -d {where} ] || mkdir -p {where} || exit 1")]
        for name, data in files.items():
            body = b" && ".join(printf(data)) or b":"
            lines.append(b"{ %s; } >%s || exit 1" % (body, encode(f"{where}/{name}")))
        return b"\n".join(lines)


def _interactive(argv: tuple[str, ...]) -> bool:
    """A shell that takes its commands from its terminal."""
    if argv and argv[0].rpartition("/")[2] == "busybox":
        argv = argv[1:]
    if not argv or argv[0].lstrip("-").rpartition("/")[2] not in _SHELLS:
        return False
    return all(
        option[:1] in "-+" and (option.startswith("--") or "c" not in option) for option in argv[1:]
    )
