"""flat 5.0.0 and the fix of 5.0.1, from npm: unflattening must not pollute prototypes; Mocha."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, edit

_GUARD = "      if (key1 === '__proto__') {\n        return\n      }\n\n"
_LOOP = "    while (key2 !== undefined) {\n"


def _fixed(repo: Path) -> None:
    copy(upstream.npm("flat", "5.0.1"), repo)
    (repo / ".gitignore").write_text("node_modules/\n")


def _broken(repo: Path) -> None:
    copy(upstream.npm("flat", "5.0.0"), repo)


def _half(repo: Path) -> None:
    """Only the first key is looked at."""
    edit(repo / "index.js", (_LOOP + _GUARD, _GUARD + _LOOP))


def _modules() -> Path:
    return upstream.node_modules("mocha@10.8.2", "is-buffer@2.0.4")


TASK = Task(
    name="flat",
    language="javascript",
    problem="Prototype pollution\n\nAfter unflatten({'__proto__.polluted': true}) every object has "
    "the property `polluted`. The key may be nested, as in 'prefix.__proto__.polluted'.",
    needs=("npm",),
    install=(apt("nodejs"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=("Unflatten > should not pollute prototype",),
    tests=("test/",),
    command="node_modules/.bin/mocha -u tdd --reporter spec",
    parser="mocha",
    extra={"/testbed/node_modules": _modules},
    small=True,
)
