"""Parsers that give exactly what VeloraHarness's parsers of the same names give, faults included.

The lists of tests in its datasets were made with them, so they tell which names a list means.
They are no evidence where a strict parser reads the same log: see `grading.verdict`.
"""

from __future__ import annotations

from dataclasses import replace

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.python import pytest_log, unittest_log

FRAMEWORKS: tuple[Framework, ...] = (
    *(
        replace(pytest_log.FRAMEWORK, name=f"python/parse_log_{name}", signs="", strict=("pytest",))
        for name in ("pytest", "pytest_v2", "pytest_v3")
    ),
    replace(
        unittest_log.FRAMEWORK, name="python/parse_log_unittest", signs="", strict=("unittest",)
    ),
)
