"""Reads tape's output, which is TAP where a comment names the test: `# title`, then the points of
its assertions. Numbers and plan are checked as `tap_log` does.

A test's own comments (`t.comment`) and the titles of tests within tests look like a title, too, and
name what follows them.
"""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.generic.tap_log import TapReader


def _reader() -> TapReader:
    return TapReader(titles=True)


FRAMEWORK = Framework(
    name="tape",
    reader=_reader,
    names="`title > assertion`; of several assertions with one name the worst counts",
    signs=r"# pass  \d+$|# fail  \d+$",  # two blanks: other producers write one
    begins="#",
    languages=("javascript", "typescript"),
    hosts=("tap",),
)
