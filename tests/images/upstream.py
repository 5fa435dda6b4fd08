"""Sources of real projects, from the registries that this machine is set up for.

Everything is fetched by the registries' own clients and kept, unpacked, below `.cache/images`.
apt works with a state of its own, so that nothing on this machine changes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "images"
_MIRROR = re.compile(r"(?m)^(?:URIs:|deb(?: \[[^\]]*\])?)[ \t]+(\S+/debian)/?(?:\s|$)")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def missing(programs: Iterable[str]) -> str:
    """Why sources cannot be fetched here, or ""."""
    for program in programs:
        if shutil.which(program) is None:
            return f"{program} is not installed"
        if program == "apt-get" and _mirror() is None:
            return "apt on this machine knows no Debian archive"
    return ""


def npm(name: str, version: str) -> Path:
    """What a package's tarball holds."""

    def fetch(work: Path) -> Path:
        run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=work)
        return _unpacked(next(work.glob("*.tgz")), work)

    return _kept(f"npm-{name}-{version}", fetch)


def node_modules(*packages: str) -> Path:
    """A directory `node_modules` with packages (`name@version`) and all that they need."""

    def fetch(work: Path) -> Path:
        options = ["--prefix", str(work), "--no-audit", "--no-fund", "--no-package-lock"]
        run(["npm", "install", "--silent", "--ignore-scripts", *options, *packages], cwd=work)
        return work / "node_modules"

    return _kept(f"node-{'-'.join(packages)}", fetch)


def pypi(name: str, version: str) -> Path:
    """A release's source distribution."""

    def fetch(work: Path) -> Path:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        run([*pip, "-d", str(work), f"{name}=={version}"])
        return _unpacked(next(work.glob("*.tar.gz")), work)

    return _kept(f"pypi-{name}-{version}", fetch)


def debian(package: str, version: str, suite: str) -> Path:
    """The upstream source of a Debian source package, without Debian's own changes.

    Args:
        version: upstream's; Debian's own revisions of it come and go.
    """

    def fetch(work: Path) -> Path:
        run([*_apt(suite), "source", "--tar-only", "--download-only", package], cwd=work)
        (archive,) = work.glob("*.orig.tar.*")
        if not archive.name.startswith(f"{package}_{version}"):
            raise SystemExit(f"{suite} has {archive.name}, not {version}")
        return _unpacked(archive, work)

    return _kept(f"debian-{package}-{version}", fetch)


def debian_files(package: str, suite: str) -> Path:
    """The files of a Debian binary package, from the root."""

    def fetch(work: Path) -> Path:
        run([*_apt(suite), "download", package], cwd=work)
        target = work / "unpacked"
        run(["dpkg-deb", "-x", str(next(work.glob("*.deb"))), str(target)])
        return target

    return _kept(f"deb-{suite}-{package}", fetch)


def _apt(suite: str) -> list[str]:
    place = CACHE / "apt" / suite
    options = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": str(place / "parts"),
        "Dir::State::lists": str(place / "lists"),
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in options.items())]
    if not (place / "ready").exists():
        (place / "parts").mkdir(parents=True, exist_ok=True)
        (place / "lists/partial").mkdir(parents=True, exist_ok=True)
        (place / "parts/own.sources").write_text(
            f"Types: deb deb-src\nURIs: {_mirror()}\nSuites: {suite}\nComponents: main\n"
            f"Signed-By: {_KEYS}\n"
        )
        run([*apt, "update"])
        (place / "ready").touch()
    return apt


def _mirror() -> str | None:
    """Where this machine has its own Debian packages from."""
    apt = Path("/etc/apt")
    files = [apt / "sources.list", *apt.glob("sources.list.d/*.sources")]
    for file in (*files, *apt.glob("sources.list.d/*.list")):
        found = _MIRROR.search(file.read_text()) if file.exists() else None
        if found is not None:
            return found[1]
    return None


def _kept(name: str, fetch: Callable[[Path], Path]) -> Path:
    target = CACHE / "sources" / name
    if not target.exists():
        work = CACHE / "fetching" / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        found = fetch(work)
        target.parent.mkdir(parents=True, exist_ok=True)
        found.rename(target)
        shutil.rmtree(work, ignore_errors=True)
    return target


def _unpacked(archive: Path, work: Path) -> Path:
    """The one directory in an archive, or one with all that is in it."""
    target = work / "unpacked"
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    entries = list(target.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else target


def run(argv: list[str], cwd: Path | None = None) -> None:
    """Run a program; what it said if it fails."""
    done = subprocess.run(argv, cwd=cwd, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}: {(done.stderr + done.stdout).decode()}")
