"""The pure parts: quoting, entries, splitting and cleaning a diff, reading an engine's changes."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.patch.trees import commit, git, make
from velora.patch import archive
from velora.patch.archive import File
from velora.patch.changes import plan, probe_script, probed, relevant
from velora.patch.engine import foreign_mount
from velora.patch.entries import EXECUTABLE, REGULAR, SYMLINK, blob_id, parse_stage, tree_id
from velora.patch.hygiene import clean, matches, split
from velora.patch.quoting import c_quote, c_unquote, listed, printf
from velora.sandbox.protocol import Change

names = st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name)


@given(names)
def test_quotes_come_off_again(name: bytes) -> None:
    quoted = c_quote(name)
    assert quoted.isascii()
    assert "\n" not in quoted
    assert c_unquote(quoted.encode()) == name


def test_names_as_git_prints_them() -> None:
    assert c_unquote(b"plain name") == b"plain name"
    assert c_unquote(rb'"\303\274\t\"\\"') == 'ü\t"\\'.encode()


@settings(max_examples=40, deadline=None)
@given(names | st.sampled_from([b"%s %b \\n \\\\0 'x'", b"-n", b"\\0101"]))
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_any_bytes_through_printf(shell: str, data: bytes) -> None:
    done = subprocess.run([shell, "-c", printf(data)], capture_output=True, check=True)
    assert done.stdout == data


def test_long_lists_are_cut() -> None:
    assert listed([b"a", b"\xff"]) == "a, \\xff"
    assert listed([b"1", b"2", b"3"], most=2) == "1, 2 and 1 more"


def test_ids_are_gits(tmp_path: Path) -> None:
    tree = {
        b"a.b": ("file", b"1"),
        b"a/b": ("exec", b"2"),
        b"a/c/d": ("link", b"e"),
        b"a0": ("file", b""),
    }
    make(tmp_path, tree)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    entries = parse_stage(git(tmp_path, "ls-files", "-s", "-z").encode())
    assert {path: entry.mode for path, entry in entries.items()} == {
        b"a.b": REGULAR,
        b"a/b": EXECUTABLE,
        b"a/c/d": SYMLINK,
        b"a0": REGULAR,
    }
    assert entries[b"a.b"].oid == blob_id(b"1")
    assert tree_id(entries) == git(tmp_path, "rev-parse", "HEAD^{tree}")
    assert tree_id({}) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


DIFF = rb"""diff --git a/src/a b.py b/src/a b.py
index 1..2 100644
--- a/src/a b.py
+++ b/src/a b.py
@@ -1 +1 @@
-diff --git a/x b/x
+new file mode 100644
diff --git a/m.pyc b/m.pyc
index 1..2 100644
GIT binary patch
literal 1
Icmd;

literal 0
HcmV?d00001

diff --git "a/\303\274" "b/\303\274"
new file mode 100644
index 0..1
diff --git a/link b/link
deleted file mode 100644
index 1..0
diff --git a/link b/link
new file mode 120000
index 0..1
"""


def test_a_diff_comes_apart_and_together() -> None:
    parts = split(DIFF)
    assert b"".join(part.data for part in parts) == DIFF
    assert [(p.path.decode(), p.new, p.binary) for p in parts] == [
        ("src/a b.py", False, False),
        ("m.pyc", False, True),
        ("ü", True, False),
        ("link", False, False),
        ("link", True, False),
    ]
    assert split(b"") == []


def test_only_new_and_binary_files_can_be_junk() -> None:
    diff, files, notes = clean(DIFF, ["*.py", "*.pyc", "ü", "link"])
    assert files == ("src/a b.py", "link")
    assert notes == ("junk_left_out: 2 files: m.pyc, ü",)
    assert diff.endswith(b"index 0..1\n")
    assert clean(DIFF, []) == (DIFF, ("src/a b.py", "m.pyc", "ü", "link"), ())


def test_a_large_patch_is_noted() -> None:
    big = b"diff --git a/x b/x\nnew file mode 100644\n" + b"+\n" * 600_000
    assert clean(big, [])[2] == (f"large_patch: {len(big)} bytes, {len(big)} of them for x",)


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        (b"a/__pycache__/m.pyc", "__pycache__/", True),
        (b"a/__pycache__", "__pycache__/", False),
        (b"a/__pycache__", "__pycache__", True),
        (b"target/debug/x", "target/debug", True),
        (b"sub/target/debug/x", "target/debug", False),
        (b"x.PYC", "*.pyc", False),
        (b"lat\xefn.o", "*.o", True),
    ],
)
def test_junk_patterns(path: bytes, pattern: str, expected: bool) -> None:
    assert matches(path, [pattern]) is expected


def test_changes_below_the_directory_only() -> None:
    changes = [
        Change("/testbed", "modified"),
        Change("/testbed/a", "modified"),
        Change("/testbed/.git/index", "modified"),
        Change("/testbed/sub/.git", "added"),
        Change("/testbed2/x", "added"),
        Change("/testbed/dir/lat\ufffdn", "added"),
        Change("/testbed/gone", "deleted"),
    ]
    changed = relevant(changes, "/testbed")
    assert changed.added == set()
    assert changed.modified == {b"a"}
    assert changed.deleted == {b"gone"}
    assert changed.whole == {b"dir"}


def test_few_exports_cover_all_changes() -> None:
    kinds = {"added": "A", "modified": "M", "deleted": "D"}
    table = """A new  A new/a  A new/sub  A new/sub/b  M dir  A dir/x  M file  D old  M was_file
    A was_file/in  A mixed  A mixed/ok  A mixed/junk  A mixed/junk/o  A junk  A junk/o"""
    words = table.split()
    changes = [
        Change(f"/w/{path}", next(k for k, letter in kinds.items() if letter == word))
        for word, path in zip(words[::2], words[1::2], strict=True)
    ]
    changed = relevant(changes, "/w")
    present = {
        b"dir": (b"d", [b"x", b"unchanged"]),
        b"file": (b"f", []),
        b"was_file": (b"d", [b"in"]),
    }
    todo = plan(changed, present, lambda path: b"junk" in path)
    assert sorted(todo.current) == [b"dir/x", b"file", b"mixed/ok", b"new", b"was_file/in"]
    assert sorted(todo.original) == [b"file", b"old", b"was_file"]


def test_the_probe_tells_files_from_directories(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            b"f": ("file", b""),
            b"d/.h": ("file", b""),
            b"d/n\nl": ("file", b""),
            b"l": ("link", b"d"),
        },
    )
    (tmp_path / "e").mkdir()
    paths = [b"f", b"d", b"l", b"e", b"none"]
    done = subprocess.run(
        ["sh", "-c", probe_script(paths)], cwd=tmp_path, capture_output=True, check=True
    )
    assert probed(paths, done.stdout) == {
        b"f": (b"f", []),
        b"d": (b"d", [b"n\nl", b".h"]),
        b"l": (b"f", []),
        b"e": (b"d", []),
        b"none": (b"-", []),
    }


def test_an_archive_is_read_without_unpacking() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, mode, data in [
            ("top", tarfile.DIRTYPE, 0o755, b""),
            ("top/x", tarfile.REGTYPE, 0o755, b"run"),
            ("top/hard", tarfile.LNKTYPE, 0o644, b"top/x"),
            ("top/soft", tarfile.SYMTYPE, 0o777, b"../out"),
            ("top/.git/config", tarfile.REGTYPE, 0o644, b"no"),
            ("top/pipe", tarfile.FIFOTYPE, 0o644, b""),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, mode
            if kind == tarfile.REGTYPE:
                member.size = len(data)
            else:
                member.linkname = data.decode()
            tar.addfile(member, io.BytesIO(data))
    contents = archive.read(buffer.getvalue(), b"sub/top")
    assert contents.files == {
        b"sub/top/x": File(EXECUTABLE, b"run"),
        b"sub/top/hard": File(EXECUTABLE, b"run"),
        b"sub/top/soft": File(SYMLINK, b"../out"),
    }
    assert contents.special == [b"sub/top/pipe"]
    assert b"x" in archive.read(buffer.getvalue(), b"").files


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        (b"overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n", ""),
        (b"x /testbed ext4 rw 0 0\n", "/testbed"),
        (b"x /testbed/sub\\040dir ext4 rw 0 0\n", "/testbed/sub dir"),
        (b"x /testbed2 ext4 rw 0 0\n", ""),
    ],
)
def test_mounts_that_hide_the_image(mounts: bytes, expected: str) -> None:
    assert foreign_mount(mounts, "/testbed") == expected
