"""Tool calls as models get them wrong: what stands in the answer, and what must come of it.

`text` is an answer without a call of the provider's own; `given` are the arguments of a native
call. What must come of it is the arguments as the tool gets them (`want`, with the tool's name), or
words of the observation that tells the model what is wrong (`says`), or nothing: the answer calls
no tool (`NOTHING`). The forms are those of public models' chat templates and of OpenHands; the
slips are hand-made after what the reference's users reported and what small models write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Case:
    """One malformed call."""

    name: str
    text: str = ""
    tool: str = "execute_bash"
    given: str | None = None
    want: Any = None
    says: str = ""


def shell(name: str, text: str, command: str = "ls -la", **more: Any) -> Case:
    """A text that means a command."""
    return Case(name, text, want={"command": command, **more})


def edit(name: str, text: str, **want: Any) -> Case:
    """A text that means an edit."""
    return Case(name, text, "str_replace_editor", want=want)


def done(name: str, text: str, message: str = "Done.") -> Case:
    """A text that means the end."""
    return Case(name, text, "finish", want={"message": message})


def nothing(name: str, text: str) -> Case:
    """A text that calls nothing."""
    return Case(name, text, want=NOTHING)


def native(name: str, given: str, tool: str = "execute_bash", **want: Any) -> Case:
    """A native call's arguments, mended."""
    return Case(name, tool=tool, given=given, want=want)


def refused(name: str, given: str, says: str, tool: str = "execute_bash") -> Case:
    """A native call's arguments, refused with useful words."""
    return Case(name, tool=tool, given=given, says=says)


_OPEN, _CLOSE = "<function=execute_bash>\n<parameter=command>\n", "\n</parameter>\n</function>"
_EDIT = "<function=str_replace_editor>\n<parameter=command>str_replace</parameter>\n"
_VIEW = '{"command": "view", "path": "/r/a.py", "view_range": [1, 5]}'

OURS = [
    shell("as asked", f"I look.\n{_OPEN}ls -la{_CLOSE}"),
    shell("on one line", "<function=execute_bash><parameter=command>ls -la</parameter></function>"),
    shell("spaces around =", "<function = execute_bash><parameter = command>ls -la</parameter>"),
    shell("quoted names", '<function="execute_bash"><parameter="command">ls -la</parameter>'),
    shell("name attributes", '<function name="execute_bash"><parameter name="command">ls -la'),
    shell("a blank for =", "<function execute_bash>\n<parameter=command>ls -la</parameter>"),
    shell("no end of function", f"{_OPEN}ls -la\n</parameter>"),
    shell("no end at all", f"{_OPEN}ls -la"),
    shell("no end of parameter", f"{_OPEN}ls -la\n</function>"),
    shell("end tag without >", f"{_OPEN}ls -la\n</parameter\n</function>"),
    shell("stop word ate the end", f"{_OPEN}ls -la\n</parameter>\n</function"),
    shell("no > after the name", "<function=execute_bash\n<parameter=command>ls -la</parameter>"),
    shell("windows line ends", _OPEN.replace("\n", "\r\n") + "ls -la\r\n</parameter>\r\n"),
    shell("in a fence", f"```xml\n{_OPEN}ls -la{_CLOSE}\n```"),
    shell("in a tool_call", f"<tool_call>\n{_OPEN}ls -la{_CLOSE}\n</tool_call>"),
    shell("made up result behind it", f"{_OPEN}ls -la{_CLOSE}\nResult of execute_bash:\nREADME"),
    shell("several lines", f"{_OPEN}cd /r\nls{_CLOSE}", "cd /r\nls"),
    shell("indentation kept", f"{_OPEN}  ls\n\n    -la{_CLOSE}", "  ls\n\n    -la"),
    shell("angle brackets", f"{_OPEN}grep '<a>' x < y > z{_CLOSE}", "grep '<a>' x < y > z"),
    shell(
        "number as text",
        f"{_OPEN}ls -la\n</parameter>\n<parameter=timeout>\n 5 \n</parameter>",
        timeout=5.0,
    ),
    shell(
        "choice in capitals",
        f"{_OPEN}y\n</parameter><parameter=is_input>True</parameter>",
        "y",
        is_input="true",
    ),
    shell(
        "security risk given",
        f"{_OPEN}ls -la\n</parameter>\n<parameter=security_risk>LOW</parameter></function>",
    ),
    shell("json in place of parameters", '<function=execute_bash>{"command": "ls -la"}</function>'),
    shell(
        "json in a fence in it",
        '<function=execute_bash>\n```json\n{"command": "ls -la"}\n```\n</function>',
    ),
    shell("bare text in place of parameters", "<function=execute_bash>ls -la</function>"),
    shell(
        "child tags in place of parameters",
        "<function=execute_bash><command>ls -la</command></function>",
    ),
    shell(
        "the end tag inside the value",
        f"{_OPEN}echo '</function>' > a\n</parameter>\n</function>",
        "echo '</function>' > a",
    ),
    shell(
        "parameter's end inside the value",
        f"{_OPEN}echo '</parameter>' > a\n</parameter>\n</function>",
        "echo '</parameter>' > a",
    ),
    edit(
        "edit of two parameters",
        f"{_EDIT}<parameter=path>/r/a.py</parameter>\n<parameter=old_str>\n  a = 1\n</parameter>\n"
        "<parameter=new_str>\n  a = 2\n</parameter>\n</function>",
        command="str_replace",
        path="/r/a.py",
        old_str="  a = 1",
        new_str="  a = 2",
    ),
    edit(
        "empty value",
        f"{_EDIT}<parameter=path>/r/a.py</parameter><parameter=old_str>x</parameter>"
        "<parameter=new_str></parameter></function>",
        command="str_replace",
        path="/r/a.py",
        old_str="x",
        new_str="",
    ),
    edit(
        "trailing newline of a file kept",
        "<function=str_replace_editor><parameter=command>create</parameter><parameter=path>/r/b"
        "</parameter><parameter=file_text>\na\n\n</parameter></function>",
        command="create",
        path="/r/b",
        file_text="a\n",
    ),
    edit(
        "list as text",
        "<function=str_replace_editor><parameter=command>view</parameter><parameter=path>/r/a.py"
        "</parameter><parameter=view_range>[1, 5]</parameter></function>",
        command="view",
        path="/r/a.py",
        view_range=[1, 5],
    ),
    edit(
        "list of texts",
        "<function=str_replace_editor><parameter=command>view</parameter><parameter=path>/r/a.py"
        '</parameter><parameter=view_range>["1", "5"]</parameter></function>',
        command="view",
        path="/r/a.py",
        view_range=[1, 5],
    ),
    edit(
        "blank around a path",
        "<function=str_replace_editor>\n<parameter=command>view</parameter>\n<parameter=path>\n"
        "/r/a.py\n</parameter>\n</function>",
        command="view",
        path="/r/a.py",
    ),
    done("finish", "<function=finish><parameter=message>Done.</parameter></function>"),
    Case(
        "plan",
        "<function=task_tracker><parameter=command>plan</parameter><parameter=task_list>"
        '[{"id": "1", "title": "t", "status": "todo"}]</parameter></function>',
        "task_tracker",
        want={"command": "plan", "task_list": [{"id": "1", "title": "t", "status": "todo"}]},
    ),
    Case(
        "unknown parameter",
        "<function=execute_bash><parameter=cmd>ls</parameter></function>",
        says="unknown argument 'cmd'",
    ),
    Case(
        "misspelt parameter",
        "<function=execute_bash><parameter=comand>ls</parameter>",
        says="did you mean 'command'?",
    ),
    Case(
        "parameter twice",
        f"{_OPEN}ls\n</parameter><parameter=command>pwd</parameter></function>",
        says="'command' is given twice with different values",
    ),
    Case(
        "unknown tool",
        "<function=bash><parameter=command>ls</parameter></function>",
        "bash",
        says="There is no tool 'bash'",
    ),
    Case(
        "misspelt tool",
        "<function=execute_bsh><parameter=command>ls</parameter></function>",
        "execute_bsh",
        says="did you mean 'execute_bash'?",
    ),
    Case("no parameter", "<function=execute_bash>\n</function>", says="missing argument 'command'"),
    Case(
        "wrong choice",
        "<function=str_replace_editor><parameter=command>replace</parameter>"
        "<parameter=path>/r</parameter></function>",
        "str_replace_editor",
        says="cannot be 'replace'; did you mean 'str_replace'",
    ),
    Case(
        "list that is none",
        "<function=str_replace_editor><parameter=command>view</parameter>"
        "<parameter=path>/r</parameter><parameter=view_range>1-5</parameter></function>",
        "str_replace_editor",
        says="'view_range' must be an array",
    ),
]

FOREIGN = [
    shell(
        "hermes",
        '<tool_call>\n{"name": "execute_bash", "arguments": {"command": "ls -la"}}\n</tool_call>',
    ),
    shell(
        "hermes, no end", '<tool_call>{"name": "execute_bash", "arguments": {"command": "ls -la"}}'
    ),
    shell(
        "hermes, arguments as text",
        '<tool_call>{"name":"execute_bash","arguments":"{\\"command\\":\\"ls -la\\"}"}</tool_call>',
    ),
    shell(
        "hermes, parameters",
        '<tool_call>{"name": "execute_bash", "parameters": {"command": "ls -la"}}</tool_call>',
    ),
    shell(
        "hermes, raw newline",
        '<tool_call>{"name": "execute_bash", "arguments": {"command": "ls\n-la"}}</tool_call>',
        "ls\n-la",
    ),
    shell(
        "hermes, trailing comma",
        '<tool_call>{"name": "execute_bash", "arguments": {"command": "ls -la",}}</tool_call>',
    ),
    shell(
        "hermes, single quotes",
        "<tool_call>{'name': 'execute_bash', 'arguments': {'command': 'ls -la'}}</tool_call>",
    ),
    shell(
        "hermes, a brace too few",
        '<tool_call>{"name": "execute_bash", "arguments": {"command": "ls -la"}</tool_call>',
    ),
    shell(
        "hermes, in a fence",
        '```tool_call\n{"name": "execute_bash", "arguments": {"command": "ls -la"}}\n```',
    ),
    shell(
        "qwen coder",
        "<tool_call>\n<function=execute_bash>\n<parameter=command>\nls -la\n"
        "</parameter>\n</function>\n</tool_call>",
    ),
    shell(
        "function_call",
        '<function_call>{"name": "execute_bash", "arguments": '
        '{"command": "ls -la"}}</function_call>',
    ),
    shell("llama", '<|python_tag|>{"name": "execute_bash", "parameters": {"command": "ls -la"}}'),
    shell("llama, bare", '{"name": "execute_bash", "parameters": {"command": "ls -la"}}'),
    shell(
        "llama, typed",
        '{"type": "function", "name": "execute_bash", "parameters": {"command": "ls -la"}}',
    ),
    shell(
        "openai, bare",
        '{"function": {"name": "execute_bash", "arguments": "{\\"command\\": \\"ls -la\\"}"}}',
    ),
    shell(
        "openai, list",
        '{"tool_calls": [{"function": {"name": "execute_bash", "arguments": '
        '{"command": "ls -la"}}}]}',
    ),
    shell("bare list", '[{"name": "execute_bash", "arguments": {"command": "ls -la"}}]'),
    shell(
        "fenced",
        'I look.\n```json\n{"name": "execute_bash", "arguments": {"command": "ls -la"}}\n```',
    ),
    shell("fenced, tool", '```json\n{"tool": "execute_bash", "args": {"command": "ls -la"}}\n```'),
    shell("fenced, flat", '```json\n{"tool": "execute_bash", "command": "ls -la"}\n```'),
    shell(
        "fenced, input", '```\n{"tool_name": "execute_bash", "input": {"command": "ls -la"}}\n```'
    ),
    shell(
        "functions. in front",
        '{"name": "functions.execute_bash", "arguments": {"command": "ls -la"}}',
    ),
    shell("mistral", '[TOOL_CALLS] [{"name": "execute_bash", "arguments": {"command": "ls -la"}}]'),
    shell("mistral, new", '[TOOL_CALLS]execute_bash{"command": "ls -la"}'),
    shell("mistral, newest", '[TOOL_CALLS]execute_bash[ARGS]{"command": "ls -la"}'),
    shell(
        "phi",
        '<|tool_call|>[{"name": "execute_bash", "arguments": {"command": "ls -la"}}]<|/tool_call|>',
    ),
    shell(
        "kimi",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.execute_bash:0"
        '<|tool_call_argument_begin|>{"command": "ls -la"}<|tool_call_end|>'
        "<|tool_calls_section_end|>",
    ),
    shell(
        "kimi, cut",
        "<|tool_call_begin|>functions.execute_bash:3<|tool_call_argument_begin|>"
        '{"command": "ls -la"}',
    ),
    shell(
        "deepseek r1",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>execute_bash\n"
        '```json\n{"command": "ls -la"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    ),
    shell(
        "deepseek v3.1",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>execute_bash<｜tool▁sep｜>"
        '{"command": "ls -la"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    ),
    shell(
        "glm",
        "<tool_call>execute_bash\n<arg_key>command</arg_key>\n<arg_value>ls -la</arg_value>"
        "\n</tool_call>",
    ),
    shell(
        "minimax",
        '<minimax:tool_call>\n<invoke name="execute_bash">\n<parameter name="command">'
        "ls -la</parameter>\n</invoke>\n</minimax:tool_call>",
    ),
    shell(
        "claude",
        '<function_calls>\n<invoke name="execute_bash">\n<parameter name="command">'
        "ls -la</parameter>\n</invoke>\n</function_calls>",
    ),
    shell(
        "gpt-oss",
        "<|channel|>commentary to=functions.execute_bash <|constrain|>json<|message|>"
        '{"command": "ls -la"}<|call|>',
    ),
    shell(
        "react",
        'Thought: look\nAction: execute_bash\nAction Input: {"command": "ls -la"}\nObservation: a',
    ),
    shell("codeact", "Let me look.\n<execute_bash>\nls -la\n</execute_bash>"),
    shell("cline", "<execute_bash>\n<command>ls -la</command>\n</execute_bash>"),
    shell("tag with json", '<execute_bash>{"command": "ls -la"}</execute_bash>'),
    shell("tag with a fence", "<execute_bash>\n```bash\nls -la\n```\n</execute_bash>"),
    shell("tag with an attribute", '<execute_bash command="ls -la"/>'),
    shell("tag with an attribute, open", '<execute_bash command="ls -la"></execute_bash>'),
    shell("escaped attribute", '<execute_bash command="ls &amp;&amp; pwd" />', "ls && pwd"),
    done("kimi's finish", '<finish message="Done."/>'),
    done("finish tag", "<finish>Done.</finish>"),
    done("finish, child", "<finish>\n<message>Done.</message>\n</finish>"),
    done("finish, fenced", '```json\n{"name": "finish", "arguments": {"message": "Done."}}\n```'),
    edit(
        "view, hermes",
        f'<tool_call>{{"name": "str_replace_editor", "arguments": {_VIEW}}}</tool_call>',
        command="view",
        path="/r/a.py",
        view_range=[1, 5],
    ),
    edit(
        "view, glm",
        "<tool_call>str_replace_editor\n<arg_key>command</arg_key><arg_value>view"
        "</arg_value><arg_key>path</arg_key><arg_value>/r/a.py</arg_value><arg_key>view_range"
        "</arg_key><arg_value>[1, 5]</arg_value></tool_call>",
        command="view",
        path="/r/a.py",
        view_range=[1, 5],
    ),
    Case(
        "hermes, unknown tool",
        '<tool_call>{"name": "ls", "arguments": {}}</tool_call>',
        "ls",
        says="There is no tool 'ls'",
    ),
    Case(
        "hermes, no arguments",
        '<tool_call>{"name": "execute_bash"}</tool_call>',
        says="missing argument 'command'",
    ),
    Case(
        "hermes, broken beyond repair",
        '<tool_call>{"name": "execute_bash", "arguments": {"command": "a" b}}</tool_call>',
        says="not valid JSON",
    ),
    Case(
        "kimi, broken",
        "<|tool_call_begin|>functions.execute_bash:0<|tool_call_argument_begin|>"
        '{"command": ls}<|tool_call_end|>',
        says="not valid JSON",
    ),
]

PROSE = [
    nothing("empty", ""),
    nothing("blank", " \n\t\n"),
    nothing("plain words", "I would run `ls -la` and look at the files."),
    nothing("a shell block", "Run this:\n```bash\nls -la\n```"),
    nothing("some json", 'The file holds:\n```json\n{"name": "demo", "version": "1.0"}\n```'),
    nothing("json of another tool", '```json\n{"name": "pytest", "arguments": {}}\n```'),
    nothing("only json", '{"status": "ok"}'),
    nothing("an empty list", "[]"),
    nothing("html", "<p>Hello</p> <div class='a'>x</div>"),
    nothing("generic types", "Use `List<String>` and `Map<String, List<Integer>>` here."),
    nothing("a tool's name in words", "I will use execute_bash to look."),
    nothing("an open tag in words", "The tag <finish> ends it"),
    nothing("a mark alone", "<tool_call>"),
    nothing("a mark without a name", "<function=>ls</function>"),
    nothing("a kimi mark alone", "<|tool_call_begin|>"),
    nothing("braces", "{{{{{{{{"),
    nothing("deeply nested", "[" * 5000),
    nothing("an end without a start", "</parameter></function>"),
    nothing("thinking alone", "<think>\nI should look.\n</think>"),
    nothing("half a hermes", '<tool_call>{"name": "execute_ba'),
]

NATIVE = [
    native("fence", '```json\n{"command": "ls"}\n```', command="ls"),
    native("trailing comma", '{"command": "ls",}', command="ls"),
    native("python literal", "{'command': 'ls', 'is_input': None}", command="ls"),
    native("encoded twice", '"{\\"command\\": \\"ls\\"}"', command="ls"),
    native("raw newline", '{"command": "a\nb"}', command="a\nb"),
    native("raw tab", '{"command": "a\tb"}', command="a\tb"),
    native("number as text", '{"command": "ls", "timeout": "10"}', command="ls", timeout=10.0),
    native(
        "truth value for a choice",
        '{"command": "y", "is_input": true}',
        command="y",
        is_input="true",
    ),
    native("a null", '{"command": "ls", "timeout": null}', command="ls"),
    native("security risk", '{"command": "ls", "security_risk": "LOW"}', command="ls"),
    native("the same twice", '{"command": "ls", "command": "ls"}', command="ls"),
    native("number for text", '{"command": 7}', command="7"),
    native(
        "list as text",
        '{"command": "view", "path": "/r", "view_range": "[1, 5]"}',
        "str_replace_editor",
        command="view",
        path="/r",
        view_range=[1, 5],
    ),
    native(
        "texts in a list",
        '{"command": "view", "path": "/r", "view_range": ["1", "-1"]}',
        "str_replace_editor",
        command="view",
        path="/r",
        view_range=[1, -1],
    ),
    native(
        "float for a whole number",
        '{"command": "insert", "path": "/r", "insert_line": 3.0, "new_str": "x"}',
        "str_replace_editor",
        command="insert",
        path="/r",
        insert_line=3,
        new_str="x",
    ),
    native(
        "capital choice",
        '{"command": "VIEW", "path": "/r"}',
        "str_replace_editor",
        command="view",
        path="/r",
    ),
    refused("nothing", "", "missing argument 'command'"),
    refused("null", "null", "missing argument 'command'"),
    refused("a list", '["ls"]', "must be a JSON object, not an array"),
    refused("a number", "7", "must be a JSON object, not a number"),
    refused("a bare command", "ls -la", "not valid JSON"),
    refused("cut", '{"command": "ls', "Unterminated string"),
    refused("cut after a key", '{"command"', "not valid JSON"),
    refused("two objects", '{"command": "ls"}{"command": "pwd"}', "Extra data"),
    refused("different twice", '{"command": "a", "command": "b"}', "given twice"),
    refused("unknown key", '{"cmd": "ls"}', "unknown argument 'cmd'"),
    refused("wrong type", '{"command": ["ls"]}', "'command' must be a string"),
    refused("no number", '{"command": "ls", "timeout": "soon"}', "'timeout' must be a number"),
    refused("infinite", '{"command": "ls", "timeout": Infinity}', "Infinity is not a JSON number"),
    refused("half a pair", '{"command": "\\ud800"}', "half of a surrogate pair"),
    refused("too deep", "[" * 3000, "nested too deeply"),
    refused(
        "wrong choice",
        '{"command": "open", "path": "/r"}',
        "cannot be 'open'",
        "str_replace_editor",
    ),
    refused(
        "no list",
        '{"command": "view", "path": "/r", "view_range": 5}',
        "must be an array",
        "str_replace_editor",
    ),
    refused("control characters", '\x00\x01{"command": "ls"}', "not valid JSON"),
    refused("missing two", "{}", "'command', 'path'", "str_replace_editor"),
]

CASES = (*OURS, *FOREIGN, *PROSE, *NATIVE)
