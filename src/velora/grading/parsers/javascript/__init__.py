"""Parsers for JavaScript and TypeScript."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.javascript import (
    ava_log,
    jasmine_log,
    jest_log,
    karma_log,
    mocha_log,
    node_test_log,
    tape_log,
    vitest_log,
)

FRAMEWORKS: tuple[Framework, ...] = (
    jest_log.FRAMEWORK,
    vitest_log.FRAMEWORK,
    mocha_log.FRAMEWORK,
    ava_log.FRAMEWORK,
    jasmine_log.FRAMEWORK,
    karma_log.FRAMEWORK,
    node_test_log.FRAMEWORK,
    tape_log.FRAMEWORK,
)
