"""Where the repository is found, on directories of this machine and on answers made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.patch.trees import git
from velora.errors import TaskInvalid
from velora.instances.model import Instance
from velora.patch.workdir import Place, choose, conventional, find_workdir
from velora.sandbox.host import HostSandbox


def row(repo: str = "owner/name", repo_path: str = "") -> Instance:
    return Instance("id-1", "fix it", repo=repo, repo_path=repo_path, source="tasks.jsonl:3")


def decide(
    *places: Place, found: tuple[Place, ...] = (), workdir: str = "", repo_path: str = ""
) -> tuple[str, str]:
    usual = conventional("owner/name")
    known = {place.name: place for place in places}
    result = choose(row(repo_path=repo_path), workdir, usual, known, found)
    return result.path, result.source


def at(name: str, *, real: str = "", git: bool = False, empty: bool = False) -> Place:
    return Place(name, real or name, git, empty)


def test_the_row_decides_first() -> None:
    places = (at("/testbed", git=True), at("/src/x"))
    assert decide(*places, workdir="/testbed", repo_path="/src/x") == ("/src/x", "repo_path")


def test_a_repo_path_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TaskInvalid, match=r"tasks\.jsonl:3: repo_path /nope is not a directory"):
        decide(at("/testbed", git=True), repo_path="/nope")


def test_the_images_workdir_comes_before_the_usual_places() -> None:
    places = (at("/testbed", git=True), at("/w", git=True))
    assert decide(*places, workdir="/w") == ("/w", "WORKDIR /w")
    assert decide(*places) == ("/testbed", "/testbed")


def test_a_workdir_without_a_repository_gives_way_to_one_with() -> None:
    places = (at("/app"), at("/app/repo", git=True))
    assert decide(*places, workdir="/app") == ("/app/repo", "/app/repo")


def test_links_are_one_place() -> None:
    places = (at("/testbed", real="/app/repo", git=True), at("/app/repo", git=True))
    assert decide(*places, workdir="/testbed") == ("/app/repo", "WORKDIR /testbed")


def test_the_only_repository_anywhere() -> None:
    inner = at("/src/project/vendor/lib", git=True)
    path, source = decide(at("/app"), found=(at("/app/src/p", git=True),), workdir="/app")
    assert path == "/app/src/p"
    assert source == "the only git repository, /app/src/p"
    assert decide(found=(at("/src/project", git=True), inner))[0] == "/src/project"


def test_two_repositories_and_no_rule() -> None:
    with pytest.raises(TaskInvalid, match=r"/srv/a, /srv/b; set repo_path in the row"):
        decide(found=(at("/srv/a", git=True), at("/srv/b", git=True)))


def test_a_tools_repository_does_not_beat_files_in_the_usual_place() -> None:
    with pytest.raises(TaskInvalid, match="/opt/pyenv, /testbed"):
        decide(at("/testbed"), found=(at("/opt/pyenv", git=True),), workdir="/testbed")


def test_no_repository_anywhere() -> None:
    places = (at("/testbed"), at("/app"))
    assert decide(*places, workdir="/app")[0] == "/app"
    assert decide(*places)[0] == "/testbed"
    assert decide(at("/testbed", empty=True), at("/app"), workdir="/testbed")[0] == "/app"
    assert decide(*places, at("/root"), workdir="/root")[0] == "/testbed"


def test_nothing_at_all_lists_what_was_looked_at() -> None:
    with pytest.raises(TaskInvalid, match=r"/testbed, /app/repo, /app, /home/name.*repo_path"):
        decide()


def test_usual_places_name_the_repository_as_images_do() -> None:
    places = conventional("Owner/Some.Name")
    assert places[:5] == ["/testbed", "/app/repo", "/app", "/home/Some.Name", "/home/some.name"]
    assert "/workspace/Owner__Some.Name" in places
    assert conventional("o/usr")[4:6] == ["/home/o__usr", "/o__usr"]
    assert not any(".." in place or "$" in place for place in conventional("$(x)/.."))


async def test_the_probe_sees_links_repositories_and_emptiness(
    sandbox: HostSandbox, repo: Path, tmp_path: Path
) -> None:
    link = tmp_path / "li nk"
    link.symlink_to(repo)
    found = await find_workdir(sandbox, row(repo_path=str(link)), "")
    assert (found.path, found.source) == (str(repo), "repo_path")
    found = await find_workdir(sandbox, row(), str(link))
    assert (found.path, found.source) == (str(repo), f"WORKDIR {link}")
    worktree = tmp_path / "worktree"
    git(repo, "worktree", "add", "-q", "--detach", str(worktree))
    assert (await find_workdir(sandbox, row(), str(worktree))).path == str(worktree)


@pytest.mark.parametrize("path", ["src", "./src", "/", "/."])
async def test_a_repo_path_that_can_be_none(sandbox: HostSandbox, path: str) -> None:
    with pytest.raises(TaskInvalid, match="is not the absolute path of a directory"):
        await find_workdir(sandbox, row(repo_path=path), "")
