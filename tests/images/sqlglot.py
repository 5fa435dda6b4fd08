"""The real instance: sqlglot 26.3.8, and the fix and tests that 26.3.9 brought.

Both releases come from PyPI as source distributions; the task image is made from a Debian root
file system with no image registry involved. Everything is cached under `.cache/images`.

    python -m tests.images.sqlglot data/            # builds the images, writes the task files

Three images of the same working tree: `full` has a git history that holds `base_commit` (and,
out of the agent's rightful reach, the fix on a branch, a tag and a remote), `rewritten` has one
that does not hold it, `nogit` has no `.git` at all.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.fixtures_docker import debian_root, has, imported

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "images"
BEFORE, AFTER = "26.3.8", "26.3.9"
BASE = "velora-tests/debian:plain-1"
VARIANTS = ("full", "rewritten", "nogit")
INSTANCE_ID = "tobymao__sqlglot-26.3.9"
TESTS = "tests/dialects/test_presto.py tests/dialects/test_trino.py tests/dialects/test_athena.py"
COMMAND = (
    "source /saved/ENV || source /saved/*/ENV && pytest --no-header -rA --tb=no "
    f"-p no:cacheprovider --continue-on-collection-errors {TESTS}"
)
FAIL_TO_PASS = [
    "tests/dialects/test_presto.py::TestPresto::test_presto",
    "tests/dialects/test_trino.py::TestTrino::test_ddl",
]
PROBLEM = """\
Presto: FIRST_VALUE and LAST_VALUE are rewritten to ARBITRARY; Trino: LOCATION is lost

1. Round-tripping a window function through the Presto dialect changes its meaning:

   >>> import sqlglot
   >>> q = "SELECT FIRST_VALUE(a) OVER (PARTITION BY id) FROM t"
   >>> sqlglot.transpile(q, read="presto", write="presto")[0]
   'SELECT ARBITRARY(a) OVER (PARTITION BY id) FROM t'

   FIRST_VALUE and LAST_VALUE exist in Presto and must stay as they are.

2. Trino writes the location of a schema or table as a property in the WITH clause. sqlglot
   does not put it there:

   >>> q = "CREATE SCHEMA foo WITH (LOCATION='s3://bucket/foo')"
   >>> sqlglot.transpile(q, read="trino", write="trino")[0]

   It should return the statement unchanged, and the same for CREATE TABLE ... WITH
   (LOCATION='...') AS SELECT.
"""
_DATE = "2025-01-24T14:02:10+0000"


def image_name(variant: str) -> str:
    """The local image reference of a variant."""
    return f"velora-test/sqlglot:{variant}"


def main(out: Path) -> None:
    """Build what is missing and write one task file for each variant into `out`."""
    row = build()
    out.mkdir(parents=True, exist_ok=True)
    for variant in VARIANTS:
        path = out / f"sqlglot-{variant}.jsonl"
        path.write_text(json.dumps({**row, "image_storage_uri": image_name(variant)}) + "\n")
        print(path)


def build() -> dict[str, object]:
    """Build the images if they are missing; return the row, without `image_storage_uri`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    row_file = CACHE / "sqlglot.json"
    have = all(_docker("image", "inspect", image_name(v), check=False) for v in VARIANTS)
    if have and row_file.exists():
        return dict(json.loads(row_file.read_text()))
    sources = {version: source(version) for version in (BEFORE, AFTER)}
    with tempfile.TemporaryDirectory(prefix="velora-sqlglot-") as name:
        work = Path(name)
        row = _history(work, sources)
        _images(work)
    row["PASS_TO_PASS"] = json.dumps(_pass_to_pass(row))
    row_file.write_text(json.dumps(row, indent=1))
    return row


def source(version: str) -> Path:
    """The unpacked source distribution of one release."""
    target = CACHE / f"sqlglot-{version}"
    if target.is_dir():
        return target
    archive = CACHE / f"sqlglot-{version}.tar.gz"
    if not archive.exists():
        _run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
            + ["-d", str(CACHE), f"sqlglot=={version}"]
        )
    with tarfile.open(archive) as tar:
        tar.extractall(CACHE, filter="data")
    return target


def _history(work: Path, sources: dict[str, Path]) -> dict[str, object]:
    """Make the repositories of the three variants; derive the patches from the two releases."""
    repo = work / "full"
    repo.mkdir()
    _git(repo, "init", "-q", "-b", "main")
    _git(repo, "remote", "add", "origin", "https://example.invalid/tobymao/sqlglot.git")
    _fill(repo, sources[BEFORE])
    _git(repo, "add", "-A")
    _git(repo, "commit", "-q", "-m", f"sqlglot {BEFORE}")
    base = _git(repo, "rev-parse", "HEAD").strip()
    _git(repo, "checkout", "-q", "-b", "next")
    _fill(repo, sources[AFTER])
    _git(repo, "add", "-A")
    _git(repo, "commit", "-q", "-m", f"sqlglot {AFTER}")
    _git(repo, "tag", f"v{AFTER}")
    gold = _git(repo, "diff", base, "HEAD", "--", "sqlglot", ":!sqlglot/_version.py")
    tests = _git(repo, "diff", base, "HEAD", "--", "tests")
    _git(repo, "checkout", "-q", "main")

    rewritten = work / "rewritten"
    shutil.copytree(repo, rewritten, ignore=shutil.ignore_patterns(".git"))
    _git(rewritten, "init", "-q", "-b", "main")
    _git(rewritten, "add", "-A")
    _git(rewritten, "commit", "-q", "-m", "history was rewritten")
    shutil.copytree(repo, work / "nogit", ignore=shutil.ignore_patterns(".git"))
    return {
        "instance_id": INSTANCE_ID,
        "repo": "tobymao/sqlglot",
        "base_commit": base,
        "problem_statement": PROBLEM,
        "hints_text": "",
        "version": BEFORE,
        "language": "python",
        "patch": gold,
        "test_patch": tests,
        "FAIL_TO_PASS": json.dumps(FAIL_TO_PASS),
        "PASS_TO_PASS": "[]",
        "test_command": COMMAND,
        "test_output_parser": "python/parse_log_pytest_v3",
    }


def _fill(repo: Path, source: Path) -> None:
    for name in ("sqlglot", "tests"):
        shutil.rmtree(repo / name, ignore_errors=True)
        shutil.copytree(source / name, repo / name)
    for name in ("README.md", "LICENSE", "setup.py", "pyproject.toml", "setup.cfg"):
        if (source / name).exists():
            shutil.copy(source / name, repo / name)
    (repo / ".gitignore").write_text("__pycache__/\n*.pyc\n.venv/\n")


def _images(work: Path) -> None:
    base = base_image()
    wheels = work / "wheels"
    _run(
        [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "-d", str(wheels)]
        + ["--python-version", "3.11", "pytest==8.4.2"]
    )
    (work / "ENV").write_text("export SQLGLOT_TASK=1\nexport PATH=/usr/local/bin:$PATH\n")
    for variant in VARIANTS:
        (work / "Dockerfile").write_text(
            f"FROM {base}\n"
            "COPY wheels /tmp/wheels\n"
            "RUN pip install -q --break-system-packages --no-index --find-links /tmp/wheels"
            " pytest && rm -r /tmp/wheels\n"
            "COPY ENV /saved/ENV\n"
            f"COPY {variant} /app/repo\n"
            "WORKDIR /app/repo\n"
        )
        _docker("build", "-q", "--network", "none", "-t", image_name(variant), str(work))


def base_image() -> str:
    """The Debian image under all task images here."""
    if not asyncio.run(has(BASE)):
        asyncio.run(imported(debian_root(), BASE))
    return BASE


def _pass_to_pass(row: dict[str, object]) -> list[str]:
    """What passes in the image both before the fix and with the gold and the test patch."""
    before = _passed([])
    after = _passed([str(row["patch"]), str(row["test_patch"])])
    missing = set(FAIL_TO_PASS) - after
    if missing or set(FAIL_TO_PASS) & _passed([str(row["test_patch"])]):
        raise SystemExit(f"the fix does not turn these tests green: {sorted(missing)}")
    return sorted((before & after) - set(FAIL_TO_PASS))


def _passed(patches: list[str]) -> set[str]:
    script = "cat > /tmp/p && { [ ! -s /tmp/p ] || git apply /tmp/p; } && " + COMMAND
    done = subprocess.run(
        ["docker", "run", "--rm", "-i", "--network", "none", image_name("full")]
        + ["bash", "-c", script],
        input="".join(patches).encode(),
        capture_output=True,
        check=False,
    )
    lines = done.stdout.decode().splitlines()
    return {line.split(maxsplit=1)[1] for line in lines if line.startswith("PASSED ")}


def _git(repo: Path, *args: str) -> str:
    facts = {"NAME": "sqlglot", "EMAIL": "sqlglot@example.invalid", "DATE": _DATE}
    roles = ("AUTHOR", "COMMITTER")
    who = {f"GIT_{role}_{what}": value for role in roles for what, value in facts.items()}
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", **who}
    done = subprocess.run(["git", "-C", str(repo), *args], env=env, check=True, capture_output=True)
    return done.stdout.decode()


def _docker(*args: str, check: bool = True) -> bool:
    done = subprocess.run(["docker", *args], capture_output=True, check=False)
    if check and done.returncode:
        raise SystemExit(f"docker {args[0]}: {done.stderr.decode()}{done.stdout.decode()}")
    return done.returncode == 0


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr.decode()}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data"))
