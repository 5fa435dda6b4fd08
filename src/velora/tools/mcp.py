"""Tools of MCP servers, through pydantic-ai's client.

The servers run on this machine or elsewhere, outside the sandbox: what they may do is the
operator's decision. Each attempt has connections of its own, so what a server keeps of one attempt
no other sees. Names that are taken or that providers refuse are mended with the server's name.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from velora.config.settings import McpServer, Settings
from velora.errors import SandboxFailed, UsageError
from velora.journal.messages import Image, ToolSpec
from velora.tools.protocol import Tool, ToolResult

if TYPE_CHECKING:
    from pydantic_ai.mcp import MCPToolset

_REFUSED = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST = 64  # characters of a tool's name that OpenAI and Anthropic take


def servers(settings: Settings) -> tuple[tuple[str, McpServer], ...]:
    """The servers to connect to, each with its kind: `stdio`, `http` or `sse`."""
    if not settings.agent.enable_mcp:
        return ()
    kinds = (
        ("stdio", settings.mcp.stdio_servers),
        ("http", settings.mcp.shttp_servers),
        ("sse", settings.mcp.sse_servers),
    )
    return tuple(
        (kind, McpServer(url=one) if isinstance(one, str) else one)
        for kind, group in kinds
        for one in group
    )


def check(settings: Settings) -> None:
    """Find what is wrong with the servers' settings.

    Raises:
        UsageError: a server without what its kind needs, or the client is not installed.
    """
    for kind, server in servers(settings):
        where = f"[mcp] {kind} server '{_label(server)}'"
        if kind == "stdio" and not server.command:
            raise UsageError("it has no command", where=where, hint='command = "…", args = [ … ]')
        if kind != "stdio" and urlsplit(server.url).scheme not in ("http", "https"):
            raise UsageError(f"url '{server.url}' is no URL", where=where)
    if servers(settings):
        try:
            import mcp  # noqa: F401
        except ImportError:
            hint = "pip install 'velora[mcp]'"
            raise UsageError("the MCP client is not installed", where="[mcp]", hint=hint) from None


async def connect(
    settings: Settings, *, taken: Mapping[str, Tool], stack: AsyncExitStack, log_dir: Path | None
) -> dict[str, Tool]:
    """Connect to all servers.

    Args:
        taken: tools that keep their names.
        stack: closes the connections.
        log_dir: host directory for what programs write to their standard error; None drops it.

    Raises:
        SandboxFailed: a server does not answer; names it.
    """
    tools: dict[str, Tool] = {}
    for kind, server in servers(settings):
        try:
            toolset = await stack.enter_async_context(_toolset(kind, server, log_dir))
            found = await toolset.list_tools()
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            raise SandboxFailed(f"the MCP server '{_label(server)}' fails: {words}") from error
        for one in found:
            name = _name(one.name, server, {*taken, *tools})
            schema = getattr(one, "input_schema", None) or getattr(one, "inputSchema", None) or {}
            spec = ToolSpec(name, one.description or "", {"type": "object", **schema})
            tools[name] = McpTool(spec, toolset, one.name)
    return tools


def _toolset(kind: str, server: McpServer, log_dir: Path | None) -> MCPToolset[Any]:
    from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
    from pydantic_ai.mcp import MCPToolset

    transport: Any
    if kind == "stdio":
        environment = {**os.environ, **server.env}
        log = Path(os.devnull)
        if log_dir is not None:
            log_dir.mkdir(parents=True, exist_ok=True)
            log = log_dir / f"mcp_{_REFUSED.sub('_', _label(server))}.log"
        transport = StdioTransport(server.command, list(server.args), env=environment, log_file=log)
    else:
        headers = dict(server.headers)
        if server.api_key is not None:
            headers.setdefault("Authorization", f"Bearer {server.api_key.get_secret_value()}")
        transport = (SSETransport if kind == "sse" else StreamableHttpTransport)(
            server.url, headers=headers
        )
    return MCPToolset(transport, tool_error_behavior="error", read_timeout=server.timeout)


def _label(server: McpServer) -> str:
    return server.name or server.command or urlsplit(server.url).hostname or server.url


def _name(name: str, server: McpServer, taken: set[str]) -> str:
    plain = _REFUSED.sub("_", name)[:_LONGEST]
    if plain not in taken:
        return plain
    longer = _REFUSED.sub("_", f"{_label(server)}_{name}")
    number, found = 2, str(longer[:_LONGEST])
    while found in taken:
        found, number = f"{longer[: _LONGEST - 3]}_{number}", number + 1
    return found


class McpTool:
    """One tool of a server."""

    def __init__(self, spec: ToolSpec, toolset: MCPToolset[Any], name: str) -> None:
        self.spec = spec
        self._toolset = toolset
        self._name = name

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """Call it; what goes wrong is told to the model."""
        try:
            result = await self._toolset.direct_call_tool(self._name, arguments)
        except Exception as error:  # a server's failure is an observation, as a command's is
            return ToolResult(f"{type(error).__name__}: {error}", error=True)
        return _result(result)


def _result(value: Any) -> ToolResult:
    from pydantic_ai.messages import BinaryContent

    parts = value if isinstance(value, list) else [value]
    texts: list[str] = []
    images: list[Image] = []
    for part in parts:
        if isinstance(part, BinaryContent) and part.media_type.startswith("image/"):
            images.append(Image(part.media_type, base64.b64encode(part.data).decode()))
            texts.append(f"[a picture, {part.media_type}, {len(part.data)} bytes]")
        elif isinstance(part, BinaryContent):
            texts.append(f"[{part.media_type}, {len(part.data)} bytes, not shown]")
        else:
            text = part if isinstance(part, str) else orjson.dumps(part, default=str).decode()
            texts.append(text)
    return ToolResult("\n".join(texts), images=tuple(images))
