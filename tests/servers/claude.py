"""What Claude's APIs refuse in a conversation, and how they count what their cache holds.

Bodies are in the form of Anthropic's Messages API; Bedrock's are translated to it first. Texts are
the API's own as far as programs react to them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

Block = dict[str, Any]
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_BINDS = re.compile(r"claude-(opus|sonnet|haiku)-5-5")
_BY_ITSELF = re.compile(r"claude-(opus|sonnet)-5|claude-haiku-5-5")
_ADAPTIVE_ONLY = re.compile(r"claude-opus-4-[7-9]|claude-(opus|sonnet)-5|claude-haiku-5-5")
_EITHER = re.compile(r"claude-(sonnet|haiku)-4-5|claude-opus-4-[1-6](\D|$)")
_SECRET = b"the provider's"
MOST_MARKS = 4
LOOKBACK = 20
"""Blocks before a breakpoint that are looked up in the cache."""


@dataclass(slots=True)
class Cache:
    """What earlier requests left: hashes of prefixes that ended at a breakpoint.

    Attributes:
        seen: of each request the hashes of all its prefixes, block by block, and the number of
            blocks before its last breakpoint.
        counts: what was counted, by the request's number.
    """

    held: set[str] = field(default_factory=set)
    seen: list[tuple[list[str], int]] = field(default_factory=list)
    counts: dict[int, dict[str, int]] = field(default_factory=dict)

    def count(self, body: dict[str, Any], number: int) -> dict[str, int]:
        """The prompt's tokens (four bytes are one), as the API counts; its prefixes are kept."""
        hashes, sizes, marks = _prefixes(body)
        self.seen.append((hashes, marks[-1] + 1 if marks else 0))
        found = -1
        for mark in marks:
            for index in range(max(0, mark - LOOKBACK), mark + 1):
                if hashes[index] in self.held:
                    found = max(found, index)
        self.held.update(hashes[mark] for mark in marks)
        read = sizes[found] // 4 if found >= 0 else 0
        written = max(0, sizes[marks[-1]] // 4 - read) if marks else 0
        counts = {
            "input_tokens": sizes[-1] // 4 - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
        }
        self.counts[number] = counts
        return counts


def _blocks(body: dict[str, Any]) -> Iterator[tuple[str, Block]]:
    for tool in body.get("tools") or ():
        yield "tools", tool
    system = body.get("system") or ()
    yield from (("system", one) for one in _as_blocks(system))
    for message in body["messages"]:
        yield from ((message["role"], one) for one in _as_blocks(message["content"]))


def _as_blocks(content: Any) -> list[Block]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _prefixes(body: dict[str, Any]) -> tuple[list[str], list[int], list[int]]:
    """Each prefix's hash and size in bytes, and the numbers of the blocks that are marked."""
    whole, size = hashlib.sha256(), 0
    hashes, sizes, marks = [], [], []
    for index, (place, block) in enumerate(_blocks(body)):
        if "cache_control" in block:
            marks.append(index)
        plain = {key: value for key, value in block.items() if key != "cache_control"}
        data = orjson.dumps([place, plain])
        whole.update(data)
        size += len(data)
        hashes.append(whole.hexdigest())
        sizes.append(size)
    return hashes, sizes, marks


def signature(text: str, model: str, before: list[dict[str, Any]]) -> str:
    """The signature of a thought; of models that bind it, also of the conversation before it."""
    told = _told(before) if _BINDS.search(model) else b""
    return hmac.new(_SECRET, told + text.encode(), "sha256").hexdigest()


def _told(messages: list[dict[str, Any]]) -> bytes:
    plain = [
        [m["role"], [{k: v for k, v in b.items() if k != "cache_control"} for b in m["content"]]]
        for m in ({**m, "content": _as_blocks(m["content"])} for m in messages)
    ]
    return orjson.dumps(plain)


def thinks(body: dict[str, Any]) -> bool:
    """Whether an answer to this request holds thoughts."""
    kind = (body.get("thinking") or {}).get("type")
    if kind is None:
        return bool(_BY_ITSELF.search(body["model"]))
    return kind in ("enabled", "adaptive")


@dataclass(slots=True)
class Memory:
    """What was answered: the first thought's signature of the answers that called tools.

    More than the real API knows, so that a thought which got lost anywhere is refused.
    """

    thoughts: dict[str, str] = field(default_factory=dict)

    def lost(self, message: dict[str, Any]) -> bool:
        """Whether an answer came back without its thought."""
        blocks = message["content"]
        signed = {one.get("signature") or one.get("data") for one in blocks}
        ids = [one["id"] for one in blocks if one["type"] == "tool_use"]
        return any(id_ in self.thoughts and self.thoughts[id_] not in signed for id_ in ids)


def faults(body: dict[str, Any], betas: str, memory: Memory) -> Iterator[str]:
    """All that is wrong with a request, the first first."""
    yield from _parameters(body, betas)
    yield from _tools(body)
    marks = sum("cache_control" in block for _, block in _blocks(body))
    if marks > MOST_MARKS:
        yield f"A maximum of 4 blocks with cache_control may be provided. Found {marks}."
    yield from _messages(body, betas)
    if thinks(body) and "drop_block" not in str(body.get("thinking")):
        for number, message in enumerate(body["messages"]):
            if message["role"] == "assistant" and memory.lost(message):
                yield (
                    f"messages.{number}.content.0: `thinking` or `redacted_thinking` blocks in "
                    "the latest assistant message cannot be modified. These blocks must remain as "
                    "they were in the original response."
                )


def _parameters(body: dict[str, Any], betas: str) -> Iterator[str]:
    model, thinking = body["model"], body.get("thinking") or {}
    sampling = [key for key in ("temperature", "top_p", "top_k") if body.get(key) is not None]
    if _ADAPTIVE_ONLY.search(model):
        if sampling:
            yield f"`{sampling[0]}` is deprecated for this model."
        if thinking.get("type") == "enabled":
            yield (
                '"thinking.type.enabled" is not supported for this model. Use '
                '"thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
            )
    if {"temperature", "top_p"} <= set(sampling) and _EITHER.search(model):
        yield (
            "`temperature` and `top_p` cannot both be specified for this model. "
            "Please use only one."
        )
    if "block_binding" in thinking and "thinking-binding-controls" not in betas:
        yield "thinking.block_binding: Extra inputs are not permitted"
    if thinking.get("type") == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int) or budget < 1024:
            yield ("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        elif budget >= body["max_tokens"] and "interleaved-thinking" not in betas:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`."
    if thinks(body):
        if body.get("temperature", 1) != 1:
            yield "`temperature` may only be set to 1 when thinking is enabled."
        if not 0.95 <= body.get("top_p", 1) <= 1:
            yield (
                "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
            )
        if "top_k" in body:
            yield "`top_k` must be unset when thinking is enabled."


def _tools(body: dict[str, Any]) -> Iterator[str]:
    names: set[str] = set()
    for number, tool in enumerate(body.get("tools") or ()):
        name = tool.get("name", "")
        if not _NAME.fullmatch(name):
            pattern = "'^[a-zA-Z0-9_-]{1,128}$'"
            yield f"tools.{number}.custom.name: String should match pattern {pattern}"
        if name in names:
            yield "tools: Tool names must be unique."
        names.add(name)
        if (tool.get("input_schema") or {}).get("type") != "object":
            yield f"tools.{number}.custom.input_schema.type: Input should be 'object'"


def _messages(body: dict[str, Any], betas: str) -> Iterator[str]:
    messages = body["messages"]
    if not messages:
        yield "messages: at least one message is required"
        return
    before = "assistant"
    ids: set[str] = set()
    for number, message in enumerate(messages):
        role = message["role"]
        if role == before:
            if number == 0:
                yield 'messages: first message must use the "user" role'
            yield (
                'messages: roles must alternate between "user" and "assistant", but found '
                f'multiple "{role}" roles in a row'
            )
        before = role
        message["content"] = _as_blocks(message["content"])
        yield from _content(number, message, ids)
    yield from _pairs(messages)
    yield from _thoughts(body, betas)


def _content(number: int, message: dict[str, Any], ids: set[str]) -> Iterator[str]:
    blocks = message["content"]
    if not blocks:
        yield f"messages.{number}: all messages must have non-empty content"
    for index, block in enumerate(blocks):
        at = f"messages.{number}.content.{index}"
        match block.get("type"):
            case "text":
                yield from _text(block)
            case "tool_use":
                if not _ID.fullmatch(block.get("id", "")):
                    yield f"{at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
                if not _NAME.fullmatch(block.get("name", "")):
                    yield f"{at}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]'"
                if block.get("id") in ids:
                    yield "messages: `tool_use` ids must be unique"
                ids.add(block.get("id", ""))
                if not isinstance(block.get("input"), dict):
                    yield f"{at}.tool_use.input: Input should be a valid dictionary"
            case "tool_result":
                for part in _as_blocks(block.get("content") or ()):
                    if part.get("type") == "text":
                        yield from _text(part)
            case "thinking" | "redacted_thinking":
                if "cache_control" in block:
                    yield f"{at}.{block['type']}.cache_control: Extra inputs are not permitted"
            case "image":
                pass
            case kind:
                yield f"{at}: Input tag '{kind}' found using 'type' does not match any of the tags"
    if blocks and blocks[-1].get("type") in ("thinking", "redacted_thinking"):
        yield f"messages.{number}: The final block in an assistant message cannot be `thinking`."


def _text(block: Block) -> Iterator[str]:
    if not block["text"]:
        yield "messages: text content blocks must be non-empty"
    elif not block["text"].strip():
        yield "messages: text content blocks must contain non-whitespace text"


def _pairs(messages: list[dict[str, Any]]) -> Iterator[str]:
    nothing: dict[str, Any] = {"content": []}
    for number, message in enumerate([nothing, *messages], -1):
        following = messages[number + 1]["content"] if number + 1 < len(messages) else []
        results = [one.get("tool_use_id") for one in following if one["type"] == "tool_result"]
        calls = [one["id"] for one in message["content"] if one["type"] == "tool_use"]
        if missing := [one for one in calls if one not in results]:
            yield (
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}. Each `tool_use` block must have a "
                "corresponding `tool_result` block in the next message."
            )
        if strange := [one for one in results if one not in calls]:
            yield (
                f"messages.{number + 1}.content.0: unexpected `tool_use_id` found in "
                f"`tool_result` blocks: {strange[0]}. Each `tool_result` block must have a "
                "corresponding `tool_use` block in the previous message."
            )
        kinds = [one["type"] == "tool_result" for one in following]
        if sorted(kinds, reverse=True) != kinds:
            yield f"messages.{number + 1}: `tool_result` blocks must come first"
        if len(results) != len(set(results)):
            yield (
                f"messages.{number + 1}: each tool_use must have a single result. "
                "Found multiple `tool_result` blocks"
            )


def _thoughts(body: dict[str, Any], betas: str) -> Iterator[str]:
    messages, model = body["messages"], body["model"]
    dropping = "drop_block" in str(body.get("thinking"))
    open_turn = max(
        (n for n, m in enumerate(messages) if m["role"] == "user" and not _holds_results(m)),
        default=-1,
    )
    first = next((n for n in range(open_turn + 1, len(messages)) if _is_answer(messages[n])), None)
    for number, message in enumerate(messages):
        if not _is_answer(message):
            continue
        thoughts = [one for one in message["content"] if one["type"].endswith("thinking")]
        head = message["content"][0]["type"]
        if thoughts and not head.endswith("thinking"):
            yield (
                f"messages.{number}.content.0: If an assistant message contains any thinking "
                "blocks, the first block must be `thinking` or `redacted_thinking`. "
                f"Found `{head}`."
            )
        for one in thoughts:
            yield from _signed(one, number, model, messages[:number], dropping)
        budgeted = (body.get("thinking") or {}).get("type") == "enabled"
        if budgeted and number == first and not thoughts:
            yield (
                f"messages.{number}.content.0.type: Expected `thinking` or `redacted_thinking`, "
                f"but found `{head}`. When `thinking` is enabled, a final `assistant` message must "
                "start with a thinking block (preceeding the lastmost set of `tool_use` and "
                "`tool_result` blocks)."
            )
    last = next((m for m in reversed(messages) if _is_answer(m)), None)
    if last and not thinks(body) and any(b["type"].endswith("thinking") for b in last["content"]):
        yield (
            "When thinking is disabled, an `assistant` message in the final position cannot "
            "contain `thinking`. To use thinking blocks, enable `thinking` in your request."
        )


def _signed(
    block: Block, number: int, model: str, before: list[dict[str, Any]], dropping: bool
) -> Iterator[str]:
    redacted = block["type"] == "redacted_thinking"
    text, given = ("", block.get("data")) if redacted else (block["thinking"], block["signature"])
    if redacted and str(given).startswith("sealed-"):
        return
    if given == signature(text, model, before) and not redacted:
        return
    if _BINDS.search(model) and given and len(given) == 64:
        if not dropping:
            yield (
                f"messages.{number}.content.0: Invalid `thinking` block. The block is bound to a "
                "different conversation."
            )
        return
    name = "data` in `redacted_thinking" if redacted else "signature` in `thinking"
    yield f"messages.{number}.content.0: Invalid `{name}` block"


def dropped(body: dict[str, Any]) -> bool:
    """Whether thoughts of this request are left out because they are bound to another history."""
    return any(
        one["type"] == "thinking"
        and one["signature"] != signature(one["thinking"], body["model"], body["messages"][:number])
        for number, message in enumerate(body["messages"])
        if _is_answer(message)
        for one in message["content"]
    )


def _is_answer(message: dict[str, Any]) -> bool:
    return bool(message["role"] == "assistant")


def _holds_results(message: dict[str, Any]) -> bool:
    return any(one["type"] == "tool_result" for one in message["content"])


def output_tokens(message: Any) -> int:
    """Tokens of an answer, its thoughts included."""
    calls = sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
    return (len(message.content) + calls) // 4 + len(message.reasoning) // 4 + 1


def answer_blocks(message: Any, body: dict[str, Any], memory: Memory, number: int) -> list[Block]:
    """The content of an answer: thoughts where the request has them, text, calls.

    Args:
        message: an `AssistantMessage`; its `provider` may hold `redacted`, a text that stands for
            an unreadable thought.
        number: tells this answer's call ids from those that are taken.
    """
    blocks: list[Block] = []
    extra = message.provider or {}
    used = {one.get("id") for _, one in _blocks(body)}
    if thinks(body):
        if message.reasoning:
            signed = signature(message.reasoning, body["model"], body["messages"])
            thought = {"type": "thinking", "thinking": message.reasoning, "signature": signed}
            blocks.append(thought)
        if "redacted" in extra:
            blocks.append({"type": "redacted_thinking", "data": f"sealed-{extra['redacted']}"})
    if message.content:
        blocks.append({"type": "text", "text": message.content})
    for call in message.tool_calls:
        id_ = call.id if call.id not in used else f"{call.id}_{number}"
        blocks.append({"type": "tool_use", "id": id_, "name": call.name, "input": call.arguments})
        if blocks[0]["type"].endswith("thinking"):
            memory.thoughts[id_] = blocks[0].get("signature") or blocks[0]["data"]
    return blocks
