"""Parsers for Go."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.go import gotest_json, gotest_log, gotestsum_log

FRAMEWORKS: tuple[Framework, ...] = (
    gotest_log.FRAMEWORK,
    gotest_json.FRAMEWORK,
    gotestsum_log.FRAMEWORK,
)
