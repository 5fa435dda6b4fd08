"""Whatever the agent does: the patch makes the end state of the start state."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.patch.trees import Tree, clear, commit, git, make, patched, read
from velora.patch.protocol import PatchResult, PatchStatus
from velora.patch.snapshot import take
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import SandboxSpec

NAMES = [
    *(b"a", b"b", b"c.py", b"with blank", b" lead", b"trail ", b"-dash", b"--all", b"#x", b"!y"),
    *(b'quo"te', b"quo'te", b"new\nline", b"end\n", b"tab\t", b"back\\slash", b"\\n", b"*", b"[a]"),
    *("ü.txt".encode(), "日本".encode(), b"lat\xefn1", b"\x01", b"$(x)", b"`x`", b"%b", b":(top)x"),
    *(b".gitattributes", b".gitmodules", b"VELORA_END", b".hidden", b"~", b"a:b"),
]
CONTENTS = [
    *(
        b"",
        b"\n",
        b"x",
        b"one\ntwo\n",
        b"one\r\ntwo\r\n",
        b"one\ntwo",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbfx",
    ),
    *(
        b"x\n" * 5000 + b"\0\n",
        "é\n".encode("latin-1"),
        b"--- a/x\n+++ b/x\n",
        b"diff --git a/x b/x\n",
    ),
    *(
        b"* text eol=crlf\n* filter=x ident -diff\n",
        b"$Id$\n",
        b"\r",
        b"a\rb\r",
        b"\\ No newline\n",
    ),
]
content = st.sampled_from(CONTENTS) | st.binary(max_size=60)
name = st.sampled_from(NAMES) | st.binary(min_size=1, max_size=8).filter(
    lambda n: (
        b"/" not in n
        and b"\0" not in n
        and n not in (b".", b"..", b".gitignore")
        and n.lower() != b".git"
    )
)
leaf = st.one_of(
    st.tuples(st.just("file"), content),
    st.tuples(st.just("exec"), content),
    st.tuples(
        st.just("link"), st.sampled_from([b"a", b"../b", b"/etc/passwd", b"no\nsuch", b"\xff"])
    ),
)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A tree that can exist: no path is both a file and a directory."""
    tree: Tree = {}
    paths = draw(st.lists(st.lists(name, min_size=1, max_size=3), max_size=7))
    for parts in paths:
        path = b"/".join(parts)
        above = [b"/".join(parts[:n]) for n in range(1, len(parts))]
        taken = any(p in tree for p in above) or any(p.startswith(path + b"/") for p in tree)
        if not taken:
            tree[path] = draw(leaf)
    # Git refuses links on this path on purpose.
    for path in [p for p in tree if tree[p][0] == "link" and b".gitmodules" in p.split(b"/")]:
        del tree[path]
    return tree


ACTS = [
    *(["add", "-A"], ["commit", "-qam", "agent"], ["stash", "-u"], ["stash", "pop"]),
    *(["checkout", "-q", "-b", "other"], ["reset", "-q", "--hard"], ["gc", "-q", "--prune=now"]),
    *(["commit", "-q", "--amend", "--allow-empty", "-m", "x"], ["config", "core.autocrlf", "true"]),
    *(
        ["config", "filter.x.clean", "rev"],
        ["config", "core.fileMode", "false"],
        ["clean", "-qfdx"],
    ),
    *(
        ["update-ref", "-d", "HEAD"],
        ["checkout", "-q", "--orphan", "o"],
        ["rm", "-rfq", "--cached", "."],
    ),
]


async def run(root: Path, method: str, start: Mapping[bytes, tuple[str, bytes]], end: Tree,
              acts: list[list[str]], repository: str) -> tuple[Tree, PatchResult]:  # fmt: skip
    make(root, start)
    if repository != "none":
        git(root, "init", "-q")
        if repository == "clean":
            commit(root)
    sandbox = HostSandbox(SandboxSpec(image="", workdir=str(root)))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(sandbox.stop)
        await sandbox.start()
        snapshot = await take(sandbox, str(root), methods=[method])
        stack.push_async_callback(snapshot.close)
        untouched = await snapshot.diff()
        assert untouched.status is PatchStatus.EMPTY, untouched
        clear(root)
        make(root, end)
        for act in acts:
            git(root, *act, check=False)
        if repository == "deleted":
            shutil.rmtree(root / ".git")
        final = read(root)
        return final, await snapshot.diff()


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    start=trees(),
    end=trees(),
    acts=st.lists(st.sampled_from(ACTS), max_size=4),
    repository=st.sampled_from(["clean", "dirty", "none", "deleted"]),
    method=st.sampled_from(["git", "host-git"]),
)
def test_the_patch_makes_the_end_of_the_start(
    start: Tree, end: Tree, acts: list[list[str]], repository: str, method: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        final, result = asyncio.run(run(where / "repo", method, start, end, acts, repository))
        if start == final:
            assert result.status is PatchStatus.EMPTY
        else:
            assert result.status is PatchStatus.PATCH, result
            result.diff.decode()  # can be kept in JSON
            assert result.diff.endswith(b"\n")
            assert patched(start, result.diff, where / "fresh") == final
