"""What a bubblewrap sandbox sees of the machine: which directory lies where.

The user's home is hidden behind an empty one, for it holds keys; of what is in it only this
Python comes back. /run is hidden too: a socket on a read-only mount can still be talked to, and a
container engine's would be a way out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from velora.errors import SandboxFailed
from velora.sandbox import owner
from velora.sandbox.protocol import SandboxSpec

_INHERITED = ("LANG", "LC_ALL", "TZ", "TERM")
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PREFIX = "velora-sandbox-"
_OWNER = "owner"
_RESOLVER = Path("/run/systemd/resolve")


@dataclass(frozen=True, slots=True)
class Mounts:
    """The directories of one sandbox.

    Attributes:
        root: what is mounted read-only at /.
        private: our own temporary directory; `remove` deletes it.
        writable: (path in the sandbox, directory of this machine), outer before inner.
        readable: directories of the hidden home that come back, read-only.
        workdir: where processes start.
        home: the home in the sandbox.
        network: name resolution must work.
    """

    root: Path
    private: Path
    writable: tuple[tuple[str, Path], ...]
    readable: tuple[Path, ...]
    workdir: str
    home: str
    network: bool

    @classmethod
    def make(cls, spec: SandboxSpec) -> Mounts:
        """Make the private directories.

        Raises:
            SandboxFailed: `spec` names directories that do not fit.
            OSError: they cannot be made.
        """
        root = Path(spec.image or "/")
        if not root.is_dir():
            raise SandboxFailed(
                f"image {spec.image!r} is not a directory; without a container engine an image is "
                "a directory with an unpacked root file system"
            )
        private = private_directory()
        try:
            home = _home(root)
            workdir, lies = _workdir(spec, root, private)
            places = [("/tmp", private / "tmp"), ("/var/tmp", private / "var-tmp")]
            places.append((home, private / "home"))
            places.append((workdir, lies))
            for name in ("tmp", "var-tmp", "home"):
                (private / name).mkdir(exist_ok=True)
            (private / "tmp").chmod(0o1777)
            (private / "var-tmp").chmod(0o1777)
            if not _in(root, home).is_dir():
                (private / "tmp" / "home").mkdir()
            readable = _python(Path(home)) if root == Path("/") else ()
            writable = [
                place for place in places if place[0] == workdir or _in(root, place[0]).is_dir()
            ]
            return cls(root, private, tuple(writable), readable, workdir, home, spec.network)
        except BaseException:
            shutil.rmtree(private, ignore_errors=True)
            raise

    def arguments(self) -> list[str]:
        """For bwrap, in the order in which it mounts."""
        found = ["--ro-bind", str(self.root), "/", "--proc", "/proc", "--dev", "/dev"]
        if (self.root / "run").is_dir():
            found += ["--tmpfs", "/run"]
            if self.network and _RESOLVER.is_dir():
                found += ["--ro-bind", str(_RESOLVER), str(_RESOLVER)]
        if self.network and self.root != Path("/"):
            found += ["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]
        for inside, outside in self.writable[:-1]:
            found += ["--bind", str(outside), inside]
        for path in self.readable:
            found += ["--ro-bind", str(path), str(path)]
        inside, outside = self.writable[-1]
        return [*found, "--bind", str(outside), inside]

    def environment(self) -> dict[str, str]:
        """The variables of every process; nothing else of this process's is handed on."""
        kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return {**kept, "PATH": self._path(), "HOME": self.home}

    def _path(self) -> str:
        if self.root != Path("/"):
            return _DEFAULT_PATH
        home = Path(self.home)
        kept = [
            entry
            for entry in os.environ.get("PATH", "").split(":")
            if entry.startswith("/")
            and (
                home not in Path(entry).parents
                or any(place in Path(entry).parents for place in self.readable)
            )
        ]
        return ":".join([*kept, *(d for d in _DEFAULT_PATH.split(":") if d not in kept)])

    def local(self, path: str) -> Path | None:
        """Where a path of the sandbox lies on this machine; None where it is not writable."""
        for inside, outside in reversed(self.writable):
            below = PurePosixPath(path)
            if below.is_relative_to(inside) and ".." not in below.parts:
                return outside / below.relative_to(inside)
        return None

    def original(self, path: str) -> Path | None:
        """Where the image's own lies; None where there is no image."""
        return None if self.root == Path("/") else _in(self.root, path)

    def remove(self) -> None:
        """Delete the private directories."""
        remove(self.private)


def private_directory(wanted: Path | None = None) -> Path:
    """A new directory of this process's own; what it leaves of them, `sweep` removes.

    Args:
        wanted: where an earlier one lay that is gone; the new one lies there too, unless somebody
            has taken the place.
    """
    private = Path(tempfile.mkdtemp(prefix=_PREFIX))
    (private / _OWNER).write_text(owner.identity())
    if wanted is None or wanted.parent != private.parent or not wanted.name.startswith(_PREFIX):
        return private
    try:
        return private.rename(wanted)  # in one step: a place without an owner is nobody's to sweep
    except OSError:
        return private


def sweep() -> list[Path]:
    """Delete the private directories of processes that have ended without doing so; which."""
    left = []
    for private in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            label = (private / _OWNER).read_text()
        except OSError:  # just being made, or another user's
            continue
        if owner.gone(label):
            remove(private)
            left.append(private)
    return left


def remove(private: Path) -> None:
    """Delete a private directory, whatever modes its contents were given."""
    subprocess.run(["chmod", "-R", "u+rwX", str(private)], capture_output=True, check=False)
    with contextlib.suppress(OSError):
        for entry in private.iterdir():  # the owner's name goes last: `sweep` can go on from it
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != _OWNER:
                entry.unlink()
    shutil.rmtree(private, ignore_errors=True)


def _home(root: Path) -> str:
    home = "/root" if root != Path("/") else os.environ.get("HOME", "")
    usable = home.startswith("/") and home != "/" and _in(root, home).is_dir()
    return home.rstrip("/") if usable else "/tmp/home"


def _workdir(spec: SandboxSpec, root: Path, private: Path) -> tuple[str, Path]:
    """The working directory in the sandbox and on this machine."""
    workdir = spec.workdir.rstrip("/")
    if not workdir:
        (private / "tmp" / "work").mkdir(parents=True)
        return "/tmp/work", private / "tmp" / "work"
    lies = _in(root, workdir)
    if not workdir.startswith("/") or not lies.is_dir():
        raise SandboxFailed(f"the working directory {workdir} is not a directory of {root}")
    if root == Path("/"):
        return workdir, lies
    # An image is used by many attempts, so each gets its own copy to write to.
    copied = subprocess.run(
        ["cp", "-a", "--reflink=auto", f"{lies}/.", str(private / "work")],
        capture_output=True,
        check=False,
    )
    if copied.returncode:
        raise SandboxFailed(f"{lies} cannot be copied: {copied.stderr.decode(errors='replace')}")
    return workdir, private / "work"


def _python(home: Path) -> tuple[Path, ...]:
    places = (Path(sys.base_prefix), Path(sys.prefix))
    return tuple(dict.fromkeys(place for place in places if home in place.parents))


def _in(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
