"""Tool calls as OpenHands' actions and their results as OpenHands' observations.

| tool | action | observation |
| --- | --- | --- |
| `execute_bash` | `run` | `run` |
| `execute_ipython_cell` | `run_ipython` | `run_ipython` |
| `str_replace_editor` `view` | `read` | `read` |
| `str_replace_editor`, its other commands | `edit` | `edit` |
| `think` | `think` | `think` |
| `task_tracker` | `task_tracking` | `task_tracking` |
| `finish` | `finish` | none, as in OpenHands |
| `request_condensation` | `condensation_request` | none, as in OpenHands |
| any other | `call_tool_mcp` | `mcp` |

`call_tool_mcp` is OpenHands' kind for tools that it does not know by name: its arguments are
`name` and `arguments`. A call that failed as a call has the observation `error`. Arguments that
are no JSON object are kept as text under `raw_arguments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from velora.journal.events import Observed
from velora.journal.messages import ToolCall

Fields = dict[str, Any]


def action(call: ToolCall, observed: Observed | None, thought: str) -> Fields:
    """`action`, `args`, `message` and, where the call sets one, `timeout`.

    Args:
        call: as the model wrote it.
        observed: its result, whose arguments are those executed; None where there is none.
        thought: the text that came with the answer.
    """
    arguments = observed.arguments if observed and observed.arguments else _parsed(call.arguments)
    raw = None
    if arguments is None:
        arguments, raw = {}, call.arguments
    kind, args, message = _ACTIONS.get(call.name, _other)(call.name, arguments)
    args["thought"] = "\n".join(t for t in (thought, args.get("thought", "")) if t)
    if raw is not None:
        args["raw_arguments"] = raw
    fields: Fields = {"message": message, "action": kind, "args": args}
    if (timeout := arguments.get("timeout")) is not None:
        fields["timeout"] = timeout
    return fields


def observation(call: ToolCall, observed: Observed) -> Fields | None:
    """`observation`, `message`, `content`, `extras` and, for commands, `success`.

    None for `finish` and `request_condensation`, unless they failed.
    """
    if observed.error:
        kind, extras, message = "error", {"error_id": ""}, observed.content
    elif call.name in ("finish", "request_condensation"):
        return None
    else:
        kind, extras, message = _OBSERVATIONS.get(call.name, _other_result)(observed)
    fields: Fields = {
        "message": message,
        "observation": kind,
        "content": observed.content,
        "extras": {**observed.extras, **extras, "duration": observed.duration},
    }
    if observed.exit_code is not None:
        fields["success"] = observed.exit_code == 0
    return fields


def _parsed(text: str) -> Fields | None:
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _run(_: str, a: Fields) -> tuple[str, Fields, str]:
    args = {
        "command": a.get("command", ""),
        "is_input": str(a.get("is_input", "false")).lower() == "true",
        "blocking": False,
        "is_static": False,
        "cwd": None,
        "hidden": False,
        "confirmation_state": "confirmed",
        "security_risk": a.get("security_risk"),
    }
    return "run", args, f"Running command: {args['command']}"


def _ipython(_: str, a: Fields) -> tuple[str, Fields, str]:
    args = {
        "code": a.get("code", ""),
        "include_extra": True,
        "confirmation_state": "confirmed",
        "security_risk": a.get("security_risk"),
        "kernel_init_code": "",
    }
    return "run_ipython", args, f"Running Python code interactively: {args['code']}"


def _editor(_: str, a: Fields) -> tuple[str, Fields, str]:
    path, view_range = a.get("path", ""), a.get("view_range")
    common = {"path": path, "impl_source": "oh_aci", "security_risk": a.get("security_risk")}
    if a.get("command") == "view":
        args = common | {"start": 0, "end": -1, "view_range": view_range}
        return "read", args, f"Reading file: {path}"
    args = common | {
        "command": a.get("command", ""),
        "file_text": a.get("file_text"),
        "old_str": a.get("old_str"),
        "new_str": a.get("new_str"),
        "insert_line": a.get("insert_line"),
        "content": "",
        "start": 1,
        "end": -1,
    }
    return "edit", args, f"Editing file: {path}"


def _think(_: str, a: Fields) -> tuple[str, Fields, str]:
    thought = str(a.get("thought", ""))
    return "think", {"thought": thought}, f"I am thinking...: {thought}"


def _finish(_: str, a: Fields) -> tuple[str, Fields, str]:
    message = str(a.get("message", ""))
    args = {"final_thought": message, "outputs": {}}
    return "finish", args, message or "The agent has finished."


def _request(_: str, a: Fields) -> tuple[str, Fields, str]:
    return "condensation_request", {}, "Requesting a condensation of the conversation history."


def _tasks(_: str, a: Fields) -> tuple[str, Fields, str]:
    args = {"command": a.get("command", "view"), "task_list": a.get("task_list") or []}
    return "task_tracking", args, f"Managing the task list: {args['command']}"


def _other(name: str, a: Fields) -> tuple[str, Fields, str]:
    return "call_tool_mcp", {"name": name, "arguments": a}, f"Calling tool: {name}"


_ACTIONS: dict[str, Callable[[str, Fields], tuple[str, Fields, str]]] = {
    "execute_bash": _run,
    "execute_ipython_cell": _ipython,
    "str_replace_editor": _editor,
    "think": _think,
    "finish": _finish,
    "request_condensation": _request,
    "task_tracker": _tasks,
}


def _run_result(o: Observed) -> tuple[str, Fields, str]:
    command = o.arguments.get("command", "")
    metadata = {
        "exit_code": -1 if o.exit_code is None else o.exit_code,
        "pid": -1,
        "username": None,
        "hostname": None,
        "working_dir": o.cwd or None,
        "py_interpreter_path": None,
        "prefix": "",
        "suffix": "",
    }
    extras = {"command": command, "metadata": metadata, "hidden": False}
    return "run", extras, f"Command `{command}` executed with exit code {metadata['exit_code']}."


def _ipython_result(o: Observed) -> tuple[str, Fields, str]:
    return "run_ipython", {"code": o.arguments.get("code", "")}, "Code executed in IPython cell."


def _editor_result(o: Observed) -> tuple[str, Fields, str]:
    path = o.arguments.get("path", "")
    extras: Fields = {"path": path, "impl_source": "oh_aci"}
    if o.arguments.get("command") == "view":
        return "read", extras, f"I read the file {path}."
    extras["old_str"] = o.arguments.get("old_str")
    extras["new_str"] = o.arguments.get("new_str")
    return "edit", extras, f"I edited the file {path}."


def _think_result(o: Observed) -> tuple[str, Fields, str]:
    return "think", {}, o.content


def _tasks_result(o: Observed) -> tuple[str, Fields, str]:
    tasks = o.extras.get("task_list") or o.arguments.get("task_list") or []
    extras = {"command": o.arguments.get("command", "view"), "task_list": tasks}
    return "task_tracking", extras, o.content


def _other_result(o: Observed) -> tuple[str, Fields, str]:
    return "mcp", {"name": o.tool, "arguments": o.arguments}, o.content


_OBSERVATIONS: dict[str, Callable[[Observed], tuple[str, Fields, str]]] = {
    "execute_bash": _run_result,
    "execute_ipython_cell": _ipython_result,
    "str_replace_editor": _editor_result,
    "think": _think_result,
    "task_tracker": _tasks_result,
}
