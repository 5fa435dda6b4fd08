"""An MCP server for tests: over standard input and output, or HTTP with `--port`.

Its tools: `add` (two numbers), `think` (a name that the agent has itself), `dotted.name`, `fail`,
`picture`, `count` (what it keeps of one connection).
"""

from __future__ import annotations

import base64
import sys

from mcp.server.mcpserver import Image, MCPServer

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
server = MCPServer("sums")
_counted: list[int] = []


@server.tool()
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool(name="think")
def other_think(thought: str) -> str:
    """Think elsewhere."""
    return f"elsewhere: {thought}"


@server.tool(name="dotted.name")
def dotted() -> str:
    """A name that providers refuse."""
    return "dotted"


@server.tool()
def fail() -> str:
    """Fail."""
    raise RuntimeError("it broke")


@server.tool()
def picture() -> Image:
    """Show a pixel."""
    return Image(data=PIXEL, format="png")


@server.tool()
def count() -> str:
    """Count calls."""
    _counted.append(1)
    return str(len(_counted))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        server.run("streamable-http", port=int(sys.argv[2]))
    else:
        server.run("stdio")
