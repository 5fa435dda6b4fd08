"""One interactive shell's PTY stream, always being read: what it shows and when a command ends.

A task of its own reads for as long as the stream lives, so that a background job never stands
still because nobody looks; what it takes in is bounded by the clip.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from velora.sandbox.clip import GAP, Clip, Decoder
from velora.sandbox.markers import Ended, Nonces, Scanner, Started, Text
from velora.sandbox.stream import Stream


class Terminal:
    """A stream with a shell on it.

    Attributes:
        ended: how the last command ended; None while it runs.
        prompted: the prompt was shown although the command did not come back.
        started: the last command's start was seen.
        last_output: the event loop's time when something was shown last.
        busy: a command was typed and has not ended.
    """

    def __init__(
        self, stream: Stream, new_clip: Callable[[], Clip], clean: Callable[[str], str]
    ) -> None:
        """Begin to read."""
        self.stream = stream
        self.scanner = Scanner()
        self.ended: Ended | None = None
        self.prompted: Ended | None = None
        self.started = False
        self.last_output = 0.0
        self.cwd = ""
        self._typed = False
        self._new_clip = new_clip
        self._clean = clean
        self._decoder = Decoder()
        self._clip = new_clip()  # the command's
        self._late = new_clip()  # what is shown while there is none
        self._dropped = 0  # of what was late and goes with the next output
        self._spill: Path | None = None
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @property
    def closed(self) -> bool:
        """The stream has ended."""
        return self._reader.done()

    @property
    def busy(self) -> bool:
        """A command was begun and has not ended."""
        return self._typed and self.ended is None and not self.closed

    def begin(self, nonces: Nonces, *, running: bool = False) -> None:
        """A command is about to be typed; `running` where its start will not be told."""
        self.scanner.expect(nonces, running=running)
        self.ended = self.prompted = None
        self.started = running
        self._typed = True

    def accept(self, ended: Ended) -> None:
        """The command is over although no mark of its own says so; if one has by now, it counts."""
        if self.ended is None:
            self.scanner.running = False
            self._finish(ended)

    async def wait(self, timeout: float | None) -> None:
        """Until the command starts, ends or is followed by a prompt, or the stream ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._news.wait()
        self._news.clear()

    async def exit_code(self) -> int | None:
        """The shell's status, once the stream ends; None where it cannot be known.

        Raises:
            SandboxLost: the sandbox ended and not the shell alone.
        """
        await asyncio.wait([self._reader])
        if self._reader.cancelled():
            return None
        self._reader.result()
        return await self.stream.exit_code()

    def take(self) -> tuple[str, int, Path | None]:
        """The command's output since the last call: text, bytes left out, the full text's file."""
        clip, self._clip = self._clip, self._new_clip()
        text, dropped = self._text(clip)
        spill, dropped = clip.spill or self._spill, dropped + self._dropped
        self._dropped, self._spill = 0, None
        return text, dropped, spill

    def take_late(self, *, prompt_kept: bool = True) -> None:
        """Let what was shown while no command ran go with the next output, less the prompt."""
        late, self._late = self._late, self._new_clip()
        text, dropped = self._text(late)
        if not prompt_kept:
            text = text[: text.rfind("\n") + 1]
        if text.strip():
            self._clip.add(text)
            self._dropped += dropped
            self._spill = late.spill

    def add(self, text: str) -> None:
        """Let the next `take` begin with this."""
        self._clip.add(text)

    async def close(self) -> None:
        """Stop reading and let go of the stream."""
        self._reader.cancel()
        await asyncio.wait([self._reader])
        if not self._reader.cancelled():
            self._reader.exception()  # whoever waited for it has had it
        await self.stream.close()

    async def _read(self) -> None:
        try:
            while True:
                _, data = await self.stream.read()
                if not data:
                    break
                self.last_output = asyncio.get_running_loop().time()
                self._show(self.scanner.feed(data))
            self._show(self.scanner.flush())
            clip = self._clip if self.busy else self._late
            clip.add(self._decoder.decode(b"", final=True))
        finally:
            self._news.set()

    def _show(self, events: Iterator[Text | Started | Ended]) -> None:
        for event in events:
            if isinstance(event, Text):
                clip = self._late if event.late else self._clip
                clip.add(self._decoder.decode(event.data))
                continue
            clip = self._late if isinstance(event, Started) else self._clip
            clip.add(self._decoder.decode(b"", final=True))
            if isinstance(event, Started):
                self.take_late(prompt_kept=event.prompt_kept)
                self.started = True
            elif event.by_prompt:
                self.prompted = event
            else:
                self._finish(event)
            self._news.set()

    def _finish(self, ended: Ended) -> None:
        self.ended = ended
        if ended.cwd.startswith(b"/"):
            self.cwd = ended.cwd.decode("utf-8", "surrogateescape")
        self._news.set()

    def _text(self, clip: Clip) -> tuple[str, int]:
        head, tail, dropped = clip.finish()
        return self._clean(head) + (GAP + self._clean(tail) if clip.cut else ""), dropped
