"""Finds tool calls in an answer's text: in our own form, and in those of other conventions.

Models fall back into what they were trained on, and servers without the right parser hand it on as
text. Each form is one function from the text behind its opening mark to a call and where it ends;
the first mark in the text is read first. Marks that cannot be ordinary prose (`<function=`,
`<|tool_call_begin|>`) name any tool; those that can (`<finish ...>`, a JSON object) count for tools
on offer alone.

A call is (name, arguments as JSON text); the JSON may be as broken as the model left it:
`tools.arguments` mends it or says what is wrong.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from velora.journal.messages import ToolSpec


@dataclass(frozen=True, slots=True)
class Call:
    """A call in a text. `start` and `end` are where it stands, its wrapping included; `closed` is
    whether its end was written."""

    name: str
    arguments: str
    start: int
    end: int
    closed: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    arguments: str
    end: int
    closed: bool = True


Form = Callable[[str, "re.Match[str]", "_Tools"], "_Found | None"]


class _Tools:
    """The tools on offer, as the forms ask for them."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self.names = {one.name for one in tools}
        self._single = {one.name: _single(one) for one in tools}
        self._keys = {one.name: set(one.parameters.get("properties", ())) for one in tools}

    def single(self, name: str) -> str:
        """The one parameter that a bare text can only be; "" where there is none."""
        return self._single.get(name, "")

    def keys(self, name: str) -> Collection[str]:
        """The tool's parameters."""
        return self._keys.get(name, ())


def _single(tool: ToolSpec) -> str:
    properties = tool.parameters.get("properties", {})
    required = [key for key in tool.parameters.get("required", ()) if key != "security_risk"]
    if len(required) == 1:
        found: str = required[0]
        return found
    return str(next(iter(properties))) if len(properties) == 1 else ""


def read(text: str, tools: Sequence[ToolSpec], *, limit: int = 0) -> tuple[Call, ...]:
    """The calls in a text, in order.

    Args:
        tools: those on offer.
        limit: calls at most; 0 is all.
    """
    known = _Tools(tools)
    calls: list[Call] = []
    place = 0
    while not (limit and len(calls) >= limit):
        found = _next(text, place, known)
        if found is None:
            break
        calls.append(found)
        place = max(found.end, place + 1)
    return tuple(calls)


_TRIES = 100
"""JSON texts that turn out to be no calls, of which so many are tried: each costs a look at all of
the text."""


def _next(text: str, place: int, tools: _Tools) -> Call | None:
    failed = 0
    while failed < _TRIES and (match := _OPENING.search(text, place)):
        form = _FORMS[match.lastgroup or ""]
        found = form(text, match, tools)
        if found is not None and found.name:
            start, end = _with_wrapping(text, match.start(), found.end)
            return Call(found.name, found.arguments, start, end, found.closed)
        failed += match.lastgroup in ("json", "fenced")
        place = match.end()
    return None


_BEFORE = re.compile(
    r"(?:```\w*\s*|<(?:tool_calls?|function_calls?|minimax:tool_call|antml:function_calls)>\s*|"
    r"<\|tool_calls_section_begin\|>\s*|<｜tool▁calls▁begin｜>\s*|"
    r"<\|start\|>assistant\s*)+$"
)
_AFTER = re.compile(
    r"(?:\s*(?:```|</(?:tool_calls?|function_calls?|minimax:tool_call|antml:function_calls)>|"
    r"<\|tool_calls_section_end\|>|<｜tool▁calls▁end｜>|<｜end▁of▁sentence｜>|<\|im_end\|>|<\|eot_id\|>|"
    r"</s>))+"
)
_WRAPPING = 200  # characters before a call that may belong to it


def _with_wrapping(text: str, start: int, end: int) -> tuple[int, int]:
    first = max(0, start - _WRAPPING)
    if before := _BEFORE.search(text[first:start]):
        start = first + before.start()
    if after := _AFTER.match(text, end):
        end = after.end()
    return start, end


# Forms with parameters in tags


_PARAMETER = re.compile(r"<parameter(?:\s*=\s*|\s+name\s*=\s*)[\"']?(?P<key>[\w.-]+)[\"']?[^>\n]*>")
_TAGS = re.compile(
    r"(?P<open><parameter[\s=])|(?P<close></(?:antml:)?parameter\b)|"
    r"(?P<end></(?:antml:)?(?:function|invoke)\s*>)"
)
_PARAMETER_END = re.compile(r"\r?\n?[ \t]*</(?:antml:)?parameter\s*>?")


def _function(text: str, match: re.Match[str], tools: _Tools) -> _Found | None:
    """`<function=NAME>` or `<invoke name="NAME">` and parameters in tags, or a JSON object."""
    name = match["function_name"]
    end, close = _end_of_function(text, match.end())
    body = text[match.end() : end]
    parameters = list(_PARAMETER.finditer(body))
    if parameters:
        pairs = [
            (one["key"], _parameter(body[one.end() : following]))
            for one, following in zip(
                parameters, [*(p.start() for p in parameters[1:]), len(body)], strict=True
            )
        ]
        return _Found(name, _object(pairs), close, close != end)
    inner = _bare(body)
    if not inner:
        return _Found(name, "{}", close, close != end)
    children = _children(inner, tools.keys(name))
    if children:
        return _Found(name, _object(children), close, close != end)
    if inner.startswith("{"):
        return _Found(name, inner, close, close != end)
    key = tools.single(name)
    return _Found(name, _object([(key, inner)]) if key else inner, close, close != end)


def _end_of_function(text: str, start: int) -> tuple[int, int]:
    """Where a call's body ends and where what follows it begins.

    A value may hold the closing tag itself (an edit of this very file): while a parameter is open,
    a closing tag that is followed by the parameter's own end does not count.
    """
    opening = _OPENING_FUNCTION.search(text, start)
    limit = opening.start() if opening else len(text)
    last = text.rfind("</parameter", start, limit)
    depth = 0
    for found in _TAGS.finditer(text, start, limit):
        if found["open"]:
            depth = 1
        elif found["close"]:
            depth = 0
        elif depth == 0 or last < found.start():
            return found.start(), found.end()
    return limit, limit


def _parameter(raw: str) -> str:
    """A parameter's value: up to its own last closing tag, without the newlines around it."""
    ends = list(_PARAMETER_END.finditer(raw))
    value = raw[: ends[-1].start()] if ends else raw.rstrip()
    return value.removeprefix("\r\n").removeprefix("\n")


def _bare(body: str) -> str:
    text = body.strip()
    fenced = re.fullmatch(r"```\w*\s*\n?(.*?)\n?\s*```", text, re.DOTALL)
    return fenced[1] if fenced else text


def _children(body: str, keys: Collection[str]) -> list[tuple[str, str]]:
    """`<key>value</key>` for the keys of the tool."""
    if not keys:
        return []
    names = "|".join(re.escape(one) for one in keys)
    found = re.finditer(rf"<({names})>(.*?)</\1>", body, re.DOTALL)
    return [(one[1], one[2].removeprefix("\n").removesuffix("\n")) for one in found]


def _tag(text: str, match: re.Match[str], tools: _Tools) -> _Found | None:
    """`<execute_bash>ls</execute_bash>`, with child tags or attributes, of a tool on offer."""
    name = match["tag"]
    if name not in tools.names or name == "think":  # <think> is how models reason aloud
        return None
    keys = tools.keys(name)
    attributes = [
        (one[1], html.unescape(one[3]))
        for one in re.finditer(r"([\w-]+)\s*=\s*([\"'])(.*?)\2", match["attributes"], re.DOTALL)
        if one[1] in keys
    ]
    if match["attributes"].rstrip().endswith("/"):
        return _Found(name, _object(attributes), match.end())
    close = re.compile(rf"</{re.escape(name)}\s*>").search(text, match.end())
    body = _bare(text[match.end() : close.start()] if close else text[match.end() :])
    end = close.end() if close else len(text)
    if attributes and not body:
        return _Found(name, _object(attributes), end, close is not None)
    children = _children(body, keys)
    if children:
        return _Found(name, _object([*attributes, *children]), end, close is not None)
    if body.startswith("{"):
        return _Found(name, body, end, close is not None)
    if close is None:
        return None
    key = tools.single(name)
    return _Found(name, _object([*attributes, (key, body)]), end) if key else None


def _glm(text: str, match: re.Match[str], tools: _Tools) -> _Found | None:
    """`<tool_call>NAME` with `<arg_key>` and `<arg_value>` (GLM)."""
    close = text.find("</tool_call>", match.end())
    end = close if close >= 0 else len(text)
    pairs = re.findall(
        r"<arg_key>\s*(.*?)\s*</arg_key>\s*<arg_value>(.*?)</arg_value>",
        text[match.end() : end],
        re.DOTALL,
    )
    pairs = [(key, value.removeprefix("\n").removesuffix("\n")) for key, value in pairs]
    return _Found(match["glm_name"], _object(pairs), end, close >= 0)


# Forms with JSON


def _json_call(text: str, match: re.Match[str], tools: _Tools) -> _Found | None:
    """A JSON object (or a list of them) that names the tool, behind a mark of its own."""
    return _named_json(text, match.end(), known=None, tools=tools)


def _fenced_json(text: str, match: re.Match[str], tools: _Tools) -> _Found | None:
    """The same in a Markdown block, or as the whole answer, of a tool on offer."""
    start = match.end() - 1
    return _named_json(text, start, known=tools.names, tools=tools)


_NAME_KEYS = ("name", "tool", "tool_name", "function", "action", "recipient_name")
_ARGUMENT_KEYS = (
    "arguments",
    "parameters",
    "args",
    "input",
    "params",
    "action_input",
    "tool_input",
)
_NAME = re.compile(
    r"[\"'](?:name|tool|tool_name|function|action)[\"']\s*:\s*[\"'](?:functions\.)?([\w.-]+)[\"']"
)
_ARGUMENTS = re.compile(
    r"[\"'](?:arguments|parameters|args|input|params|action_input)[\"']\s*:\s*(?=[{\"'])"
)


def _named_json(
    text: str, start: int, *, known: Collection[str] | None, tools: _Tools
) -> _Found | None:
    start = _skip(text, start)
    value, end = _decoded(text, start)
    if value is None:
        return _broken_json(text, start, known)
    if isinstance(value, list):
        value = value[0] if value else None
    call = _call_of(value, tools)
    if call is None or (known is not None and call[0] not in known):
        return None
    return _Found(*call, end)


_BLANK = re.compile(r"\s*")


def _skip(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    return found.end() if found else place


def _decoded(text: str, start: int) -> tuple[object, int]:
    if text[start : start + 1] not in ("{", "["):
        return None, start
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    return value, end


def _call_of(value: object, tools: _Tools) -> tuple[str, str] | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("tool_calls"), list) and value["tool_calls"]:
        return _call_of(value["tool_calls"][0], tools)
    if isinstance(value.get("function"), dict):
        return _call_of(value["function"], tools)
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), "")
    name = name.removeprefix("functions.")
    if not name:
        return None
    for key in _ARGUMENT_KEYS:
        if key in value:
            given = value[key]
            return name, given if isinstance(given, str) else json.dumps(given)
    rest = {key: part for key, part in value.items() if key in tools.keys(name)}
    return name, json.dumps(rest)


def _broken_json(text: str, start: int, known: Collection[str] | None) -> _Found | None:
    """A call whose JSON cannot be read: its name, and its arguments as they stand."""
    if text[start : start + 1] not in ("{", "["):
        return None
    stop = re.compile(r"</(?:tool_call|function_call)>|\n```|<\|[\w_]+\|>|<｜").search(text, start)
    end = stop.start() if stop else len(text)
    body = text[start:end].rstrip()
    name, arguments = _NAME.search(body), _ARGUMENTS.search(body)
    if name is None or arguments is None or (known is not None and name[1] not in known):
        return None
    inner = body[arguments.end() :]
    # The object around the arguments ends with a brace of its own.
    if inner.endswith("}") and inner.count("{") < inner.count("}"):
        inner = inner[:-1].rstrip()
    return _Found(name[1], inner, end, stop is not None)


def _marked(text: str, match: re.Match[str], tools: _Tools) -> _Found | None:
    """A name, a mark and JSON: Kimi, DeepSeek, Mistral, gpt-oss, ReAct."""
    name = match["marked_name"].strip().removeprefix("functions.").partition(":")[0]
    start = _skip(text, match.end())
    value, end = _decoded(text, start)
    if isinstance(value, dict):
        return _Found(name, text[start:end], _behind_marks(text, end))
    stop = _END_MARK.search(text, start)
    end = stop.start() if stop else len(text)
    return _Found(name, _bare(text[start:end]), _behind_marks(text, end), stop is not None)


_END_MARK = re.compile(
    r"<\|tool_call_end\|>|<｜tool▁call▁end｜>|<\|call\|>|<\|end\|>|\n```|\nObservation:"
)
_MARKS = re.compile(r"(?:\s*(?:```|<\|tool_call_end\|>|<｜tool▁call▁end｜>|<\|call\|>))*")


def _behind_marks(text: str, end: int) -> int:
    found = _MARKS.match(text, end)
    return found.end() if found else end


def _object(pairs: Sequence[tuple[str, str]]) -> str:
    """A JSON object; a key given twice stays so, for the reader to refuse."""
    return "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs) + "}"


_OPENING_FUNCTION = re.compile(
    r"<(?:antml:)?(?:function|invoke)(?:\s*=\s*|\s+name\s*=\s*|\s+)[\"']?[\w.-]+[\"']?\s*>"
)
_OPENING = re.compile(
    r"(?P<function><(?:antml:)?(?:function|invoke)(?:\s*=\s*|\s+name\s*=\s*|\s+)"
    r"[\"']?(?P<function_name>[\w.-]+)[\"']?\s*>?)"
    r"|(?P<glm><tool_call>\s*(?P<glm_name>[\w.-]+)\s*(?=<arg_key>|</tool_call>))"
    r"|(?P<json><tool_call>\s*(?=[{\[])|<function_call>\s*(?=[{\[])|<\|python_tag\|>\s*(?=\{)"
    r"|\[TOOL_CALLS\]\s*(?=[{\[])|<\|tool_call\|>\s*(?=[{\[]))"
    r"|(?P<marked>(?:<\|tool_call_begin\|>|<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?"
    r"|\[TOOL_CALLS\]\s*|<\|channel\|>\w+\s+to=|^Action:[ \t]*)"
    r"(?P<marked_name>[\w.:-]+)\s*"
    r"(?:<\|tool_call_argument_begin\|>|<｜tool▁sep｜>|\n```json\n|\[ARGS\]|(?=\{)"
    r"|(?:<\|constrain\|>\w+)?<\|message\|>|\nAction Input:))"
    r"|(?P<fenced>```(?:json|tool_call|tool)?[ \t]*\n\s*[{\[]|\A\s*[{\[])"
    r"|(?P<tags><(?P<tag>[a-z_]\w*)(?P<attributes>(?:\s[^<>]*)?)>)",
    re.MULTILINE,
)
_FORMS: dict[str, Form] = {
    "function": _function,
    "glm": _glm,
    "json": _json_call,
    "marked": _marked,
    "fenced": _fenced_json,
    "tags": _tag,
}
