"""sqlglot 26.3.8 and what 26.3.9 mended, from PyPI; pytest. The image has no wheel, only Debian's
packages: `tests.images.sqlglot` makes another of the same releases."""

from __future__ import annotations

from pathlib import Path

from tests.images import sqlglot
from tests.images.tasks.task import Task, apt, copy

_PARTS = ("sqlglot", "tests", "README.md", "LICENSE", "setup.py")


def _fixed(repo: Path) -> None:
    copy(sqlglot.source(sqlglot.AFTER), repo, *_PARTS)
    copy(sqlglot.source(sqlglot.BEFORE), repo, "sqlglot/_version.py")


def _broken(repo: Path) -> None:
    copy(sqlglot.source(sqlglot.BEFORE), repo, *_PARTS)


def _half(repo: Path) -> None:
    copy(sqlglot.source(sqlglot.BEFORE), repo, "sqlglot/dialects/trino.py")


TASK = Task(
    name="sqlglot-debian",
    language="python",
    problem=sqlglot.PROBLEM,
    needs=(),
    install=(apt("python3-pytest"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=("tests/dialects/test_trino.py::TestTrino::test_ddl",),
    tests=("tests/",),
    command=f"python3 -m pytest -rA --tb=short -p no:cacheprovider {sqlglot.TESTS}",
    parser="pytest",
    small=True,
    report="pytest",
)
