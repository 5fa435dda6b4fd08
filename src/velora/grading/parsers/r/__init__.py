"""Parsers for R."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.r import testthat_log

FRAMEWORKS: tuple[Framework, ...] = (testthat_log.FRAMEWORK,)
