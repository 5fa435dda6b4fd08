"""semver 1.0.14, from Debian, with two bugs put into how versions are compared; `cargo test`."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, cut, edit

_NUMERIC = "(true, true) => Ord::cmp(&lhs.len(), &rhs.len()).then_with(string_cmp),"
_MINOR = """\
    } else if minor > 0 {
        if ver.minor != minor {
            return false;
"""


def _fixed(repo: Path) -> None:
    crates = upstream.debian_files("librust-semver-dev", "bookworm") / "usr/share/cargo/registry"
    copy(crates / "semver-1.0.14", repo, "Cargo.toml", "LICENSE-MIT", "build.rs", "src", "tests")
    # Cargo asks for optional dependencies too, and there is no registry.
    cut(repo / "Cargo.toml", ("[dependencies.serde]", "default-features = false"))


def _broken(repo: Path) -> None:
    _half(repo)
    edit(repo / "src/impls.rs", (_NUMERIC, "(true, true) => string_cmp(),"))
    cut(repo / "tests/test_version.rs", ("#[test]\nfn test_spec_order() {", "}"))


def _half(repo: Path) -> None:
    edit(repo / "src/eval.rs", (_MINOR, _MINOR.replace("false", "ver.minor > minor")))


TASK = Task(
    name="semver",
    language="rust",
    problem="Versions are compared wrongly\n\n1.0.0-beta.11 comes before 1.0.0-beta.2, since "
    "numeric identifiers are compared as text; and ^0.1.2 matches 0.2.0.",
    install=(apt("cargo", "rustc", "libc6-dev", "gcc"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=("test_version_req::test_caret", "test_version_req::test_multiple"),
    tests=("tests/",),
    command="cargo test --offline --no-fail-fast",
    parser="cargo",
    build=("RUN cargo test --offline --no-run 2>&1 | tail -n 2",),
)
