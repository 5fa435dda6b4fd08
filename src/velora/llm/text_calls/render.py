"""Tools, calls and observations as plain text.

A call is written in the XML-like form that open models were trained on most:

    <function=NAME>
    <parameter=KEY>
    value
    </parameter>
    </function>

A value stands as it is, without quotes or escapes: that is what small models get right.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from velora.journal.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)

TEXT = "text"
"""The `kind` of an `AssistantMessage.provider` that holds an answer whose calls are text:
`{"kind": "text", "text": <the answer as written>, "inner": <the provider's own record>}`."""

_HOW = """\
You act by calling tools. A call is text at the end of your answer, in exactly this form:

<function=NAME>
<parameter=KEY>
the value as it is: no quotes, no escapes, on as many lines as it has
</parameter>
</function>

Write one call an answer, and nothing after it: what it gives is the next message. For example:

I look at what is there.
{example}

The tools:
"""


def tools_text(tools: Sequence[ToolSpec]) -> str:
    """What a system prompt says of the tools."""
    sample = {"command": "ls"} if any(one.name == "execute_bash" for one in tools) else {}
    name = "execute_bash" if sample else tools[0].name
    described = "\n".join(_described(one) for one in tools)
    return f"{_HOW.format(example=call_text(name, sample))}\n{described}"


def _described(tool: ToolSpec) -> str:
    properties: Mapping[str, Any] = tool.parameters.get("properties", {})
    required = tool.parameters.get("required", ())
    lines = [f"## {tool.name}", tool.description]
    for key, schema in properties.items():
        need = "required" if key in required else "optional"
        choices = schema.get("enum")
        kind = " | ".join(map(str, choices)) if choices else schema.get("type", "any")
        shape = f", as JSON: {json.dumps(schema)}" if kind in ("array", "object") else ""
        about = schema.get("description", "")
        lines.append(f"- {key} ({kind}, {need}{shape}): {about}".rstrip(": "))
    return "\n".join([*lines, ""])


def call_text(name: str, arguments: Mapping[str, Any]) -> str:
    """A call in our form."""
    parts = [
        f"<parameter={key}>\n{_value(value)}\n</parameter>" for key, value in arguments.items()
    ]
    return "\n".join([f"<function={name}>", *parts, "</function>"])


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def observation_text(message: ToolMessage) -> str:
    """What the model is told a call gave."""
    return f"Result of {message.name}:\n{message.content}"


def plain(messages: Iterable[Message], tools: Sequence[ToolSpec]) -> list[Message]:
    """A conversation without tools: they are in the system prompt, calls and results in the text.

    Neighbouring messages of the user's are put together, since many chat templates insist that
    roles take turns.
    """
    found: list[Message] = []
    told = tools_text(tools) if tools else ""
    for message in messages:
        match message:
            case SystemMessage(content=content):
                found.append(SystemMessage(f"{content}\n\n{told}" if told else content))
                told = ""
            case AssistantMessage():
                found.append(_answer(message))
            case ToolMessage():
                _say(found, observation_text(message))
            case UserMessage(content=content):
                _say(found, content)
    return [SystemMessage(told), *found] if told else found


def native(messages: Sequence[Message]) -> Sequence[Message]:
    """A conversation for a provider that knows tools, in which answers whose calls were text stay
    text, each followed by its results as the user's words."""
    if not any(_is_text(one) for one in messages):
        return messages
    found: list[Message] = []
    texts: set[str] = set()
    for message in messages:
        match message:
            case AssistantMessage(tool_calls=calls) if _is_text(message):
                texts.update(call.id for call in calls)
                found.append(_answer(message))
            case ToolMessage(call_id=call_id) if call_id in texts:
                _say(found, observation_text(message))
            case _:
                found.append(message)
    return found


def _is_text(message: Message) -> bool:
    record = message.provider if isinstance(message, AssistantMessage) else None
    return record is not None and record.get("kind") == TEXT


def _say(found: list[Message], text: str) -> None:
    if found and isinstance(found[-1], UserMessage):
        found[-1] = UserMessage(f"{found[-1].content}\n\n{text}")
    else:
        found.append(UserMessage(text))


def _answer(message: AssistantMessage) -> AssistantMessage:
    record = message.provider
    if record is not None and record.get("kind") == TEXT:
        return AssistantMessage(record["text"], provider=record.get("inner"))
    if not message.tool_calls:
        return message
    calls = "\n".join(_call(one) for one in message.tool_calls)
    return AssistantMessage(f"{message.content}\n{calls}".lstrip("\n"))


def _call(call: ToolCall) -> str:
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):  # as malformed as it was
        return f"<function={call.name}>\n{call.arguments}\n</function>"
    return call_text(call.name, arguments)
