"""What an engine's list of changed paths means for the files of the working directory. Pure.

The engine lists every path that was added or modified, a directory also when only something in it
did, and of a deleted directory the directory alone. Whether a `modified` path was and is a file or
a directory is not said; a probe of the present state settles it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from velora.patch.quoting import printf
from velora.sandbox.protocol import Change

_MANGLED = "\ufffd".encode()


@dataclass(frozen=True, slots=True)
class Changed:
    """Changed paths relative to the working directory, by kind.

    Attributes:
        whole: directories to compare from end to end, because a name in them is not UTF-8 and
            cannot be told in the engine's JSON; b"" is the working directory.
    """

    added: frozenset[bytes]
    modified: frozenset[bytes]
    deleted: frozenset[bytes]
    whole: frozenset[bytes]


def relevant(changes: Iterable[Change], workdir: str) -> Changed:
    """The changes below `workdir`, those in directories named `.git` left out."""
    prefix = workdir.rstrip("/").encode() + b"/"
    kinds: dict[str, set[bytes]] = {"added": set(), "modified": set(), "deleted": set()}
    whole: set[bytes] = set()
    for change in changes:
        path = change.path.encode("utf-8", "surrogateescape")
        if not path.startswith(prefix):
            continue
        path = path[len(prefix) :]
        if b".git" in path.split(b"/"):
            continue
        if _MANGLED in path:
            whole.add(path[: path.index(_MANGLED)].rpartition(b"/")[0])
        else:
            kinds[change.kind].add(path)
    return Changed(
        added=frozenset(kinds["added"]),
        modified=frozenset(kinds["modified"]),
        deleted=frozenset(kinds["deleted"]),
        whole=frozenset(whole),
    )


def parents(path: bytes) -> list[bytes]:
    """The directories above `path`, the nearest last; the root, b"", is one."""
    return [b""] + [path[:at] for at, byte in enumerate(path) if byte == 0x2F]


def directories(paths: Iterable[bytes]) -> frozenset[bytes]:
    """All directories above any of `paths`."""
    return frozenset(parent for path in paths for parent in parents(path))


def probe_script(paths: Iterable[bytes]) -> str:
    """A script that prints for each path its kind (`d`, `f`, `-`) and, if it is a directory, the
    names in it, NUL after each field and an empty field at the end of each path."""
    lines = [_PROBE]
    lines += [f'probe "$({printf(path + b"x")})"' for path in paths]
    return "\n".join(lines) + "\n"


_PROBE = """probe() {
  p="./${1%x}"
  if [ -h "$p" ] || { [ -e "$p" ] && [ ! -d "$p" ]; }; then printf 'f\\000\\000'; return; fi
  if [ ! -d "$p" ]; then printf -- '-\\000\\000'; return; fi
  printf 'd\\000'
  for n in "$p"/* "$p"/.[!.]* "$p"/..?*; do
    if [ -e "$n" ] || [ -h "$n" ]; then printf '%s\\000' "${n##*/}"; fi
  done
  printf '\\000'
}"""


def probed(paths: Iterable[bytes], output: bytes) -> dict[bytes, tuple[bytes, list[bytes]]]:
    """What `probe_script` printed for `paths`: kind and names of each."""
    rest = iter(output.split(b"\0"))
    found = {}
    for path in paths:
        kind = next(rest)
        names = []
        while name := next(rest):
            names.append(name)
        found[path] = (kind, names)
    return found


@dataclass(slots=True)
class Plan:
    """The paths to export, the present ones and those of the image."""

    current: list[bytes] = field(default_factory=list)
    original: list[bytes] = field(default_factory=list)


def plan(
    changed: Changed,
    kinds: Mapping[bytes, tuple[bytes, list[bytes]]],
    skipped: Callable[[bytes], bool],
) -> Plan:
    """Which paths to export so that every changed file is there on the sides that have it.

    Args:
        changed: from `relevant`.
        kinds: the probe's answers for `changed.modified`.
        skipped: whether a path, and all below it, is ignored.
    """
    todo = Plan()
    for path in sorted(changed.whole):
        todo.current.append(path)
        todo.original.append(path)
    inside = directories(changed.modified | changed.deleted)
    for path in sorted(changed.modified):
        kind, names = kinds[path]
        if skipped(path):
            continue
        if kind != b"d":
            todo.current.append(path)
            todo.original.append(path)
        elif path not in inside and all(path + b"/" + name in changed.added for name in names):
            todo.original.append(path)  # nothing in it is old: it may have been a file
    todo.original += [path for path in sorted(changed.deleted) if not skipped(path)]
    todo.current += _units(changed.added, skipped)
    return todo


def _units(added: frozenset[bytes], skipped: Callable[[bytes], bool]) -> list[bytes]:
    """The fewest paths that cover all of `added` but what is skipped."""
    mixed = directories(path for path in added if skipped(path))
    units = []
    for path in sorted(added):
        parent = path.rpartition(b"/")[0]
        covered = parent in added and parent not in mixed
        if not covered and path not in mixed and not skipped(path):
            units.append(path)
    return units
