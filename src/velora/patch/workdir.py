"""The one working directory: the prompt's, the shell's, the editor's and the diff's.

It is found once, before anything else happens in the container, by a probe of all the places where
task images keep their repository, and by a search only where none of them decides. Places that are
links to each other count as one. Where two answers are equally good there is none: the row has to
say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from shlex import quote

from velora.errors import TaskInvalid
from velora.instances.model import Instance
from velora.sandbox.protocol import Sandbox


@dataclass(frozen=True, slots=True)
class Workdir:
    """The working directory.

    Attributes:
        path: absolute, without links.
        source: what decided, as `repo_path`, `WORKDIR /testbed` or `git root /app/repo`.
    """

    path: str
    source: str


@dataclass(frozen=True, slots=True)
class Place:
    """A directory that exists: its name, its real path, and what is in it."""

    name: str
    real: str
    git: bool
    empty: bool


_SYSTEM = """/ /bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv
/sys /tmp /usr /usr/local /usr/src /var /var/tmp"""
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")


async def find_workdir(sandbox: Sandbox, instance: Instance, image_workdir: str) -> Workdir:
    """The working directory of `instance` in a started sandbox.

    In this order: the row's `repo_path`; the image's WORKDIR if it is a repository's root; the
    first of `conventional` that is; the only repository found up to three levels deep; and where
    there is no repository at all, the image's WORKDIR or the first of `conventional` with files.

    Args:
        image_workdir: the image's WORKDIR, or "".

    Raises:
        TaskInvalid: no such place, or several and nothing to choose by.
        SandboxLost: the sandbox is gone.
    """
    named = instance.repo_path.strip()
    if named and (not named.startswith("/") or not named.strip("/.")):
        raise TaskInvalid(
            _where(instance) + f"repo_path {named!r} is not the absolute path of a directory"
        )
    usual = conventional(instance.repo)
    asked = [path for path in (named, image_workdir, *usual) if path]
    places, _ = await _probe(sandbox, "".join(f"look {quote(path)}\n" for path in asked))
    chosen = settled(instance, image_workdir, usual, places)
    if chosen is not None:
        return chosen
    _, found = await _probe(sandbox, _SCAN)
    return choose(instance, image_workdir, usual, places, found)


async def _probe(sandbox: Sandbox, looks: str) -> tuple[dict[str, Place], list[Place]]:
    result = await sandbox.script(_PROBE + looks + ":\n")
    if result.exit_code:
        raise TaskInvalid(
            f"the probe for the working directory failed: "
            f"{result.stderr.decode('utf-8', 'replace').strip()}"
        )
    return _read(result.stdout)


def conventional(repo: str) -> list[str]:
    """Where task images keep the repository `owner/name`, the likeliest first."""
    owner, _, name = repo.strip().strip("/").rpartition("/")
    name = name.removesuffix(".git")
    names = [name, name.lower(), f"{owner.rpartition('/')[2]}__{name}" if owner else ""]
    names = [n for n in dict.fromkeys(names) if _PLAIN.fullmatch(n) and n not in (".", "..")]
    return [
        *("/testbed", "/app/repo", "/app"),
        *(f"/home/{n}" for n in names),
        *(f"/{n}" for n in names if f"/{n}" not in _SYSTEM.split()),
        *(f"/workspace/{n}" for n in names),
        *("/workspace/repo", "/repo"),
    ]


def choose(
    instance: Instance,
    image_workdir: str,
    usual: Sequence[str],
    places: dict[str, Place],
    found: Sequence[Place],
) -> Workdir:
    """Decide by what the probe saw.

    Args:
        places: the asked-for directories that exist, by name.
        found: roots of repositories met on the way down from `/`.

    Raises:
        TaskInvalid: as `find_workdir`.
    """
    chosen = settled(instance, image_workdir, usual, places)
    if chosen is not None:
        return chosen
    usable = _usable(image_workdir, usual, places)
    roots = _outermost(place.real for place in found)
    if not roots:
        if usable:
            because = _because(usable[0], image_workdir)
            return Workdir(usable[0].real, f"{because}, no repository anywhere")
        looked = ", ".join(dict.fromkeys(p for p in (image_workdir, *usual) if p))
        raise TaskInvalid(
            _where(instance)
            + f"no working directory in the image; looked at {looked} and for a git repository "
            "up to three levels deep; set repo_path in the row"
        )
    # A repository somewhere else may be a tool's own; it wins only without a rival.
    rivals = [place.real for place in usable if not _is_inside(roots[0], place.real)]
    if len(roots) == 1 and not rivals:
        return Workdir(roots[0], f"the only git repository, {roots[0]}")
    candidates = ", ".join(dict.fromkeys([*roots, *rivals]))
    raise TaskInvalid(
        _where(instance)
        + f"several directories could be the repository: {candidates}; set repo_path in the row"
    )


def settled(
    instance: Instance, image_workdir: str, usual: Sequence[str], places: dict[str, Place]
) -> Workdir | None:
    """What `choose` says whatever else there is; None where it has to know the repositories.

    Raises:
        TaskInvalid: the place that the row names is not there.
    """
    named = instance.repo_path.strip()
    if named:
        if named not in places:
            raise TaskInvalid(
                _where(instance) + f"repo_path {named} is not a directory in the image"
            )
        return Workdir(places[named].real, "repo_path")
    for place in _usable(image_workdir, usual, places):
        if place.git:
            return Workdir(place.real, _because(place, image_workdir))
    return None


def _usable(image_workdir: str, usual: Sequence[str], places: dict[str, Place]) -> list[Place]:
    preferred = [places[path] for path in (image_workdir, *usual) if path in places]
    system = _SYSTEM.split()
    return [place for place in preferred if not place.empty and place.real not in system]


def _because(place: Place, image_workdir: str) -> str:
    return f"WORKDIR {place.name}" if place.name == image_workdir else place.name


def _outermost(paths: Iterable[str]) -> list[str]:
    """`paths` without those that lie inside another."""
    distinct = list(dict.fromkeys(paths))
    return [p for p in distinct if not any(p != q and _is_inside(p, q) for q in distinct)]


def _is_inside(path: str, parent: str) -> bool:
    return path == parent or path.startswith(parent.rstrip("/") + "/")


def _where(instance: Instance) -> str:
    return f"{instance.source or instance.instance_id}: "


def _read(output: bytes) -> tuple[dict[str, Place], list[Place]]:
    fields = output.decode("utf-8", "surrogateescape").split("\0")[:-1]
    places: dict[str, Place] = {}
    found: list[Place] = []
    for kind, name, real, git, empty in zip(*[iter(fields)] * 5, strict=True):
        place = Place(name, real, git == "git", empty == "empty")
        if kind == "found":
            found.append(place)
        else:
            places[name] = place
    return places, found


# Builtins alone: it must run where there is nothing but sh.
_PROBE = r"""
kind=asked
look() {
  [ -d "$1" ] || return 0
  real=$(cd -P -- "$1" 2>/dev/null && pwd -P && echo .) || return 0
  real=${real%??}
  git=-; [ -e "$real/.git" ] && git=git
  empty=empty
  for entry in "$real"/* "$real"/.[!.]*; do
    if [ -e "$entry" ] || [ -h "$entry" ]; then empty=-; break; fi
  done
  printf '%s\000%s\000%s\000%s\000%s\000' "$kind" "$1" "$real" "$git" "$empty"
}
"""

# Hidden directories are left out by the patterns, and with them ~/.nvm, ~/.pyenv and the like.
_SCAN = r"""
kind=found
for top in /* /usr/src /usr/local/src; do
  case $top in
    /proc | /sys | /dev | /run | /bin | /sbin | /lib* | /usr | /etc | /boot) continue ;;
  esac
  for mark in "$top"/.git "$top"/*/.git "$top"/*/*/.git; do
    if [ -e "$mark" ]; then look "${mark%/.git}"; fi
  done
done
"""
