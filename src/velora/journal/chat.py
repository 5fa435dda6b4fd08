"""Messages and answers in the shape of OpenAI's chat-completions API, as the projections show them.

An answer's provider record (`AssistantMessage.provider`) is left out: it is the model adapter's,
and stays in the journal.
"""

from __future__ import annotations

from typing import Any

from velora.journal.messages import (
    AssistantMessage,
    Completion,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSpec,
    Usage,
    UserMessage,
)


def chat_message(message: Message) -> dict[str, Any]:
    """One message of a request."""
    match message:
        case SystemMessage(content):
            return {"role": "system", "content": content}
        case UserMessage(content):
            return {"role": "user", "content": content}
        case ToolMessage(call_id, name, content):
            return {"role": "tool", "tool_call_id": call_id, "name": name, "content": content}
        case AssistantMessage():
            return _assistant(message)


def chat_tool(tool: ToolSpec) -> dict[str, Any]:
    """One tool of a request."""
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def chat_response(completion: Completion, at: float) -> dict[str, Any]:
    """The response that carried the answer; `at` is when it was there, in unix seconds."""
    message = _assistant(completion.message)
    choice = {"index": 0, "finish_reason": completion.finish_reason or None, "message": message}
    return {
        "id": completion.response_id,
        "object": "chat.completion",
        "created": int(at),
        "model": completion.model,
        "choices": [choice],
        "usage": _usage(completion.usage),
    }


def _assistant(message: AssistantMessage) -> dict[str, Any]:
    result: dict[str, Any] = {"role": "assistant", "content": message.content}
    if message.reasoning:
        result["reasoning_content"] = message.reasoning
    if message.tool_calls:
        result["tool_calls"] = [_call(call) for call in message.tool_calls]
    return result


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        "cache_creation_input_tokens": usage.cache_write,
    }
