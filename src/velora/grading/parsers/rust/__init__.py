"""Parsers for Rust."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.rust import cargo_log, nextest_log

FRAMEWORKS: tuple[Framework, ...] = (cargo_log.FRAMEWORK, nextest_log.FRAMEWORK)
