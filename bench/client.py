"""The LLM client alone: the same conversation through the `openai` package, tools left out.

python -m bench.client --url URL --conversations 4
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any


async def converse(client: Any, number: int) -> None:
    """One conversation to its `finish`."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": f"instance {number}"}]
    while True:
        answer = await client.chat.completions.create(model="bench", messages=messages)
        message = answer.choices[0].message
        call = message.tool_calls[0]
        if call.function.name == "finish":
            return
        messages.append(message.model_dump(exclude_none=True))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "x" * 200})


async def main() -> None:
    """The command line."""
    import openai

    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--conversations", type=int, default=4)
    given = parser.parse_args()
    async with openai.AsyncOpenAI(base_url=given.url, api_key="bench-key") as client:
        for number in range(given.conversations):
            await converse(client, number)


if __name__ == "__main__":
    asyncio.run(main())
