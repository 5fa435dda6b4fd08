"""Sources of real projects, from the registries that this machine is set up for.

Everything is fetched by the registries' own clients and kept, unpacked, below `.cache/images`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "images"
_APT = CACHE / "apt"
_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")


def npm(name: str, version: str) -> Path:
    """A package's directory as npm has it."""

    def fetch(work: Path) -> Path:
        run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=work)
        return _unpacked(next(work.glob("*.tgz")), work)

    return _kept(f"npm-{name}-{version}", fetch)


def npm_installed(name: str, version: str) -> Path:
    """A directory with `node_modules`, a package and what it needs."""

    def fetch(work: Path) -> Path:
        target = work / "installed"
        target.mkdir()
        options = ["--prefix", str(target), "--no-audit", "--no-fund", "--no-package-lock"]
        run(["npm", "install", "--silent", *options, f"{name}@{version}"])
        return target

    return _kept(f"npm-installed-{name}-{version}", fetch)


def pypi(name: str, version: str) -> Path:
    """A release's source distribution."""

    def fetch(work: Path) -> Path:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        run([*pip, "-d", str(work), f"{name}=={version}"])
        return _unpacked(next(work.glob("*.tar.gz")), work)

    return _kept(f"pypi-{name}-{version}", fetch)


def debian(package: str, version: str, suite: str) -> Path:
    """The upstream source of a Debian source package, without Debian's own changes."""

    def fetch(work: Path) -> Path:
        apt = _apt(suite)
        source = ["source", "--tar-only", "--download-only", f"{package}={version}"]
        run([*apt, *source], cwd=work)
        return _unpacked(next(work.glob("*.orig.tar.*")), work)

    return _kept(f"debian-{package}-{version}", fetch)


def binary(package: str, suite: str = "bookworm") -> Path:
    """The files of a Debian binary package."""

    def fetch(work: Path) -> Path:
        run([*_apt(suite), "download", package], cwd=work)
        target = work / "unpacked"
        run(["dpkg-deb", "-x", str(next(work.glob("*.deb"))), str(target)])
        return target

    return _kept(f"deb-{suite}-{package}", fetch)


def _apt(suite: str) -> list[str]:
    """apt-get with a state of its own, which knows one suite's sources and packages. They are
    where this machine's own are."""
    place = _APT / suite
    if not (place / "ready").exists():
        (place / "parts").mkdir(parents=True, exist_ok=True)
        (place / "lists/partial").mkdir(parents=True, exist_ok=True)
        blocks = [b for b in _SOURCES.read_text().split("\n\n") if "security" not in b]
        text = re.sub(r"(?m)^Suites:.*$", f"Suites: {suite}", blocks[0])
        text = re.sub(r"(?m)^Types:.*$", "Types: deb deb-src", text)
        (place / "parts/own.sources").write_text(text + "\n")
    options = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": str(place / "parts"),
        "Dir::State::lists": str(place / "lists"),
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in options.items())]
    if not (place / "ready").exists():
        run([*apt, "update"])
        (place / "ready").touch()
    return apt


def _kept(name: str, fetch: Callable[[Path], Path]) -> Path:
    target = CACHE / "sources" / name
    if not target.exists():
        work = CACHE / "fetching" / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        found = fetch(work)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(found, target)
        shutil.rmtree(work)
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
