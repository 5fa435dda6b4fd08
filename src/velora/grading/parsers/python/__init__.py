"""Parsers for Python."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.python import pytest_log, sympy_log, unittest_log

FRAMEWORKS: tuple[Framework, ...] = (
    pytest_log.FRAMEWORK,
    unittest_log.FRAMEWORK,
    unittest_log.DJANGO,
    unittest_log.NOSE,
    unittest_log.NOSE2,
    sympy_log.FRAMEWORK,
)
