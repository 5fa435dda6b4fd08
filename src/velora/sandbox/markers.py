"""Where a command begins and ends in what a terminal shows, told by marks with fresh nonces.

The shell prints three kinds of marks, all of the shape RS nonce LETTER body RS nonce `.`:

- S, by the file that the typed line sources, right before the command. What was shown before it
  (echo, a prompt, output of background jobs) is not the command's.
- E, by the same file right behind the command: its status and the shell's directory.
- P, by the prompt itself, through PS1: the shell's pid, the status, the directory. It is how a
  command ends that never came back to the file: interrupted, or a syntax error in dash.

The nonce of S and E is in that file alone. PS1's own is another one, so that a command that
prints PS1 gives nothing away; unexpanded, PS1 holds `$?` where a mark holds digits. A prompt of
another process has another pid.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

RS = b"\x1e"
_HEAD = 34  # RS, 32 digits, a letter
_LONGEST = 16384  # a mark's length: no directory's name is longer

# The patterns are for marks of any nonce; where a certain one is meant, its head is looked up
# first and the pattern is tried there: a pattern for each nonce would be compiled at each command.
_START = re.compile(rb"\x1e([0-9a-f]{32})S(\d)\x1e\1\.")
_END = re.compile(rb"\x1e([0-9a-f]{32})E(\d+) (.*?)\r?\n?\x1e\1\.", re.DOTALL)
_PROMPT = re.compile(rb"\x1e([0-9a-f]{32})P(\d+) (\d+) (.*?)\x1e\1\.", re.DOTALL)
_STALE = re.compile(rb"\x1e([0-9a-f]{32})[PE](?:\d+ )+.*?\x1e\1\.", re.DOTALL)

_OPEN_START = re.compile(rb"\x1e[0-9a-f]{32}S.{0,36}\Z", re.DOTALL)
_OPEN_END = re.compile(rb"\x1e[0-9a-f]{32}E(?:\d+ .*|\d*)\Z", re.DOTALL)
_OPEN_PROMPT = re.compile(rb"\x1e[0-9a-f]{32}P(?:\d+ \d+ .*|\d+ \d*|\d*)\Z", re.DOTALL)
_SOME_HEAD = re.compile(rb"\x1e[0-9a-f]{0,32}")


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes that were shown; `late` ones came while no command ran."""

    data: bytes
    late: bool


@dataclass(frozen=True, slots=True)
class Started:
    """The command begins; `prompt_kept` says that PS1 was still the one given before."""

    prompt_kept: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The command is over.

    With `by_prompt` the prompt says so and not the sourced file: very likely true, but a command
    can print its shell's prompt, so the scanner stays in the command until told otherwise.
    """

    status: int
    cwd: bytes
    by_prompt: bool


@dataclass(frozen=True, slots=True)
class Nonces:
    """Of one command: `mark` for S and E, `prompt` for P."""

    mark: bytes
    prompt: bytes

    @classmethod
    def fresh(cls) -> Nonces:
        """Random ones, 128 bits each."""
        return cls(secrets.token_hex(16).encode(), secrets.token_hex(16).encode())


class Scanner:
    """Cuts what a terminal shows into text and marks, however it is chunked."""

    def __init__(self, pid: int = 0) -> None:
        """Accept prompts of the shell with this pid."""
        self.pid = pid
        self.running = False
        self._buffer = b""
        self.expect(Nonces(b"-", b"-"))

    def expect(self, nonces: Nonces, *, running: bool = False) -> None:
        """Look for a command's marks from now on; `running` where its start has been seen."""
        self.running = running
        self._start = RS + nonces.mark + b"S"
        self._end = RS + nonces.mark + b"E"
        self._prompt = RS + nonces.prompt + b"P"

    def feed(self, data: bytes) -> Iterator[Text | Started | Ended]:
        """Take the next bytes."""
        self._buffer += data
        while RS in self._buffer:
            step = self._running_mark() if self.running else self._idle_mark()
            if step is None:
                break
            before, event, self._buffer = step
            if before:
                yield Text(before, not self.running)
            if event is not None:
                if isinstance(event, Started):
                    self.running = True
                elif not event.by_prompt:
                    self.running = False
                yield event
        held = self._held()
        text, self._buffer = self._buffer[:held], self._buffer[held:]
        if text:
            yield Text(text, not self.running)

    def flush(self) -> Iterator[Text]:
        """What was held back, once there is nothing more to come."""
        if self._buffer:
            yield Text(self._buffer, not self.running)
            self._buffer = b""

    def _running_mark(self) -> tuple[bytes, Ended, bytes] | None:
        found = _first(_END, self._end, self._buffer)
        if found is not None:
            return self._cut(found, Ended(int(found[2]), _newlines(found[3]), by_prompt=False))
        for found in _each(_PROMPT, self._prompt, self._buffer):
            if int(found[2]) == self.pid:
                return self._cut(found, Ended(int(found[3]), _newlines(found[4]), by_prompt=True))
        return None

    def _idle_mark(self) -> tuple[bytes, Started | None, bytes] | None:
        prompt = _STALE.search(self._buffer)
        start = _first(_START, self._start, self._buffer)
        if start is not None and (prompt is None or start.start() < prompt.start()):
            event = Started(prompt_kept=start[2] == b"0")
            return self._buffer[: start.start()], event, self._buffer[start.end() :]
        if prompt is not None:
            return self._buffer[: prompt.start()], None, self._buffer[prompt.end() :]
        return None

    def _cut(self, found: re.Match[bytes], event: Ended) -> tuple[bytes, Ended, bytes]:
        return self._buffer[: found.start()], event, self._buffer[found.end() :]

    def _held(self) -> int:
        """From where on the buffer may be a mark that is not whole yet."""
        size = len(self._buffer)
        since = max(0, size - _LONGEST)
        opened = self._open_running(since) if self.running else self._open_idle(since)
        if opened:
            return min(found.start() for found in opened)
        last = self._buffer.rfind(RS, max(0, size - _HEAD))
        if last < 0:
            return size
        tail = self._buffer[last:]
        if self.running:
            may_open = any(head.startswith(tail) for head in (self._end, self._prompt))
        else:
            may_open = _SOME_HEAD.fullmatch(tail) is not None
        return last if may_open else size

    def _open_running(self, since: int) -> list[re.Match[bytes]]:
        found = (
            _first(_OPEN_END, self._end, self._buffer, since),
            _first(_OPEN_PROMPT, self._prompt, self._buffer, since),
        )
        return [one for one in found if one is not None]

    def _open_idle(self, since: int) -> list[re.Match[bytes]]:
        found = (
            _first(_OPEN_START, self._start, self._buffer, since),
            _OPEN_PROMPT.search(self._buffer, since),
        )
        return [one for one in found if one is not None]


def _each(
    pattern: re.Pattern[bytes], head: bytes, buffer: bytes, since: int = 0
) -> Iterator[re.Match[bytes]]:
    """Where `pattern` matches at a place that begins with `head`."""
    at = buffer.find(head, since)
    while at >= 0:
        found = pattern.match(buffer, at)
        if found is not None:
            yield found
        at = buffer.find(head, at + 1)


def _first(
    pattern: re.Pattern[bytes], head: bytes, buffer: bytes, since: int = 0
) -> re.Match[bytes] | None:
    return next(_each(pattern, head, buffer, since), None)


def _newlines(cwd: bytes) -> bytes:
    return cwd.replace(b"\r\n", b"\n")
