"""`str_replace_editor`: look at files and change them, byte-exactly.

Files are read and written through the sandbox's own calls and edited on the host, so nothing needs
to be installed beside them. What an edit replaced is kept here, per file, for `undo_edit`.
"""

from __future__ import annotations

import errno
import posixpath
import shlex
from typing import Any

from velora.journal.messages import ToolSpec
from velora.sandbox.protocol import ExecTimeout, Sandbox
from velora.tools import listing, pictures, text
from velora.tools.history import History
from velora.tools.protocol import BadArguments, ToolResult
from velora.tools.text import Refused

NAME = "str_replace_editor"
SIZE_LIMIT = 10 * 1024 * 1024
"""Bytes of the largest file that is read."""
VIEW_CHARS = 16_000
"""Characters of one view; a longer file is shown in parts."""
SNIPPET_CHARS = 4_000
"""Characters of the surroundings shown after an edit."""
_BINARY_PROBE = 8_192

SPEC = ToolSpec(
    name=NAME,
    description=(
        "View, create and edit text files. `path` is absolute.\n"
        "* `view` shows a file with line numbers, or only the lines of `view_range`; of a "
        "directory it shows two levels without hidden names; a picture is shown as one.\n"
        "* `create` writes a new file from `file_text`; an existing file is refused.\n"
        "* `str_replace` puts `new_str` (nothing, if left out) where `old_str` stands. `old_str` "
        "must equal a stretch of the file character by character, indentation and line breaks "
        "included and the line numbers of a view left out, and must stand there exactly once: "
        "take in enough neighbouring lines.\n"
        "* `insert` puts `new_str` after line `insert_line`; 0 is the top.\n"
        "* `undo_edit` takes back the last edit of `path` made with this tool.\n"
        "Everything outside an edit stays as it is to the byte, line ends included."
    ),
    parameters={
        "type": "object",
        "properties": {
            "command": {
                "type": "string",
                "enum": ["view", "create", "str_replace", "insert", "undo_edit"],
                "description": "What to do.",
            },
            "path": {"type": "string", "description": "Absolute path of a file or directory."},
            "file_text": {"type": "string", "description": "For `create`: the whole content."},
            "old_str": {"type": "string", "description": "For `str_replace`: the text to replace."},
            "new_str": {
                "type": "string",
                "description": "For `str_replace`: the text in its place; for `insert`: the lines.",
            },
            "insert_line": {
                "type": "integer",
                "description": "For `insert`: the number of the line to insert after.",
            },
            "view_range": {
                "type": "array",
                "items": {"type": "integer"},
                "description": (
                    "For `view` of a file: first and last line, as [11, 20]; -1 is the end."
                ),
            },
        },
        "required": ["command", "path"],
        "additionalProperties": False,
    },
)


class EditorTool:
    """Views and edits the files of one attempt's sandbox.

    Args:
        workdir: what a relative path is resolved against when the absolute one is suggested.
    """

    spec = SPEC

    def __init__(self, sandbox: Sandbox, *, workdir: str) -> None:
        self._sandbox = sandbox
        self._workdir = workdir
        self._history = History()

    async def __call__(self, arguments: dict[str, Any]) -> ToolResult:
        """Carry out `arguments["command"]`."""
        command: str = arguments["command"]
        try:
            path = self._absolute(arguments["path"])
            match command:
                case "view":
                    shown = await self._view(path, arguments.get("view_range"))
                    if not isinstance(shown, str):
                        return shown
                    content = shown
                case "create":
                    content = await self._create(path, _needed(arguments, "file_text"))
                case "str_replace":
                    old, new = _needed(arguments, "old_str"), arguments.get("new_str", "")
                    content = await self._replace(path, old, new)
                case "insert":
                    line, new = _needed(arguments, "insert_line"), _needed(arguments, "new_str")
                    content = await self._insert(path, line, new)
                case _:
                    content = await self._undo(path)
        except Refused as refusal:
            return ToolResult(str(refusal), error=True)
        except ExecTimeout as late:
            return ToolResult(f"{arguments['path']}: {late}", error=True)
        except OSError as error:
            return ToolResult(_explained(arguments["path"], error, command), error=True)
        return ToolResult(content, extras={"path": path})

    def _absolute(self, path: str) -> str:
        if not path or "\0" in path:
            raise BadArguments(f"{NAME}: `path` {'holds a NUL character' if path else 'is empty'}.")
        if not path.startswith("/"):
            meant = posixpath.normpath(posixpath.join(self._workdir, path))
            raise Refused(f"{path} is not an absolute path. Did you mean {meant}?")
        # `..` stays: what it means depends on links.
        parts = [part for part in path.split("/") if part not in ("", ".")]
        return "/" + "/".join(parts)

    async def _view(self, path: str, view_range: list[int] | None) -> str | ToolResult:
        try:
            data = await self._read(path)
        except IsADirectoryError:
            if view_range is not None:
                raise Refused(f"{path} is a directory; view_range is for files.") from None
            return await self._list(path)
        if kind := pictures.media_type(data):
            return _picture(path, data, kind)
        if b"\0" in data[:_BINARY_PROBE]:
            raise Refused(
                f"{path} is a binary file of {len(data)} bytes, which cannot be shown as text. "
                "Use execute_bash with a program that reads its format."
            )
        count = text.line_count(data)
        if count == 0:
            return f"{path} is empty."
        first, last = _checked_range(view_range, count)
        shown, reached = text.numbered(data, first, min(last, count), VIEW_CHARS)
        lines = [f"{path}, lines {first}-{reached} of {count}:", shown, *_remarks(data)]
        if view_range is not None and last > count:
            lines.append(f"[the file ends at line {count}]")
        if reached < first:
            lines[0] = f"{path}, part of line {first} of {count}:"
            lines.append(f"[line {first} is too long to be shown whole]")
        elif reached < min(last, count):
            lines.append(
                f"[cut at {VIEW_CHARS} characters; go on with view_range [{reached + 1}, -1]]"
            )
        return "\n".join(lines)

    async def _list(self, path: str) -> str:
        names = await listing.names(self._sandbox, path)
        if not names:
            return f"{path} holds nothing but, perhaps, hidden names."
        lines = [f"{path}, two levels deep, without hidden names:"]
        room = VIEW_CHARS
        for count, name in enumerate(names):
            room -= len(name) + 1
            if room < 0:
                lines.append(f"[{len(names) - count} more names; view a directory below]")
                break
            lines.append(name)
        return "\n".join(lines)

    async def _create(self, path: str, file_text: str) -> str:
        try:
            await self._sandbox.read_file(path, limit=0)
            exists = True
        except FileNotFoundError:
            exists = False
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
            exists = True
        if exists:
            raise Refused(
                f"{path} exists already and is left as it is. Change it with str_replace or "
                "insert, or remove it with execute_bash first."
            )
        data = file_text.encode()
        await self._sandbox.write_file(path, data)
        self._history.add(path, None, data, first=1, last=1)
        count = text.line_count(data)
        return f"Created {path} with {count} line{'' if count == 1 else 's'}, {len(data)} bytes."

    async def _replace(self, path: str, old: str, new: str) -> str:
        if not old:
            raise Refused("old_str is empty. Use insert to add lines.")
        if old == new:
            raise Refused("new_str is the same as old_str, so there is nothing to change.")
        data = await self._read(path)
        return await self._apply(path, data, text.replace(data, old, new))

    async def _insert(self, path: str, line: int, new: str) -> str:
        if not new:
            raise Refused("new_str is empty, so there is nothing to insert.")
        data = await self._read(path)
        return await self._apply(path, data, text.insert(data, line, new))

    async def _apply(self, path: str, before: bytes, edit: text.Edit) -> str:
        await self._sandbox.write_file(path, edit.data)
        self._history.add(path, before, edit.data, first=edit.first, last=edit.last_before)
        return f"Edited {path}. {_surroundings(edit.data, edit.first, edit.last)}"

    async def _undo(self, path: str) -> str:
        version = self._history.last(path)
        if version is None:
            raise Refused(f"There is no edit of {path} by this tool left to undo.")
        try:
            current: bytes | None = await self._read(path)
        except FileNotFoundError:
            current = None
        before = version.before
        if before is None:
            await self._remove(path)
        else:
            await self._sandbox.write_file(path, before)
        self._history.drop(path)
        lost = (
            ""
            if version.left(current)
            else " What else had changed it since that edit is undone too."
        )
        if before is None:
            return f"Undid the creation of {path}: it is removed.{lost}"
        around = _surroundings(before, version.first, version.last)
        return f"Undid the last edit of {path}.{lost} {around}"

    async def _read(self, path: str) -> bytes:
        return await self._sandbox.read_file(path, limit=SIZE_LIMIT)

    async def _remove(self, path: str) -> None:
        result = await self._sandbox.script(f"rm -f {shlex.quote(path)}")
        if result.exit_code != 0:
            raise OSError(result.stderr.decode(errors="replace").strip())


def _picture(path: str, data: bytes, kind: str) -> ToolResult:
    what = f"{path} is a picture ({kind}, {len(data)} bytes)"
    if len(data) > pictures.LIMIT:
        raise Refused(f"{what}: too large to be shown; {pictures.LIMIT} bytes is the limit.")
    return ToolResult(f"{what}.", extras={"path": path}, images=(pictures.picture(data),))


def _needed(arguments: dict[str, Any], name: str) -> Any:
    if name not in arguments:
        raise BadArguments(f"{NAME}: `{arguments['command']}` needs `{name}`.")
    return arguments[name]


def _checked_range(view_range: list[int] | None, count: int) -> tuple[int, int]:
    if view_range is None:
        return 1, count
    if len(view_range) != 2:
        raise Refused(f"view_range must be two numbers, as [1, 20], not {view_range}.")
    first, last = view_range
    if not 1 <= first <= count:
        raise Refused(f"view_range begins at line {first}, but the file has lines 1 to {count}.")
    if last == -1:
        return first, count
    if last < first:
        raise Refused(f"view_range ends at line {last}, before it begins at line {first}.")
    return first, last


def _remarks(data: bytes) -> list[str]:
    remarks = []
    if text.newline(data) == text.CRLF:
        remarks.append("[lines end in CRLF; edits keep that]")
    try:
        data.decode()
    except UnicodeDecodeError:
        remarks.append(
            "[not all of it is UTF-8: such bytes are shown as \N{REPLACEMENT CHARACTER} and "
            "edits keep them]"
        )
    return remarks


def _surroundings(data: bytes, first: int, last: int) -> str:
    count = text.line_count(data)
    if count == 0:
        return "It is empty now."
    start = max(1, min(first, count) - text.CONTEXT)
    end = min(count, last + text.CONTEXT)
    shown, reached = text.numbered(data, start, end, SNIPPET_CHARS)
    cut = "" if reached == end else f"\n[cut at {SNIPPET_CHARS} characters]"
    return f"Lines {start}-{max(reached, start)} of {count} are now:\n{shown}{cut}"


def _explained(path: str, error: OSError, command: str) -> str:
    match error:
        case FileNotFoundError():
            return f"{path} does not exist."
        case IsADirectoryError():
            return f"{path} is a directory; only view works on directories."
        case NotADirectoryError():
            return f"{path}: a part of the path before its last is a file, not a directory."
        case PermissionError():
            return f"{path}: no permission to {'read' if command == 'view' else 'change'} it."
        case _ if error.errno == errno.EFBIG:
            return (
                f"{path} is larger than {SIZE_LIMIT // 1024**2} MB, too large for this tool. "
                "Use execute_bash (head, tail, grep, sed -n)."
            )
        case _:
            return f"{path}: {error.strerror or error}"
