"""flat 5.0.0 → 5.0.1, from npm: unflattening no longer pollutes prototypes."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, hunks_but

_PARTS = ("index.js", "cli.js", "package.json", "test", "README.md", "LICENSE")


def _before(repo: Path) -> None:
    copy(upstream.npm("flat", "5.0.0"), repo, *_PARTS)
    copy(upstream.npm("is-buffer", "2.0.4"), _made(repo / "node_modules/is-buffer"))


def _after(repo: Path) -> None:
    copy(upstream.npm("flat", "5.0.1"), repo, *_PARTS)
    copy(upstream.npm("is-buffer", "2.0.4"), _made(repo / "node_modules/is-buffer"))


def _made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


TASK = Task(
    name="flat",
    language="javascript",
    install=(apt("nodejs"),),
    before=_before,
    after=_after,
    is_test=lambda name: name.startswith("test/"),
    command="/opt/mocha/node_modules/.bin/mocha -u tdd --reporter spec",
    parser="mocha",
    half=lambda gold: hunks_but(gold, "__proto__"),
    problem="unflatten({'__proto__.polluted': true}) pollutes Object's prototype.",
    extra={"/opt/mocha": lambda: upstream.npm_installed("mocha", "10.8.2")},
    small=True,
)
