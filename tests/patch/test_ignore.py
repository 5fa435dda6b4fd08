"""The frozen rules decide as git decides from the files themselves."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.patch.trees import git, make
from velora.patch.ignore import freeze

FOLDERS = [b"", b"a/", b"a/b/", b"[x]/", b"st*r/"]
LINES = [
    *(b"foo", b"/foo", b"foo/", b"a/foo", b"**/foo", b"foo/**", b"*.o", b"!foo", b"!*.o", b"!/foo"),
    *(
        b"# foo",
        b"\\#x",
        b"\\!x",
        b"foo ",
        b"foo\\ ",
        b"",
        b"/",
        b"b/",
        b"/b",
        b"a/b",
        b"[ab]",
        b"?",
    ),
    *(b"!b/", b"!a/", b"foo\r", b"**", b"!**/", b"b/**/foo", b"\\*", b"/*", b"!/b"),
]
NAMES = [b"foo", b"x.o", b"b", b"#x", b"!x", b"foo ", b"*", b"bar", b"foo\r"]

rules = st.dictionaries(
    st.sampled_from(FOLDERS), st.lists(st.sampled_from(LINES), max_size=4), max_size=3
)
paths = st.lists(
    st.tuples(
        st.sampled_from(FOLDERS), st.lists(st.sampled_from(NAMES), min_size=1, max_size=2)
    ).map(lambda parts: parts[0] + b"/".join(parts[1])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=80, deadline=None)
@given(rules, st.lists(st.sampled_from(LINES), max_size=2), paths)
def test_as_git_reads_them(
    per_folder: dict[bytes, list[bytes]], exclude: list[bytes], names: list[bytes]
) -> None:
    files = {folder + b".gitignore": b"\n".join(lines) for folder, lines in per_folder.items()}
    info = b"\n".join(exclude) + b"\n"
    kept = [n for n in names if not any(other.startswith(n + b"/") for other in names)]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root, dict.fromkeys(kept, ("file", b"")))
        git(root, "init", "-q")
        listing = ("ls-files", "-o", "-z")
        (root / ".git/frozen").write_bytes(freeze(files, info))
        frozen = git(root, *listing, "--exclude-from=.git/frozen").split("\0")
        make(root, {path: ("file", data) for path, data in files.items()})
        (root / ".git/info/exclude").write_bytes(info)
        real = git(root, *listing, "--exclude-standard").split("\0")
        own = {os.fsdecode(path) for path in files}
        assert sorted(frozen) == sorted(path for path in real if path not in own)


def test_what_the_lines_become() -> None:
    files = {b"deep/er/.gitignore": b"*.o\n!/keep.o\n\n# no\nx/y\n", b".gitignore": b"build/\n"}
    assert freeze(files, b"info\n").split(b"\n") == [
        *(b"info", b"", b"build/"),
        *(b"/deep/er/**/*.o", b"!/deep/er/keep.o", b"/deep/er/x/y", b""),
    ]
