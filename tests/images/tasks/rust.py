"""semver 1.0.14, from Debian, with two bugs put into how versions are ordered."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, edit, hunks_but, without

_PRE = "(true, true) => Ord::cmp(&lhs.len(), &rhs.len()).then_with(string_cmp),"


def _after(repo: Path) -> None:
    registry = upstream.binary("librust-semver-dev") / "usr/share/cargo/registry"
    copy(registry / "semver-1.0.14", repo, "Cargo.toml", "build.rs", "src", "tests")
    # Cargo wants optional dependencies too, and there is no registry.
    without(repo / "Cargo.toml", "[dependencies.serde]", "default-features = false")


def _before(repo: Path) -> None:
    _after(repo)
    edit(
        repo / "src/impls.rs",
        (_PRE, "(true, true) => string_cmp(),"),
        ("Ord::cmp(&lhval.len(), &rhval.len())", "Ord::cmp(&rhval.len(), &lhval.len())"),
    )
    without(repo / "tests/test_version.rs", "fn test_spec_order() {", "}")


TASK = Task(
    name="semver",
    language="rust",
    install=(apt("cargo", "rustc", "libc6-dev", "gcc"),),
    before=_before,
    after=_after,
    is_test=lambda name: name.startswith("tests/"),
    command="cargo test --offline --no-fail-fast",
    parser="cargo",
    half=lambda gold: hunks_but(gold, "lhval.len()"),
    problem="Numeric identifiers are compared as text: 1.0.0-beta.11 comes before 1.0.0-beta.2.",
    build=("RUN cargo test --offline --no-run 2>&1 | tail -n 2",),
)
