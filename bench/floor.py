"""The floor: the least that any harness must do, over the engine's bare socket, in one process.

A container is made, started and removed for each instance; a scripted model is asked over HTTP for
each step; the command that it names runs in one persistent bash (`--mode bash`) or in a new
process of the engine (`--mode exec`). There is no agent, no journal, no patch, no timeout.

    python -m bench.floor --mode bash --image IMAGE --url URL --instances 20 --workers 4
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

SOCKET = "/var/run/docker.sock"
READY = b"\x1eready\x1e"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def call(method: str, path: str, body: Any = None) -> Any:
    """One call of the engine's API on a connection of its own."""
    reader, writer = await asyncio.open_unix_connection(SOCKET)
    data = b"" if body is None else json.dumps(body).encode()
    writer.write(_head(method, path, len(data), "Connection: close\r\n") + data)
    raw = await reader.read()
    writer.close()
    head, _, payload = raw.partition(b"\r\n\r\n")
    assert head.split()[1][:1] == b"2", raw
    if b"chunked" in head.lower():
        payload = b"".join(_chunks(payload))
    return json.loads(payload) if payload.strip() else None


async def hijack(path: str, body: Any) -> Connection:
    """A call that turns the connection into the process's streams."""
    reader, writer = await asyncio.open_unix_connection(SOCKET, limit=2**20)
    data = json.dumps(body).encode()
    writer.write(_head("POST", path, len(data), "Connection: Upgrade\r\nUpgrade: tcp\r\n") + data)
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def _head(method: str, path: str, size: int, more: str) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
        f"Content-Length: {size}\r\n{more}\r\n"
    ).encode()


def _chunks(data: bytes) -> list[bytes]:
    found = []
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        found.append(rest[:length])
        data = rest[length + 2 :]
    return found


class Model:
    """The scripted model, on one kept connection."""

    def __init__(self, url: str) -> None:
        self._host, _, port = url.split("/")[2].partition(":")
        self._port = int(port)
        self._open: Connection | None = None

    async def ask(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """The next message."""
        if self._open is None:
            self._open = await asyncio.open_connection(self._host, self._port, limit=2**26)
        reader, writer = self._open
        data = json.dumps({"model": "bench", "messages": messages}).encode()
        writer.write(_head("POST", "/v1/chat/completions", len(data), "") + data)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"chunked" in head, head
        body = b""
        while (size := int(await reader.readline(), 16)) > 0:
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return dict(json.loads(body)["choices"][0]["message"])


async def instance(number: int, image: str, model: Model, mode: str) -> None:
    """One instance from start to removal."""
    host = {"NetworkMode": "none", "Init": True}
    made = await call(
        "POST", "/containers/create", {"Image": image, "Cmd": ["sleep", "1d"], "HostConfig": host}
    )
    container = made["Id"]
    await call("POST", f"/containers/{container}/start")
    shell = await _shell(container) if mode == "bash" else None
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"instance {number}"}]
    while True:
        message = await model.ask(messages)
        messages.append(message)
        tool = message["tool_calls"][0]
        if tool["function"]["name"] == "finish":
            break
        command = json.loads(tool["function"]["arguments"])["command"]
        output = await (_typed(shell, command) if shell else executed(container, command))
        messages.append({"role": "tool", "tool_call_id": tool["id"], "content": output})
    await call("DELETE", f"/containers/{container}?force=1")


async def _shell(container: str) -> Connection:
    made = await call(
        "POST",
        f"/containers/{container}/exec",
        {"Cmd": ["bash", "--norc", "--noediting"], "Tty": True}
        | {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True},
    )
    shell = await hijack(f"/exec/{made['Id']}/start", {"Tty": True, "Detach": False})
    await _typed(shell, "stty -echo; PS1=")
    return shell


async def _typed(shell: Connection, command: str) -> str:
    reader, writer = shell
    writer.write(f"{command}; printf '\\036ready\\036'\n".encode())
    return (await reader.readuntil(READY)).decode(errors="replace")


async def executed(container: str, command: str) -> str:
    """What a command in a process of its own prints."""
    made = await call(
        "POST",
        f"/containers/{container}/exec",
        {"Cmd": ["bash", "-c", command], "AttachStdout": True, "AttachStderr": True},
    )
    reader, writer = await hijack(f"/exec/{made['Id']}/start", {"Detach": False})
    output = await reader.read()
    writer.close()
    await call("GET", f"/exec/{made['Id']}/json")
    return output.decode(errors="replace")


async def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=("bash", "exec"), required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    queue = list(range(given.instances))

    async def worker() -> None:
        model = Model(given.url)
        while queue:
            await instance(queue.pop(0), given.image, model, given.mode)

    async with asyncio.TaskGroup() as group:
        for _ in range(given.workers):
            group.create_task(worker())


if __name__ == "__main__":
    asyncio.run(main())
