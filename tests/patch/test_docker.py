"""The three ways on real containers, images without git or bash included."""

from __future__ import annotations

import contextlib
import io
import secrets
import shutil
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.fixtures_docker import busybox_image, debian_image, docker_engine, engine_here
from tests.patch.conftest import START
from tests.patch.trees import Tree, commit, git, make, patched, read
from velora.errors import PatchFailed
from velora.images.engine import Engine
from velora.instances.model import Instance
from velora.patch.history import seal_history
from velora.patch.protocol import PatchStatus
from velora.patch.snapshot import take
from velora.patch.workdir import find_workdir
from velora.sandbox.docker import DockerSandbox
from velora.sandbox.protocol import SandboxSpec

pytestmark = pytest.mark.docker

__all__ = ["busybox_image", "debian_image", "docker_engine", "engine_here"]

Start = Callable[..., Awaitable[DockerSandbox]]


@pytest.fixture
async def start(docker_engine: Engine) -> AsyncIterator[Start]:
    """Start a container of an image that holds a directory as /testbed."""
    async with contextlib.AsyncExitStack() as stack:

        async def call(base: str, testbed: Path, user: str = "") -> DockerSandbox:
            first = DockerSandbox(docker_engine, SandboxSpec(image=base))
            stack.push_async_callback(first.stop)
            await first.start()
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
                archive.add(testbed, arcname="testbed")
            await first.write_file("/tmp/testbed.tar", buffer.getvalue())
            unpacked = await first.exec(["tar", "xf", "/tmp/testbed.tar", "-C", "/"])
            assert unpacked.exit_code == 0, unpacked.stderr
            name = f"velora-tests/patch-{secrets.token_hex(4)}"
            await docker_engine.call(
                "POST", "commit", params={"container": first.id, "repo": name, "tag": "1"}
            )
            await first.stop()
            stack.push_async_callback(
                docker_engine.call, "DELETE", f"images/{name}:1", params={"force": "1"}
            )
            box = DockerSandbox(docker_engine, SandboxSpec(f"{name}:1", user=user))
            stack.push_async_callback(box.stop)
            await box.start()
            return box

        yield call


@pytest.fixture(params=["git", "engine"])
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A method, and the image where it is the one that serves."""
    method: str = request.param
    name = "debian_image" if method == "git" else "busybox_image"
    return method, request.getfixturevalue(name)


async def state(sandbox: DockerSandbox) -> Tree:
    """The files in /testbed."""
    archive = await sandbox.export("/testbed")
    assert archive is not None
    tree: Tree = {}
    with tarfile.open(fileobj=io.BytesIO(archive), errors="surrogateescape") as tar:
        for member in tar:
            path = member.name.encode("utf-8", "surrogateescape").partition(b"/")[2]
            if member.isdir() or b".git" in path.split(b"/"):
                continue
            if member.issym():
                tree[path] = ("link", member.linkname.encode("utf-8", "surrogateescape"))
            else:
                file = tar.extractfile(member)
                assert file is not None
                tree[path] = ("exec" if member.mode & 0o100 else "file", file.read())
    return tree


WORK = r"""cd /testbed || exit
echo "print('bye')" >src/main.py
printf 'tail' >>no-newline
printf 'one\r\nTWO\r\n' >crlf.txt
chmod 644 run.sh
rm link data.bin && ln -s ../outside link
mkdir -p new/deep '-dash dir' && echo x >new/deep/file && : >new/empty && echo d >'-dash dir/ü
nl'
printf '\377\376' >"$(printf 'lat\351n.txt')"
rm -r old && mkdir old2 && ln new/deep/file old2/hard
rm swap && mkdir swap && echo in >swap/in
rm -r fold && echo file >fold
mkdir -p build logs && echo o >build/o && echo l >logs/x.log && echo k >logs/kept
echo more >>tracked.log
echo 'kept' >.gitignore
mkdir inner && cp -r .git inner/.git 2>/dev/null; echo nested >inner/file
"""
EXTRA = {
    b"old/a": ("file", b"a\n"),
    b"old/sub/b": ("exec", b"b\n"),
    b"swap": ("file", b"s\n"),
    b"fold/x": ("file", b"x\n"),
    b"fold/y/z": ("file", b"z\n"),
    b"tracked.log": ("file", b"in the index though ignored\n"),
}


@pytest.mark.parametrize("repository", [True, False])
async def test_work_in_a_container(
    way: tuple[str, str], start: Start, tmp_path: Path, repository: bool
) -> None:
    method, image = way
    root = tmp_path / "testbed"
    make(root, START | EXTRA)
    if repository:
        git(root, "init", "-q")
        commit(root)
    sandbox = await start(image, root)
    row = Instance(instance_id="i", problem_statement="")
    assert (await find_workdir(sandbox, row, "/testbed")).path == "/testbed"
    notes = await seal_history(sandbox, "/testbed")
    assert bool(notes) == (method == "engine" and repository)

    snapshot = await take(sandbox, "/testbed")
    assert snapshot.method == method
    nothing = await snapshot.diff()
    assert nothing.status is PatchStatus.EMPTY, nothing

    done = await sandbox.script(WORK)
    assert done.exit_code == 0, done.stderr
    await sandbox.script("cd /testbed && [ ! -d .git ] || mv .git moved.git")
    result = await snapshot.diff()
    assert result.status is PatchStatus.PATCH, result
    result.diff.decode()
    end = {p: e for p, e in (await state(sandbox)).items() if not p.startswith(b"moved.git/")}
    ignored = {b"build/o", b"logs/x.log"}
    assert {path for path in end if path in ignored} == ignored
    expected = {path: entry for path, entry in end.items() if path not in ignored}
    assert patched(START | EXTRA, result.diff, tmp_path / "fresh") == expected
    assert any(text.startswith("ignored_left_out: ") for text in result.notes)
    await snapshot.close()


async def test_the_image_steps_in_for_a_git_that_is_gone(
    start: Start, debian_image: str, tmp_path: Path
) -> None:
    root = tmp_path / "testbed"
    make(root, START)
    git(root, "init", "-q")
    commit(root)
    sandbox = await start(debian_image, root)
    snapshot = await take(sandbox, "/testbed")
    assert snapshot.method == "git"
    await sandbox.script("rm -f /usr/bin/git; echo x >/testbed/README.md")
    result = await snapshot.diff()
    assert result.files == ("README.md",)
    assert result.notes[0].startswith("engine_used: ")


async def test_a_user_who_does_not_own_the_repository(
    start: Start, debian_image: str, tmp_path: Path
) -> None:
    root = tmp_path / "testbed"
    make(root, START | {b"secret": ("file", b"s")})
    git(root, "init", "-q")
    base = commit(root)
    (root / "secret").chmod(0o600)
    root.chmod(0o777)
    sandbox = await start(debian_image, root, user="nobody")
    notes = await seal_history(sandbox, "/testbed", base)
    assert notes == () or notes[-1].startswith("history_not_sealed: ")
    snapshot = await take(sandbox, "/testbed", base_commit=base)
    assert (snapshot.method, snapshot.base_commit_found) == ("git", True)
    done = await sandbox.script("cd /testbed && echo x >new && echo y >hidden && chmod 0 hidden")
    assert done.exit_code == 0
    result = await snapshot.diff()
    assert result.files == ("new",)
    assert [text for text in result.notes if text.startswith("left_out: ")] == [
        "left_out: secret cannot be read",
        "left_out: hidden cannot be read",
    ]


async def test_a_start_that_differs_from_the_image_is_said(
    start: Start, busybox_image: str, tmp_path: Path
) -> None:
    make(tmp_path / "testbed", START)
    sandbox = await start(busybox_image, tmp_path / "testbed")
    await sandbox.script("echo x >/testbed/early")
    snapshot = await take(sandbox, "/testbed", base_commit="abc")
    assert any(text.startswith("dirty_start: early ") for text in snapshot.warnings)
    assert any(text.startswith("base_commit_unknown: ") for text in snapshot.warnings)


async def test_names_go_without_git_and_the_rest_is_said(
    start: Start, busybox_image: str, tmp_path: Path
) -> None:
    root = tmp_path / "testbed"
    make(root, START)
    git(root, "init", "-q", "-b", "main")
    base = commit(root)
    (root / "README.md").write_text("fix\n")
    future = commit(root)
    git(root, "remote", "add", "origin", "https://example.org/r.git")
    git(root, "branch", "feature")
    git(root, "tag", "v2")
    git(root, "reset", "-q", "--hard", base)
    git(root, "pack-refs", "--all")
    sandbox = await start(busybox_image, root)
    notes = await seal_history(sandbox, "/testbed", base)
    assert len(notes) == 1
    assert notes[0].startswith("history_not_sealed: ")
    grep = await sandbox.script(f"grep -rE '{future}|example.org' /testbed/.git")
    assert grep.stdout == b""
    sealed = await sandbox.export("/testbed")
    assert sealed is not None
    shutil.rmtree(root)
    with tarfile.open(fileobj=io.BytesIO(sealed)) as archive:
        archive.extractall(tmp_path, filter="data")
    assert git(root, "log", "--format=%H") == base
    assert git(root, "status", "--porcelain") == ""
    assert read(root) == START


async def test_a_volume_is_no_part_of_the_image(docker_engine: Engine, busybox_image: str) -> None:
    sandbox = DockerSandbox(docker_engine, SandboxSpec(image=busybox_image))
    try:
        await sandbox.start()
        with pytest.raises(PatchFailed, match="/dev is mounted"):
            await take(sandbox, "/dev/shm", methods=["engine"])
    finally:
        await sandbox.stop()
