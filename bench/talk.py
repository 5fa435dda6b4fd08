"""Many conversations at once through one client, and what that takes.

    python -m bench.talk --client velora|openai|litellm --url URL --conversations 64 --turns 30

Prints `{"cpu": seconds of CPU, "calls": n, "resident": bytes at the peak}`. What importing takes
and a first call are left out of the CPU. Velora always streams, so the others do too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench.tools import TOOLS

Converse = Callable[[int, int], Awaitable[None]]

OBSERVATION = "x" * 2000
TASK = "Mend the bug that this issue describes. " * 50


def _wire_tools() -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {"name": n, "description": d, "parameters": p},
        }
        for n, d, p in TOOLS
    ]


def _opening(number: int) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": "You are an agent. " * 100},
        {"role": "user", "content": f"instance {number}: {TASK}"},
    ]


async def openai_sdk(url: str) -> Converse:
    """The `openai` package, its deltas put together as its users do it."""
    import openai

    client: Any = openai.AsyncOpenAI(base_url=url, api_key="bench-key", max_retries=0)
    tools = _wire_tools()

    async def ask(messages: list[dict[str, Any]]) -> Any:
        return await client.chat.completions.create(
            model="bench",
            messages=messages,
            tools=tools,
            stream=True,
            stream_options={"include_usage": True},
        )

    return _streamed(ask)


async def litellm(url: str) -> Converse:
    """LiteLLM's asynchronous completion."""
    import litellm as library

    tools = _wire_tools()

    async def ask(messages: list[dict[str, Any]]) -> Any:
        return await library.acompletion(
            model="openai/bench",
            api_base=url,
            api_key="bench-key",
            messages=messages,
            tools=tools,
            stream=True,
            stream_options={"include_usage": True},
        )

    return _streamed(ask)


def _streamed(ask: Callable[[list[dict[str, Any]]], Awaitable[Any]]) -> Converse:
    async def converse(number: int, turns: int) -> None:
        messages = _opening(number)
        for _ in range(turns):
            content, id_, name, arguments = "", "", "", ""
            async for chunk in await ask(messages):
                for choice in chunk.choices:
                    content += choice.delta.content or ""
                    for call in choice.delta.tool_calls or ():
                        id_ = call.id or id_
                        name = call.function.name or name
                        arguments += call.function.arguments or ""
            function = {"name": name, "arguments": arguments}
            call = {"id": id_, "type": "function", "function": function}
            messages.append({"role": "assistant", "content": content, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": id_, "content": OBSERVATION})

    return converse


async def velora(url: str) -> Converse:
    """Velora's model, below its agent."""
    from pydantic import SecretStr

    from velora.config.settings import LLMSettings
    from velora.journal.messages import Message, SystemMessage, ToolMessage, ToolSpec, UserMessage
    from velora.llm.factory import build

    settings = LLMSettings(model="openai/bench", base_url=url, api_key=SecretStr("bench-key"))
    model = build(settings)
    tools = tuple(ToolSpec(*one) for one in TOOLS)

    async def converse(number: int, turns: int) -> None:
        system, task = _opening(number)
        messages: list[Message] = [SystemMessage(system["content"]), UserMessage(task["content"])]
        for _ in range(turns):
            answer = await model.complete(
                messages, tools, note=lambda *_: None, conversation=str(number)
            )
            messages.append(answer.message)
            calls = answer.message.tool_calls
            messages.extend(ToolMessage(call.id, call.name, OBSERVATION) for call in calls)

    return converse


CLIENTS = {"velora": velora, "openai": openai_sdk, "litellm": litellm}


async def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", choices=CLIENTS, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--conversations", type=int, default=64)
    parser.add_argument("--turns", type=int, default=30)
    given = parser.parse_args()
    converse = await CLIENTS[given.client](given.url)
    await converse(0, 1)
    before = time.process_time()
    await asyncio.gather(*(converse(n, given.turns) for n in range(1, given.conversations + 1)))
    used = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"cpu": used, "calls": given.conversations * given.turns, "resident": peak}))


if __name__ == "__main__":
    asyncio.run(main())
