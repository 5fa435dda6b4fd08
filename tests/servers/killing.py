"""A scripted model server in a process of its own that kills its client at a point it is told.

It writes down each answer that it has wholly sent, so that it can be asked what was paid for: the
conversation (a digest of all messages), the instance, the turn and the answer's id. `POST /arm`
with `{"pid": ..., "where": "asked" | "half" | "sent", "after": n}` kills that process with SIGKILL
at the n-th event of the kind from now on: before an answer is begun, when half of it is sent, when
all of it is. As a process: `python -m tests.servers.killing LOG` prints its URL.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tests.servers.chat import Rules, events
from velora.journal.messages import AssistantMessage, ToolCall

Play = Callable[[str, int], tuple[tuple[str, dict[str, Any]], ...]]
"""From the task prompt and the turn (from 0) to the calls of the answer."""


def six_turns(prompt: str, turn: int) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Six turns that need the shell's state, the editor's and the files of all turns before."""
    found = re.search(r"<uploaded_files>\n(.+)\n</uploaded_files>", prompt)
    assert found
    path = f"{found[1]}/notes.md"

    def bash(command: str) -> tuple[str, dict[str, Any]]:
        return "execute_bash", {"command": command}

    turns: tuple[tuple[tuple[str, dict[str, Any]], ...], ...] = (
        (bash("export N=7; mkdir -p sub && cd sub"), ("think", {"thought": "so far so good"})),
        (bash("echo $N-one >> log.txt"), bash("echo $N-two >> log.txt")),
        (("str_replace_editor", {"command": "create", "path": path, "file_text": "a\nb\n"}),),
        (
            (
                "str_replace_editor",
                {"command": "str_replace", "path": path, "old_str": "b", "new_str": "c"},
            ),
            bash("add() { echo $((N + $1)) >> log.txt; }"),
        ),
        (bash("add 5; basename $PWD >> log.txt; cat log.txt ../notes.md > ../result.txt"),),
    )
    return turns[turn] if turn < len(turns) else (("finish", {"message": "done"}),)


RESULT = "7-one\n7-two\n12\nsub\na\nc\n"
"""What `result.txt` holds after `six_turns`."""


@dataclass(slots=True)
class KillingServer:
    """Answers on 127.0.0.1.

    Attributes:
        play: what to answer.
        log: gets one line of JSON an answer that was wholly sent.
    """

    play: Play
    log: BinaryIO
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _armed: dict[str, Any] | None = None

    async def start(self) -> str:
        """Listen on a free port; returns the URL."""
        server = await asyncio.start_server(self._client, "127.0.0.1", 0, limit=2**26)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                await self._exchange(reader, writer)
        writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: *(\d+)", head)
        body = orjson.loads(await reader.readexactly(int(length[1]) if length else 0))
        if head.startswith("post /arm"):
            self._armed = body
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            return
        refusal = Rules().check("", body)
        if refusal is not None:
            data = refusal.body()
            first = f"HTTP/1.1 {refusal.status} No\r\ncontent-type: application/json\r\n"
            writer.write(f"{first}content-length: {len(data)}\r\n\r\n".encode() + data)
            await writer.drain()
            return
        await self._answer(body, writer)

    async def _answer(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        messages = body["messages"]
        prompt = next(str(one["content"]) for one in messages if one["role"] == "user")
        turn = sum(one["role"] == "assistant" for one in messages)
        number = next(self._numbers)
        self._happened("asked")
        calls = tuple(
            ToolCall(f"call_{number}_{n}", name, orjson.dumps(arguments).decode())
            for n, (name, arguments) in enumerate(self.play(prompt, turn))
        )
        data = b"".join(events(AssistantMessage("", calls), body, number, piece=24))
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"content-length: %d\r\n\r\n" % len(data)
        )
        middle = len(data) // 2
        writer.write(data[:middle])
        await writer.drain()
        self._happened("half")
        await asyncio.sleep(0)
        writer.write(data[middle:])
        await writer.drain()
        line = {
            "conversation": hashlib.sha256(orjson.dumps(messages)).hexdigest(),
            "prompt": hashlib.sha256(prompt.encode()).hexdigest(),
            "turn": turn,
            "response_id": f"chatcmpl-{number}",
        }
        self.log.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._happened("sent")

    def _happened(self, what: str) -> None:
        armed = self._armed
        if armed is None or armed["where"] != what:
            return
        armed["after"] -= 1
        if armed["after"] <= 0:
            self._armed = None
            with suppress(ProcessLookupError):
                os.kill(armed["pid"], signal.SIGKILL)


async def serve(log: Path) -> None:
    """Serve until the process is ended."""
    with log.open("ab", buffering=0) as file:
        print(await KillingServer(six_turns, file).start(), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(Path(sys.argv[1])))
