from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import SandboxSpec
from velora.tools import listing
from velora.tools.editor import SIZE_LIMIT, SPEC, VIEW_CHARS, EditorTool
from velora.tools.history import LEVELS
from velora.tools.pictures import LIMIT
from velora.tools.protocol import BadArguments, ToolResult


@pytest.fixture
def editor(sandbox: HostSandbox, repo: Path) -> EditorTool:
    return EditorTool(sandbox, workdir=str(repo))


async def done(editor: EditorTool, command: str, path: Path | str, **arguments: Any) -> str:
    result = await call(editor, command, path, **arguments)
    assert not result.error, result.content
    assert result.extras == {"path": str(path)}
    return result.content


async def refused(editor: EditorTool, command: str, path: Path | str, **arguments: Any) -> str:
    result = await call(editor, command, path, **arguments)
    assert result.error
    return result.content


async def call(editor: EditorTool, command: str, path: Path | str, **arguments: Any) -> ToolResult:
    return await editor({"command": command, "path": str(path), **arguments})


def file(repo: Path, data: bytes | str, name: str = "f.txt") -> Path:
    path = repo / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def unreadable(repo: Path) -> Path:
    """A file that may not be read, by root neither."""
    if os.geteuid() == 0:
        path = Path("/proc/sys/vm/compact_memory")
        if not path.exists():
            pytest.skip("root may read every file here")
        return path
    path = file(repo, "x", "secret")
    path.chmod(0)
    return path


def read_only(repo: Path) -> Path:
    """A file of one line that may not be written, by root neither."""
    if os.geteuid() == 0:
        return Path("/proc/sys/kernel/ngroups_max")
    path = file(repo, "65536\n", "fixed")
    path.chmod(0o444)
    return path


def test_the_description_is_short_enough_for_every_provider() -> None:
    assert len(SPEC.description) <= 1024


async def test_view_a_file(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "def f():\n\treturn 1\n\nf()")
    assert await done(editor, "view", path) == (
        f"{path}, lines 1-4 of 4:\n     1\tdef f():\n     2\t\treturn 1\n     3\t\n     4\tf()"
    )


@pytest.mark.parametrize(
    ("view_range", "expected"),
    [
        ([2, 3], "{}, lines 2-3 of 4:\n     2\tb\n     3\tc"),
        ([4, -1], "{}, lines 4-4 of 4:\n     4\td"),
        ([3, 99], "{}, lines 3-4 of 4:\n     3\tc\n     4\td\n[the file ends at line 4]"),
    ],
)
async def test_view_some_lines(
    editor: EditorTool, repo: Path, view_range: list[int], expected: str
) -> None:
    path = file(repo, "a\nb\nc\nd\n")
    assert await done(editor, "view", path, view_range=view_range) == expected.format(path)


@pytest.mark.parametrize(
    ("view_range", "expected"),
    [
        ([1], "view_range must be two numbers, as [1, 20], not [1]."),
        ([1, 2, 3], "view_range must be two numbers, as [1, 20], not [1, 2, 3]."),
        ([0, 2], "view_range begins at line 0, but the file has lines 1 to 4."),
        ([5, -1], "view_range begins at line 5, but the file has lines 1 to 4."),
        ([3, 2], "view_range ends at line 2, before it begins at line 3."),
        ([3, -2], "view_range ends at line -2, before it begins at line 3."),
    ],
)
async def test_view_refuses_a_range_that_is_none(
    editor: EditorTool, repo: Path, view_range: list[int], expected: str
) -> None:
    path = file(repo, "a\nb\nc\nd\n")
    assert await refused(editor, "view", path, view_range=view_range) == expected


async def test_view_an_empty_file(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "")
    assert await done(editor, "view", path) == f"{path} is empty."
    assert await done(editor, "view", path, view_range=[1, -1]) == f"{path} is empty."


async def test_view_cuts_a_long_file_and_says_how_to_go_on(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "".join(f"line {i}\n" for i in range(1, 5001)))
    shown = await done(editor, "view", path)
    assert len(shown) < VIEW_CHARS + 200
    reached = int(shown.split(", lines 1-")[1].split(" of")[0])
    assert f"{reached:6}\tline {reached}\n[cut at 16000 characters; " in shown
    assert shown.endswith(f"go on with view_range [{reached + 1}, -1]]")
    rest = await done(editor, "view", path, view_range=[reached + 1, reached + 1])
    assert rest.endswith(f"\tline {reached + 1}")


async def test_view_cuts_a_line_that_is_too_long(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "short\n" + "x" * 20_000 + "\nlast\n")
    shown = await done(editor, "view", path)
    assert shown.endswith("     1\tshort\n[cut at 16000 characters; go on with view_range [2, -1]]")
    shown = await done(editor, "view", path, view_range=[2, 3])
    assert shown.startswith(f"{path}, part of line 2 of 3:\n     2\txxx")
    assert shown.endswith("xxx\n[line 2 is too long to be shown whole]")


async def test_view_says_what_is_not_plain_text(editor: EditorTool, repo: Path) -> None:
    path = file(repo, b"a\r\n\xe9\r\n")
    assert await done(editor, "view", path) == (
        f"{path}, lines 1-2 of 2:\n     1\ta\n     2\t\ufffd\n"
        "[lines end in CRLF; edits keep that]\n"
        "[not all of it is UTF-8: such bytes are shown as \ufffd and edits keep them]"
    )


async def test_view_refuses_what_is_no_text(editor: EditorTool, repo: Path) -> None:
    path = file(repo, b"\x7fELF\0\0")
    assert await refused(editor, "view", path) == (
        f"{path} is a binary file of 6 bytes, which cannot be shown as text. "
        "Use execute_bash with a program that reads its format."
    )


async def test_view_a_directory(editor: EditorTool, repo: Path) -> None:
    for name in ("b/c/deep", "b/.hidden/x", "a b/\u00e9\n'\"$x", ".git/config", "z"):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("")
    (repo / "link").symlink_to("b")
    (repo / "dangling").symlink_to("nowhere")
    (repo / "empty").mkdir()
    assert await done(editor, "view", repo) == (
        f"{repo}, two levels deep, without hidden names:\n"
        "a b/\na b/\u00e9\n'\"$x\nb/\nb/c/\ndangling\nempty/\nlink/\nz"
    )


async def test_view_an_empty_directory(editor: EditorTool, repo: Path) -> None:
    assert await done(editor, "view", repo) == f"{repo} holds nothing but, perhaps, hidden names."


async def test_view_cuts_a_long_listing(editor: EditorTool, repo: Path) -> None:
    for number in range(400):
        (repo / f"{number:03}-{'x' * 60}").write_text("")
    shown = await done(editor, "view", repo)
    assert shown.endswith("\n[154 more names; view a directory below]")
    assert len(shown.splitlines()) == 1 + 246 + 1


async def test_view_range_is_not_for_directories(editor: EditorTool, repo: Path) -> None:
    assert await refused(editor, "view", repo, view_range=[1, 2]) == (
        f"{repo} is a directory; view_range is for files."
    )


async def test_listing_what_is_not_there_tells_the_reason(sandbox: HostSandbox, repo: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        await listing.names(sandbox, str(repo / "missing"))


async def test_create(editor: EditorTool, repo: Path) -> None:
    path = repo / "new" / "deep" / "f.py"
    text = "caf\u00e9\r\n\n"
    assert await done(editor, "create", path, file_text=text) == (
        f"Created {path} with 2 lines, 8 bytes."
    )
    assert path.read_bytes() == text.encode()
    one = repo / "one"
    assert await done(editor, "create", one, file_text="x") == (
        f"Created {one} with 1 line, 1 bytes."
    )


@pytest.mark.parametrize("data", ["", "old\n"])
async def test_create_refuses_an_existing_file(editor: EditorTool, repo: Path, data: str) -> None:
    path = file(repo, data)
    assert await refused(editor, "create", path, file_text="new") == (
        f"{path} exists already and is left as it is. Change it with str_replace or insert, or "
        "remove it with execute_bash first."
    )
    assert path.read_text() == data


async def test_str_replace(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "".join(f"{n}\n" for n in range(1, 21)))
    shown = await done(editor, "str_replace", path, old_str="10\n11\n", new_str="ten\n")
    lines = ["6", "7", "8", "9", "ten", "12", "13", "14", "15"]
    body = "\n".join(f"{n:6}\t{line}" for n, line in enumerate(lines, 6))
    assert shown == f"Edited {path}. Lines 6-15 of 19 are now:\n{body}\n    15\t16"
    assert "\n9\nten\n12\n" in path.read_text()


async def test_str_replace_without_new_str_deletes(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "a\nb\n")
    await done(editor, "str_replace", path, old_str="a\n")
    assert path.read_text() == "b\n"
    assert await done(editor, "str_replace", path, old_str="b\n") == (
        f"Edited {path}. It is empty now."
    )


async def test_str_replace_shows_a_long_edit_in_part(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "a\n")
    shown = await done(editor, "str_replace", path, old_str="a", new_str="line\n" * 2000)
    assert shown.endswith("\tline\n[cut at 4000 characters]")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "x", "old_str is empty. Use insert to add lines."),
        ("a", "a", "new_str is the same as old_str, so there is nothing to change."),
        ("", "", "old_str is empty. Use insert to add lines."),
        (
            "a",
            "x",
            "old_str stands in the file 2 times, beginning at lines 1, 3. "
            "Add lines around it until it fits one place only.",
        ),
        (
            "c",
            "x",
            "old_str does not stand in the file. "
            "View the file and copy the text exactly as it is there.",
        ),
        (
            "b\n  a",
            "x",
            "old_str does not stand in the file. It would match at line 2 if white space (blanks, "
            "tabs, line ends) did not count. The file has there:\n     2\tb\n     3\t\ta",
        ),
        (
            "     2\tb",
            "x",
            "old_str does not stand in the file. "
            "It seems to hold the line numbers of a view; leave them out.",
        ),
    ],
)
async def test_str_replace_refuses(
    editor: EditorTool, repo: Path, old: str, new: str, expected: str
) -> None:
    path = file(repo, "a\nb\n\ta\n")
    assert await refused(editor, "str_replace", path, old_str=old, new_str=new) == expected
    assert path.read_text() == "a\nb\n\ta\n"


async def test_insert(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "a\nb\n")
    assert await done(editor, "insert", path, insert_line=1, new_str="x") == (
        f"Edited {path}. Lines 1-3 of 3 are now:\n     1\ta\n     2\tx\n     3\tb"
    )
    await done(editor, "insert", path, insert_line=0, new_str="top\n")
    assert path.read_text() == "top\na\nx\nb\n"
    assert await refused(editor, "insert", path, insert_line=9, new_str="x") == (
        "insert_line is 9, but the file has 4 lines: 0 (before the first line) to 4 are possible."
    )
    assert await refused(editor, "insert", path, insert_line=0, new_str="") == (
        "new_str is empty, so there is nothing to insert."
    )


async def test_undo_goes_back_step_by_step(editor: EditorTool, repo: Path) -> None:
    path = repo / "f"
    await done(editor, "create", path, file_text="1\n2\n")
    await done(editor, "str_replace", path, old_str="1", new_str="one")
    await done(editor, "insert", path, insert_line=2, new_str="3")
    assert await done(editor, "undo_edit", path) == (
        f"Undid the last edit of {path}. Lines 1-2 of 2 are now:\n     1\tone\n     2\t2"
    )
    await done(editor, "undo_edit", path)
    assert path.read_text() == "1\n2\n"
    assert await done(editor, "undo_edit", path) == (
        f"Undid the creation of {path}: it is removed."
    )
    assert not path.exists()
    assert await refused(editor, "undo_edit", path) == (
        f"There is no edit of {path} by this tool left to undo."
    )


async def test_undo_says_so_when_it_takes_more_back_than_the_edit(
    editor: EditorTool, repo: Path
) -> None:
    path = file(repo, "a\n")
    await done(editor, "str_replace", path, old_str="a", new_str="b")
    path.write_text("b\nby another program\n")
    assert (
        f"Undid the last edit of {path}. What else had changed it since that edit is undone too. "
        "Lines 1-1 of 1 are now:\n"
    ) in await done(editor, "undo_edit", path)
    assert path.read_text() == "a\n"
    await done(editor, "str_replace", path, old_str="a", new_str="b")
    path.unlink()
    assert "is undone too" in await done(editor, "undo_edit", path)
    assert path.read_text() == "a\n"


async def test_undo_keeps_a_number_of_levels(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "0")
    for n in range(LEVELS + 2):
        await done(editor, "str_replace", path, old_str=f"{n}", new_str=f"{n + 1}")
    for _ in range(LEVELS):
        await done(editor, "undo_edit", path)
    assert path.read_text() == "2"
    await refused(editor, "undo_edit", path)


async def test_an_edit_that_fails_leaves_nothing_to_undo(editor: EditorTool, repo: Path) -> None:
    path = read_only(repo)
    old = path.read_text().strip()
    assert await refused(editor, "str_replace", path, old_str=old, new_str="1") == (
        f"{path}: no permission to change it."
    )
    assert "no edit" in await refused(editor, "undo_edit", path)


async def test_a_relative_path_is_refused_with_the_absolute_one(
    editor: EditorTool, repo: Path
) -> None:
    for command in ("view", "create", "undo_edit"):
        text = await refused(editor, command, "src/../a.py", file_text="")
        assert text == f"src/../a.py is not an absolute path. Did you mean {repo}/a.py?"
    assert f"Did you mean {repo}?" in await refused(editor, "view", ".")


async def test_spellings_of_a_path_are_one_file(editor: EditorTool, repo: Path) -> None:
    path = file(repo, "a\n")
    await call(editor, "str_replace", f"/{repo}//./f.txt", old_str="a", new_str="b")
    await done(editor, "undo_edit", path)
    assert path.read_text() == "a\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"command": "create"}, "`create` needs `file_text`."),
        ({"command": "str_replace"}, "`str_replace` needs `old_str`."),
        ({"command": "insert", "new_str": "x"}, "`insert` needs `insert_line`."),
        ({"command": "insert", "insert_line": 1}, "`insert` needs `new_str`."),
        ({"command": "view", "path": ""}, "`path` is empty."),
        ({"command": "view", "path": "/a\0"}, "`path` holds a NUL character."),
    ],
)
async def test_arguments_that_a_command_needs(
    editor: EditorTool, arguments: dict[str, Any], expected: str
) -> None:
    with pytest.raises(BadArguments) as caught:
        await editor({"path": "/f", **arguments})
    assert str(caught.value) == f"str_replace_editor: {expected}"


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (lambda repo: repo / "gone", "{} does not exist."),
        (
            lambda repo: file(repo, "x") / "y",
            "{}: a part of the path before its last is a file, not a directory.",
        ),
        (
            lambda repo: file(repo, b"x" * (SIZE_LIMIT + 1)),
            "{} is larger than 10 MB, too large for this tool. "
            "Use execute_bash (head, tail, grep, sed -n).",
        ),
        (lambda repo: repo / ("x" * 300), "{}: File name too long"),
    ],
)
async def test_files_that_cannot_be_read(
    editor: EditorTool, repo: Path, place: Callable[[Path], Path], expected: str
) -> None:
    path = place(repo)
    said = expected.format(path)
    assert await refused(editor, "view", path) == said
    assert await refused(editor, "str_replace", path, old_str="a", new_str="b") == said
    assert await refused(editor, "insert", path, insert_line=0, new_str="b") == said


async def test_directories_can_only_be_viewed(editor: EditorTool, repo: Path) -> None:
    expected = f"{repo} is a directory; only view works on directories."
    assert await refused(editor, "create", repo, file_text="x") == expected
    assert await refused(editor, "str_replace", repo, old_str="x") == expected
    assert await refused(editor, "insert", repo, insert_line=0, new_str="x") == expected


async def test_files_that_may_not_be_read(editor: EditorTool, repo: Path) -> None:
    path = unreadable(repo)
    assert await refused(editor, "view", path) == f"{path}: no permission to read it."
    assert await refused(editor, "create", path, file_text="x") == (
        f"{path}: no permission to change it."
    )


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=20)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300), TEXT, TEXT, st.binary(max_size=300), TEXT)
async def test_edits_round_trip_on_any_bytes(
    before: bytes, old: str, new: str, after: bytes, line: str
) -> None:
    data = before + old.encode() + after
    with tempfile.TemporaryDirectory() as folder:
        sandbox = HostSandbox(SandboxSpec(image="", workdir=folder))
        await sandbox.start()
        try:
            path = file(Path(folder), data)
            editor = EditorTool(sandbox, workdir=folder)
            replaced = await call(editor, "str_replace", path, old_str=old, new_str=new)
            if not replaced.error and b"\r\n" not in data:
                assert path.read_bytes() == before + new.encode() + after
            inserted = await call(editor, "insert", path, insert_line=0, new_str=line)
            assert not inserted.error
            for result in (inserted, replaced):
                if not result.error:
                    await done(editor, "undo_edit", path)
            assert path.read_bytes() == data
        finally:
            await sandbox.stop()


async def test_a_picture_is_shown_as_one(editor: EditorTool, repo: Path) -> None:
    data = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
    (repo / "a.dat").write_bytes(data)
    result = await call(editor, "view", repo / "a.dat")
    assert result.content == f"{repo}/a.dat is a picture (image/png, 28 bytes)."
    (image,) = result.images
    assert (image.media_type, base64.b64decode(image.data)) == ("image/png", data)
    (repo / "b.gif").write_bytes(b"GIF89a" + b"\0" * LIMIT)
    assert "too large to be shown" in await refused(editor, "view", repo / "b.gif")
