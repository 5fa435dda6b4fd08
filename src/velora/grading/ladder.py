"""What applying patches is made of: the rungs tried for each patch, and what came of them.

Each patch goes up the same ladder until a rung holds, and a rung that fails leaves nothing
behind:

1. `git apply`, outside of any repository, so that paths mean the working directory wherever the
   repository's root is, and neither its configuration nor its state matters;
2. for test patches, whether the patch is applied already: `git apply --check --reverse`;
3. `git apply --3way`, which needs a repository that has the patch's blobs;
4. GNU `patch --fuzz=5`, tried dry first.

`inside` does it with the image's git, `outside` with this machine's where the image has none.
"""

from __future__ import annotations

from dataclasses import dataclass

GIT_APPLY = "git apply"
ALREADY = "already applied"
THREE_WAY = "git apply --3way"
FUZZ = "patch --fuzz=5"

NO_REPOSITORY = "/velora-none"
"""A GIT_DIR that is none: `git apply` then works on the current directory, bytes for bytes."""

GNU_PATCH = "patch --batch --forward --fuzz=5 -p1 --binary --no-backup-if-mismatch --reject-file=-"
"""Without `--binary` it would strip carriage returns; rejected hunks go nowhere."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch to apply.

    Attributes:
        label: what it is called in the record, as `test patch 1 of 2`.
        data: its bytes, with a final newline.
        paths: the files it touches.
        test: it brings tests, so that finding it applied already is fine.
    """

    label: str
    data: bytes
    paths: tuple[bytes, ...]
    test: bool


@dataclass(frozen=True, slots=True)
class Rung:
    """One way tried for one patch. `output` is what the program said, or why it was not tried."""

    label: str
    way: str
    held: bool
    output: str = ""

    def __str__(self) -> str:
        said = " | ".join(line for line in self.output.splitlines() if line.strip())
        ended = "ok" if self.held else "failed"
        return f"{self.label}: {self.way}: {ended}" + (f" ({said})" if said else "")


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of all patches, in order; those after one that failed were not tried."""

    rungs: tuple[Rung, ...]

    def held(self, patch: Patch) -> bool:
        """`patch` is in."""
        return any(rung.held for rung in self.rungs if rung.label == patch.label)
