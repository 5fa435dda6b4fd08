"""Parsers for Ruby."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.ruby import minitest_log, rspec_log, testunit_log

FRAMEWORKS: tuple[Framework, ...] = (
    rspec_log.FRAMEWORK,
    minitest_log.FRAMEWORK,
    testunit_log.FRAMEWORK,
)
